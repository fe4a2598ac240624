//! The two files of a store, when one of them was removed or put back: no accepted event is skipped in silence.
#![allow(clippy::disallowed_methods, reason = "events of an hour ago are finalized at once")]

use std::path::Path;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::json;
use surgecast::domain::Timestamp;

use crate::program::Program;
use crate::serve::serve;

const HOUR: Duration = Duration::from_secs(3600);

/// The same time for all events of a test.
pub fn hour_ago() -> Timestamp {
    static NOW: OnceLock<Timestamp> = OnceLock::new();
    *NOW.get_or_init(|| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
        Timestamp::from_secs(now.as_secs() as i64 - 3600)
    })
}

fn post(program: &Program, name: &str, count: usize) {
    let ticket = |n| {
        json!({"kind": "ticket", "event_id": format!("{name}-{n}"), "ts": hour_ago().to_string(), "region": "north",
               "service": "tv", "channel": "phone"})
    };
    let body: Vec<_> = (0..count).map(ticket).collect();
    assert_eq!(program.post("/api/v1/events", json!(body).to_string()).status, 202);
}

/// Waits until all tickets are counted and no more.
pub fn counted(program: &Program, expected: u64) {
    let (from, to) = (hour_ago() - HOUR * 2, hour_ago() + HOUR * 2);
    let path = format!("/api/v1/windows?from={from}&to={to}");
    let mut last = 0;
    program.wait_for(&path, |series| {
        let all = series.as_array().into_iter().flatten();
        let leaves = all
            .filter(|one| ["region", "service", "channel"].iter().all(|name| one[name] != "_all"));
        let windows = leaves.flat_map(|one| one["windows"].as_array().into_iter().flatten());
        last = windows.map(|window| window["tickets"].as_u64().unwrap_or(0)).sum();
        last >= expected
    });
    assert_eq!(last, expected, "{}", program.said());
}

fn remove(folder: &Path, name: &str) {
    for end in ["", "-wal", "-shm"] {
        // The other files may not exist.
        let _ = std::fs::remove_file(folder.join("store").join(format!("{name}{end}")));
    }
}

#[test]
fn events_are_counted_after_a_file_was_removed_or_put_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let program = serve(folder, "", &[]);
    post(&program, "a", 100);
    counted(&program, 100);
    program.interrupt();
    let copies = ["events.db", "events.db-wal"]
        .map(|name| (name, std::fs::read(folder.join("store").join(name)).unwrap_or_default()));
    // The log is gone: its numbers are not used again.
    remove(folder, "events.db");
    let program = serve(folder, "", &[]);
    assert!(program.said().contains("events.db is new"), "{}", program.said());
    post(&program, "b", 150);
    counted(&program, 250);
    program.kill();
    let program = serve(folder, "", &[]);
    post(&program, "c", 10);
    counted(&program, 260);
    program.interrupt();
    // An older copy of the log.
    remove(folder, "events.db");
    for (name, bytes) in copies {
        std::fs::write(folder.join("store").join(name), bytes).expect("put back");
    }
    let program = serve(folder, "", &[]);
    assert!(program.said().contains("events.db is older than state.db"), "{}", program.said());
    post(&program, "d", 40);
    counted(&program, 300);
    program.interrupt();
    // The state is gone: what the log has is counted.
    remove(folder, "state.db");
    let program = serve(folder, "", &[]);
    let said = program.said();
    // Events that were counted in the old state may have been trimmed from the log.
    let kept = said.split_once("state.db is new: the ").and_then(|(_, rest)| {
        let (number, _) = rest.split_once(" events in events.db are counted")?;
        number.parse::<u64>().ok()
    });
    let kept = kept.filter(|kept| (1..=40).contains(kept)).unwrap_or_else(|| panic!("{said}"));
    post(&program, "e", 5);
    counted(&program, kept + 5);
}
