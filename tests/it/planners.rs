//! Adjustments by planners: invalid ones are refused, forecasts and staffing use valid ones, and scores compare them with
//! the model.

use reqwest::Method;
use serde_json::{Value, json};

use crate::program::{Program, answer};

const SERIES: &str = "region=east&service=mobile&channel=phone";

/// A demo that has caught up, on a fast clock.
fn live(folder: &std::path::Path) -> Program {
    let program = Program::demo(folder, &["--days", "15", "--speed", "600"]);
    program.wait_for("/api/v1/status", |status| status["catching_up"].is_null());
    program
}

fn now(program: &Program) -> chrono::DateTime<chrono::FixedOffset> {
    let status = program.get("/api/v1/status").json();
    let now = status["now"].as_str().expect("a clock").to_owned();
    chrono::DateTime::parse_from_rfc3339(&now).expect("RFC 3339")
}

/// An adjustment: twice the arrivals in the east, from two hours ago for two days.
fn entry(program: &Program) -> Value {
    let (from, to) = (chrono::TimeDelta::hours(-2), chrono::TimeDelta::hours(46));
    let now = now(program);
    json!({"id": "march", "label": "billing run", "kind": "billing", "region": "east",
        "service": null, "channel": null, "starts_at": (now + from).to_rfc3339(),
        "ends_at": (now + to).to_rfc3339(), "factor": 2.0, "by": "Li", "note": null})
}

fn post(program: &Program, entry: &Value) -> crate::program::Answer {
    let request = program.request(Method::POST, "/api/v1/adjustments");
    let request = request.header("content-type", "application/json");
    answer(request.body(entry.to_string()))
}

#[test]
fn forecasts_use_adjustments_and_keep_the_models_forecast() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = live(folder.path());
    assert_eq!(post(&program, &entry(&program)).status, 201);
    let path = format!("/api/v1/forecasts?{SERIES}");
    let forecast = program.wait_for(&path, |f| !f["targets"][0]["model"].is_null());
    let number = |value: &Value| value.as_f64().expect("a number");
    for target in forecast["targets"].as_array().expect("targets") {
        let (mean, model) = (number(&target["mean"]), number(&target["model"]["mean"]));
        let (added, alarms) =
            (number(&target["drivers"]["adjustments"]), number(&target["drivers"]["alarms"]));
        assert!((mean - model - added).abs() < 0.01, "{target}");
        assert!((added - (model - alarms).max(0.0)).abs() < 0.01, "{target}");
    }
    let causes = forecast["causes"].to_string();
    assert!(causes.contains("adjustment: billing run"), "{causes}");
    // Staffing is computed from the same forecast or a later one.
    let issued_at = forecast["issued_at"].as_str().expect("a time");
    let staffed = program.wait_for(&format!("/api/v1/staffing?{SERIES}"), |s| {
        s["issued_at"].as_str() >= Some(issued_at)
    });
    let at = staffed["issued_at"].as_str().expect("a time");
    let same = program.get(&format!("{path}&issued_at={at}")).json();
    assert_eq!(staffed["targets"][3]["arrivals"], same["targets"][3]["mean"]);
    // The adjustment of a roll-up is the sum of those of its parts.
    let all = format!("/api/v1/forecasts?region=_all&service=_all&channel=_all&issued_at={at}");
    let all = number(&program.get(&all).json()["targets"][3]["drivers"]["adjustments"]);
    let east = program.get(&format!("/api/v1/forecasts?region=east&issued_at={at}")).json();
    let leaves = east
        .as_array()
        .expect("series")
        .iter()
        .filter(|f| ["service", "channel"].iter().all(|part| f[*part] != "_all"));
    let parts: f64 = leaves.map(|f| number(&f["targets"][3]["drivers"]["adjustments"])).sum();
    assert!((all - parts).abs() < 0.05, "{all} of {parts}");
    // The ledger scores both. The adjusted forecast is about twice the model's, except for the effect of alarms. Wait for
    // enough tickets, as there are few at night.
    let accuracy = program.wait_for(&format!("/api/v1/accuracy?{SERIES}"), |found| {
        let model = &found["adjustments"]["model"];
        let windows = model["n"].as_u64().unwrap_or(0);
        windows >= 20 && windows as f64 * model["mean"].as_f64().unwrap_or(0.0) >= 50.0
    });
    let both = &accuracy["adjustments"];
    let [adjusted, model] = ["adjusted", "model"].map(|key| 1.0 + number(&both[key]["bias"]));
    assert!(adjusted > 1.3 * model && adjusted < 2.01 * model, "{both}");
    assert_eq!(both["adjusted"]["n"], both["model"]["n"]);
    assert!(both["model"]["n"].as_u64() < accuracy["overall"]["n"].as_u64(), "{accuracy}");
    // After its deletion, the adjustment is not in new forecasts, but still in the issued ones.
    let gone = answer(program.request(Method::DELETE, "/api/v1/adjustments/march"));
    assert_eq!(gone.status, 204);
    let next = program.wait_for(&path, |f| f["targets"][0]["model"].is_null());
    assert!(next["issued_at"].as_str() > Some(at));
    let old = program.get(&format!("{path}&issued_at={at}")).json();
    assert!(!old["targets"][0]["model"].is_null());
    // A time without a forecast, an unknown series, and the period of the response as a parameter.
    let not_then = program.get(&format!("{path}&issued_at=2020-01-01T00:00:00Z"));
    assert_eq!((not_then.status, not_then.text.contains("or none at that time")), (404, true));
    let nowhere = "region=atlantis&service=mobile&channel=phone";
    assert_eq!(program.get(&format!("/api/v1/accuracy?{nowhere}")).status, 404);
    let from = accuracy["from"].as_str().expect("a time");
    let again = program.get(&format!("/api/v1/accuracy?{SERIES}&from={from}"));
    assert_eq!(again.status, 200, "{}", again.text);
}

#[test]
fn adjustments_are_checked_and_survive_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = live(folder.path());
    let good = entry(&program);
    let with = |key: &str, value: Value| {
        let mut entry = good.clone();
        entry[key] = value;
        entry
    };
    let wrong = [
        (with("factor", json!(11)), "factor: 11: use 0 to 10"),
        (with("factor", json!(null)), "either factor or tickets_per_window"),
        (with("tickets_per_window", json!(5)), "either factor or tickets_per_window"),
        (with("ends_at", good["starts_at"].clone()), "ends_at: has to come after"),
        (with("ends_at", json!("2099-01-01T00:00:00Z")), "ends_at: use at most 62 days"),
        (with("region", json!("_all")), "region: the name"),
        (with("region", json!("atlantis")), "`atlantis` is not known: use east, north"),
        (with("channel", json!("fax")), "channel: `fax` is not known"),
        (with("label", json!("  ")), "label: use 1 to 60"),
        (with("kind", json!("party")), "kind"),
        (with("colour", json!("red")), "colour"),
    ];
    for (entry, part) in wrong {
        let answer = post(&program, &entry);
        assert_eq!((answer.status, answer.kind.as_str()), (400, "application/problem+json"));
        assert!(answer.text.contains(part), "{part}: {}", answer.text);
    }
    let missing = answer(program.request(Method::DELETE, "/api/v1/adjustments/april"));
    assert_eq!(missing.status, 404);
    assert_eq!(post(&program, &good).status, 201);
    // A second adjustment with the same id replaces the first one.
    assert_eq!(post(&program, &with("label", json!("late billing run"))).status, 201);
    program.kill();
    let program = live(folder.path());
    let known = program.get("/api/v1/adjustments").json();
    assert_eq!(known.as_array().map(Vec::len), Some(1), "{known}");
    assert_eq!(known[0]["label"], "late billing run");
    program.wait_for(&format!("/api/v1/forecasts?{SERIES}"), |f| {
        f["causes"].to_string().contains("adjustment: late billing run")
    });
}
