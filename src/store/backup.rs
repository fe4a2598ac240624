//! Copies of the databases while the service runs.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use super::check::problems;
use super::schema::FILE as STATE;
use super::{SourceRecord, StoreError, body, events, followed, open, pairing};
use crate::domain::Offset;

/// Pages that are copied in one step, 16 MiB.
const PAGES: i32 = 4096;
const CACHE_KIB: u32 = 2048;
/// Maximum number of tries to get a matching pair of snapshots.
const TRIES: usize = 100;

/// What was copied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BackedUp {
    /// Files and their sizes in bytes.
    pub files: Vec<(&'static str, u64)>,
    /// Number of events that were accepted and not counted yet. They are counted when the copy is started.
    pub waiting: u64,
}

/// Copies the store in `dir` to the empty folder `to`. All copies show the same moment: an accepted event is in one of them,
/// either counted or waiting. They are complete and checked when this function returns.
///
/// While it runs, the write-ahead logs of the store grow, and nothing else waits.
///
/// # Errors
/// [`StoreError`]; then `to` is empty again.
pub fn backup(dir: &Path, to: &Path) -> Result<BackedUp, StoreError> {
    let open = |file: &str| {
        let path = dir.join(file);
        path.exists().then(|| read_only(&path)).transpose()
    };
    let (state, log) = (read_only(&dir.join(STATE))?, open(events::FILE)?);
    let waiting = match &log {
        Some(log) => snapshots(dir, &state, log)?,
        None => 0,
    };
    // Spans of files are stored before their lines are counted, so they come last.
    let files = open(followed::FILE)?;
    if let Some(files) = &files {
        files.execute_batch("BEGIN; SELECT count(*) FROM contents;")?;
    }
    let sources = [(STATE, Some(state)), (events::FILE, log), (followed::FILE, files)];
    let sources: Vec<(&'static str, Connection)> =
        sources.into_iter().filter_map(|(file, conn)| Some((file, conn?))).collect();
    let copied = copy_all(&sources, to);
    if copied.is_err() {
        for (file, _) in &sources {
            // An incomplete copy only takes space.
            let _ = fs::remove_file(unfinished(to, file));
        }
    }
    Ok(BackedUp { files: copied?, waiting })
}

fn copy_all(
    sources: &[(&'static str, Connection)],
    to: &Path,
) -> Result<Vec<(&'static str, u64)>, StoreError> {
    let mut files = Vec::new();
    for (file, conn) in sources {
        files.push((*file, copy(conn, &unfinished(to, file), file)?));
    }
    for (file, _) in sources {
        let path = to.join(file);
        fs::rename(unfinished(to, file), &path)
            .map_err(|e| StoreError::io(&path, "rename to", e))?;
    }
    sync(to)?;
    Ok(files)
}

fn unfinished(to: &Path, file: &str) -> PathBuf {
    to.join(format!("{file}.unfinished"))
}

fn read_only(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    open::connect(path, flags, CACHE_KIB)
}

/// Takes snapshots of both databases such that the log has every event that the state has not counted. Returns the number of
/// these events.
///
/// The snapshot of the log is taken first. An event is counted after it was appended, and deleted from the log after it was
/// counted. If an event was appended and counted between the two snapshots, it would be missing in the log, so both snapshots
/// are taken again.
fn snapshots(dir: &Path, state: &Connection, log: &Connection) -> Result<u64, StoreError> {
    for tries in 1.. {
        log.execute_batch("BEGIN")?;
        let last = events::last_offset(log)?;
        state.execute_batch("BEGIN")?;
        let counted = counted_upto(state)?;
        let (ours, theirs) = (pairing::id_in_state(state)?, pairing::id(log)?);
        if ours.is_some_and(|ours| theirs != 0 && ours != theirs) {
            return Err(StoreError::OtherLog { dir: dir.into() });
        }
        // Two files that were not started together since one was replaced stay as they are.
        if last >= counted || tries == TRIES {
            let waiting: i64 = log.query_row(
                "SELECT count(*) FROM events WHERE position > ?1",
                [counted],
                |row| row.get(0),
            )?;
            return Ok(u64::try_from(waiting).unwrap_or(0));
        }
        state.execute_batch("ROLLBACK")?;
        log.execute_batch("ROLLBACK")?;
    }
    Err(StoreError::Busy)
}

/// The largest offset of the event log that is counted; 0 before the first.
fn counted_upto(state: &Connection) -> Result<Offset, StoreError> {
    let mut found = state.prepare("SELECT record, version FROM sources")?;
    let mut rows = found.query([])?;
    let mut upto = 0;
    while let Some(row) = rows.next()? {
        let record: SourceRecord = body::column(row, 0)?;
        if pairing::is_local(&record) {
            upto = upto.max(record.decided_upto);
        }
    }
    Ok(upto)
}

/// Copies the snapshot that `from` holds, checks the copy, and returns its size.
fn copy(from: &Connection, path: &Path, file: &str) -> Result<u64, StoreError> {
    open::private(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut to = open::connect(path, flags, CACHE_KIB)?;
    let pages = Backup::new(from, &mut to)?;
    while pages.step(PAGES)? != StepResult::Done {}
    drop(pages);
    // One file, which a program that may only read can open.
    to.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))?;
    let found = problems(&to)?;
    if found != ["ok"] {
        return Err(StoreError::corrupt(format!("{file}: {}", found.join(", "))));
    }
    drop(to);
    sync(path)?;
    let size = fs::metadata(path).map_err(|e| StoreError::io(path, "read", e))?;
    Ok(size.len())
}

fn sync(path: &Path) -> Result<(), StoreError> {
    let file = File::open(path).map_err(|e| StoreError::io(path, "open", e))?;
    file.sync_all().map_err(|e| StoreError::io(path, "sync", e))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::domain::{SeriesKey, SourceId, Timestamp, WindowWidth};
    use crate::store::{EventLog, FollowedFile, LogRecord, Reader, Store, WindowRecord};
    use crate::window::{AggregationKey, Beside};

    fn records(n: usize) -> Vec<LogRecord> {
        (0..n).map(|n| LogRecord { kind: None, bytes: vec![b'x'; 100 + n] }).collect()
    }

    /// A store that has counted the log up to `upto`.
    fn count(store: &mut Store, upto: Offset) {
        let series = SeriesKey::parse("north/tv/phone").expect("a series");
        let at = Timestamp::from_secs(1_767_232_800);
        let source = SourceRecord {
            source: SourceId::new("local", 0),
            closed: at,
            decided_upto: upto,
            resume_at: upto + 1,
            caught_up_at: None,
            reported_at: at,
            beside: Beside::default(),
        };
        let mut tx = store.begin().expect("begins");
        tx.put_windows(&[(AggregationKey::Tickets(series), at, WindowRecord::default())])
            .expect("puts");
        tx.put_source(&source).expect("puts");
        tx.commit().expect("commits");
    }

    #[test]
    fn a_copy_of_a_store_in_use_is_complete_private_and_starts() {
        let (dir, to) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("one"));
        let width = WindowWidth::QUARTER;
        let mut store = Store::open(dir.path(), width).expect("a store");
        let log = EventLog::open(dir.path()).expect("a log");
        store.pair(&log).expect("paired");
        log.append(&records(50), Timestamp::from_secs(1)).expect("appended");
        count(&mut store, 40);
        let _files = FollowedFile::open(dir.path(), "file:a").expect("opens");
        let done = backup(dir.path(), to.path()).expect("copied");
        assert_eq!(done.waiting, 10);
        assert!(done.files.len() == 3 && done.files.iter().all(|file| file.1 > 4096), "{done:?}");
        let mut files: Vec<String> = fs::read_dir(to.path())
            .expect("a folder")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        files.sort();
        assert_eq!(files, ["events.db", "files.db", "state.db"]);
        for file in &files {
            let mode = fs::metadata(to.path().join(file)).expect("a file").permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{file}");
        }
        // What happens afterwards is not in the copy.
        log.append(&records(5), Timestamp::from_secs(2)).expect("appended");
        count(&mut store, 50);
        let again = Store::open(to.path(), width).expect("the copy");
        let copied = EventLog::open(to.path()).expect("its log");
        assert_eq!(again.pair(&copied).expect("paired").notice, None);
        assert_eq!(copied.last_offset().expect("reads"), 50);
        let sources = Reader::open(to.path()).expect("a reader").sources().expect("reads");
        assert_eq!(sources[0].decided_upto, 40);
    }

    #[test]
    fn files_that_do_not_belong_together_are_not_copied() {
        let dirs = [0; 3].map(|_| tempfile::tempdir().expect("a folder"));
        for dir in &dirs[..2] {
            let store = Store::open(dir.path(), WindowWidth::QUARTER).expect("a store");
            let log = EventLog::open(dir.path()).expect("a log");
            log.append(&records(1), Timestamp::from_secs(1)).expect("appended");
            store.pair(&log).expect("paired");
        }
        fs::copy(dirs[1].path().join("events.db"), dirs[0].path().join("events.db"))
            .expect("replaced");
        for end in ["-wal", "-shm"] {
            // These files exist only after a crash.
            let _ = fs::remove_file(dirs[0].path().join(format!("events.db{end}")));
        }
        let error = backup(dirs[0].path(), dirs[2].path()).expect_err("another log");
        assert!(matches!(error, StoreError::OtherLog { .. }), "{error}");
        assert_eq!(fs::read_dir(dirs[2].path()).expect("a folder").count(), 0);
    }
}
