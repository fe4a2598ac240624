//! Faults of servers: the log and `/ready` report them, and the service recovers without a restart.

use std::path::Path;

use super::servers::{Influx, Kafka, until};
use super::whole::{Site, now_s};
use crate::program::{Program, surgecast};

/// Waits until `/ready` answers with `code`, and `words` is the status or part of the reason of a component.
pub fn says(site: &Site, code: u16, component: &str, words: &str) {
    let mut last = None;
    until(&format!("/ready to report {words:?} for {component}"), || {
        last = site.ready();
        last.as_ref().is_some_and(|(found, body)| {
            let state = &body["components"][component];
            *found == code
                && (words == state["status"]
                    || state["reason"].as_str().is_some_and(|r| r.contains(words)))
        })
    });
}

/// Checks that the log has a text exactly once: it reports changes of state, not each attempt.
fn logged_once(program: &Program, words: &str) {
    until(&format!("the log to have {words:?}"), || program.said().contains(words));
    let times = program.said().matches(words).count();
    assert_eq!(times, 1, "{}", program.said());
}

pub fn ticket(id: &str) -> String {
    format!(
        r#"{{"kind":"ticket","event_id":"{id}","ts":{},"region":"north","service":"fibre","channel":"phone"}}"#,
        now_s() - 3600
    )
}

fn set_up_influxdb(site: &Site) -> (bool, String) {
    let done = surgecast(&["setup", "influxdb", "--config", site.config()]).output();
    let done = done.expect("setup runs");
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    (done.status.success(), said + &String::from_utf8_lossy(&done.stderr))
}

#[test]
fn the_service_waits_for_an_absent_broker_and_creates_topics() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut kafka = Kafka::absent(folder.path());
    let site = Site::new(folder.path(), "absent", &kafka.brokers(), None, "");
    let program = site.serve();
    says(&site, 503, "kafka", "no broker answers");
    logged_once(&program, "check kafka.brokers");
    kafka.restart();
    says(&site, 200, "kafka", "ready");
    for topic in ["network.alarms", "support.tickets", "network.maintenance"] {
        until("its topics to be read", || {
            program.said().contains(&format!("counting a partition source={topic}[0]"))
        });
    }
    let taken = program.post("/api/v1/events", ticket("T-1") + "\n" + "no event");
    assert_eq!(taken.status, 202, "{taken:?}");
    assert_eq!(taken.json()["accepted"], 1);
    until("the event to be counted", || {
        let metrics = reqwest::blocking::get(format!("http://{}/metrics", site.admin));
        let metrics = metrics.and_then(reqwest::blocking::Response::text).unwrap_or_default();
        let counted = |line: &&str| line.contains("support.tickets") && line.contains("counted");
        metrics.lines().filter(counted).any(|line| line.ends_with(" 1"))
    });
    // An invalid event is stored with its reason.
    program.wait_for("/api/v1/status", |status| status["dead_letters"]["malformed"] == 1);
    kafka.kill();
    let refused = program.post("/api/v1/events", ticket("T-2"));
    assert_eq!(refused.status, 503, "an event that is not durable is not accepted: {refused:?}");
    says(&site, 503, "kafka", "no broker answers");
    kafka.restart();
    says(&site, 200, "kafka", "ready");
    until("events to be accepted again", || {
        program.post("/api/v1/events", ticket("T-2")).status == 202
    });
}

#[test]
fn tls_and_sign_in_work_and_a_wrong_password_is_reported() {
    let folder = tempfile::tempdir().expect("a folder");
    let kafka = Kafka::start(folder.path());
    let site = |name: &str, mechanism: &str, password: &str, ca: &Path| {
        let properties = format!(
            "[kafka.properties]\n\"security.protocol\" = \"SASL_SSL\"\n\"sasl.mechanism\" = \"{mechanism}\"\n\
             \"sasl.username\" = \"surgecast\"\n\"sasl.password\" = \"{password}\"\n\
             \"ssl.ca.location\" = \"{}\"\n",
            ca.display()
        );
        Site::new(folder.path(), name, &kafka.sasl_brokers(), None, &properties)
    };
    for mechanism in ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] {
        let right = site(&format!("right-{mechanism}"), mechanism, "right", &kafka.ca());
        let program = right.serve();
        says(&right, 200, "kafka", "ready");
        until("an event to be accepted", || {
            program.post("/api/v1/events", ticket(mechanism)).status == 202
        });
        drop(program);
        let wrong = site(&format!("wrong-{mechanism}"), mechanism, "hunter2", &kafka.ca());
        let program = wrong.serve();
        says(&wrong, 503, "kafka", "refuses the sign-in");
        assert!(!program.said().contains("hunter2"), "{}", program.said());
    }
    // A certificate that does not match the broker.
    let other = folder.path().join("other.pem");
    let made = std::process::Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-subj",
            "/CN=other",
            "-keyout",
            "/dev/null",
            "-out",
        ])
        .arg(&other)
        .output();
    assert!(made.expect("openssl runs").status.success());
    let stranger = site("stranger", "PLAIN", "right", &other);
    let _program = stranger.serve();
    says(&stranger, 503, "kafka", "cannot use TLS with");
}

#[test]
fn an_absent_or_unprepared_influxdb_only_degrades_the_service() {
    let folder = tempfile::tempdir().expect("a folder");
    let kafka = Kafka::start(folder.path());
    let mut influx = Influx::absent(folder.path());
    let site = Site::new(folder.path(), "bare", &kafka.brokers(), Some(&influx.url()), "");
    let program = site.serve();
    says(&site, 200, "kafka", "ready");
    assert_eq!(program.post("/api/v1/events", ticket("T-1")).status, 202);
    says(&site, 200, "influxdb", "no answer from InfluxDB");
    let (done, said) = set_up_influxdb(&site);
    assert!(!done && said.contains("is it running"), "{said}");

    influx.restart();
    let (done, said) = set_up_influxdb(&site);
    assert!(!done && said.contains("influx setup"), "{said}");
    influx.set_up();
    says(&site, 200, "influxdb", "has no bucket bare");
    logged_once(&program, "run `surgecast setup influxdb`");
    let (done, said) = set_up_influxdb(&site);
    assert!(done && said.contains("created bucket bare"), "{said}");
    let (done, again) = set_up_influxdb(&site);
    assert!(done && again.contains("is there already"), "{again}");
    assert!(again.contains("database bare of InfluxQL is mapped to it already"), "{again}");
    says(&site, 200, "influxdb", "ready");
    until("the ticket to be in InfluxDB", || {
        let rows = influx.query(
            "from(bucket: \"bare\") |> range(start: -1d) |> filter(fn: (r) => r._measurement == \"tickets\" and \
             r._field == \"count\" and r.region == \"north\" and r._value == 1)",
        );
        !rows.is_empty()
    });
    drop(program);

    std::fs::write(site.folder.join("influx.token"), "another token").expect("token");
    std::fs::remove_dir_all(site.folder.join("data")).expect("a new store");
    let program = site.serve();
    says(&site, 200, "influxdb", "refuses the token");
    assert!(!program.said().contains("another token"), "{}", program.said());
    let (done, said) = set_up_influxdb(&site);
    assert!(!done && said.contains("refuses the token"), "{said}");
}

#[test]
fn names_with_special_characters_reach_influxdb_unchanged() {
    let folder = tempfile::tempdir().expect("a folder");
    let kafka = Kafka::start(folder.path());
    let influx = Influx::start(folder.path());
    let site = Site::new(folder.path(), "names", &kafka.brokers(), Some(&influx.url()), "");
    assert!(set_up_influxdb(&site).0);
    let program = site.serve();
    let names = ["a, b=c \"d\"", "中国电信", "x=1,y=2 z", "#hash", "ends with \\"];
    let events = names.iter().enumerate().map(|(n, region)| {
        let event = serde_json::json!({
            "kind": "ticket", "event_id": format!("N-{n}"), "ts": now_s() - 3600, "region": region,
            "service": "s", "channel": "phone", "text": "line\nbreak \"quoted\" \\",
        });
        event.to_string()
    });
    let body = events.collect::<Vec<_>>().join("\n");
    until("events to be accepted", || program.post("/api/v1/events", body.clone()).status == 202);
    let mut found = Vec::new();
    until("all names in InfluxDB", || {
        let rows = influx.query(
            "from(bucket: \"names\") |> range(start: -1d) |> filter(fn: (r) => r._measurement == \"tickets\" and \
             r._field == \"count\" and r.service == \"s\" and r.channel == \"phone\" and r.region != \"_all\" and r._value == 1) |> group()",
        );
        found = rows.iter().map(|row| row["region"].clone()).collect();
        found.sort();
        found.len() == names.len()
    });
    let mut expected = names.map(|name| name.replace('\\', "/"));
    expected.sort();
    assert_eq!(found, expected);
}
