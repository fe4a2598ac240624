//! The local event log: events received over HTTP, durable before they are acknowledged.

use std::fs::File;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, params};

use super::codes::Code;
use super::columns::{self, count};
use super::pool::Pool;
use super::schema::Step;
use super::{FilesInUse, LogEntry, LogRecord, StoreError, forget, migrate, open};
use crate::domain::{EventKind, Offset, Timestamp};

/// AUTOINCREMENT: an offset is never used twice, even after all events were trimmed.
const STEPS: &[Step] = &[Step::Sql(
    "CREATE TABLE events (
    position INTEGER PRIMARY KEY AUTOINCREMENT, received_at INTEGER NOT NULL, kind INTEGER, bytes BLOB NOT NULL
)",
)];
pub(super) const FILE: &str = "events.db";
const LOCK: &str = "events.lock";
const CACHE_KIB: u32 = 4096;
/// Maximum number of events that one transaction deletes.
const TRIM_MAX: i64 = 10_000;
/// Number of free pages that the file keeps for further events, 8 MiB.
const PAGES_KEPT: i64 = 2_048;
/// Number of free pages that are given back at once.
const PAGES_GIVEN: i64 = 1_024;
/// Files of earlier releases are rewritten when they are opened, if they have at most this many pages in use (64 MiB).
const REWRITTEN_MAX: i64 = 16_384;

/// Events in order of arrival, in `events.db`. Threads can share it; concurrent appends share one sync.
pub struct EventLog {
    queue: Mutex<Queue>,
    written: Condvar,
    writer: Mutex<Writer>,
    pool: Pool,
    limit_bytes: u64,
    dir: PathBuf,
    file: FilesInUse,
    _lock: File,
}

/// Waiting appends. One of the appending threads writes all of them in one transaction.
#[derive(Default)]
struct Queue {
    next_number: u64,
    waiting: Vec<Append>,
    results: Vec<(u64, Result<RangeInclusive<Offset>, StoreError>)>,
    is_writing: bool,
}

struct Append {
    number: u64,
    records: Vec<LogRecord>,
    received_at: Timestamp,
}

struct Writer {
    conn: Connection,
    last_offset: Offset,
    last_received: Timestamp,
}

impl EventLog {
    /// Default size limit: 2 GiB.
    pub const LIMIT_BYTES: u64 = 2 << 30;

    /// Opens or creates the log in `dir`, and locks it against other processes.
    ///
    /// # Errors
    /// As [`super::Store::open`].
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        Self::with_limit(dir, Self::LIMIT_BYTES)
    }

    /// Like [`Self::open`], with a size limit.
    ///
    /// # Errors
    /// As [`super::Store::open`].
    pub fn with_limit(dir: &Path, limit_bytes: u64) -> Result<Self, StoreError> {
        let lock = open::lock(dir, LOCK)?;
        let path = dir.join(FILE);
        let conn = open::shrinking(&path, STEPS, CACHE_KIB)?;
        rewrite(&conn);
        let page_bytes: i64 = conn.query_row("PRAGMA page_size", [], |row| row.get(0))?;
        let pages = limit_bytes / u64::try_from(page_bytes).unwrap_or(4096).max(1);
        // A database larger than the limit keeps its events, but does not grow.
        conn.query_row(&format!("PRAGMA max_page_count = {}", pages.max(1)), [], |_| Ok(()))?;
        let writer = Writer {
            last_offset: last_offset(&conn)?,
            last_received: Timestamp::from_millis(conn.query_row(
                "SELECT coalesce((SELECT received_at FROM events ORDER BY position DESC LIMIT 1), 0)",
                [],
                |row| row.get(0),
            )?),
            conn,
        };
        Ok(Self {
            queue: Mutex::default(),
            written: Condvar::new(),
            writer: Mutex::new(writer),
            pool: Pool::new(&path, migrate::newest(STEPS)),
            limit_bytes,
            dir: dir.into(),
            file: FilesInUse::one(&path),
            _lock: lock,
        })
    }

    /// The directory of the log.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Uses the writing connection while nothing is appended. The last offset is read again afterwards.
    pub(super) fn with_writer<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut writer = lock(&self.writer);
        let found = work(&writer.conn)?;
        writer.last_offset = last_offset(&writer.conn)?;
        Ok(found)
    }

    /// Appends records and returns their offsets. The records are synced to disk when it returns. An empty slice gives an
    /// empty range. Stored times never decrease: an earlier `received_at` becomes the last stored one.
    ///
    /// # Errors
    /// [`StoreError::LogFull`] at the size limit, [`StoreError::Full`] for a full disk, [`StoreError::Moved`] if the file is not
    /// in its place; then nothing was appended.
    pub fn append(
        &self,
        records: &[LogRecord],
        received_at: Timestamp,
    ) -> Result<RangeInclusive<Offset>, StoreError> {
        if let Some(path) = self.file.missing() {
            return Err(StoreError::Moved { path: path.into() });
        }
        let mut queue = lock(&self.queue);
        let number = queue.next_number;
        queue.next_number += 1;
        queue.waiting.push(Append { number, records: records.to_vec(), received_at });
        loop {
            if let Some(i) = queue.results.iter().position(|result| result.0 == number) {
                return queue.results.swap_remove(i).1;
            }
            if queue.is_writing {
                queue = self.written.wait(queue).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            queue.is_writing = true;
            let batch = std::mem::take(&mut queue.waiting);
            drop(queue);
            let results = self.write(&batch);
            queue = lock(&self.queue);
            queue.is_writing = false;
            queue.results.extend(results);
            self.written.notify_all();
        }
    }

    /// At most `limit` events with offsets of at least `offset`, in order.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn read_from(&self, offset: Offset, limit: usize) -> Result<Vec<LogEntry>, StoreError> {
        self.pool.read(|conn| {
            let mut found = conn.prepare_cached(
                "SELECT position, received_at, kind, bytes FROM events
                 WHERE position >= ?1 ORDER BY position LIMIT ?2",
            )?;
            let entries = found.query_map([offset, count(limit)], |row| {
                Ok(LogEntry {
                    offset: row.get(0)?,
                    received_at: columns::time(row, 1)?,
                    kind: row
                        .get::<_, Option<u8>>(2)?
                        .and_then(|code| EventKind::of_code(code).ok()),
                    bytes: row.get(3)?,
                })
            })?;
            Ok(entries.collect::<Result<_, _>>()?)
        })
    }

    /// Deletes events before an offset and gives their space back. The last event ever appended is kept, because new events
    /// must not have an earlier time. Offsets are never used twice.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn trim(&self, before: Offset) -> Result<(), StoreError> {
        loop {
            // Release the lock between rounds, so that appends can run.
            let writer = lock(&self.writer);
            let deleted = writer.conn.execute(
                "DELETE FROM events WHERE position IN
                     (SELECT position FROM events WHERE position < ?1 ORDER BY position LIMIT ?2)",
                [before.min(writer.last_offset), TRIM_MAX],
            )?;
            if count(deleted) < TRIM_MAX {
                break;
            }
        }
        while lock(&self.writer).give_back()? {}
        Ok(())
    }

    /// Replaces a text by `*` in all events. Their length and position do not change. Returns the number of changed events.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing was replaced.
    pub fn redact(&self, text: &str) -> Result<usize, StoreError> {
        let mut writer = lock(&self.writer);
        writer.conn.execute_batch("PRAGMA secure_delete = ON")?;
        let transaction = writer.conn.transaction()?;
        let found: Vec<(i64, Vec<u8>)> = {
            let mut found = transaction.prepare(
                "SELECT position, bytes FROM events WHERE instr(bytes, CAST(?1 AS BLOB)) > 0",
            )?;
            let rows = found.query_map([text], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect::<Result<_, _>>()?
        };
        for (position, mut bytes) in found.iter().cloned() {
            let mut at = 0;
            while at + text.len() <= bytes.len() {
                if bytes[at..].starts_with(text.as_bytes()) {
                    bytes[at..at + text.len()].fill(b'*');
                    at += text.len();
                } else {
                    at += 1;
                }
            }
            transaction.execute(
                "UPDATE events SET bytes = ?2 WHERE position = ?1",
                params![position, bytes],
            )?;
        }
        transaction.commit()?;
        forget::empty_log(&writer.conn)?;
        Ok(found.len())
    }

    /// Offset of the last event ever appended; 0 if there was none.
    ///
    /// # Errors
    /// Currently never.
    pub fn last_offset(&self) -> Result<Offset, StoreError> {
        Ok(lock(&self.writer).last_offset)
    }

    /// Writes a batch in one transaction. If that fails, writes each append by itself: a large append that does not fit
    /// must not make small ones fail.
    fn write(&self, batch: &[Append]) -> Vec<(u64, Result<RangeInclusive<Offset>, StoreError>)> {
        let mut writer = lock(&self.writer);
        if let Ok(ranges) = writer.transact(batch) {
            return batch
                .iter()
                .map(|append| append.number)
                .zip(ranges.into_iter().map(Ok))
                .collect();
        }
        batch
            .iter()
            .map(|append| {
                let one = writer.transact(std::slice::from_ref(append));
                let range = one.map(|mut ranges| ranges.remove(0));
                (
                    append.number,
                    range.map_err(|error| self.limit_or_disk(error, &writer.conn, append)),
                )
            })
            .collect()
    }

    /// Distinguishes the size limit from a full disk: SQLite returns the same error for both.
    fn limit_or_disk(&self, error: StoreError, conn: &Connection, append: &Append) -> StoreError {
        if !matches!(error, StoreError::Full) {
            return error;
        }
        let page_bytes = pragma(conn, "page_size").unwrap_or(4096);
        let bytes = pragma(conn, "page_count").unwrap_or(0).saturating_mul(page_bytes);
        // The append was rolled back, so estimate the size with it.
        let wanted =
            append.records.iter().map(|record| record.bytes.len() as u64 + 64).sum::<u64>();
        let grown = u64::try_from(bytes).unwrap_or(0).saturating_add(wanted * 2 + (64 << 10));
        let near = grown >= self.limit_bytes;
        if near { StoreError::LogFull { limit_bytes: self.limit_bytes } } else { error }
    }
}

/// Rewrites the file of an earlier release, if it has few events. Such a file cannot give space back otherwise. If the disk is
/// full or another error occurs, nothing changes, and the next start tries again.
fn rewrite(conn: &Connection) {
    let (Ok(mode), Ok(pages), Ok(free)) =
        (pragma(conn, "auto_vacuum"), pragma(conn, "page_count"), pragma(conn, "freelist_count"))
    else {
        return;
    };
    if mode != 0 || pages - free > REWRITTEN_MAX {
        return;
    }
    // A new mode is taken up by VACUUM only.
    if let Err(error) = conn.execute_batch("PRAGMA auto_vacuum = INCREMENTAL; VACUUM") {
        tracing::warn!(%error, "event log: events.db cannot give space back, the next start tries again");
    }
}

fn pragma(conn: &Connection, name: &str) -> Result<i64, StoreError> {
    Ok(conn.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0))?)
}

impl Writer {
    /// Gives some free pages back to the disk. Returns whether there are more.
    fn give_back(&self) -> Result<bool, StoreError> {
        let surplus = pragma(&self.conn, "freelist_count")? - PAGES_KEPT;
        if surplus <= 0 || pragma(&self.conn, "auto_vacuum")? == 0 {
            return Ok(false);
        }
        let pages = surplus.min(PAGES_GIVEN);
        // Each row is a page that was given back.
        let mut given = self.conn.prepare(&format!("PRAGMA incremental_vacuum({pages})"))?;
        let mut rows = given.query([])?;
        while rows.next()?.is_some() {}
        Ok(surplus > pages)
    }

    fn transact(&mut self, batch: &[Append]) -> Result<Vec<RangeInclusive<Offset>>, StoreError> {
        let (mut last_offset, mut last_received) = (self.last_offset, self.last_received);
        // Rolled back if dropped.
        let transaction = self.conn.transaction()?;
        let mut ranges = Vec::with_capacity(batch.len());
        {
            let mut insert = transaction.prepare_cached(
                "INSERT INTO events (received_at, kind, bytes) VALUES (?1, ?2, ?3)",
            )?;
            for append in batch {
                last_received = last_received.max(append.received_at);
                let first = last_offset + 1;
                for record in &append.records {
                    last_offset = insert.insert(params![
                        last_received.millis(),
                        record.kind.map(EventKind::code),
                        record.bytes
                    ])?;
                }
                ranges.push(first..=last_offset);
            }
        }
        transaction.commit()?;
        (self.last_offset, self.last_received) = (last_offset, last_received);
        Ok(ranges)
    }
}

pub(super) fn last_offset(conn: &Connection) -> Result<Offset, StoreError> {
    let last = "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'events'), 0)";
    Ok(conn.query_row(last, [], |row| row.get(0))?)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
