//! Runs all queries of the dashboards like Grafana.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use super::servers::{Influx, Row};

/// Required columns of each panel's queries, by title of the panel.
const COLUMNS: [(&str, &[&str]); 16] = [
    ("Tickets, last finalized hour", &["_value"]),
    ("Tickets expected, next 6 hours", &["_value"]),
    ("Largest gap of one series, next 6 hours", &["_value"]),
    ("Active alarms", &["_value"]),
    ("Arrivals: counted and forecast", &["_time", "_field", "_value"]),
    ("Alarms raised, by severity", &["_time", "_field", "_value"]),
    ("Agents: required against scheduled", &["_time", "_field", "_value"]),
    (
        "Outlook of the next 6 hours, by series",
        &[
            "_time",
            "region",
            "service",
            "channel",
            "peak",
            "peak_at",
            "over_baseline",
            "gap_max",
            "gap_at",
        ],
    ),
    (
        "Open alerts",
        &["_time", "severity", "state", "region", "rule", "summary", "incident", "url"],
    ),
    (
        "Anomalies of the last 24 hours",
        &["_time", "region", "service", "channel", "kind", "score", "text"],
    ),
    (
        "Accuracy 3 hours ahead, with last week's count and the noise floor",
        &["_time", "_field", "_value"],
    ),
    ("Accuracy by lead", &["_time", "_field", "_value"]),
    ("Windows in the 80 % band", &["_time", "_field", "_value"]),
    ("Bias by lead", &["_time", "_field", "_value"]),
    ("Surges 3 hours ahead: hits and false alarms", &["_time", "_field", "_value"]),
    ("Forecast 3 hours ahead, and actual", &["_time", "_field", "_value"]),
];
/// Panels that may be empty, such as a share of zero tickets.
const MAY_BE_EMPTY: [&str; 5] = [
    "Open alerts",
    "Anomalies of the last 24 hours",
    "Accuracy 3 hours ahead, with last week's count and the noise floor",
    "Accuracy by lead",
    "Bias by lead",
];
const BOARDS: [&str; 2] = ["staffing-outlook.json", "accuracy.json"];

fn board(file: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("grafana/dashboards").join(file);
    serde_json::from_str(&std::fs::read_to_string(path).expect("the board")).expect("JSON")
}

/// A query with its variables filled in like in Grafana.
fn filled(query: &str, bucket: &str, series: [&str; 3]) -> String {
    let [region, service, channel] = series;
    let query = query.replace("${region}", region).replace("${service}", service);
    let query = query.replace("${channel}", channel);
    assert!(!query.contains("${"), "an unknown variable in {query}");
    let options = format!(
        "import \"experimental\"\noption v = {{timeRangeStart: -24h, timeRangeStop: 6h, windowPeriod: 1m, \
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

/// Runs the queries of all panels and variables for a series, and checks their results.
pub fn check_board(influx: &Influx, bucket: &str, series: [&str; 3]) {
    let boards = BOARDS.map(board);
    let panels = boards.iter().flat_map(|board| board["panels"].as_array().expect("panels"));
    let mut checked = BTreeSet::new();
    for panel in panels {
        let title = panel["title"].as_str().expect("a title");
        let (_, columns) = COLUMNS.iter().find(|(known, _)| *known == title).expect(title);
        let targets = panel["targets"].as_array().expect("targets");
        assert!(!targets.is_empty(), "{title} has no queries");
        for target in targets {
            let query = filled(target["query"].as_str().expect("a query"), bucket, series);
            let rows = influx.query(&query);
            assert!(!rows.is_empty() || MAY_BE_EMPTY.contains(&title), "{title}: no rows\n{query}");
            for row in &rows {
                has(row, columns, title);
            }
        }
        checked.insert(title);
    }
    assert_eq!(checked.len(), COLUMNS.len(), "a panel is missing: {checked:?}");
    let lists = boards.iter().map(|board| board["templating"]["list"].as_array());
    for variable in lists.flat_map(|list| list.expect("variables")) {
        let Some(query) = variable["query"]["query"].as_str() else { continue };
        let rows = influx.query(&filled(query, bucket, series));
        assert!(rows.iter().any(|row| row["_value"] == "_all"), "{}", variable["name"]);
    }
}

fn has(row: &Row, columns: &[&str], title: &str) {
    for column in columns {
        let value = row.get(*column);
        assert!(value.is_some(), "{title}: no {column} in {row:?}");
    }
    if let (true, Some(value)) = (columns.contains(&"_value"), row.get("_value")) {
        assert!(value.parse::<f64>().is_ok(), "{title}: {value} is not a number");
    }
}
