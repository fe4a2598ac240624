//! `/metrics` in both text formats. Prometheus' checker validates the classic one.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::program::{Program, answer};
use crate::serve::serve;

/// Content type and text of `/metrics` for an `Accept` header.
fn metrics(program: &Program, accept: &str) -> (String, String) {
    program.wait_for("/api/v1/status", |_| program.said().contains("metrics on http://"));
    let said = program.said();
    let url = said.split("metrics on ").nth(1).and_then(|rest| rest.lines().next());
    let url = url.expect("the address of /metrics");
    let client = reqwest::blocking::Client::new();
    let found = answer(client.get(format!("{url}/metrics")).header("accept", accept));
    assert_eq!(found.status, 200);
    (found.kind, found.text)
}

/// Names of the program's metrics in an expression.
pub fn metric_names(expression: &str) -> Vec<&str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = expression.split(|c: char| !is_part(c));
    words.filter(|word| word.starts_with("surgecast_")).collect()
}

/// Whether the program has a metric of this name. Not every one has a value in a test.
pub fn is_registered(name: &str) -> bool {
    let source = concat!(
        include_str!("../../src/telemetry/metrics/names.rs"),
        include_str!("../../src/telemetry/decoding.rs"),
        include_str!("../../src/telemetry/components.rs")
    );
    let name = name.strip_prefix("surgecast_").unwrap_or(name);
    let ends = ["_total", "_bucket", "_sum", "_count"];
    let name = ends.into_iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
    source.contains(&format!("\"{name}\","))
}

/// The problems that `promtool check metrics` reports.
fn promtool(text: &str) -> String {
    let started = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut checker = started.expect("promtool starts: Debian's package `prometheus` has it");
    let mut input = checker.stdin.take().expect("its input");
    input.write_all(text.as_bytes()).expect("it reads");
    drop(input);
    let done = checker.wait_with_output().expect("it ends");
    let found = [done.stdout, done.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    format!("{}{}", found.concat(), if done.status.success() { "" } else { "failed" })
}

/// Names of the counters in the table of `docs/operations.md`.
fn documented_counters() -> Vec<&'static str> {
    let rows = include_str!("../../docs/operations.md").lines();
    let rows = rows.filter_map(|row| row.strip_prefix("| `")?.split_once("` | counter"));
    rows.map(|(name, _)| name).collect()
}

/// Prometheus takes the first value of a counter as its start, so that it misses the first event of one that appears with 1.
#[test]
fn counters_of_known_labels_begin_with_0() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("token"), "secret").expect("a token");
    let closed = "http://127.0.0.1:9";
    let config = format!(
        "[influxdb]\nurl = \"{closed}\"\norg = \"noc\"\nbucket = \"noc\"\ntoken_file = \"token\"\n\
         [telemetry]\notlp = \"{closed}\"\n\
         [[alerts.receivers]]\nname = \"lead\"\ntype = \"webhook\"\nurl = \"{closed}\"\n"
    );
    let program = serve(folder.path(), &config, &[]);
    let (_, text) = metrics(&program, "text/plain");
    let value = |counter: &str| {
        let mut lines = text.lines().filter_map(|line| line.strip_prefix(counter)?.split_once(' '));
        lines.find(|(rest, _)| rest.is_empty()).map(|(_, value)| value.to_owned())
    };
    let labels = [
        "dead_letters_total{reason=\"late\"}",
        "events_unmapped_total{attribute=\"channel\"}",
        "events_unknown_words_total{list=\"severity\"}",
        "names_alike_total{attribute=\"region\"}",
        "alarms_total{effect=\"lists_refused\"}",
        "ticket_steps_total{effect=\"given_up\"}",
        "events_beyond_limit_total{reason=\"names_in_window\"}",
        "outbox_tries_total{status=\"0\"}",
        "outbox_tries_total{status=\"503\"}",
        "pages_total{receiver=\"lead\",outcome=\"given_up\"}",
        "pages_held_total{reason=\"inhibited\"}",
        "sink_points_total{sink=\"influxdb\"}",
        "sink_points_refused_total{sink=\"influxdb\"}",
        "trace_spans_total{outcome=\"dropped\"}",
        "http_refused_total{reason=\"tls\"}",
    ];
    for labels in labels {
        assert_eq!(
            value(&format!("surgecast_{labels}")).as_deref(),
            Some("0"),
            "{labels}:\n{text}"
        );
    }
    let described: Value = serde_json::from_str(include_str!("openapi.json")).expect("JSON");
    let paths = described["paths"].as_object().expect("paths").values();
    let operations = paths.filter_map(Value::as_object).flat_map(serde_json::Map::values);
    let mut statuses: Vec<&String> = operations
        .filter_map(|operation| operation["responses"].as_object())
        .flat_map(serde_json::Map::keys)
        .collect();
    statuses.sort();
    statuses.dedup();
    assert!(statuses.len() > 10, "{statuses:?}");
    for status in statuses {
        let counter = format!("surgecast_http_requests_total{{status=\"{status}\"}}");
        assert!(value(&counter).is_some(), "{counter}:\n{text}");
    }
    let counters = documented_counters();
    assert!(counters.len() > 20, "{counters:?}");
    // Only partitions of Kafka can lose records.
    for counter in counters.into_iter().filter(|name| !name.starts_with("surgecast_ingest_gone_")) {
        let begins = |line: &str| {
            line.strip_prefix(counter).is_some_and(|rest| rest.starts_with(['{', ' ']))
        };
        assert!(text.lines().any(begins), "{counter}:\n{text}");
    }
}

#[test]
fn the_accept_header_selects_the_format_and_promtool_accepts_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = serve(folder.path(), "", &[]);
    let ticket = |id: &str, ts: &str| json!({"kind": "ticket", "event_id": id, "ts": ts, "region": "north", "service": "a \"b\" \\ c", "channel": "phone"});
    let body = json!([ticket("a", "2026-03-28T10:00:00Z"), ticket("b", "2026-03-28T12:00:00Z"), {"kind": "ticket"}]);
    assert_eq!(program.post("/api/v1/events", body.to_string()).status, 202);
    program.wait_for("/api/v1/status", |status| status["settled_upto"].is_string());
    let (kind, open) =
        metrics(&program, "application/openmetrics-text;version=1.0.0,text/plain;q=0.5");
    assert_eq!(kind, "application/openmetrics-text; version=1.0.0; charset=utf-8");
    assert!(open.ends_with("# EOF\n"), "{open}");
    assert!(open.contains("# TYPE surgecast_http_requests counter\n"), "{open}");
    for accept in ["text/plain", "*/*"] {
        let (kind, classic) = metrics(&program, accept);
        assert_eq!(kind, "text/plain; version=0.0.4; charset=utf-8");
        assert!(classic.contains("# TYPE surgecast_http_requests_total counter\n"), "{classic}");
        assert!(classic.contains("\nsurgecast_dead_letters_total{"), "{classic}");
        assert_eq!(promtool(&classic), "", "{classic}");
    }
}
