//! `state.db` and `events.db` belong together: both have the same id. If one of them was removed or replaced by a copy, this
//! module makes sure that no accepted event is skipped silently.
//!
//! Offsets of `events.db` are numbers that are never used twice. A new or an older file would use them again, and its events
//! would seem to be counted already. So its numbers continue after those in `state.db`, and its events are counted as a new
//! source, whose counts are added.

use rusqlite::{Connection, OptionalExtension};

use super::events::{EventLog, last_offset};
use super::{SourceRecord, Store, StoreError};
use crate::domain::Offset;

/// The topic of the local event log in `state.db`.
const LOCAL: &str = "local";
const KEY: &str = "log_id";

/// Whether the two files belong together, and how counting continues.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pairing {
    /// If set, counting cannot continue with the existing source: a new source begins, in this generation.
    pub generation: Option<String>,
    /// What happened and what is missing, if a file was removed or replaced.
    pub notice: Option<String>,
}

/// The part of the log that `state.db` has counted.
#[derive(Clone, Copy)]
struct Counted {
    resume_at: Offset,
    decided_upto: Offset,
}

/// The part of the log that is in `events.db`.
#[derive(Clone, Copy)]
struct Held {
    /// The last number that was used; 0 if there was none.
    last: Offset,
    id: i64,
}

impl Store {
    /// Checks that an event log belongs to this store, and continues its numbers.
    ///
    /// # Errors
    /// [`StoreError::OtherLog`] if it belongs to another store.
    pub fn pair(&self, log: &EventLog) -> Result<Pairing, StoreError> {
        let ours = id_in_state(&self.conn)?;
        let counted = self.counted()?;
        log.with_writer(|conn| {
            let held = Held { last: last_offset(conn)?, id: id(conn)? };
            let is_foreign = match ours {
                Some(ours) if held.id == 0 => ours != 0 && held.last > 0,
                Some(ours) => ours != held.id,
                None => false,
            };
            if is_foreign {
                return Err(StoreError::OtherLog { dir: log.dir().into() });
            }
            let id = match (held.id, ours) {
                (0, None) => {
                    conn.query_row("SELECT 1 + abs(random() % 2147483646)", [], |r| r.get(0))?
                }
                (0, Some(ours)) => ours,
                (theirs, _) => theirs,
            };
            let pairing = decide(conn, held, counted, (id, ours.is_none()))?;
            // Write the log first: a log with an id and a state without one still belong together.
            conn.pragma_update(None, "application_id", id)?;
            self.conn.execute(
                "INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)",
                rusqlite::params![KEY, id],
            )?;
            Ok(pairing)
        })
    }

    /// The offset up to which the newest source of the log was counted; `None` before the first event.
    fn counted(&self) -> Result<Option<Counted>, StoreError> {
        let sources = self.reader.sources()?.into_iter();
        let of_log = sources.filter(is_local);
        let newest = of_log.max_by_key(|record| record.decided_upto);
        let newest = newest.filter(|record| record.decided_upto >= 0);
        Ok(newest.map(|record| Counted {
            resume_at: record.resume_at,
            decided_upto: record.decided_upto,
        }))
    }
}

/// Whether a source is the local event log, in any generation.
pub(super) fn is_local(record: &SourceRecord) -> bool {
    record.source.topic_name() == LOCAL && record.source.partition == 0
}

/// The id of the log in `state.db`, if there is one.
pub(super) fn id_in_state(conn: &Connection) -> Result<Option<i64>, StoreError> {
    let found = conn.query_row("SELECT value FROM meta WHERE key = ?1", [KEY], |row| row.get(0));
    Ok(found.optional()?)
}

/// The id of a log; 0 before it was paired.
pub(super) fn id(conn: &Connection) -> Result<i64, StoreError> {
    Ok(conn.query_row("PRAGMA application_id", [], |row| row.get(0))?)
}

/// The first offset from `from` on that the log has, or the next one that it will use.
fn first(conn: &Connection, from: Offset, last: Offset) -> Result<Offset, StoreError> {
    let found: Option<Offset> =
        conn.query_row("SELECT min(position) FROM events WHERE position >= ?1", [from], |row| {
            row.get(0)
        })?;
    Ok(found.unwrap_or(from.max(last + 1)))
}

fn decide(
    conn: &Connection,
    held: Held,
    counted: Option<Counted>,
    (id, is_new_state): (i64, bool),
) -> Result<Pairing, StoreError> {
    let Some(Counted { resume_at, decided_upto }) = counted else {
        let waiting =
            conn.query_row("SELECT count(*) FROM events", [], |row| row.get::<_, i64>(0))?;
        // The last event stays in a trimmed log.
        let is_said = is_new_state && held.id != 0 && held.last > 0;
        let notice = is_said.then(|| {
            format!(
                "state.db is new: the {waiting} events in events.db are counted; earlier events are not counted in it"
            )
        });
        return Ok(Pairing { generation: None, notice });
    };
    let next = decided_upto + 1;
    if held.last < decided_upto {
        let notice = match held.last {
            0 => format!(
                "events.db is new: counting goes on after event {decided_upto}; events that were accepted but not counted \
                 when the file was removed are lost, send them again"
            ),
            last => format!(
                "events.db is older than state.db, it ends at event {last} of {decided_upto}: counting goes on after \
                 {decided_upto}; events that were accepted after that and not counted are lost, send them again"
            ),
        };
        return begin(conn, next, id)
            .map(|generation| Pairing { generation: Some(generation), notice: Some(notice) });
    }
    let at = first(conn, resume_at, held.last)?;
    let after = first(conn, next, held.last)?;
    if at <= resume_at.min(next) && after == next {
        return Ok(Pairing::default());
    }
    let gone = after - next;
    let notice = (gone > 0).then(|| {
        format!(
            "state.db is older than events.db: {gone} events ({next} to {}) were counted after state.db was copied and are \
             not in events.db any more: send them again",
            after - 1
        )
    });
    begin(conn, after, id).map(|generation| Pairing { generation: Some(generation), notice })
}

/// Continues the offsets of the log at `start`, because earlier offsets are counted. Returns the generation of the source.
fn begin(conn: &Connection, start: Offset, id: i64) -> Result<String, StoreError> {
    let transaction =
        rusqlite::Transaction::new_unchecked(conn, rusqlite::TransactionBehavior::Immediate)?;
    transaction.execute("DELETE FROM events WHERE position < ?1", [start])?;
    let raised = transaction.execute(
        "UPDATE sqlite_sequence SET seq = max(seq, ?1) WHERE name = 'events'",
        [start - 1],
    )?;
    if raised == 0 {
        transaction.execute(
            "INSERT INTO sqlite_sequence (name, seq) VALUES ('events', ?1)",
            [start - 1],
        )?;
    }
    transaction.commit()?;
    Ok(format!("{id:08x}~{start}"))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::time::Duration;

    use super::*;
    use crate::domain::{SourceId, Timestamp, WindowWidth};
    use crate::store::{LogRecord, SourceRecord};
    use crate::window::Beside;

    fn store(dir: &Path) -> Store {
        let width = WindowWidth::new(Duration::from_secs(900)).expect("a width");
        Store::open(dir, width).expect("a store")
    }

    fn append(log: &EventLog, n: usize) {
        let records: Vec<LogRecord> =
            (0..n).map(|_| LogRecord { kind: None, bytes: b"{}".to_vec() }).collect();
        log.append(&records, Timestamp::from_secs(1)).expect("appended");
    }

    /// Stores the offset up to which the log was counted, and trims the log.
    fn count(store: &mut Store, log: &EventLog, resume_at: i64, decided_upto: i64) {
        let at = Timestamp::from_secs(1);
        let mut tx = store.begin().expect("begun");
        tx.put_source(&SourceRecord {
            source: SourceId::new("local", 0),
            closed: at,
            decided_upto,
            resume_at,
            caught_up_at: None,
            reported_at: at,
            beside: Beside::default(),
        })
        .expect("stored");
        tx.commit().expect("committed");
        log.trim(resume_at).expect("trimmed");
    }

    fn offsets(log: &EventLog) -> Vec<i64> {
        let all = log.read_from(0, 1000).expect("read");
        all.into_iter().map(|entry| entry.offset).collect()
    }

    fn remove(dir: &Path, name: &str) {
        for end in ["", "-wal", "-shm"] {
            // The other files may not exist.
            let _ = fs::remove_file(dir.join(format!("{name}{end}")));
        }
    }

    /// A store that has counted 6 of 8 events, of which those from 4 on may be read again.
    fn counted(dir: &Path) {
        let (mut store, log) = (store(dir), EventLog::open(dir).expect("a log"));
        assert_eq!(store.pair(&log).expect("new"), Pairing::default());
        append(&log, 8);
        count(&mut store, &log, 4, 6);
        assert_eq!(store.pair(&log).expect("the same"), Pairing::default());
    }

    fn copy(from: &Path, to: &Path, name: &str) {
        remove(to, name);
        for end in ["", "-wal"] {
            let file = format!("{name}{end}");
            if from.join(&file).exists() {
                fs::copy(from.join(&file), to.join(&file)).expect("copied");
            }
        }
    }

    #[test]
    fn files_that_belong_together_go_on() {
        let dir = tempfile::tempdir().expect("a folder");
        counted(dir.path());
        let (store, log) = (store(dir.path()), EventLog::open(dir.path()).expect("a log"));
        assert_eq!(store.pair(&log).expect("the same"), Pairing::default());
        assert_eq!(offsets(&log), [4, 5, 6, 7, 8]);
    }

    #[test]
    fn a_new_log_does_not_use_counted_numbers() {
        let dir = tempfile::tempdir().expect("a folder");
        counted(dir.path());
        remove(dir.path(), "events.db");
        let (store, log) = (store(dir.path()), EventLog::open(dir.path()).expect("a log"));
        let found = store.pair(&log).expect("a new log");
        assert!(found.generation.expect("a new source").ends_with("~7"));
        assert!(found.notice.expect("said").contains("events.db is new"));
        drop(log);
        let log = EventLog::open(dir.path()).expect("a log");
        append(&log, 2);
        assert_eq!(offsets(&log), [7, 8]);
        assert_eq!(store.pair(&log).expect("paired").notice, None, "said once");
    }

    #[test]
    fn an_older_log_does_not_use_counted_numbers() {
        let (dir, backup) = (tempfile::tempdir().expect("a"), tempfile::tempdir().expect("b"));
        counted(dir.path());
        copy(dir.path(), backup.path(), "events.db");
        {
            let (mut store, log) = (store(dir.path()), EventLog::open(dir.path()).expect("a log"));
            append(&log, 20);
            count(&mut store, &log, 26, 25);
        }
        copy(backup.path(), dir.path(), "events.db");
        let (store, log) = (store(dir.path()), EventLog::open(dir.path()).expect("a log"));
        let found = store.pair(&log).expect("an older log");
        assert!(found.notice.expect("said").contains("ends at event 8 of 25"));
        assert_eq!(offsets(&log), [0; 0], "its events were counted");
        drop(log);
        let log = EventLog::open(dir.path()).expect("a log");
        append(&log, 1);
        assert_eq!(offsets(&log), [26]);
    }

    #[test]
    fn an_older_state_says_what_is_missing() {
        let (dir, backup) = (tempfile::tempdir().expect("a"), tempfile::tempdir().expect("b"));
        counted(dir.path());
        copy(dir.path(), backup.path(), "state.db");
        {
            let (mut store, log) = (store(dir.path()), EventLog::open(dir.path()).expect("a log"));
            append(&log, 20);
            count(&mut store, &log, 20, 25);
        }
        copy(backup.path(), dir.path(), "state.db");
        let (store, log) = (store(dir.path()), EventLog::open(dir.path()).expect("a log"));
        let found = store.pair(&log).expect("an older state");
        assert!(found.notice.expect("said").contains("13 events (7 to 19)"));
        assert!(found.generation.expect("a new source").ends_with("~20"));
        assert_eq!(offsets(&log), (20..=28).collect::<Vec<_>>(), "the rest is counted");
    }

    #[test]
    fn a_new_state_counts_what_the_log_has() {
        let dir = tempfile::tempdir().expect("a folder");
        counted(dir.path());
        remove(dir.path(), "state.db");
        let (store, log) = (store(dir.path()), EventLog::open(dir.path()).expect("a log"));
        let found = store.pair(&log).expect("a new state");
        assert_eq!(found.generation, None);
        assert!(found.notice.expect("said").contains("the 5 events in events.db are counted"));
    }

    #[test]
    fn the_log_of_another_store_is_refused() {
        let (dir, other) = (tempfile::tempdir().expect("a"), tempfile::tempdir().expect("b"));
        counted(dir.path());
        counted(other.path());
        copy(other.path(), dir.path(), "events.db");
        let (ours, log) = (store(dir.path()), EventLog::open(dir.path()).expect("a log"));
        let refused = ours.pair(&log).expect_err("another log").to_string();
        assert!(refused.contains("belongs to another state.db"), "{refused}");
        drop(log);
        // A log of an older release, without an id.
        remove(dir.path(), "events.db");
        let log = EventLog::open(dir.path()).expect("a log");
        append(&log, 3);
        ours.pair(&log).expect_err("another log");
        // A store of an older release, with its log.
        let old = tempfile::tempdir().expect("c");
        let (mut store, log) = (store(old.path()), EventLog::open(old.path()).expect("a log"));
        append(&log, 3);
        count(&mut store, &log, 2, 3);
        assert_eq!(store.pair(&log).expect("adopted"), Pairing::default());
    }
}
