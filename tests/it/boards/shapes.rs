//! Queries of charts: what they ask for is described once, and written in both query languages.

use super::flux::{ADD_UP, LEAVES, PICK, PIVOT, RANGE, SCOPES, SERIES, fields, from, renamed};
use super::influxql;
use super::kit::{Lang, Query};

/// Whose points are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// The roll-up or the series of the pickers.
    Series,
    /// The same without channels, for alarms.
    Scopes,
    /// Single series of the pickers.
    Leaves,
}

impl Of {
    fn flux(self) -> &'static str {
        match self {
            Self::Series => SERIES,
            Self::Scopes => SCOPES,
            Self::Leaves => LEAVES,
        }
    }

    fn influxql(self) -> String {
        match self {
            Self::Series => influxql::SERIES.into(),
            Self::Scopes => influxql::SCOPES.into(),
            Self::Leaves => influxql::leaves(),
        }
    }
}

/// Fields of a measurement, added up over series and drawn start by start.
pub struct Sums<'a> {
    pub comment: &'a str,
    pub measurement: &'a str,
    /// Only points of forecasts three hours ahead.
    pub three_hours_ahead: bool,
    pub of: Of,
    /// Fields, with their names on the panel.
    pub fields: &'a [(&'a str, &'a str)],
}

impl<'a> Sums<'a> {
    pub fn of(of: Of, measurement: &'a str, fields: &'a [(&'a str, &'a str)]) -> Self {
        Self { comment: "", measurement, three_hours_ahead: false, of, fields }
    }

    /// The query in both languages.
    pub fn query(&self) -> Query {
        let Self { comment, measurement, three_hours_ahead, of, fields: named } = *self;
        let mut before = String::new();
        if of == Of::Leaves {
            before += &format!("{PICK}\n");
        }
        if !comment.is_empty() {
            before += &format!("// {comment}\n");
        }
        let lead =
            if three_hours_ahead { "\n    |> filter(fn: (r) => r.lead_h == \"3\")" } else { "" };
        let names: Vec<&str> = named.iter().map(|(field, _)| *field).collect();
        let flux = format!(
            "import \"dict\"\n\n{before}{}{lead}{}{}{ADD_UP}{}\n",
            from(RANGE, measurement),
            fields(&names),
            of.flux(),
            // After the sums: a name is looked up for each row.
            renamed(named),
        );
        let mut filter = of.influxql();
        if three_hours_ahead {
            filter += " AND \"lead_h\" = '3'";
        }
        Query::series(flux).in_influxql([influxql::added_up(measurement, named, &filter)])
    }
}

/// Counts of finalized windows.
pub fn finalized(name: &str) -> Query {
    let flux = format!(
        r#"{}{}{SERIES}{PIVOT}
    |> filter(fn: (r) => r.upto == 0)
    |> map(fn: (r) => ({{_time: r._time, _field: "{name}", _value: r.count}})){ADD_UP}
"#,
        from(RANGE, "tickets"),
        fields(&["count", "upto"]),
    );
    Query::series(flux).in_influxql([counts(name, "\"upto\" = 0")])
}

/// Counts of finalized windows, and under another name those of open ones.
pub fn finalized_and_open(name: &str, so_far: &str) -> Query {
    let flux = format!(
        r#"// A window that is still open has an offset in `upto`: its count is not complete.
{}{}{SERIES}{PIVOT}
    |> map(fn: (r) => ({{_time: r._time, _field: if r.upto == 0 then "{name}" else "{so_far}", _value: r.count}})){ADD_UP}
"#,
        from(RANGE, "tickets"),
        fields(&["count", "upto"]),
    );
    let selects = [counts(name, "\"upto\" = 0"), counts(so_far, "\"upto\" > 0")];
    Query::series(flux).in_influxql(selects)
}

fn counts(name: &str, state: &str) -> super::kit::Select {
    let filter = format!("{} AND {state}", influxql::SERIES);
    influxql::added_up("tickets", &[("count", name)], &filter)
}

/// A mean of each day by lead, over all series. `complement` draws 1 minus it.
pub fn daily_by_lead(lang: Lang, field: &str, complement: bool) -> Query {
    let name = lang.t(r#"r.lead_h + " h ahead""#, r#""提前 " + r.lead_h + " 小时""#);
    let value = if complement { "1.0 - r._value" } else { "r._value" };
    let flux = format!(
        r#"{}{}{SERIES}
    // Several series: the mean.
    |> group(columns: ["lead_h"])
    |> aggregateWindow(every: 1d, fn: mean, createEmpty: false, timeSrc: "_start")
    |> map(fn: (r) => ({{_time: r._time, _field: {name}, _value: {value}}}))
    |> group(columns: ["_field"])
"#,
        from(RANGE, "accuracy"),
        fields(&[field]),
    );
    let mean = if complement { "1 - mean" } else { "mean" };
    let select = influxql::daily(mean, &[(field, field)], "", ", \"lead_h\"");
    let alias = lang.t("$tag_lead_h h ahead", "提前 $tag_lead_h 小时");
    Query::series(flux).in_influxql([select.called(alias)])
}
