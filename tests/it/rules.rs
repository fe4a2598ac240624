//! Rules of alerts besides the lack of agents, in a running service.
#![allow(clippy::disallowed_methods, reason = "the service runs at the real time")]

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
name = "network"
type = "console"
rules = ["alarm_storm"]
"#;

/// A raise or clear of an alarm so many minutes ago.
fn alarm(id: usize, action: &str, minutes: i64) -> Value {
    let ts = chrono::Utc::now() - chrono::TimeDelta::minutes(minutes);
    json!({"kind": "alarm", "event_id": format!("{action}{id}"), "alarm_id": format!("a{id}"), "action": action,
        "severity": "major", "ts": ts.to_rfc3339(), "region": "north", "service": "broadband"})
}

/// An alarm every three hours for more than four days, then 40 within half an hour. Oldest first.
fn alarms() -> Vec<Value> {
    let calm = (1..36usize).rev().flat_map(|at| {
        let minutes = 180 * at as i64;
        [alarm(at, "raise", minutes), alarm(at, "clear", minutes - 10)]
    });
    let storm = (0..40usize).map(|at| alarm(1000 + at, "raise", 50 - at as i64 * 3 / 4));
    calm.chain(storm).collect()
}

fn hour(hours: i64) -> String {
    (chrono::Utc::now() + chrono::TimeDelta::hours(hours)).format("%Y-%m-%dT%H:00:00Z").to_string()
}

/// Calls of the last five hours, oldest first.
fn calls() -> Vec<Value> {
    let call = |at: usize| {
        let ts = chrono::Utc::now() - chrono::TimeDelta::seconds(30 * at as i64);
        json!({"kind": "ticket", "event_id": format!("t{at}"), "ts": ts.to_rfc3339(),
            "action": "create", "region": "south", "service": "tv", "channel": "phone"})
    };
    (0..600).rev().map(call).collect()
}

#[test]
fn a_storm_and_a_missed_target_become_alerts() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("surgecast.toml"), CONFIG).expect("config");
    let mut command = surgecast(&["serve", "--config", "surgecast.toml"]);
    command.current_dir(folder.path());
    let program = Program::start_command(command);
    let shift = json!({"region": "south", "service": "tv", "channel": "phone",
        "start": hour(-9), "end": hour(30), "agents": 1});
    let put = program.request(Method::PUT, "/api/v1/roster").json(&json!([shift]));
    assert_eq!(answer(put).status, 204);
    let mut events: Vec<Value> = alarms().into_iter().chain(calls()).collect();
    events.sort_by_key(|event| event["ts"].as_str().map(str::to_owned));
    assert_eq!(program.post("/api/v1/events", json!(events).to_string()).status, 202);
    for (rule, scope) in [("alarm_storm", "north"), ("sla_at_risk", "south")] {
        let path = format!("/api/v1/alerts?open=true&rule={rule}");
        let found = program.wait_for(&path, |found| found[0].is_object());
        let (alert, finding) = (&found[0], &found[0]["finding"]);
        assert_eq!((&alert["rule"], &alert["region"]), (&json!(rule), &json!(scope)), "{found}");
        assert!(finding["level"].as_f64() >= finding["threshold"].as_f64(), "{found}");
        assert!(finding["facts"].as_object().is_some_and(|facts| facts.len() >= 3), "{found}");
        let chinese = program.get(&format!("{path}&language=zh")).json();
        let is_chinese = |text: &Value| text.as_str().is_some_and(|text| text.contains('：'));
        assert!(is_chinese(&chinese[0]["title"]), "{chinese}");
    }
    // The receiver names one rule: it gets its pages and no others.
    let pages = program.wait_for("/api/v1/pages", |pages| pages[0].is_object());
    let is_storm =
        |page: &Value| page["id"].as_str().is_some_and(|id| id.starts_with("alarm_storm.north."));
    assert!(pages.as_array().is_some_and(|pages| pages.iter().all(is_storm)), "{pages}");
    let wrong = program.get("/api/v1/alerts?rule=surge");
    assert_eq!(wrong.status, 400);
    let detail = wrong.json()["detail"].clone();
    assert!(detail.as_str().is_some_and(|text| text.contains("use understaffed, surge_ahead")));
}
