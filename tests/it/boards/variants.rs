//! The boards in InfluxQL against those in Flux.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use regex::Regex;
use serde_json::Value;
use yaml_rust2::YamlLoader;

use super::influxql::{ALL, CONCERNS, PICK, SERIES};
use super::kit::{Board, Source};
use super::{boards, queries};

fn influxql_boards() -> Vec<Board> {
    boards().into_iter().filter(|board| board.source == Source::InfluxQl).collect()
}

#[test]
fn every_query_is_there_in_both_query_languages() {
    let boards = influxql_boards();
    assert_eq!(boards.len(), 8, "four boards in two languages");
    for board in &boards {
        for query in queries(board) {
            assert!(
                !query.influxql.is_empty(),
                "{}: no InfluxQL for\n{}",
                board.path(),
                query.text
            );
            for select in &query.influxql {
                let begins = ["SELECT ", "SHOW TAG VALUES "];
                assert!(
                    begins.iter().any(|begin| select.text.starts_with(begin)),
                    "{}",
                    select.text
                );
                let (open, close) =
                    (select.text.matches('(').count(), select.text.matches(')').count());
                assert_eq!(open, close, "{}", select.text);
            }
        }
        let json: Value = serde_json::from_str(&board.json()).expect("JSON");
        for panel in json["panels"].as_array().expect("panels") {
            for target in panel["targets"].as_array().expect("targets") {
                assert_eq!(target["rawQuery"], true, "{}", panel["title"]);
                let text = target["query"].as_str().expect("a query");
                assert!(!text.contains("|>"), "Flux in {}: {text}", panel["title"]);
            }
        }
    }
}

/// What *All* inserts is the roll-up alone where a query asks for sums, and every name where it asks for single series.
#[test]
fn a_picker_means_the_same_in_both_query_languages() {
    let pattern = |filter: &str, inserted: &str| {
        let filled = filter.replace("${region:regex}", inserted);
        let pattern = filled.split('/').nth(1).expect("a pattern of the region");
        Regex::new(pattern).expect("a pattern")
    };
    let names = ["_all", "north", "north-east", "all", "_"];
    let check = |filter: &str, inserted: &str, expected: &[&str]| {
        let pattern = pattern(filter, inserted);
        let found: Vec<&str> = names.into_iter().filter(|name| pattern.is_match(name)).collect();
        assert_eq!(found, expected, "{pattern}");
    };
    check(SERIES, ALL, &["_all"]);
    check(PICK, ALL, &names);
    check(CONCERNS, ALL, &names);
    for filter in [SERIES, PICK] {
        check(filter, "north", &["north"]);
        check(filter, "(north|all)", &["north", "all"]);
    }
    check(CONCERNS, "north", &["_all", "north"]);
    check(CONCERNS, "(north|all)", &["_all", "north", "all"]);
}

/// The columns that a panel's transformations leave.
fn reshaped(panel: &Value, mut columns: BTreeSet<String>) -> BTreeSet<String> {
    let place = panel["title"].as_str().expect("a title");
    let known = |columns: &BTreeSet<String>, name: &str| {
        assert!(columns.contains(name), "{place}: no column {name} in {columns:?}");
    };
    for step in panel["transformations"].as_array().into_iter().flatten() {
        let options = &step["options"];
        match step["id"].as_str().expect("an id") {
            "sortBy" => known(&columns, options["sort"][0]["field"].as_str().expect("a field")),
            "convertFieldType" => {
                for conversion in options["conversions"].as_array().expect("conversions") {
                    known(&columns, conversion["targetField"].as_str().expect("a field"));
                }
            }
            "filterByValue" => {
                known(&columns, options["filters"][0]["fieldName"].as_str().expect("a field"))
            }
            "organize" => {
                let names = options["renameByName"].as_object().expect("names");
                names.keys().for_each(|name| known(&columns, name));
                let new = |name: &String| {
                    names.get(name).and_then(Value::as_str).unwrap_or(name).to_owned()
                };
                columns.retain(|name| options["excludeByName"][name] != true);
                columns = columns.iter().map(new).collect();
            }
            "groupBy" => {
                let mut grouped = BTreeSet::new();
                for (field, how) in options["fields"].as_object().expect("fields") {
                    known(&columns, field);
                    if how["operation"] == "groupby" {
                        grouped.insert(field.clone());
                    }
                    for function in how["aggregations"].as_array().expect("functions") {
                        grouped.insert(format!("{field} ({})", function.as_str().expect("a name")));
                    }
                }
                columns = grouped;
            }
            "joinByField" => known(&columns, options["byField"].as_str().expect("a field")),
            "limit" | "merge" => {}
            other => panic!("{place}: unknown transformation {other}"),
        }
    }
    columns
}

/// Columns that InfluxQL gives in another form: the panel's description, or `grafana/README.md`, says so.
const IN_ANOTHER_FORM: [&str; 4] = ["series", "name", "silent", "order"];

#[test]
fn tables_and_figures_show_the_same_columns() {
    let mut compared = 0;
    for board in influxql_boards() {
        let json: Value = serde_json::from_str(&board.json()).expect("JSON");
        for (panel, json) in board.panels.iter().zip(json["panels"].as_array().expect("panels")) {
            let selects = panel.queries.iter().flat_map(|query| &query.influxql);
            let mut columns: BTreeSet<String> =
                selects.flat_map(|select| select.columns.clone()).collect();
            columns.insert("Time".into());
            let columns = reshaped(json, columns);
            for query in
                panel.queries.iter().filter(|query| !query.columns.iter().any(|c| c == "_time"))
            {
                for column in
                    query.columns.iter().filter(|c| !IN_ANOTHER_FORM.contains(&c.as_str()))
                {
                    assert!(
                        columns.contains(column),
                        "{}: no {column} in {columns:?}",
                        panel.title
                    );
                    compared += 1;
                }
            }
        }
    }
    assert!(compared > 60, "{compared}");
}

/// Each board's default data source is provisioned, and reads the database that `setup influxdb` maps.
#[test]
fn the_data_sources_are_provisioned() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("grafana/provisioning/datasources");
    let mut uids = BTreeMap::new();
    for file in ["surgecast.yaml", "influxql.yaml", "prometheus.yaml"] {
        let text = std::fs::read_to_string(folder.join(file)).expect(file);
        let yaml = YamlLoader::load_from_str(&text).expect("YAML").remove(0);
        let source = yaml["datasources"][0].clone();
        uids.insert(source["uid"].as_str().expect("a uid").to_owned(), source);
    }
    for board in boards() {
        let json: Value = serde_json::from_str(&board.json()).expect("JSON");
        let current = &json["templating"]["list"][0]["current"];
        let uid = current["value"].as_str().expect("a uid");
        let source = uids.get(uid).unwrap_or_else(|| panic!("{uid} is not provisioned"));
        let expected = match board.source {
            Source::Flux => "surgecast",
            Source::InfluxQl => "surgecast InfluxQL",
            Source::PromQl => continue,
        };
        assert_eq!(source["name"].as_str(), Some(expected));
        assert_eq!(current["text"], expected);
    }
    let influxql = &uids["surgecast-influxql"];
    assert_eq!(influxql["jsonData"]["version"].as_str(), Some("InfluxQL"));
    assert_eq!(influxql["jsonData"]["dbName"].as_str(), Some("$INFLUX_BUCKET"));
    assert_eq!(
        influxql["secureJsonData"]["httpHeaderValue1"].as_str(),
        Some("Token $INFLUX_TOKEN")
    );
}
