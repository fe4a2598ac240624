//! Traces over OTLP: a whole service beside a collector, a receiver of pages and an InfluxDB that takes everything.
#![allow(clippy::disallowed_methods, reason = "the service runs at the real time")]

use std::collections::BTreeSet;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::thread;

use reqwest::Method;
use serde_json::{Value, json};

use crate::collector::{Collector, read};
use crate::program::{Program, answer, surgecast};
use crate::receivers;
use crate::serve::serve;

/// Answers every request with this status.
fn taker(status: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address");
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            receivers::answer(stream, status, "");
        }
    });
    address
}

/// A service with a metrics port, whose address is the second value.
fn service(folder: &Path, config: &str) -> (Program, String) {
    let program = serve(folder, config, &[]);
    program.wait_for("/api/v1/status", |_| program.said().contains("metrics on http://"));
    let said = program.said();
    let admin = said.split("metrics on ").nth(1).and_then(|rest| rest.lines().next());
    let admin = admin.expect("the address of metrics").to_owned();
    (program, admin)
}

fn get(url: &str) -> String {
    reqwest::blocking::get(url).and_then(|answer| answer.text()).expect("an answer")
}

/// The value of a counter of spans; 0 before it is counted.
fn counted(admin: &str, outcome: &str) -> u64 {
    let text = get(&format!("{admin}/metrics"));
    let name = format!("surgecast_trace_spans_total{{outcome=\"{outcome}\"}} ");
    let line = text.lines().find_map(|line| line.strip_prefix(&name));
    line.map_or(0, |count| count.parse().expect("a number"))
}

fn component(admin: &str) -> Value {
    let ready: Value = serde_json::from_str(&get(&format!("{admin}/ready"))).expect("JSON");
    ready["components"]["otlp"].clone()
}

fn hour(hours: i64) -> String {
    (chrono::Utc::now() + chrono::TimeDelta::hours(hours)).format("%Y-%m-%dT%H:00:00Z").to_string()
}

/// Calls of the last five hours, oldest first.
fn calls() -> String {
    let now = chrono::Utc::now();
    let call = |at: i64| {
        let ts = now - chrono::TimeDelta::seconds(30 * at);
        json!({"kind": "ticket", "event_id": format!("t{at}"), "ts": ts.to_rfc3339(),
            "action": "create", "region": "north", "service": "tv", "channel": "phone"})
    };
    json!((0..600).rev().map(call).collect::<Vec<_>>()).to_string()
}

/// The only attributes that spans of this name may have: their values are of a bounded number, or counts.
fn allowed(name: &str) -> &'static [&'static str] {
    match name {
        "forecaster.round" => &["reports", "windows", "leads"],
        "forecast" => &["series"],
        "staffing" => &["plans"],
        "sink.write" => &["sink", "changes", "points", "refused", "error.type"],
        "page.deliver" => &["receiver", "kind", "http.response.status_code", "error.type"],
        "window" | "judge" | "alerts" | "nowcast" | "commit" => &[],
        _ => &["http.request.method", "http.route", "http.response.status_code", "error.type"],
    }
}

#[test]
fn an_operator_sees_rounds_writes_pages_and_requests() {
    let folder = tempfile::tempdir().expect("a folder");
    let collector = Collector::start();
    let (lead, influxdb) = (taker("200 OK"), taker("204 No Content"));
    std::fs::write(folder.path().join("otlp.secret"), "X-Api-Key: s3cret-key\n").expect("secret");
    let config = format!(
        r#"
[windows]
lateness = "1m"
max_future_skew = "1m"
[influxdb]
url = "http://{influxdb}"
org = "noc"
[[alerts.receivers]]
name = "lead"
type = "webhook"
url = "http://{lead}/"
[telemetry]
otlp = "http://{}/"
service_name = "surgecast-north"
otlp_header_file = "otlp.secret"
"#,
        collector.address
    );
    let (program, admin) = service(folder.path(), &config);
    let roster = json!([{"region": "north", "service": "tv", "channel": "phone",
        "start": hour(-9), "end": hour(30), "agents": 1}]);
    let put = program.request(Method::PUT, "/api/v1/roster").json(&roster);
    assert_eq!(answer(put).status, 204);
    assert_eq!(program.post("/api/v1/events", calls()).status, 202);
    assert_eq!(program.get("/api/v1/alerts/no-such-alert?lang=en").status, 404);
    assert_eq!(program.get("/no/such/path").status, 404);
    program.wait_for("/api/v1/status", |_| !collector.named("page.deliver").is_empty());
    program.wait_for("/api/v1/status", |_| !collector.named("sink.write").is_empty());
    assert_eq!(component(&admin), json!({"status": "ready"}));
    let head = collector.heads().remove(0).to_lowercase();
    assert!(head.starts_with("post /v1/traces http/1.1\r\n"), "{head}");
    assert!(head.contains("content-type: application/x-protobuf\r\n"), "{head}");
    assert!(head.contains("x-api-key: s3cret-key\r\n"), "{head}");

    let spans = collector.spans();
    for span in &spans {
        let (name, resource) = (span["name"].as_str().expect("a name"), &span["resource"]);
        assert_eq!(resource["service.name"], "surgecast-north", "{span}");
        assert_eq!(resource["service.version"], env!("CARGO_PKG_VERSION"));
        let found = span["attributes"].as_object().expect("attributes");
        assert!(found.keys().all(|key| allowed(name).contains(&key.as_str())), "{span}");
        assert_ne!(span["status"], "error", "{span}");
    }
    let parent = |span: &Value| {
        let is_parent = |one: &&Value| one["id"] == span["parent"] && one["trace"] == span["trace"];
        spans.iter().find(is_parent).map(|one| one["name"].clone())
    };
    let parents = |name: &str| -> BTreeSet<String> {
        let own = spans.iter().filter(|span| span["name"] == name);
        own.map(|span| parent(span).unwrap_or_default().to_string()).collect()
    };
    let round = BTreeSet::from(["\"forecaster.round\"".to_owned()]);
    let window = BTreeSet::from(["\"window\"".to_owned()]);
    for (name, expected) in [
        ("window", &round),
        ("nowcast", &round),
        ("commit", &round),
        ("judge", &window),
        ("forecast", &window),
        ("staffing", &window),
        ("alerts", &window),
    ] {
        assert_eq!(&parents(name), expected, "{name}");
    }
    // A child lies within its parent.
    for span in spans.iter().filter(|span| span["parent"] != "") {
        let parent = spans.iter().find(|one| one["id"] == span["parent"]).expect("its parent");
        let time = |span: &Value, key: &str| span[key].as_u64().expect("nanoseconds");
        assert!(time(parent, "start") <= time(span, "start"), "{span}");
        assert!(time(span, "end") <= time(parent, "end"), "{span}");
    }
    let one = |name: &str| spans.iter().find(|span| span["name"] == name).expect(name).clone();
    assert_eq!(one("page.deliver")["attributes"]["receiver"], "lead");
    assert_eq!(one("page.deliver")["attributes"]["http.response.status_code"], 200);
    assert_eq!(one("page.deliver")["kind"], "client");
    assert_eq!(one("sink.write")["attributes"]["sink"], "influxdb");
    assert!(one("sink.write")["attributes"]["points"].as_u64() > Some(0));
    let request = one("GET /api/v1/alerts/{id}");
    assert_eq!(request["kind"], "server");
    assert_eq!(request["attributes"]["http.response.status_code"], 404);
    assert_eq!(one("POST /api/v1/events")["attributes"]["http.request.method"], "POST");
    // A path without a route is not a name.
    assert_eq!(one("GET")["attributes"]["http.response.status_code"], 404);
    assert!(!program.said().contains("s3cret-key"));
    // Lines of the log stay as they are.
    assert!(!program.said().contains("forecaster.round"), "{}", program.said());
}

#[test]
fn a_collector_that_is_down_shows_and_stops_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let collector = Collector::start();
    collector.answers(503);
    let config = format!("[telemetry]\notlp = \"http://{}\"\n", collector.address);
    let (program, admin) = service(folder.path(), &config);
    program.wait_for("/api/v1/status", |_| component(&admin)["status"] == "degraded");
    program.wait_for("/api/v1/status", |_| component(&admin)["reason"].to_string().contains("503"));
    // More spans than wait at a time: the rest is counted, and every request is answered.
    for _ in 0..5000 {
        assert_eq!(program.get("/api/v1/series").status, 200);
    }
    program.wait_for("/api/v1/status", |_| counted(&admin, "dropped") > 0);
    assert!(program.said().contains("otlp: spans were dropped"), "{}", program.said());
    assert_eq!(counted(&admin, "sent"), 0);
    collector.answers(0);
    program.wait_for("/api/v1/status", |_| component(&admin)["status"] == "ready");
    program.wait_for("/api/v1/status", |_| counted(&admin, "sent") >= 4096);
    assert!(collector.named("GET /api/v1/series").len() > 3000);
    // What waits when the service stops is sent.
    assert_eq!(program.get("/api/v1/alerts?limit=7").status, 200);
    let (status, said) = program.interrupt();
    assert!(status.success(), "{said}");
    assert_eq!(collector.named("GET /api/v1/alerts").len(), 1);
}

#[test]
fn check_connects_to_the_collector() {
    let folder = tempfile::tempdir().expect("a folder");
    let collector = Collector::start();
    let config = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n[admin]\nlisten = \"127.0.0.1:0\"\n[store]\npath = \"store\"\n\
         [telemetry]\notlp = \"http://{}\"\n",
        collector.address
    );
    std::fs::write(folder.path().join("surgecast.toml"), config).expect("config");
    let check = || {
        let mut command = surgecast(&["check", "--config", "surgecast.toml", "--connect"]);
        let done = command.current_dir(folder.path()).output().expect("it runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (done.status.success(), text(&done.stdout) + &text(&done.stderr))
    };
    let (ok, said) = check();
    assert!(ok && said.contains("otlp           answers, takes traces"), "{said}");
    assert_eq!(collector.heads().len(), 1);
    assert!(collector.spans().is_empty());
    collector.answers(404);
    let (ok, said) = check();
    assert!(!ok && said.contains("takes no traces over OTLP at /v1/traces"), "{said}");
}

#[test]
fn the_reader_of_traces_finds_faults() {
    let (spans, problems) = read(&[vec![0xff, 0xff]]);
    assert!(spans.is_empty() && !problems.is_empty());
    // A resource without a name, with a span that has no ids: fields 1, 2 and 2, of length 0.
    let (spans, problems) = read(&[vec![0x0a, 0x04, 0x12, 0x02, 0x12, 0x00]]);
    assert_eq!((spans.len(), problems.len()), (1, 3), "{problems:?}");
    // Field 99 is unknown.
    assert_eq!(read(&[vec![0x9a, 0x06, 0x00]]).1.len(), 1);
    assert_eq!(read(&[Vec::new()]), (Vec::new(), Vec::new()));
}
