//! Recommendations of a running service, and on simulated days (the short form of `cargo bench --bench recommendations`).
#![allow(clippy::disallowed_methods, reason = "the service runs at the real time")]

#[path = "../../benches/common/days.rs"]
mod days;

use std::path::Path;

use chrono::DurationRound as _;
use days::{Days, Follows};
use reqwest::Method;
use serde_json::{Value, json};

use crate::program::{Program, surgecast};

const CONFIG: &str = r#"
[server]
listen = "127.0.0.1:0"
[admin]
listen = "127.0.0.1:0"
[windows]
lateness = "1m"
max_future_skew = "1m"
[teams.broadband]
series = ["north/broadband/phone"]
[teams.mobile]
series = ["north/mobile/phone"]
skills = ["north/broadband/phone"]
[recommendations]
call_in_share = 0.0
"#;

fn service(folder: &Path, config: &str) -> Program {
    std::fs::write(folder.join("surgecast.toml"), config).expect("config");
    let mut command = surgecast(&["serve", "--config", "surgecast.toml"]);
    command.current_dir(folder);
    Program::start_command(command)
}

/// A full hour, so many hours from now.
fn hour(hours: i64) -> String {
    (chrono::Utc::now() + chrono::TimeDelta::hours(hours)).format("%Y-%m-%dT%H:00:00Z").to_string()
}

fn shift(team: &str, agents: u32) -> Value {
    json!({"team": team, "start": hour(-9), "end": hour(30), "agents": agents})
}

const OPEN: &str = "/api/v1/recommendations?team=broadband&open=true";

/// Recommendations for broadband after all calls have been read: those of earlier hours expire on the way.
fn recommended(program: &Program) -> Value {
    let width = chrono::TimeDelta::minutes(15);
    let newest = (chrono::Utc::now() - chrono::TimeDelta::minutes(2)).duration_trunc(width);
    let newest = newest.expect("a time").to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    let plan = "/api/v1/staffing?region=north&service=broadband&channel=phone";
    program.wait_for(plan, |plan| plan["issued_at"].as_str() >= Some(newest.as_str()));
    program.wait_for(OPEN, |found| found[0]["state"] == "proposed")
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

#[test]
fn a_person_answers_a_recommendation() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = service(folder.path(), CONFIG);
    let roster = json!([shift("broadband", 5), shift("mobile", 40)]);
    let put = program.request(Method::PUT, "/api/v1/roster").json(&roster);
    assert_eq!(crate::program::answer(put).status, 204);
    assert_eq!(program.post("/api/v1/events", calls()).status, 202);
    let found = recommended(&program);
    let own = &found[0];
    assert_eq!((&own["kind"], &own["source"]), (&json!("move"), &json!("mobile")), "{own}");
    let (with, without) = (&own["service_level_with"], &own["service_level_without"]);
    assert!(with.as_f64() > without.as_f64() && own["confidence"].as_f64() >= Some(0.5), "{own}");
    let text = own["text"].as_str().unwrap_or_default();
    assert!(text.starts_with("Move ") && text.contains("from mobile to broadband"), "{own}");
    let outlook = "/api/v1/outlook?region=north&service=broadband&channel=phone";
    let outlook = program.get(outlook).json();
    assert!(outlook["recommendations"].as_array().is_some_and(|own| !own.is_empty()), "{outlook}");

    let id = own["id"].as_str().expect("an id");
    let answer = |what: &str, body: serde_json::Value| {
        let path = format!("/api/v1/recommendations/{id}/{what}");
        let given = crate::program::answer(program.request(Method::POST, &path).json(&body));
        (given.status, given.json())
    };
    let (status, problem) = answer("accept", json!({}));
    assert_eq!((status, &problem["detail"]), (400, &json!("by: is missing: give your name")));
    let (status, accepted) = answer("accept", json!({"by": "Li", "note": "two of them"}));
    assert_eq!(
        (status, &accepted["state"], &accepted["answered_by"]),
        (200, &json!("accepted"), &json!("Li"))
    );
    assert_eq!(answer("done", json!({"by": "Wu"})).1["state"], "done");
    assert_eq!(answer("decline", json!({"by": "Wu"})).0, 404, "what is done stays done");
    let audit = program.get("/api/v1/audit").json();
    let acts: Vec<_> = audit.as_array().into_iter().flatten().map(|entry| &entry["act"]).collect();
    assert_eq!(acts[..2], ["recommendation_done", "recommendation_accepted"], "{audit}");
    assert_eq!(audit[1]["detail"], "two of them");
    assert!(program.get("/api/v1/recommendations/uncovered").json().is_array());
    let wrong = program.get("/api/v1/recommendations?state=open").json();
    assert!(
        wrong["detail"].as_str().is_some_and(|text| text.starts_with("state: use one of")),
        "{wrong}"
    );
    // Answers are there after a restart.
    program.kill();
    let program = service(folder.path(), CONFIG);
    let found = program.get("/api/v1/recommendations?state=done").json();
    assert_eq!(found[0]["id"], id, "{found}");
}

/// The team that helps has a name that would be markup, if it were not data.
#[test]
fn a_planner_answers_on_the_page() {
    let folder = tempfile::tempdir().expect("a folder");
    let helper = "<img src=x onerror=alert(1)>";
    let config = CONFIG.replace("[teams.mobile]", &format!("[teams.{helper:?}]"));
    let program = service(folder.path(), &config);
    let roster = json!([shift("broadband", 5), shift(helper, 40)]);
    let put = program.request(Method::PUT, "/api/v1/roster").json(&roster);
    assert_eq!(crate::program::answer(put).status, 204);
    assert_eq!(program.post("/api/v1/events", calls()).status, 202);
    let found = recommended(&program);
    assert_eq!((found.as_array().map(Vec::len), &found[0]["source"]), (Some(1), &json!(helper)));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    runtime.block_on(crate::page::advice::check_advice(&program.url, &found[0]));
    let found = program.get(OPEN).json();
    assert_eq!(found[0]["state"], "accepted", "{found}");
    assert_eq!(found[0]["answered_by"], "<b id=hacked>Li</b>");
    let id = found[0]["id"].as_str().expect("an id");
    let rows = program.get("/api/v1/recommendations/taken").json();
    let own = rows.as_array().and_then(|rows| rows.iter().find(|row| row["team"] == "broadband"));
    let own = own.unwrap_or_else(|| panic!("a row of broadband: {rows}"));
    let hours = own["agent_hours"].as_f64().expect("hours");
    assert_eq!((&own["team"], &own["taken"]), (&json!("broadband"), &json!(1)), "{rows}");
    // Nobody has answered those of the hours that were read at first.
    let answered = 1 + own["expired"].as_u64().expect("a number");
    let share = (1e4 / answered as f64).round() / 1e4;
    assert_eq!((&own["share_taken"], &own["cost"]), (&json!(share), &found[0]["cost"]), "{rows}");
    assert!(hours > 0.0 && own["compared"] == 0 && own["service_level_with"].is_null(), "{rows}");
    let wrong = program.get("/api/v1/recommendations/taken?by=day");
    assert_eq!((wrong.status, &wrong.json()["detail"]), (400, &json!("by: use week or quarter")));
    assert_eq!(program.get("/api/v1/recommendations/taken?team=none").json(), json!([]));
    assert!(id.starts_with("move."), "{id}");
    runtime.block_on(crate::page::advice::check_taken(&program.url, own));
}

#[test]
fn following_recommendations_is_worth_more_than_as_many_people_all_day() {
    let of = Days::new(7, 8, 1);
    let (own, perfect) = (of.advised(Follows::Forecasts), of.advised(Follows::Perfect));
    let same = of.fixed(of.same_cost(own.cost));
    let text = format!("{own:?}\n{perfect:?}\nsame cost {same}, fixed {}", of.fixed(1.0));
    assert!(own.minutes_below <= 0.75 * same, "{text}");
    assert!(same - own.minutes_below >= 0.7 * (same - perfect.minutes_below), "{text}");
    assert!(perfect.minutes_below <= own.minutes_below, "{text}");
    let nobody = of.advised(Follows::Nobody);
    assert!(nobody.recommendations > 0 && nobody.changes.0 < 1.0, "{nobody:?}");
    for shortest in [nobody.shortest_turn, nobody.shortest_return] {
        assert!(shortest.is_none_or(|minutes| minutes >= 30.0), "{nobody:?}");
    }
}
