//! A service that has lost its store reads its history back from a real InfluxDB.
#![allow(clippy::disallowed_methods, reason = "InfluxDB keeps real times")]

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::json;
use surgecast::domain::{DAY, HOUR, MINUTE, Timestamp, WindowWidth};
use surgecast::store::Reader;

use super::servers::{Influx, ORG, TOKEN, until_no_progress};
use super::whole::now_s;
use crate::program::{Program, surgecast};
use crate::serve::serve;

const BUCKET: &str = "history";
const WIDTH: WindowWidth = WindowWidth::QUARTER;
const SERIES: [[&str; 3]; 3] =
    [["north", "fibre, 1 Gb", "phone"], ["华南", "\"宽带\" = 1", "电话"], ["west", "tv", "chat"]];

/// Tickets by series, roll-ups included, and window.
type Found = BTreeMap<(String, String), Option<u64>>;

/// A file with three days of tickets. Returns the start of the window of the last one.
fn write_tickets(file: &Path) -> Timestamp {
    let last = WIDTH.floor(Timestamp::from_secs(now_s()) - HOUR);
    let first = last - 3 * DAY;
    let mut text = String::new();
    for index in WIDTH.index(first)..=WIDTH.index(last) {
        for (nth, [region, service, channel]) in SERIES.iter().enumerate() {
            for n in 0..(index * 7 + nth as i64) % 4 {
                let ticket = json!({
                    "kind": "ticket", "event_id": format!("{index}-{nth}-{n}"), "region": region, "service": service,
                    "channel": channel, "ts": (WIDTH.start(index) + MINUTE * n as u32).to_string(),
                });
                text += &format!("{ticket}\n");
            }
        }
    }
    std::fs::write(file, text).expect("the file");
    last
}

/// Windows that start before `end`.
fn windows(program: &Program, end: Timestamp) -> Found {
    let span = format!("/api/v1/windows?from={}&to={end}", end - 5 * DAY);
    let mut found = Found::new();
    for entry in program.all(&span) {
        let series =
            ["region", "service", "channel"].map(|key| entry[key].as_str().expect("a name"));
        for window in entry["windows"].as_array().expect("windows") {
            let start = window["start"].as_str().expect("a start").to_owned();
            found.insert((series.join("/"), start), window["tickets"].as_u64());
        }
    }
    found
}

/// What InfluxDB has of the same windows.
fn written(influx: &Influx, end: Timestamp) -> Found {
    let query = format!(
        "from(bucket: \"{BUCKET}\") |> range(start: {}, stop: {end}) |> filter(fn: (r) => r._measurement == \"tickets\") \
         |> pivot(rowKey: [\"_time\"], columnKey: [\"_field\"], valueColumn: \"_value\") |> filter(fn: (r) => r.upto == 0)",
        end - 5 * DAY
    );
    let row = |row: BTreeMap<String, String>| {
        let series = ["region", "service", "channel"].map(|key| row[key].clone()).join("/");
        ((series, row["_time"].clone()), row["count"].parse().ok())
    };
    influx.query(&query).into_iter().map(row).collect()
}

/// Waits until all windows before `end` are finalized.
fn wait_until_finalized(program: &Program, end: Timestamp) {
    program.wait_for("/api/v1/status", |status| {
        let upto = status["settled_upto"].as_str().and_then(|text| Timestamp::parse(text).ok());
        upto.is_some_and(|upto| upto >= end)
    });
}

/// Removes the store, with the positions in files.
fn lose_store(folder: &Path) {
    std::fs::remove_dir_all(folder.join("store")).expect("removed");
}

#[test]
fn a_lost_store_is_filled_from_influxdb_and_nothing_is_counted_twice() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path();
    let influx = Influx::start(path);
    std::fs::write(path.join("operator.token"), TOKEN).expect("token");
    let config = |tokens: &str| {
        format!(
            "[influxdb]\nurl = \"{}\"\norg = \"{ORG}\"\nbucket = \"{BUCKET}\"\n{tokens}\n",
            influx.url()
        )
    };
    let writes = config("token_file = \"influxdb-write.token\"");
    let reads =
        config("token_file = \"influxdb-write.token\"\nread_token_file = \"influxdb-read.token\"");
    std::fs::write(path.join("surgecast.toml"), config("token_file = \"operator.token\""))
        .expect("config");
    let mut set_up =
        surgecast(&["setup", "influxdb", "--config", "surgecast.toml", "--tokens", "."]);
    assert!(set_up.current_dir(path).status().expect("it runs").success());

    let end = write_tickets(&path.join("tickets.ndjson"));
    let program = serve(path, &reads, &["tickets.ndjson"]);
    wait_until_finalized(&program, end);
    let known = windows(&program, end);
    // Three series and their roll-ups.
    assert!(known.len() > 280 * (3 + 19) && known.values().all(Option::is_some), "{}", known.len());
    let all_written = until_no_progress(|| {
        let found = written(&influx, end);
        let is_same = found == known;
        is_same.then_some(()).ok_or_else(|| format!("{} of {} windows", found.len(), known.len()))
    });
    all_written.expect("the windows are written");
    assert!(program.said().contains("nothing to restore"), "{}", program.said());
    program.kill();

    // A token that may only write: said once.
    lose_store(path);
    for is_first in [true, false] {
        let program = serve(path, &writes, &[]);
        assert!(windows(&program, end).is_empty());
        let said = program.said();
        assert_eq!(said.contains("in influxdb.read_token_file"), is_first, "{said}");
        program.kill();
    }
    // Its next start with a token that may read.
    let program = serve(path, &reads, &[]);
    assert!(program.said().contains("windows were restored"), "{}", program.said());
    assert_eq!(windows(&program, end), known);
    program.kill();
    let program = serve(path, &reads, &[]);
    assert!(!program.said().contains("windows were restored"), "{}", program.said());
    assert_eq!(windows(&program, end), known);
    program.kill();

    // The file is read again from its beginning.
    lose_store(path);
    let program = serve(path, &reads, &["tickets.ndjson"]);
    assert!(program.said().contains("windows were restored"), "{}", program.said());
    wait_until_finalized(&program, end);
    assert_eq!(windows(&program, end), known);
    program.kill();

    // A new file: one late ticket of two days ago, and no others.
    lose_store(path);
    let tickets = std::fs::read_to_string(path.join("tickets.ndjson")).expect("the file");
    let early = tickets.lines().nth(tickets.lines().count() / 3).expect("a ticket");
    std::fs::write(path.join("late.ndjson"), format!("{early}\n")).expect("the file");
    let program = serve(path, &reads, &["late.ndjson"]);
    wait_until_finalized(&program, end);
    assert_eq!(windows(&program, end), known);
    let reader = Reader::open(&path.join("store")).expect("the store");
    let all_written = until_no_progress(|| {
        let cursor = reader.cursor("influxdb").expect("the cursor");
        let is_done = cursor > 0 && reader.changes(cursor, 1).expect("changes").is_empty();
        is_done.then_some(()).ok_or_else(|| format!("written up to change {cursor}"))
    });
    all_written.expect("the windows are written");
    let found = written(&influx, end);
    assert_eq!(found, known, "what was restored is not replaced in InfluxDB either");
}
