//! Several instances with one Kafka: counts, leadership and take-over.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use surgecast::domain::Timestamp;

use super::data::{self, Count, WINDOW};
use super::servers::{Influx, Kafka, until};
use super::whole::{Site, now_s, stored};
use crate::program::{Program, surgecast};

/// One instance with its own store. All instances share a consumer group.
pub struct Instance {
    pub site: Site,
    pub program: Program,
    role: String,
}

impl Instance {
    pub fn start(folder: &Path, name: &str, kafka: &Kafka, role: &str) -> Self {
        Self::start_with(folder, name, (kafka, None, ""), role)
    }

    /// An instance that writes to a shared bucket, with `more` in its config.
    pub fn start_with(
        folder: &Path,
        name: &str,
        (kafka, influx, more): (&Kafka, Option<&Influx>, &str),
        role: &str,
    ) -> Self {
        let url = influx.map(Influx::url);
        let site = Site::new(folder, name, &kafka.brokers(), url.as_deref(), more);
        let text = std::fs::read_to_string(site.config()).expect("config");
        let shared = |key: &str, text: String| {
            text.replace(&format!("{key} = \"{name}\""), &format!("{key} = \"cluster\""))
        };
        let text = shared("bucket", shared("group", text));
        std::fs::write(site.config(), text).expect("config");
        let program = Program::start(&["serve", "--config", site.config(), "--role", role]);
        Self { site, program, role: role.to_owned() }
    }

    /// Kills the instance, and starts another with the same store.
    pub fn killed_and_started(self) -> Self {
        self.killed_until(|| {})
    }

    /// Kills the instance, and starts another with the same store after `wait` has returned.
    pub fn killed_until(self, wait: impl FnOnce()) -> Self {
        let Self { site, role, program } = self;
        program.kill();
        wait();
        let program = Program::start(&["serve", "--config", site.config(), "--role", &role]);
        Self { site, program, role }
    }

    /// The text of `/metrics`.
    pub fn metrics(&self) -> String {
        let answer = reqwest::blocking::get(format!("http://{}/metrics", self.site.admin));
        answer.and_then(reqwest::blocking::Response::text).unwrap_or_default()
    }

    pub fn leads(&self) -> bool {
        // The last change in the log counts.
        let said = self.program.said();
        let last = said.lines().rfind(|line| line.contains("leadership changed"));
        last.is_some_and(|line| line.contains("leads=true"))
    }
}

/// Files with nine days of a simulated operator, up to the last window that can be finalized, and the end of that window.
fn operator(folder: &Path) -> (Vec<std::path::PathBuf>, i64) {
    let end = (now_s() - 660).div_euclid(WINDOW) * WINDOW;
    let day =
        |at: i64| chrono::DateTime::from_timestamp(at, 0).expect("a time").format("%F").to_string();
    let sim = folder.join("sim");
    let sim = sim.to_str().expect("UTF-8");
    let done =
        surgecast(&["simulate", "--out", sim, "--days", "9", "--start", &day(end - 8 * 86_400)]);
    assert!({ done }.status().expect("simulate runs").success());
    let files = ["alarms.ndjson", "tickets.ndjson"].map(|name| Path::new(sim).join(name));
    for file in &files {
        let text = std::fs::read_to_string(file).expect("events");
        let until = |line: &&str| {
            let event: Value = serde_json::from_str(line).expect("JSON");
            let ts = chrono::DateTime::parse_from_rfc3339(event["ts"].as_str().expect("ts"));
            ts.expect("a time").timestamp() < end
        };
        let kept: Vec<&str> = text.lines().filter(until).collect();
        std::fs::write(file, kept.join("\n") + "\n").expect("written");
    }
    (files.to_vec(), end)
}

fn counted(instance: &Instance, expected: &Count) -> bool {
    Path::new(&instance.site.folder.join("data/state.db")).exists()
        && stored(&instance.site.reader()) == *expected
}

/// The vintages of the twelve hours before `end`, as text.
fn vintages(instance: &Instance, end: i64) -> Vec<String> {
    let [from, to] = [end - 12 * 3600 + 1, end].map(Timestamp::from_secs);
    let all = instance.site.reader().vintages_between(from, to).expect("vintages");
    all.into_iter().map(|vintage| format!("{vintage:?}")).collect()
}

#[test]
fn three_instances_count_like_one_and_a_standby_takes_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let kafka = Kafka::start(folder.path());
    let (files, end) = operator(folder.path());
    let files: Vec<&Path> = files.iter().map(std::path::PathBuf::as_path).collect();
    let expected = data::count(&files);
    let brokers = kafka.brokers();
    let mut replay = surgecast(&["replay", "--to", "kafka", "--brokers", &brokers]);
    assert!(replay.args(&files).status().expect("replay runs").success());

    let first = Instance::start(folder.path(), "a", &kafka, "both");
    until("a leader", || first.leads());
    let second = Instance::start(folder.path(), "b", &kafka, "both");
    let third = Instance::start(folder.path(), "c", &kafka, "count");
    for instance in [&first, &second] {
        until("all to be counted", || counted(instance, &expected));
    }
    until("all forecasts to be there", || {
        let (a, b) = (vintages(&first, end), vintages(&second, end));
        !a.is_empty() && a.len() == b.len()
    });
    assert_eq!(vintages(&first, end), vintages(&second, end), "the forecasts of both are the same");
    // All instances forward requests to the leader.
    for instance in [&first, &second, &third] {
        let path = "/api/v1/windows?region=north&service=broadband&channel=phone";
        until("the leader to be known", || instance.program.get(path).status == 200);
        let answer = instance.program.get(path).json();
        let from_leader = first.program.get(path).json();
        assert_eq!(answer, from_leader);
        assert!(!answer.as_array().expect("windows").is_empty());
    }
    let hour = |n: i64| {
        let at = now_s().div_euclid(3600) * 3600 + n * 3600;
        let at = chrono::DateTime::from_timestamp(at, 0).expect("a time");
        at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
    };
    let roster = serde_json::json!([{"region": "north", "service": "broadband", "channel": "phone",
        "start": hour(1), "end": hour(3), "agents": 7}]);
    let put = third.program.request(reqwest::Method::PUT, "/api/v1/roster");
    let put = crate::program::answer(
        put.header("content-type", "application/json").body(roster.to_string()),
    );
    assert_eq!(put.status, 204, "{put:?}");

    // The leader is killed, and the standby takes over with all state.
    first.program.kill();
    until("the standby to lead", || second.leads());
    until("requests to reach the new leader", || third.program.get("/api/v1/status").status == 200);
    let kept = third.program.get("/api/v1/roster?region=north&service=broadband&channel=phone");
    assert!(kept.text.contains("\"agents\":7"), "{kept:?}");
    assert!(counted(&second, &expected));

    // A new forecaster starts. The old leader is paused longer than its session and continues. No event is counted twice.
    let fourth = Instance::start(folder.path(), "d", &kafka, "both");
    let stop = |signal: &str, program: &Program| {
        let done = Command::new("kill").args([signal, &program.pid().to_string()]).status();
        assert!(done.expect("kill runs").success());
    };
    stop("-STOP", &second.program);
    until("the new one to lead", || fourth.leads());
    let late = super::faults::ticket("after-the-change");
    until("an event to be accepted", || {
        fourth.program.post("/api/v1/events", late.clone()).status == 202
    });
    until("the new leader to count", || {
        counted(&fourth, &expected) || has_more(&fourth, &expected)
    });
    stop("-CONT", &second.program);
    until("the old leader to stand by", || !second.leads());
    until("both to agree", || stored(&second.site.reader()) == stored(&fourth.site.reader()));
    let all = stored(&fourth.site.reader());
    let extra: u64 = all.tickets.values().sum::<u64>() - expected.tickets.values().sum::<u64>();
    assert!(extra <= 1, "{extra} more tickets than were sent");
    assert_eq!(all.alarms, expected.alarms);
}

/// Whether one ticket more than expected is counted.
fn has_more(instance: &Instance, expected: &Count) -> bool {
    let sum = |count: &Count| count.tickets.values().sum::<u64>();
    sum(&stored(&instance.site.reader())) == sum(expected) + 1
}

/// The number of points that an instance has written to InfluxDB.
fn points(instance: &Instance) -> u64 {
    let metrics = instance.metrics();
    let line = |line: &&str| line.starts_with("surgecast_sink_points_total{sink=\"influxdb\"}");
    let line = metrics.lines().find(line);
    line.and_then(|line| line.rsplit_once(' ')?.1.parse().ok()).unwrap_or(0)
}

/// The number of changes after the InfluxDB cursor of an instance's store.
fn unwritten(instance: &Instance) -> usize {
    let reader = instance.site.reader();
    let cursor = reader.cursor("influxdb").expect("cursor");
    reader.changes(cursor, 10_000).expect("changes").len()
}

#[test]
fn a_new_leader_repeats_only_recent_points() {
    let folder = tempfile::tempdir().expect("a folder");
    let kafka = Kafka::start(folder.path());
    let influx = Influx::start(folder.path());
    influx.create_bucket("cluster");
    let (files, _) = operator(folder.path());
    let mut replay = surgecast(&["replay", "--to", "kafka", "--brokers", &kafka.brokers()]);
    assert!(replay.args(&files).status().expect("replay runs").success());
    let expected = data::count(&files.iter().map(std::path::PathBuf::as_path).collect::<Vec<_>>());

    let servers = (&kafka, Some(&influx), "");
    let first = Instance::start_with(folder.path(), "a", servers, "both");
    until("a leader", || first.leads());
    until("all to be counted", || counted(&first, &expected));
    let second = Instance::start_with(folder.path(), "b", servers, "forecast");
    until("all to be counted by the standby", || counted(&second, &expected));
    until("all changes to be written", || unwritten(&first) == 0);
    until("the standby to receive the cursor", || unwritten(&second) < 10);
    assert_eq!(points(&second), 0);
    let written = points(&first);
    // Nine days of windows, which the standby would write again without the cursor.
    assert!(written > 10_000, "only {written} points");

    first.program.kill();
    until("the standby to lead", || second.leads());
    until("all changes to be written again", || unwritten(&second) == 0);
    let again = points(&second);
    assert!(again * 10 < written, "{again} points, after {written}");
    println!("{written} points, of which a new leader wrote {again} again");
}
