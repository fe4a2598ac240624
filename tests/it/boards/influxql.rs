//! Parts of InfluxQL queries.
//!
//! InfluxQL has no conditions on a picker. *All* therefore inserts `_all|`, which has two meanings: in parentheses,
//! `^(_all|)$` is the roll-up alone. Without them, `^_all|$` matches every name. A name means itself in both.
//!
//! A board waits for no join: queries that combine several ranges read several subqueries of one measurement.

use super::kit::Select;

/// What *All* inserts.
pub const ALL: &str = "_all|";

/// Series of the pickers. `All` is the roll-up; several are added up.
pub const SERIES: &str = r#""region" =~ /^(${region:regex})$/ AND "service" =~ /^(${service:regex})$/ AND "channel" =~ /^(${channel:regex})$/"#;

/// Regions and services of the pickers, for alarms.
pub const SCOPES: &str =
    r#""region" =~ /^(${region:regex})$/ AND "service" =~ /^(${service:regex})$/"#;

/// Regions and services of the pickers: `All` picks every one.
pub const PICK_SCOPES: &str =
    r#""region" =~ /^${region:regex}$/ AND "service" =~ /^${service:regex}$/"#;

/// The same with channels.
pub const PICK: &str = r#""region" =~ /^${region:regex}$/ AND "service" =~ /^${service:regex}$/ AND "channel" =~ /^${channel:regex}$/"#;

/// The roll-up of everything.
pub const ALL_SERIES: &str = r#""region" = '_all' AND "service" = '_all' AND "channel" = '_all'"#;

/// Not a roll-up.
pub const SINGLE: &str = r#""region" != '_all' AND "service" != '_all' AND "channel" != '_all'"#;

/// What concerns the regions and services of the pickers: theirs, and what is planned for all.
pub const CONCERNS: &str =
    r#""region" =~ /^_all$|^${region:regex}$/ AND "service" =~ /^_all$|^${service:regex}$/"#;

/// The range of the board.
pub const RANGE: &str = "$timeFilter";

/// The last 24 hours.
pub const DAY: &str = "time > now() - 24h AND time <= now()";

/// The time of the forecast.
pub const AHEAD: &str = "time > now() AND time <= now() + 6h";

/// Single series of the pickers.
pub fn leaves() -> String {
    format!("{SINGLE} AND {PICK}")
}

/// Names in double quotes.
pub fn names(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    quoted.join(", ")
}

/// A function of fields, each with its name on the panel.
pub fn each(function: &str, fields: &[(&str, &str)]) -> String {
    let each = fields.iter().map(|(field, name)| format!("{function}(\"{field}\") AS \"{name}\""));
    each.collect::<Vec<_>>().join(", ")
}

/// Adds series up, start by start. Starts are multiples of five minutes, so that no two windows share a slot.
pub fn added_up(measurement: &str, fields: &[(&str, &str)], filter: &str) -> Select {
    let sums = each("sum", fields);
    let text = format!(
        "SELECT {sums} FROM \"{measurement}\" WHERE {filter} AND {RANGE} GROUP BY time(5m) fill(none)"
    );
    Select::lines(text, &fields.iter().map(|(_, name)| *name).collect::<Vec<_>>())
}

/// A figure of each day, over all series of the pickers.
pub fn daily(function: &str, fields: &[(&str, &str)], filter: &str, by: &str) -> Select {
    let figures = each(function, fields);
    let text = format!(
        "SELECT {figures} FROM \"accuracy\" WHERE {SERIES}{filter} AND {RANGE} GROUP BY time(1d){by} fill(none)"
    );
    Select::lines(text, &fields.iter().map(|(_, name)| *name).collect::<Vec<_>>())
}

/// Rows of two subqueries of one measurement, each with its column. A function over both needs this step between: directly, it
/// finds the column of one of them only.
pub fn both((a, from_a): (&str, &str), (b, from_b): (&str, &str)) -> String {
    format!("(SELECT {} FROM {from_a}, {from_b})", names(&[a, b]))
}

/// Minutes from the newest point of a field to the end of the range, as text. `fill(previous)` goes on to the end,
/// `fill(linear)` ends with the newest point.
fn minutes_after(measurement: &str, field: &str, filter: &str, range: &str) -> (String, String) {
    let filled = |name: &str, fill: &str| {
        format!(
            "(SELECT last(\"{field}\") AS \"{name}\" FROM \"{measurement}\" WHERE {filter} AND {range} GROUP BY time(1m) \
             fill({fill}))"
        )
    };
    let sources = both(
        ("to_end", &filled("to_end", "previous")),
        ("to_newest", &filled("to_newest", "linear")),
    );
    ("(count(\"to_end\") - count(\"to_newest\"))".into(), sources)
}

/// Seconds since the newest point, in whole minutes.
pub fn age(measurement: &str, field: &str, filter: &str) -> Select {
    let (minutes, sources) = minutes_after(measurement, field, filter, DAY);
    Select::rows(format!("SELECT {minutes} * 60 AS \"age\" FROM {sources}"), &["age"])
}

/// Hours from now to the newest forecast point.
pub fn hours_ahead(filter: &str) -> Select {
    let (minutes, sources) = minutes_after("forecast", "mean", filter, AHEAD);
    Select::rows(format!("SELECT 6 - {minutes} / 60.0 AS \"hours\" FROM {sources}"), &["hours"])
}

/// The newest row of each group of tags. `present` is a field that each row has; a field that is absent in the newest row is
/// empty.
pub fn newest(
    measurement: &str,
    (present, others): (&str, &[&str]),
    filter: &str,
    tags: &[&str],
) -> String {
    format!(
        "SELECT last(\"{present}\") AS \"{present}\", {} FROM \"{measurement}\" WHERE {filter} AND {DAY} GROUP BY {}",
        names(others),
        names(tags)
    )
}

/// The newest outlook of each single series.
pub fn outlooks() -> String {
    let others = [
        "peak_at",
        "over_baseline",
        "gap_max",
        "gap_at",
        "minutes_to_breach",
        "breach_at",
        "rostered",
        "fallback",
    ];
    newest("outlook", ("peak", &others), &leaves(), &["region", "service", "channel"])
}

/// Names with tickets. `All` is the roll-up.
pub fn tag_values(tag: &str) -> Select {
    let text =
        format!("SHOW TAG VALUES FROM \"tickets\" WITH KEY = \"{tag}\" WHERE \"{tag}\" != '_all'");
    Select::rows(text, &["value"])
}

/// The present minute, with the time at which the newest forecast was issued. Rows go on to now because `fill(previous)` does.
pub fn now() -> Select {
    let text = format!(
        "SELECT last(\"issued_at\") AS \"issued_at\" FROM (SELECT last(\"issued_at\") AS \"issued_at\" FROM \"forecast\" \
         WHERE {DAY} GROUP BY time(1m) fill(previous))"
    );
    Select::rows(text, &["issued_at"])
}

/// Planned work and planners' adjustments that begin within the board's reach.
pub fn planned(columns: &[&str]) -> String {
    format!(
        "SELECT {} FROM \"planned\" WHERE {CONCERNS} AND \"state\" = 'planned' AND \"kind\" != 'cause' \
         AND time > now() - 3d AND time < now() + 30d",
        names(columns)
    )
}

/// Transformations of Grafana, for what InfluxQL cannot do.
pub mod reshape {
    use serde_json::{Map, Value, json};

    /// Texts of times become times.
    pub fn times(fields: &[&str]) -> Value {
        let each =
            fields.iter().map(|field| json!({ "targetField": field, "destinationType": "time" }));
        let conversions: Vec<Value> = each.collect();
        json!({ "id": "convertFieldType", "options": { "fields": {}, "conversions": conversions } })
    }

    /// Sorts rows by a column.
    pub fn sorted(field: &str, desc: bool) -> Value {
        json!({ "id": "sortBy", "options": { "fields": {}, "sort": [{ "field": field, "desc": desc }] } })
    }

    /// The first rows.
    pub fn first(rows: u32) -> Value {
        json!({ "id": "limit", "options": { "limitField": rows } })
    }

    /// One row for each combination of the keys. Other columns become `column (function)`.
    pub fn grouped(keys: &[&str], others: &[(&str, &[&str])]) -> Value {
        let mut fields = Map::new();
        for key in keys {
            fields.insert((*key).into(), json!({ "operation": "groupby", "aggregations": [] }));
        }
        for (field, functions) in others {
            let how = json!({ "operation": "aggregate", "aggregations": functions });
            fields.insert((*field).into(), how);
        }
        json!({ "id": "groupBy", "options": { "fields": fields } })
    }

    /// Leaves out rows with this text.
    pub fn without(field: &str, value: &str) -> Value {
        let filter = json!({ "fieldName": field, "config": { "id": "equal", "options": { "value": value } } });
        json!({ "id": "filterByValue", "options": { "type": "exclude", "match": "any", "filters": [filter] } })
    }

    /// Columns in this order, with their new names (an empty one: the old one). Others are left out by `excluded`.
    pub fn organized(columns: &[(&str, &str)], excluded: &[&str]) -> Value {
        let (mut order, mut renamed, mut without) = (Map::new(), Map::new(), Map::new());
        for (place, (from, to)) in columns.iter().enumerate() {
            order.insert((*from).into(), json!(place));
            if !to.is_empty() {
                renamed.insert((*from).into(), json!(to));
            }
        }
        for column in excluded {
            without.insert((*column).into(), json!(true));
        }
        json!({ "id": "organize", "options": {
            "indexByName": order, "renameByName": renamed, "excludeByName": without, "includeByName": {} } })
    }

    /// The rows of several queries in one table.
    pub fn merged() -> Value {
        json!({ "id": "merge", "options": {} })
    }

    /// One row for each time, with a column for each series.
    pub fn joined_by_time() -> Value {
        json!({ "id": "joinByField", "options": { "byField": "Time", "mode": "outer" } })
    }
}
