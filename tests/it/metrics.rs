//! `/metrics` in both text formats. Prometheus' checker validates the classic one.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::json;

use crate::program::{Program, answer};
use crate::serve::serve;

/// Content type and text of `/metrics` for an `Accept` header.
fn metrics(program: &Program, accept: &str) -> (String, String) {
    let said = program.said();
    let url = said.split_whitespace().filter(|word| word.starts_with("http://")).nth(1);
    let url = url.unwrap_or_else(|| panic!("no address of /metrics: {said}"));
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
        include_str!("../../src/telemetry/metrics.rs"),
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
