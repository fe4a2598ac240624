//! Looks for damage in the databases: SQLite's `quick_check`.
//!
//! It reads whole files, which takes minutes for a large store. So it runs beside the service. Before the start it runs only
//! for a short time, and only if the machine was restarted since the store was last opened (as after a power failure) or SQLite has
//! reported damage.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension};
use xxhash_rust::xxh3::xxh3_64;

use super::schema::FILE as STATE;
use super::{Store, StoreError, events, followed, open};

/// Interval at which a check calls `stop`.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Maximum length of the check before the start: ten seconds.
const ROUNDS_BEFORE_START: u32 = 100;
const CACHE_KIB: u32 = 2048;
/// File that exists while damage reported by SQLite has not been checked.
const SUSPECT: &str = "damage-reported";
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";
/// The databases of a store.
const FILES: [&str; 2] = [STATE, events::FILE];

/// Checks both databases in `dir` until `stop` returns true. Returns whether the check was complete.
///
/// # Errors
/// [`StoreError::Corrupt`] with the file and what is damaged.
pub fn check(dir: &Path, stop: &(dyn Fn() -> bool + Sync)) -> Result<bool, StoreError> {
    for file in FILES {
        let path = dir.join(file);
        if path.exists() && !check_file(&path, file, stop)? {
            return Ok(false);
        }
    }
    match fs::remove_file(dir.join(SUSPECT)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(StoreError::io(&dir.join(SUSPECT), "remove", error))
        }
        _ => Ok(true),
    }
}

/// Checks both databases in `dir` if there is a reason, for at most ten seconds.
///
/// # Errors
/// As [`check`].
pub fn check_before_start(dir: &Path) -> Result<(), StoreError> {
    let why = match (dir.join(SUSPECT).exists(), boot_of(dir)?, this_boot()) {
        (true, ..) => "SQLite reported damage",
        (false, Some(before), Some(now)) if before != now => "the machine was rebooted",
        _ => return Ok(()),
    };
    tracing::info!(why, "store: checking for damage before the start");
    // It is asked once in `LOOK_EVERY`.
    let rounds = AtomicU32::new(0);
    if !check(dir, &|| rounds.fetch_add(1, Ordering::Relaxed) >= ROUNDS_BEFORE_START)? {
        tracing::info!(
            "store: no damage found in ten seconds; the check continues in the background"
        );
    }
    Ok(())
}

/// Records that SQLite has reported damage. The next start checks the files first.
pub fn mark_suspect(dir: &Path) {
    if let Err(error) = fs::write(dir.join(SUSPECT), "") {
        tracing::warn!(%error, "store: cannot record that SQLite reported damage");
    }
}

/// The files of a store when they were opened, to detect that one was removed or replaced.
#[derive(Clone, Debug)]
pub struct FilesInUse(Vec<(PathBuf, (u64, u64))>);

impl FilesInUse {
    /// The files that are in `dir` now.
    pub fn of(dir: &Path) -> Self {
        let files = [STATE, events::FILE, followed::FILE].map(|file| dir.join(file)).into_iter();
        Self(files.filter_map(|path| identity(&path).map(|own| (path, own))).collect())
    }

    /// One file that exists.
    pub(super) fn one(path: &Path) -> Self {
        Self(identity(path).map(|own| (path.to_owned(), own)).into_iter().collect())
    }

    /// A file that is not in its place any more.
    pub(super) fn missing(&self) -> Option<&Path> {
        let found = self.0.iter().find(|(path, own)| identity(path) != Some(*own));
        found.map(|(path, _)| path.as_path())
    }

    /// A description of what happened to a file that is not in its place any more, and what to do. `None` if all files are in
    /// place.
    pub fn misplaced(&self) -> Option<String> {
        let path = self.missing()?;
        Some(format!(
            "{} was moved, removed or replaced while it is in use, so what is stored since then is lost when the service stops: move \
             it back or restore the newest backup, start the service again, and send again what was sent since then",
            path.display()
        ))
    }
}

/// Device and inode of a file.
fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::metadata(path).ok().map(|found| (found.dev(), found.ino()))
}

impl Store {
    /// Records that SQLite has reported damage, see [`mark_suspect`].
    pub fn mark_suspect(&self) {
        if let Some(dir) = self.conn.path().and_then(|path| Path::new(path).parent()) {
            mark_suspect(dir);
        }
    }

    /// Records in which boot of the machine this store was opened.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn note_boot(&self) -> Result<(), StoreError> {
        if let Some(boot) = this_boot() {
            self.conn
                .execute("INSERT OR REPLACE INTO meta (key, value) VALUES ('boot', ?1)", [boot])?;
        }
        Ok(())
    }
}

/// The boot of the machine in which the store was last opened, if it is recorded.
fn boot_of(dir: &Path) -> Result<Option<i64>, StoreError> {
    let path = dir.join(STATE);
    if !path.exists() {
        return Ok(None);
    }
    let conn = read_only(&path)?;
    let found = conn.query_row("SELECT value FROM meta WHERE key = 'boot'", [], |row| row.get(0));
    match found.optional() {
        Ok(found) => Ok(found),
        // A database without tables.
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::Unknown) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// A number that identifies the current boot of the machine.
fn this_boot() -> Option<i64> {
    let id = fs::read_to_string(BOOT_ID).ok()?;
    Some(i64::from_ne_bytes(xxh3_64(id.trim().as_bytes()).to_ne_bytes()))
}

fn read_only(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    open::connect(path, flags, CACHE_KIB)
}

/// Checks one database. Returns whether the check was complete.
fn check_file(
    path: &Path,
    file: &str,
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<bool, StoreError> {
    let conn = read_only(path)?;
    let handle = conn.get_interrupt_handle();
    let (done, ended) = channel::<()>();
    let found = std::thread::scope(|scope| {
        scope.spawn(move || {
            while ended.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
                if stop() {
                    handle.interrupt();
                }
            }
        });
        let found = problems(&conn);
        drop(done);
        found
    });
    match found {
        Ok(problems) if problems == ["ok"] => Ok(true),
        Ok(problems) => Err(StoreError::corrupt(format!("{file}: {}", problems.join(", ")))),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) => {
            Ok(false)
        }
        Err(error) => match StoreError::from(error) {
            StoreError::Corrupt { what } => Err(StoreError::corrupt(format!("{file}: {what}"))),
            other => Err(other),
        },
    }
}

/// The problems that `quick_check` finds; only `ok` if there are none.
pub(super) fn problems(conn: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut check = conn.prepare("PRAGMA quick_check(5)")?;
    let rows = check.query_map([], |row| row.get::<_, String>(0))?;
    rows.map(|row| row.map(|text| text.replace('\n', " "))).collect()
}

#[cfg(test)]
mod tests {
    use std::io::{Seek as _, SeekFrom, Write as _};

    use super::*;
    use crate::domain::{Timestamp, WindowWidth};
    use crate::store::{EventLog, LogRecord};

    fn width() -> WindowWidth {
        WindowWidth::new(Duration::from_secs(900)).expect("a width")
    }

    fn filled(dir: &Path) {
        Store::open(dir, width()).expect("a store").note_boot().expect("noted");
        let log = EventLog::open(dir).expect("a log");
        let records: Vec<LogRecord> =
            (0..500).map(|_| LogRecord { kind: None, bytes: vec![b'x'; 300] }).collect();
        log.append(&records, Timestamp::from_secs(1)).expect("appended");
    }

    /// Overwrites a page in the middle of a file.
    fn damage(path: &Path) {
        let mut file = fs::File::options().write(true).open(path).expect("the file");
        let half = file.metadata().expect("its size").len() / 4096 / 2 * 4096;
        file.seek(SeekFrom::Start(half)).expect("a place");
        file.write_all(&[0xff; 4096]).expect("written");
    }

    #[test]
    fn a_file_that_is_removed_while_in_use_is_noticed() {
        let dir = tempfile::tempdir().expect("a folder");
        filled(dir.path());
        let files = FilesInUse::of(dir.path());
        assert_eq!(files.misplaced(), None);
        let (path, away) = (dir.path().join("events.db"), dir.path().join("away"));
        fs::rename(&path, &away).expect("moved");
        assert!(files.misplaced().is_some_and(|text| text.contains("events.db was moved")));
        // A copy in its place is not the same file.
        fs::copy(&away, &path).expect("copied");
        assert!(files.misplaced().is_some());
        fs::rename(&away, &path).expect("moved back");
        assert_eq!(files.misplaced(), None);
    }

    #[test]
    fn damage_is_found_and_named_and_a_check_can_be_stopped() {
        let dir = tempfile::tempdir().expect("a folder");
        assert!(check(dir.path(), &|| false).expect("no files, no damage"));
        filled(dir.path());
        assert!(check(dir.path(), &|| false).expect("no damage"));
        damage(&dir.path().join("events.db"));
        let found = check(dir.path(), &|| false).expect_err("damage").to_string();
        assert!(found.contains("events.db"), "{found}");
    }

    #[test]
    fn before_the_start_there_must_be_a_reason() {
        let dir = tempfile::tempdir().expect("a folder");
        check_before_start(dir.path()).expect("nothing to check");
        filled(dir.path());
        damage(&dir.path().join("events.db"));
        check_before_start(dir.path()).expect("the same start of the machine");
        mark_suspect(dir.path());
        check_before_start(dir.path()).expect_err("damage was reported");
        fs::remove_file(dir.path().join(SUSPECT)).expect("the mark");
        let store = Store::open(dir.path(), width()).expect("a store");
        store.conn.execute("UPDATE meta SET value = 7 WHERE key = 'boot'", []).expect("changed");
        drop(store);
        check_before_start(dir.path()).expect_err("another start of the machine");
        fs::remove_file(dir.path().join("events.db")).expect("removed");
        mark_suspect(dir.path());
        check_before_start(dir.path()).expect("no damage");
        assert!(!dir.path().join(SUSPECT).exists(), "a complete check removes the mark");
    }
}
