//! A team of a running service: its roster as CSV, its plan as a whole, and plans under other assumptions.
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
[regions.north]
time_zone = "Europe/London"
[teams.calls]
series = ["north/_all/phone"]
minimum = 2
"#;

fn service(folder: &Path) -> Program {
    std::fs::write(folder.join("surgecast.toml"), CONFIG).expect("config");
    let mut command = surgecast(&["serve", "--config", "surgecast.toml"]);
    command.current_dir(folder);
    Program::start_command(command)
}

/// Calls of two services in the last hours, oldest first.
fn calls() -> String {
    let now = chrono::Utc::now();
    let ticket = |at: usize| {
        let ts = now - chrono::TimeDelta::seconds(30 * at as i64);
        let service = if at.is_multiple_of(3) { "mobile" } else { "broadband" };
        json!({"kind": "ticket", "event_id": format!("t{at}"), "ts": ts.to_rfc3339(),
            "action": "create", "region": "north", "service": service, "channel": "phone"})
    };
    json!((0..600).rev().map(ticket).collect::<Vec<_>>()).to_string()
}

fn import(folder: &Path, program: &Program, flags: &[&str]) -> (bool, String) {
    let args = [&["import", "roster", "roster.csv", "--url", &program.url], flags].concat();
    let done = surgecast(&args).current_dir(folder).output().expect("it runs");
    let text = [done.stdout, done.stderr].concat();
    (done.status.success(), String::from_utf8(text).expect("UTF-8"))
}

#[test]
fn a_team_has_a_roster_and_a_plan() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = service(folder.path());
    let hour = |hours: i64| {
        (chrono::Utc::now() + chrono::TimeDelta::hours(hours)).format("%Y-%m-%dT%H:00:00Z")
    };
    let (start, end) = (hour(-1), hour(30));
    let file = folder.path().join("roster.csv");
    std::fs::write(&file, format!("team,start,end,agents,absent\nchats,{start},{end},20,2\n"))
        .expect("written");
    let (done, text) = import(folder.path(), &program, &[]);
    let wrong = "roster.csv: line 2: team: there is no team `chats`: use one of calls";
    assert!(!done && text.contains(wrong), "{text}");
    std::fs::write(&file, format!("team,start,end,agents,absent\ncalls,{start},{end},20,2\n"))
        .expect("written");
    let (done, text) = import(folder.path(), &program, &["--dry-run"]);
    assert!(done && text.contains("1 row would be stored"), "{text}");
    assert_eq!(program.get("/api/v1/roster").json(), json!([]));
    let (done, text) = import(folder.path(), &program, &[]);
    let zone = "(Europe/London), team calls\n";
    assert!(done && text.contains("1 row stored, from 20") && text.ends_with(zone), "{text}");
    let row = program.get("/api/v1/roster").json()[0].clone();
    assert_eq!(
        (&row["team"], &row["agents"], &row["absent"]),
        (&json!("calls"), &json!(20), &json!(2))
    );

    // A second file for the same hours replaces the first: a dry run says so.
    let text = format!("team,start,end,agents\ncalls,{start},{end},25\n");
    let dry = program.request(Method::PUT, "/api/v1/roster?dry_run=true");
    let dry = answer(dry.header("content-type", "text/csv").body(text)).json();
    let change = &dry["changes"][0];
    assert_eq!(
        (&change["team"], &change["replaced"], &change["shifts"]),
        (&json!("calls"), &json!(1), &json!(1))
    );
    assert_eq!(
        (&change["hours_before"], &change["hours_after"]),
        (&json!(620.0), &json!(775.0)),
        "{dry}"
    );
    assert_eq!(
        (&change["time_zone"], &dry["time_zone"]),
        (&json!("Europe/London"), &json!("Europe/London"))
    );
    assert_eq!(dry["warnings"], json!([]));

    // The roster came before anything was counted: it is there after a restart.
    program.kill();
    let program = service(folder.path());
    assert_eq!(program.post("/api/v1/events", calls()).status, 202);
    let plan = program.wait_for("/api/v1/staffing?team=calls", |plan| plan["targets"].is_array());
    check(&program, &plan);
    one_roster(folder.path(), &program);
}

/// Right after a new roster, the answers about a team and about one of its series both use it. Rows without effect are stored and
/// named.
fn one_roster(folder: &Path, program: &Program) {
    let hour = |hours: i64| {
        (chrono::Utc::now() + chrono::TimeDelta::hours(hours)).format("%Y-%m-%dT%H:00:00Z")
    };
    let (start, end) = (hour(-1), hour(30));
    let csv = format!(
        "team,region,service,channel,start,end,agents\ncalls,,,,{start},{end},64\n,nowhere,tv,phone,{start},{end},3\n"
    );
    std::fs::write(folder.join("roster.csv"), csv).expect("written");
    let (done, text) = import(folder, program, &[]);
    let warning =
        "\nno effect: Line 3: there are no tickets of nowhere/tv/phone. Check the names.\n";
    assert!(done && text.contains("2 rows stored") && text.ends_with(warning), "{text}");
    let team = program.get("/api/v1/staffing?team=calls").json();
    let of = |service: &str| {
        let path = format!("/api/v1/staffing?region=north&service={service}&channel=phone");
        program.get(&path).json()["targets"][0]["scheduled"].as_u64()
    };
    assert_eq!(team["targets"][0]["scheduled"], 64, "{team}");
    assert_eq!(of("mobile").zip(of("broadband")).map(|(one, other)| one + other), Some(64));
    let body = json!([{"region": "nowhere", "service": "tv", "channel": "phone",
        "start": start.to_string(), "end": end.to_string(), "agents": 3}]);
    let put = answer(program.request(Method::PUT, "/api/v1/roster?language=zh").json(&body));
    assert_eq!(put.status, 200, "{}", put.text);
    let warning = &put.json()["warnings"][0];
    assert_eq!(warning["text"], "第 0 个班次：没有 nowhere/tv/phone 的工单，请检查名称。");
    assert_eq!((&warning["reason"], &warning["rows"]), (&json!("unknown_series"), &json!([0])));
}

fn check(program: &Program, plan: &Value) {
    let first = &plan["targets"][0];
    // Of 20 people 2 are absent, as many as usual.
    assert_eq!(first["scheduled"], 20, "{plan}");
    assert!(first["positions"].as_u64() >= Some(2), "{plan}");
    assert!(first["expected_service_level"].is_number() && first["bound_by"].is_string(), "{plan}");
    assert!(plan["basis"].as_str().is_some_and(|basis| basis.contains("served by team calls")));
    let parts = program.get("/api/v1/staffing?region=north&channel=phone").json();
    let sum = |key: &str| {
        let parts = parts.as_array().expect("plans").iter();
        parts.filter_map(|part| part["targets"][0][key].as_i64()).sum::<i64>()
    };
    for key in ["positions", "agents", "scheduled", "gap"] {
        assert_eq!(Some(sum(key)), first[key].as_i64(), "{key}: {plan} {parts}");
    }
    let what_if = program.get("/api/v1/staffing?team=calls&arrivals_factor=3&agents=5").json();
    let doubled = &what_if["targets"][0];
    assert!(doubled["agents"].as_u64() > first["agents"].as_u64(), "{what_if}");
    assert_eq!(doubled["scheduled"], 5);
    // The profile is that of the answer, not that of the configuration.
    let what_if = program.get("/api/v1/staffing?team=calls&aht=5m30s&shrinkage=0.4").json();
    let profile = (&what_if["profile"]["aht_seconds"], &what_if["profile"]["shrinkage"]);
    assert_eq!(profile, (&json!(330.0), &json!(0.4)), "{what_if}");
    assert!(what_if["basis"].as_str().is_some_and(|basis| basis.contains("330 s")), "{what_if}");
    for (query, detail) in [
        ("team=chats", "there is no team `chats`; teams: calls"),
        ("arrivals_factor=2", "need one series (region, service and channel) or a team"),
        ("team=calls&shrinkage=1", "shrinkage: 1: use a number from 0 to 0.95"),
        ("team=calls&aht=soon", "aht: soon: use a length such as 330s or 5m30s"),
        ("team=calls&agents=12.5", "agents: `12.5`: use digits only, such as 10"),
        ("team=calls&shrinkage=a%20third", "shrinkage: `a third`: use a number"),
        ("team=calls&agent=3", "query: agent: unknown field `agent`"),
        ("team=calls&target=100/20", "100 % is for deferred work only"),
        ("region=north&service=mobile&channel=phone&agents=3", "ask with team=calls"),
    ] {
        let problem = program.get(&format!("/api/v1/staffing?{query}")).json();
        let found = problem["detail"].as_str().unwrap_or_default();
        assert!(found.contains(detail), "{query}: {problem}");
    }
    let request = program.request(Method::PUT, "/api/v1/roster");
    let request = request.header("content-type", "text/plain").body("x");
    assert_eq!(answer(request).status, 400);
}
