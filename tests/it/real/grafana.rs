//! Runs all queries of the boards like Grafana: panels, variables, annotations and the rules.

#![allow(clippy::disallowed_methods, reason = "the points lie around now")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::{SystemTime, UNIX_EPOCH};

use super::servers::{Influx, Row};
use crate::boards::{ALL, Board, Lang, Query, Select, Source, boards, queries, rule_queries};

/// A picker's choice.
#[derive(Clone, Debug)]
pub enum Choice<'a> {
    All,
    These(&'a [&'a str]),
}

impl Choice<'_> {
    /// As Grafana inserts it with the format `regex`. The value of `All` is inserted as it is.
    fn regex(&self, all: &str) -> String {
        let escaped = |name: &&str| {
            let mut text = String::new();
            for character in name.chars() {
                if r"\^$*+?.()|[]{}/".contains(character) {
                    text.push('\\');
                }
                text.push(character);
            }
            text
        };
        match self {
            Self::All => all.into(),
            Self::These([one]) => escaped(one),
            Self::These(several) => {
                let names: Vec<String> = several.iter().map(escaped).collect();
                format!("({})", names.join("|"))
            }
        }
    }
}

/// The range in which queries run, in seconds from now.
const RANGE_S: (i64, i64) = (-86_400, 21_600);

/// A query with its variables filled in like in Grafana.
fn filled(query: &str, bucket: &str, choices: &[Choice<'_>; 3]) -> String {
    filled_for(query, bucket, choices, RANGE_S)
}

/// A query for a range, in seconds from now.
pub fn filled_for(
    query: &str,
    bucket: &str,
    choices: &[Choice<'_>; 3],
    (from, to): (i64, i64),
) -> String {
    let mut query = query.to_owned();
    for (name, choice) in ["region", "service", "channel"].iter().zip(choices) {
        query = query.replace(&format!("${{{name}:regex}}"), &choice.regex("_all"));
    }
    let options = format!(
        "import \"experimental\"\noption v = {{timeRangeStart: {from}s, timeRangeStop: {to}s, windowPeriod: 1m, \
         defaultBucket: \"{bucket}\"}}\n"
    );
    // Imports come first in Flux.
    let (imports, rest): (Vec<&str>, Vec<&str>) =
        query.lines().partition(|line| line.starts_with("import "));
    let imports: BTreeSet<&str> =
        imports.into_iter().filter(|line| *line != "import \"experimental\"").collect();
    let imports: Vec<&str> = imports.into_iter().collect();
    format!("{}\n{options}{}", imports.join("\n"), rest.join("\n"))
}

/// A query in InfluxQL with its variables filled in like in Grafana, for the range of [`filled`].
fn filled_influxql(query: &str, choices: &[Choice<'_>; 3]) -> String {
    filled_influxql_for(query, choices, RANGE_S)
}

/// The same for another range.
pub fn filled_influxql_for(
    query: &str,
    choices: &[Choice<'_>; 3],
    (from, to): (i64, i64),
) -> String {
    let now = now_s();
    let range = format!("time >= {}000ms and time <= {}000ms", now + from, now + to);
    let mut query = query.replace("$timeFilter", &range);
    for (name, choice) in ["region", "service", "channel"].iter().zip(choices) {
        query = query.replace(&format!("${{{name}:regex}}"), &choice.regex(ALL));
    }
    query
}

/// Runs the queries of all boards for the choices, and checks their results. `may_be_empty` allows no rows everywhere.
pub fn check_boards(influx: &Influx, bucket: &str, choices: &[Choice<'_>; 3], may_be_empty: bool) {
    for board in boards().iter().filter(|board| board.source != Source::PromQl) {
        check_board(influx, bucket, board, choices, may_be_empty);
    }
    for query in rule_queries() {
        let rows = influx.query(&filled(&query.text, bucket, choices));
        assert!(!rows.is_empty() || may_be_empty, "a rule has no rows\n{}", query.text);
        for row in &rows {
            has(row, &query, &query.text);
            assert!(row["_value"].parse::<f64>().is_ok(), "{row:?}\n{}", query.text);
        }
    }
}

fn check_board(
    influx: &Influx,
    bucket: &str,
    board: &Board,
    choices: &[Choice<'_>; 3],
    may_be_empty: bool,
) {
    for query in queries(board) {
        // The languages differ only in texts.
        if board.lang == Lang::Zh && !query.text.contains("dict.get") {
            continue;
        }
        let rows_in_flux = || influx.query(&filled(&query.text, bucket, choices));
        if board.source == Source::InfluxQl {
            let found = check_influxql(influx, bucket, query, choices);
            let is_fine = found || query.may_be_empty || may_be_empty || rows_in_flux().is_empty();
            assert!(is_fine, "{}: no rows\n{:?}", board.path(), query.influxql);
            continue;
        }
        let text = filled(&query.text, bucket, choices);
        let rows = influx.query(&text);
        let is_fine = !rows.is_empty() || query.may_be_empty || may_be_empty;
        assert!(is_fine, "{}: no rows\n{text}", board.path());
        rows.iter().for_each(|row| has(row, query, &text));
    }
}

/// Runs a query in InfluxQL and checks the shape of its rows. Returns whether there are any.
fn check_influxql(influx: &Influx, bucket: &str, query: &Query, choices: &[Choice<'_>; 3]) -> bool {
    let found = query.influxql.iter().map(|select| {
        let rows = rows_in_influxql(influx, bucket, select, choices);
        !rows.is_empty()
    });
    // Each runs, also after one with rows.
    found.collect::<Vec<_>>().contains(&true)
}

fn rows_in_influxql(
    influx: &Influx,
    bucket: &str,
    select: &Select,
    choices: &[Choice<'_>; 3],
) -> Vec<Row> {
    let text = filled_influxql(&select.text, choices);
    let rows = influx.influxql(bucket, &text);
    for row in &rows {
        for column in &select.columns {
            assert!(row.contains_key(column), "no {column} in {row:?}\n{text}");
            let value = &row[column];
            let is_number = value.is_empty() || value.parse::<f64>().is_ok();
            assert!(is_number || !select.is_chart(), "{value} is not a number\n{text}");
        }
    }
    rows
}

fn has(row: &Row, query: &Query, text: &str) {
    for column in &query.columns {
        assert!(row.contains_key(column), "no {column} in {row:?}\n{text}");
    }
    if query.columns.iter().any(|column| column == "_field") {
        let value = &row["_value"];
        assert!(value.parse::<f64>().is_ok(), "{value} is not a number\n{text}");
    }
}

fn now_s() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    now.as_secs() as i64
}

/// Points of every measurement for one series and its roll-up, around now.
fn points(region: &str, service: &str) -> String {
    let tag = |name: &str| name.replace(',', "\\,").replace(' ', "\\ ").replace('=', "\\=");
    let now = now_s();
    let window = now.div_euclid(900) * 900;
    let at = |secs: i64| format!("{secs}000000000");
    let iso = |secs: i64| {
        let at = chrono::DateTime::from_timestamp(secs, 0).expect("a time");
        at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
    };
    let mut lines = Vec::new();
    let day = now.div_euclid(86_400) * 86_400;
    for (region, service, channel) in
        [(tag(region), tag(service), "phone"), ("_all".into(), "_all".into(), "_all")]
    {
        let series = format!("region={region},service={service},channel={channel}");
        let scope = format!("region={region},service={service}");
        for step in -8..24i64 {
            let start = window + step * 900;
            if step <= 0 {
                let upto = if step == 0 { 7 } else { 0 };
                lines.push(format!("tickets,{series} count=5i,late=1i,upto={upto}i {}", at(start)));
                lines.push(format!(
                    "alarms,{scope} raised_critical=1i,raised_major=0i,raised_minor=0i,raised_warning=0i,\
                     raised_indeterminate=2i,cleared=1i,active=3i {}",
                    at(start)
                ));
                lines.push(format!(
                    "service,{series} offered=5i,answered=4i,abandoned=1i,targeted=4i,in_time=3i,service_level=0.75,abandonment=0.2 {}",
                    at(start)
                ));
                lines.push(format!(
                    "forecast_lead,{series},lead_h=3 q10=1,q50=2,q90=3 {}",
                    at(start)
                ));
            }
            lines.push(format!(
                "forecast,{series} mean=6,q025=1,q10=2,q25=3,q50=4,q75=5,q90=6,q975=7,baseline=5,alarm_effect=1,\
                 issued_at=\"{}\" {}",
                iso(window),
                at(start)
            ));
            if channel == "phone" {
                lines.push(format!(
                    "staffing,{series} positions=3i,agents=5i,scheduled=4i,gap=1i,service_level=0.75 {}",
                    at(start)
                ));
                lines.push(format!(
                    "team_staffing,team={region} positions=3i,agents=5i,scheduled=4i,gap=1i,service_level=0.75 {}",
                    at(start)
                ));
                if step < 0 {
                    lines.push(format!(
                        "backlog,{series} open={}i,opened=2i {}",
                        9 + step,
                        at(start)
                    ));
                }
            }
        }
        lines.push(format!(
            "outlook,{series} peak=9,peak_at=\"{0}\",over_baseline=1.5,gap_max=2i,gap_at=\"{0}\",\
             minutes_to_breach=15i,breach_at=\"{0}\",rostered=1i,fallback=\"\" {1}",
            iso(window + 3600),
            at(window)
        ));
        lines.push(format!(
            "accuracy,{series},lead_h=3 wape=0.1,wape_naive=0.2,wape_floor=0.05,mase=0.5,coverage80=0.8,bias=0.01,\
             surges=2i,surges_hit=1i,false_calls=1i {}",
            at(day)
        ));
        for score in [4, 6] {
            lines.push(format!(
                "anomaly,{series} score={score},kind=\"high\",text=\"say \\\"more\\\"\" {}",
                at(window - score * 900)
            ));
        }
        lines.push(format!(
            "planned,{series} kind=\"maintenance\",text=\"core\",until=\"{}\",state=\"planned\" {}",
            iso(window + 7200),
            at(window)
        ));
        lines.push(format!(
            "planned,{series} kind=\"billing\",text=\"run\",factor=1.5,until=\"{}\",state=\"planned\" {}",
            iso(window + 7200),
            at(window + 1)
        ));
    }
    let (region, service_tag) = (tag(region), tag(service));
    lines.push(format!(
        "planned,region={region},service={service_tag},channel=_all kind=\"cause\",text=\"LOS\",tickets=4.5,until=\"{}\",\
         state=\"planned\" {}",
        iso(window + 21_600),
        at(window + 2)
    ));
    lines.push(format!(
        "alarm_types,region={region},service={service_tag},type=LOS raised=1i,standing=2i,ticket_effect=4.5 {}",
        at(window)
    ));
    lines.push(format!(
        "alert,rule=understaffed,severity=critical,region={region} state=\"firing\",incident=\"a\",service=\"{}\",\
         since=\"{}\",agents_short=4i,summary=\"4 agents missing\",url=\"http://x/#/alerts/a\" {}",
        service.replace('\\', "\\\\").replace('"', "\\\""),
        iso(window - 900),
        at(window)
    ));
    lines.push(format!(
        "recommendation,kind=call_in,team=calls id=\"r1\",state=\"proposed\",source=\"\",from=\"{}\",until=\"{}\",agents=4i,\
         confidence=0.9,service_level_with=0.8,service_level_without=0.5,cost=120,changes=0i,answered_by=\"\",\
         summary=\"call in 4\" {}",
        iso(window + 3600),
        iso(window + 7200),
        at(window)
    ));
    lines.push(format!(
        "feed,source=network.alarms[0] lag=3i,frontier_age=900i,silent_for=5i,heard=1i,rejected=2i,malformed=1i,field=1i,\
         future=0i,limit=0i,late=1i {}",
        at(now - 30)
    ));
    lines.join("\n")
}

#[test]
fn every_query_of_every_board_gives_rows_for_any_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let influx = Influx::start(folder.path());
    let names = [
        ("north", "broadband"),
        (r#"No"rth (1|2)"#, r#"fibre, 1 Gb = $x ${y} [z]+?*^."#),
        ("华北", "宽带 '家庭'"),
    ];
    for (n, (region, service)) in names.into_iter().enumerate() {
        let bucket = format!("names{n}");
        influx.create_bucket(&bucket);
        influx.write(&bucket, &points(region, service));
        use Choice::{All, These};
        let one = [These(&[region]), These(&[service]), These(&["phone"])];
        let several = [These(&["elsewhere", region]), These(&[service, "other"]), All];
        for choices in [[All, All, All], one] {
            check_all(&influx, &bucket, &choices);
        }
        check_boards(&influx, &bucket, &several, true);
    }
}

/// Values of a chart by the name of their series, in order of size. `None` for what is no chart.
type Values = BTreeMap<String, Vec<String>>;

fn values_in_flux(rows: &[Row]) -> Values {
    let mut values = Values::new();
    for row in rows {
        if let (Some(name), Some(value)) = (row.get("_field"), row.get("_value")) {
            let value = value.parse::<f64>().expect("a number");
            values.entry(name.clone()).or_default().push(format!("{value:.6}"));
        }
    }
    values.values_mut().for_each(|values| values.sort());
    values
}

fn values_in_influxql(rows: &[Row], columns: &[String], values: &mut Values) {
    for (row, column) in rows.iter().flat_map(|row| columns.iter().map(move |column| (row, column)))
    {
        if let Ok(value) = row[column].parse::<f64>() {
            values.entry(column.clone()).or_default().push(format!("{value:.6}"));
        }
    }
    values.values_mut().for_each(|values| values.sort());
}

/// Figures that depend on the time of the query, and by how much they may differ: InfluxQL counts whole minutes, and a busy machine
/// takes its time between two queries.
const OF_NOW: [(&str, f64); 2] = [("age", 900.0), ("hours", 0.25)];
/// Figures that are instants: in Flux numbers, in InfluxQL texts.
const INSTANTS: [&str; 2] = ["at", "breach"];

/// Charts and figures have the same values in both query languages. Each figure has an age.
fn same_values(influx: &Influx, bucket: &str, choices: &[Choice<'_>; 3]) -> (usize, usize) {
    let (mut charts, mut figures) = (0, 0);
    for board in boards().iter().filter(|board| board.source == Source::InfluxQl) {
        for query in board.panels.iter().flat_map(|panel| &panel.queries) {
            let flux = influx.query(&filled(&query.text, bucket, choices));
            let mut found = Values::new();
            let mut rows = Vec::new();
            for select in &query.influxql {
                let of_select = rows_in_influxql(influx, bucket, select, choices);
                values_in_influxql(&of_select, &select.columns, &mut found);
                rows.extend(of_select);
            }
            let is_chart = query.influxql.iter().all(Select::is_plain_chart);
            if is_chart && flux.iter().all(|row| row.contains_key("_field")) {
                assert_eq!(found, values_in_flux(&flux), "{}\n{:?}", query.text, query.influxql);
                charts += 1;
            } else if let ([one], true) =
                (flux.as_slice(), query.columns.iter().any(|column| column == "age"))
            {
                for column in query.influxql.iter().flat_map(|select| &select.columns) {
                    let value = one.get(column).and_then(|value| value.parse::<f64>().ok());
                    let Some(value) = value.filter(|_| !INSTANTS.contains(&column.as_str())) else {
                        continue;
                    };
                    let [there] = found.get(column).map(Vec::as_slice).unwrap_or_default() else {
                        panic!("{column}: {:?}\n{}", found.get(column), query.text);
                    };
                    let there: f64 = there.parse().expect("a number");
                    let of_now = OF_NOW.into_iter().find(|(figure, _)| figure == column);
                    let close = of_now.map_or(1e-6, |(_, close)| close);
                    assert!(
                        (there - value).abs() <= close,
                        "{column}: {value} and {there}\n{}",
                        query.text
                    );
                    figures += 1;
                }
            }
        }
    }
    (charts, figures)
}

/// Like [`check_boards`], where nothing may be empty.
fn check_all(influx: &Influx, bucket: &str, choices: &[Choice<'_>; 3]) {
    let mut empty = Vec::new();
    for board in boards().iter().filter(|board| board.source == Source::Flux) {
        for query in queries(board) {
            let text = filled(&query.text, bucket, choices);
            let rows = influx.query(&text);
            if rows.is_empty() {
                empty.push(text.clone());
            }
            rows.iter().for_each(|row| has(row, query, &text));
            for select in &query.influxql {
                if rows_in_influxql(influx, bucket, select, choices).is_empty() {
                    empty.push(filled_influxql(&select.text, choices));
                }
            }
        }
    }
    let (charts, figures) = same_values(influx, bucket, choices);
    assert!(charts > 20 && figures > 10, "{charts} charts, {figures} figures");
    assert!(
        empty.is_empty(),
        "{} queries give no rows for {choices:?}:\n{}",
        empty.len(),
        empty.join("\n-----\n")
    );
}

#[test]
fn an_empty_bucket_is_no_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let influx = Influx::start(folder.path());
    influx.create_bucket("empty");
    check_boards(&influx, "empty", &[Choice::All, Choice::All, Choice::All], true);
}
