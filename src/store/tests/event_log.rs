//! Guarantees of the event log.

use super::*;
use crate::domain::EventKind;

fn record(bytes: &[u8]) -> LogRecord {
    LogRecord { kind: Some(EventKind::Ticket), bytes: bytes.into() }
}

#[test]
fn survives_reopening_and_never_repeats_an_offset() {
    let dir = TempDir::new().expect("directory");
    let log = EventLog::open(dir.path()).expect("opens");
    assert_eq!(log.last_offset().expect("reads"), 0);
    assert!(log.append(&[], at(0)).expect("appends").is_empty());
    let two = [record(b"one"), LogRecord { kind: None, bytes: b"two".into() }];
    assert_eq!(log.append(&two, at(100)).expect("appends"), 1..=2);
    assert!(matches!(EventLog::open(dir.path()), Err(StoreError::InUse { .. })));
    drop(log);
    let log = EventLog::open(dir.path()).expect("opens");
    // The clock went back while the log was closed.
    assert_eq!(log.append(&[record(b"three")], at(50)).expect("appends"), 3..=3);
    let entries = log.read_from(2, 10).expect("reads");
    let seen: Vec<_> =
        entries.iter().map(|e| (e.offset, e.received_at, e.kind, &e.bytes[..])).collect();
    let ticket = Some(EventKind::Ticket);
    assert_eq!(seen, [(2, at(100), None, &b"two"[..]), (3, at(100), ticket, &b"three"[..])]);
    log.trim(i64::MAX).expect("trims");
    drop(log);
    let log = EventLog::open(dir.path()).expect("opens");
    assert_eq!(log.read_from(0, 10).expect("reads").len(), 1);
    assert_eq!(log.append(&[record(b"four")], at(60)).expect("appends"), 4..=4);
    assert_eq!(log.read_from(4, 1).expect("reads")[0].received_at, at(100));
}

#[test]
fn each_append_of_many_threads_is_contiguous() {
    let dir = TempDir::new().expect("directory");
    let log = EventLog::open(dir.path()).expect("opens");
    std::thread::scope(|threads| {
        for thread in 0..8u8 {
            let log = &log;
            threads.spawn(move || {
                for _ in 0..10 {
                    let both = [record(&[thread]), record(&[thread])];
                    let range = log.append(&both, at(0)).expect("appends");
                    let found = log.read_from(*range.start(), 2).expect("reads");
                    assert_eq!(found.len(), 2, "visible once acknowledged");
                    assert!(found.iter().all(|entry| entry.bytes == [thread]));
                }
            });
        }
    });
    assert_eq!(log.last_offset().expect("reads"), 160);
}

#[test]
fn nothing_is_stored_in_a_file_that_was_moved_away() {
    let dir = TempDir::new().expect("directory");
    let folder = dir.path().join("store");
    let log = EventLog::open(&folder).expect("opens");
    log.append(&[record(b"one")], at(0)).expect("appends");
    let away = dir.path().join("away");
    std::fs::rename(&folder, &away).expect("moves");
    let error = log.append(&[record(b"two")], at(0)).expect_err("not in its place");
    assert!(matches!(&error, StoreError::Moved { path } if path.ends_with("events.db")), "{error}");
    std::fs::rename(&away, &folder).expect("moves back");
    assert_eq!(log.append(&[record(b"two")], at(0)).expect("appends"), 2..=2);
}

#[test]
fn a_full_log_is_an_error_until_a_trim() {
    let dir = TempDir::new().expect("directory");
    let log = EventLog::with_limit(dir.path(), 256 << 10).expect("opens");
    let mut last = 0;
    let error = loop {
        match log.append(&[record(&[7; 20_000])], at(0)) {
            Ok(range) => last = *range.end(),
            Err(error) => break error,
        }
    };
    insta::assert_snapshot!(error, @"the event log has reached its limit of 262144 bytes: wait until old events are trimmed, or raise the limit");
    assert!(last >= 10, "{last} fitted");
    assert_eq!(log.append(&[record(b"small")], at(0)).expect("appends"), last + 1..=last + 1);
    let huge = log.append(&[record(&[7; 1 << 20])], at(0));
    assert!(matches!(huge, Err(StoreError::LogFull { .. })));
    log.trim(last).expect("trims");
    assert!(log.append(&[record(&[7; 20_000])], at(0)).is_ok());
}

#[test]
fn trimmed_space_is_given_back() {
    let size = |dir: &TempDir| {
        let raw = Connection::open(dir.path().join("events.db")).expect("opens");
        raw.query_row("PRAGMA page_count", [], |row| row.get::<_, i64>(0)).expect("reads") * 4096
    };
    // A file of an earlier release has no free pages that it could give back; it is rewritten when it is opened.
    for is_earlier in [false, true] {
        let dir = TempDir::new().expect("directory");
        let log = EventLog::open(dir.path()).expect("opens");
        let log = if is_earlier {
            drop(log);
            let raw = Connection::open(dir.path().join("events.db")).expect("opens");
            raw.execute_batch("PRAGMA auto_vacuum = NONE; VACUUM").expect("rewrites");
            let mode = raw.query_row("PRAGMA auto_vacuum", [], |row| row.get::<_, i64>(0));
            assert_eq!(mode.expect("reads"), 0);
            drop(raw);
            EventLog::open(dir.path()).expect("opens")
        } else {
            log
        };
        let many: Vec<LogRecord> = (0..1_500).map(|_| record(&[7; 20_000])).collect();
        let last = *log.append(&many, at(0)).expect("appends").end();
        let full = size(&dir);
        assert!(full > 30_000_000, "{full}");
        log.trim(last + 1).expect("trims");
        let rest = size(&dir);
        assert!(rest < 9_000_000, "{is_earlier}: {rest} of {full} bytes are kept");
        assert_eq!(log.read_from(0, 10).expect("reads").len(), 1);
        assert_eq!(log.append(&[record(b"next")], at(0)).expect("appends"), last + 1..=last + 1);
    }
}
