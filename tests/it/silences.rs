//! Silences of a running service: entered, listed and ended by the API and by the command, kept over a kill.
#![allow(clippy::disallowed_methods, reason = "the service runs at the real time")]

use std::path::Path;

use reqwest::Method;
use serde_json::{Value, json};

use crate::program::{Program, answer, surgecast};

const CONFIG: &str = r#"
[server]
listen = "127.0.0.1:0"
[admin]
listen = "127.0.0.1:0"
[windows]
lateness = "1m"
max_future_skew = "1m"
[[alerts.receivers]]
name = "lead"
type = "console"
"#;

fn service(folder: &Path) -> Program {
    let mut command = surgecast(&["serve", "--config", "surgecast.toml"]);
    command.current_dir(folder);
    Program::start_command(command)
}

/// A roster with too few agents, and the calls behind the need.
fn short_staffed(program: &Program) {
    let shift = json!({"region": "north", "service": "broadband", "channel": "phone",
        "start": hour(-9), "end": hour(30), "agents": 1});
    let put = program.request(Method::PUT, "/api/v1/roster").json(&json!([shift]));
    assert_eq!(answer(put).status, 204);
    assert_eq!(program.post("/api/v1/events", calls()).status, 202);
}

/// The output of a command, or what it says on failure.
fn run(folder: &Path, program: &Program, args: &[&str]) -> Result<String, String> {
    let listen = program.url.trim_start_matches("http://").trim_end_matches('/').to_owned();
    let rest = ["--config", "surgecast.toml", "--listen", &listen];
    let output = surgecast(&[&["silence"], args, &rest].concat()).current_dir(folder).output();
    let output = output.expect("runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

/// Calls of the last hours, oldest first.
fn calls() -> String {
    let now = chrono::Utc::now();
    let ticket = |at: usize| {
        let ts = now - chrono::TimeDelta::seconds(30 * at as i64);
        json!({"kind": "ticket", "event_id": format!("t{at}"), "ts": ts.to_rfc3339(),
            "action": "create", "region": "north", "service": "broadband", "channel": "phone"})
    };
    json!((0..600).rev().map(ticket).collect::<Vec<_>>()).to_string()
}

fn hour(hours: i64) -> String {
    (chrono::Utc::now() + chrono::TimeDelta::hours(hours)).format("%Y-%m-%dT%H:00:00Z").to_string()
}

fn entered(program: &Program, silence: &Value) -> (u16, Value) {
    let sent = answer(program.request(Method::POST, "/api/v1/silences").json(silence));
    (sent.status, sent.json())
}

#[test]
fn a_silence_holds_pages_back_until_someone_ends_it() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("surgecast.toml"), CONFIG).expect("config");
    let program = service(folder.path());
    let added = run(
        folder.path(),
        &program,
        &[
            "add",
            "--region",
            "north",
            "--for",
            "4h",
            "--critical",
            "--comment",
            "a test",
            "--by",
            "Li",
        ],
    )
    .expect("entered");
    let id = added.split_whitespace().next().expect("an id").to_owned();
    assert!(added.contains("* north/*  by Li  critical too  a test"), "{added}");
    short_staffed(&program);
    let open = "/api/v1/alerts?open=true&rule=understaffed";
    let found = program.wait_for(open, |found| found[0]["held"]["pages"].as_u64() >= Some(1));
    let alert = &found[0];
    assert_eq!((&alert["state"], &alert["held"]["reason"]), (&json!("firing"), &json!("silence")));
    assert_eq!((&alert["silenced"]["by"], &alert["silenced"]["id"]), (&json!("Li"), &json!(id)));
    assert_eq!(program.get("/api/v1/pages").json(), json!([]));
    // A mistyped name would hold nothing back.
    let (status, body) =
        entered(&program, &json!({"by": "Li", "ends_at": hour(4), "region": "nroth"}));
    let detail = "region: `nroth` is not known: use north";
    assert_eq!((status, &body["detail"]), (400, &json!(detail)), "{body}");
    // It is still there after a kill.
    program.kill();
    let program = service(folder.path());
    let listed = run(folder.path(), &program, &["list"]).expect("listed");
    assert!(listed.starts_with(&format!("{id}  ")), "{listed}");
    assert_eq!(program.get("/api/v1/pages").json(), json!([]));
    assert_eq!(program.get(open).json()[0]["silenced"]["id"], json!(id));
    let ended = run(folder.path(), &program, &["end", &id, "--by", "Wang"]).expect("ended");
    assert!(ended.contains("is over"), "{ended}");
    let pages = program.wait_for("/api/v1/pages", |pages| pages[0]["kind"] == "firing");
    assert_eq!(pages.as_array().map(Vec::len), Some(1), "{pages}");
    let alert = &program.get(open).json()[0];
    assert_eq!((&alert["silenced"], &alert["held"]), (&Value::Null, &Value::Null));
    let again = run(folder.path(), &program, &["end", &id, "--by", "Wang"]).expect_err("is over");
    assert!(again.contains("no silence in force has this id"), "{again}");
    assert_eq!(run(folder.path(), &program, &["list"]).expect("listed"), "no silences\n");
    let trail = program.get("/api/v1/audit").json();
    let acts = ["silence_ended", "roster_replaced", "silence_entered"];
    let found = trail.as_array().map(|rows| rows.iter().map(|row| row["act"].clone()).collect());
    assert_eq!(found, Some(acts.map(Value::from).to_vec()), "{trail}");
    assert_eq!((&trail[0]["who"], &trail[2]["who"]), (&json!("Wang"), &json!("Li")));
}

#[test]
fn silences_are_checked() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("surgecast.toml"), CONFIG).expect("config");
    let program = service(folder.path());
    let cases = [
        (json!({"ends_at": hour(4)}), 400, "by: is missing"),
        (json!({"by": "Li"}), 400, "ends_at"),
        (json!({"by": "Li", "ends_at": hour(-2)}), 400, "ends_at: has to come after"),
        (json!({"by": "Li", "ends_at": hour(24 * 32)}), 400, "at most 31 days"),
        (json!({"by": "Li", "starts_at": hour(-3), "ends_at": hour(4)}), 400, "starts_at: is more"),
        (json!({"by": "Li", "ends_at": hour(4), "rule": "surge"}), 400, "use understaffed"),
        (json!({"by": "Li", "ends_at": hour(4), "region": "a/b"}), 400, "region: the name"),
        (json!({"by": "Li", "ends_at": hour(4), "comment": "a\u{7}b"}), 400, "comment: has a"),
        (json!({"by": "Li", "ends_at": hour(4), "until": 1}), 400, "unknown field"),
    ];
    for (silence, status, detail) in cases {
        let (got, body) = entered(&program, &silence);
        assert_eq!(got, status, "{silence}: {body}");
        assert!(body["detail"].as_str().is_some_and(|d| d.contains(detail)), "{silence}: {body}");
    }
    let (status, planned) =
        entered(&program, &json!({"by": "Li", "starts_at": hour(2), "ends_at": hour(4)}));
    assert_eq!((status, &planned["in_force"]), (201, &json!(false)), "{planned}");
    assert_eq!((&planned["critical"], &planned["region"]), (&json!(false), &Value::Null));
    assert_eq!(program.get("/api/v1/silences").json(), json!([planned]));
    assert_eq!(program.get("/api/v1/incidents").json(), json!([]));
    let missing =
        program.request(Method::POST, "/api/v1/silences/x/end").json(&json!({"by": "Li"}));
    assert_eq!(answer(missing).status, 404);
}

#[test]
fn a_shift_lead_silences_an_alert_on_the_page() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("surgecast.toml"), CONFIG).expect("config");
    let program = service(folder.path());
    short_staffed(&program);
    program.wait_for("/api/v1/alerts?open=true&rule=understaffed", |found| {
        found[0]["state"] == "firing"
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    runtime.block_on(crate::page::silences::check_silences(&program.url));
    let all = program.get("/api/v1/silences?from=2026-01-01T00:00:00Z").json();
    let own = &all[0];
    let by = json!(crate::page::silences::BY);
    assert_eq!((&own["by"], &own["ended_by"]), (&by, &by), "{all}");
    assert_eq!((&own["rule"], &own["service"]), (&json!("understaffed"), &json!("broadband")));
}
