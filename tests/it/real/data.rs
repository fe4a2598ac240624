//! Converts real alarms and real tickets to events, and counts them independently of the program.
//!
//! The two data sets are unrelated, and neither has all fields of an operator's data:
//! - Huawei's microwave alarms (six days, 439 devices, 64,598 alarms) have a type, a device, a start and an end, both
//!   in seconds. Nearly all end when they start. They have no severity. By the causal graph of the data set, a type that
//!   only causes others is critical, a type that is cause and effect is major, a type that is only an effect is minor,
//!   and all other types are warnings. The device's number gives the region, the type gives the service.
//! - The UCI incident log (20,769 tickets of eleven weeks) has the time of opening, location, category and way of
//!   contact. The location's number gives the region, the category's number the service. Nearly all tickets are by phone.
//!
//! The alarms are moved to the last days of the tickets. They did not cause the tickets, so that these data cannot show
//! the accuracy of the alarm response.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use chrono::NaiveDateTime;
use serde_json::{Value, json};

const REGIONS: [&str; 4] = ["north", "east", "south", "west"];
const SERVICES: [&str; 3] = ["broadband", "mobile", "voice"];
const DAY: i64 = 86_400;
pub const WINDOW: i64 = 900;

/// The folder of the data, if it exists.
pub fn folder() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    beside.join("uci_itsm_incidents.csv").exists().then_some(beside)
}

/// Files with events in order of time.
pub struct Events {
    pub alarms: PathBuf,
    pub tickets: PathBuf,
}

/// Converts both sets. Times are moved by whole days, so that the last day is that of `end_s`. Events at or after `end_s`
/// are left out.
pub fn convert(data: &Path, into: &Path, end_s: i64) -> Events {
    let tickets = tickets(data);
    let last = tickets.iter().map(|(at, _)| *at).max().expect("tickets");
    let shift = (end_s.div_euclid(DAY) - last.div_euclid(DAY)) * DAY;
    let alarms = alarms(data);
    let last_alarm = alarms.iter().map(|(at, _)| *at).max().expect("alarms");
    let alarm_shift = (end_s.div_euclid(DAY) - last_alarm.div_euclid(DAY)) * DAY;
    let events =
        Events { alarms: into.join("alarms.ndjson"), tickets: into.join("tickets.ndjson") };
    write(&events.alarms, alarms, alarm_shift, end_s);
    write(&events.tickets, tickets, shift, end_s);
    events
}

fn write(path: &Path, mut events: Vec<(i64, Value)>, shift_s: i64, end_s: i64) {
    events.sort_by_key(|(at, _)| *at);
    let mut file = BufWriter::new(File::create(path).expect("a file"));
    for (at, mut event) in events {
        if at + shift_s < end_s {
            event["ts"] = json!(at + shift_s);
            writeln!(file, "{event}").expect("written");
        }
    }
}

fn number(text: &str) -> usize {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    digits.parse().unwrap_or(0)
}

fn tickets(data: &Path) -> Vec<(i64, Value)> {
    let mut reader = csv::Reader::from_path(data.join("uci_itsm_incidents.csv")).expect("tickets");
    let ticket = |row: BTreeMap<String, String>| {
        let at = NaiveDateTime::parse_from_str(&row["opened_at"], "%Y-%m-%d %H:%M:%S");
        let channel = match row["contact_type"].as_str() {
            "Phone" => "phone",
            "Email" => "email",
            "Self service" => "app",
            _ => "other",
        };
        let event = json!({
            "kind": "ticket", "event_id": row["number"],
            "region": REGIONS[number(&row["location"]) % REGIONS.len()],
            "service": SERVICES[number(&row["category"]) % SERVICES.len()],
            "channel": channel, "priority": row["priority"], "text": row["subcategory"],
        });
        (at.expect("a time").and_utc().timestamp(), event)
    };
    reader.deserialize().map(|row| ticket(row.expect("a row"))).collect()
}

fn alarms(data: &Path) -> Vec<(i64, Value)> {
    let severity = severities(data);
    let mut reader =
        csv::Reader::from_path(data.join("huawei_24V_439N_alarms.csv")).expect("alarms");
    let mut events = Vec::new();
    for (n, row) in reader.deserialize::<BTreeMap<String, i64>>().enumerate() {
        let row = row.expect("a row");
        let (kind, device) = (row["alarm_id"], row["device_id"]);
        let event = |action: &str| {
            json!({
                "kind": "alarm", "event_id": format!("hw-{n}-{action}"), "alarm_id": format!("hw-{n}"),
                "action": action, "severity": severity.get(&kind).copied().unwrap_or("warning"),
                "region": REGIONS[device as usize * REGIONS.len() / 439 % REGIONS.len()],
                "service": SERVICES[kind as usize % SERVICES.len()],
                "device": format!("MW-{device}"), "type": format!("type-{kind}"),
            })
        };
        events.push((row["start_s"], event("raise")));
        events.push((row["end_s"], event("clear")));
    }
    events
}

fn severities(data: &Path) -> BTreeMap<i64, &'static str> {
    let mut reader = csv::Reader::from_path(data.join("huawei_24V_439N_dag.csv")).expect("graph");
    let (mut causes, mut effects) = (BTreeSet::new(), BTreeSet::new());
    for row in reader.deserialize::<BTreeMap<String, i64>>() {
        let row = row.expect("a row");
        causes.insert(row["cause"]);
        effects.insert(row["effect"]);
    }
    let severity = |kind: &i64| match (causes.contains(kind), effects.contains(kind)) {
        (true, false) => "critical",
        (true, true) => "major",
        _ => "minor",
    };
    causes.union(&effects).map(|kind| (*kind, severity(kind))).collect()
}

/// Counts by window start (epoch seconds).
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// By region/service/channel.
    pub tickets: BTreeMap<(String, i64), u64>,
    /// By region/service, and severity or `clear`.
    pub alarms: BTreeMap<(String, String, i64), u64>,
}

/// Reads event files and counts each id once.
pub fn count(files: &[&Path]) -> Count {
    let mut count = Count::default();
    let mut seen = HashSet::new();
    for file in files {
        for line in std::fs::read_to_string(file).expect("events").lines() {
            let event: Value = serde_json::from_str(line).expect("JSON");
            let text = |key: &str| event[key].as_str().unwrap_or("unknown").to_owned();
            if !seen.insert(text("event_id")) {
                continue;
            }
            let ts = event["ts"].as_i64().unwrap_or_else(|| {
                let ts = chrono::DateTime::parse_from_rfc3339(&text("ts"));
                ts.expect("a time").timestamp()
            });
            let start = ts.div_euclid(WINDOW) * WINDOW;
            let place = format!("{}/{}", text("region"), text("service"));
            if text("kind") == "ticket" {
                let series = format!("{place}/{}", text("channel"));
                *count.tickets.entry((series, start)).or_default() += 1;
            } else {
                let field = match text("action").as_str() {
                    "clear" => "clear".to_owned(),
                    // A change of an active alarm is not counted.
                    "change" => continue,
                    _ => text("severity"),
                };
                *count.alarms.entry((place, field, start)).or_default() += 1;
            }
        }
    }
    count
}
