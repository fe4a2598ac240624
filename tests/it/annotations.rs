//! Annotations of the real program in a stand-in of Grafana: through `kill -9`, and while Grafana is down.

#[path = "../../src/output/grafana/stand_in.rs"]
#[allow(dead_code, reason = "the tests of the sink use the rest")]
mod stand_in;

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use self::stand_in::{ScriptedAnswer, StandIn, TOKEN};
use crate::files::ready;
use crate::program::Program;
use crate::serve::serve;
use crate::store_files::{counted, hour_ago};

fn with_grafana(folder: &Path, url: &str) -> Program {
    std::fs::write(folder.join("grafana.token"), format!("{TOKEN}\n")).expect("a token");
    serve(folder, &format!("[grafana]\nurl = \"{url}\"\ntoken_file = \"grafana.token\"\n"), &[])
}

/// Planned work of the next hour.
fn plan(program: &Program, id: &str) {
    let now = hour_ago() + Duration::from_secs(3600);
    let work = json!({
        "id": id, "starts_at": now.to_string(), "ends_at": (now + Duration::from_secs(3600)).to_string(),
        "region": "north", "text": "Upgrade",
    });
    let request = program.request(reqwest::Method::POST, "/api/v1/maintenance").json(&work);
    assert_eq!(request.send().expect("an answer").status(), 201);
}

/// Waits until Grafana has as many annotations.
fn wait_for(program: &Program, grafana: &StandIn, n: usize) -> Vec<Value> {
    let mut found = Vec::new();
    program.wait_for("/api/v1/status", |_| {
        found = grafana.annotations();
        found.len() == n
    });
    found
}

#[test]
fn an_annotation_exists_once_after_kill_9_between_grafana_and_the_store() {
    let folder = tempfile::tempdir().expect("a folder");
    let grafana = StandIn::start();
    // Grafana creates it, and the program waits for the answer when it is killed.
    grafana.next("POST", ScriptedAnswer::DoneThenHang);
    let program = with_grafana(folder.path(), &grafana.url);
    plan(&program, "CHG-1");
    let created = wait_for(&program, &grafana, 1);
    assert_eq!(created[0]["text"], "north/all services: planned work “Upgrade”");
    program.kill();

    let program = with_grafana(folder.path(), &grafana.url);
    // A later one is written after the first one was found.
    plan(&program, "CHG-2");
    wait_for(&program, &grafana, 2);
    program.kill();
    let program = with_grafana(folder.path(), &grafana.url);
    for (id, left) in [("CHG-1", 1), ("CHG-2", 0)] {
        let path = format!("/api/v1/maintenance/{id}");
        let gone = program.request(reqwest::Method::DELETE, &path).send().expect("an answer");
        assert_eq!(gone.status(), 204);
        wait_for(&program, &grafana, left);
    }
    let posts = grafana.requests().iter().filter(|one| one.starts_with("POST")).count();
    assert_eq!((posts, grafana.breaches()), (2, Vec::new()), "one for each");
}

#[test]
fn grafana_that_is_down_delays_nothing_else_and_is_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    let grafana = StandIn::start();
    (0..100).for_each(|_| {
        grafana.next("GET", ScriptedAnswer::Hang);
        grafana.next("POST", ScriptedAnswer::Hang);
    });
    let program = with_grafana(folder.path(), &grafana.url);
    plan(&program, "CHG-1");
    let ticket = |n| {
        json!({"kind": "ticket", "event_id": format!("t-{n}"), "region": "north", "service": "tv", "channel": "phone",
               "ts": hour_ago().to_string()})
    };
    let body: Vec<Value> = (0..100).map(ticket).collect();
    assert_eq!(program.post("/api/v1/events", json!(body).to_string()).status, 202);
    counted(&program, 100);
    let mut shown = Value::Null;
    program.wait_for("/api/v1/status", |_| {
        shown = ready(&program);
        let why = shown["components"]["grafana"]["reason"].as_str().unwrap_or_default();
        why.contains("no answer from Grafana")
    });
    assert_eq!(shown["status"], "degraded", "{shown}");
    assert_eq!(shown["components"]["store"]["status"], "ready", "{shown}");
    assert_eq!(grafana.annotations(), [] as [Value; 0]);
    assert!(program.said().contains("everything else goes on"), "{}", program.said());
    // Ctrl-C does not wait for Grafana.
    let (status, said) = program.interrupt();
    assert!(status.success(), "{said}");
}
