//! Opens database files: lock, settings, check of the schema version.

use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::schema::Step;
use super::{StoreError, migrate};

/// Mode of files: only the owner reads and writes them. They contain customers' texts.
const PRIVATE: u32 = 0o600;
/// How long a connection waits for another one's lock.
const BUSY: Duration = Duration::from_secs(5);

/// Takes the exclusive lock file `name` in `dir`. Creates the directory if it is missing. The lock is held until the file
/// is dropped.
pub(super) fn lock(dir: &Path, name: &str) -> Result<File, StoreError> {
    fs::create_dir_all(dir).map_err(|e| StoreError::io(dir, "create the directory", e))?;
    let path = dir.join(name);
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(PRIVATE)
        .open(&path)
        .map_err(|e| StoreError::io(&path, "open", e))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse { dir: dir.into() }),
        Err(TryLockError::Error(e)) => Err(StoreError::io(&path, "lock", e)),
    }
}

/// Opens the writing connection and migrates the schema ([`migrate::migrate`]). `cache_kib` limits the page cache.
pub(super) fn writer(
    path: &Path,
    steps: &[Step],
    cache_kib: u32,
) -> Result<Connection, StoreError> {
    writer_with(path, steps, cache_kib, "")
}

/// As [`writer`]. A new file can give space back; a file that exists keeps its mode.
pub(super) fn shrinking(
    path: &Path,
    steps: &[Step],
    cache_kib: u32,
) -> Result<Connection, StoreError> {
    writer_with(path, steps, cache_kib, "PRAGMA auto_vacuum = INCREMENTAL;")
}

fn writer_with(
    path: &Path,
    steps: &[Step],
    cache_kib: u32,
    first: &str,
) -> Result<Connection, StoreError> {
    prepared(path, steps, cache_kib, first).map_err(|error| error.of_file(path))
}

fn prepared(
    path: &Path,
    steps: &[Step],
    cache_kib: u32,
    first: &str,
) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    private(path)?;
    let conn = connect(path, flags, cache_kib)?;
    conn.execute_batch(first)?;
    // FULL: in WAL mode the log is synced at every commit. Kafka and senders rely on that.
    conn.execute_batch(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA journal_size_limit = 67108864;",
    )?;
    migrate::migrate(&conn, path, steps)?;
    Ok(conn)
}

/// Creates a file that only its owner can read, or makes it so. SQLite gives a log the mode of its database.
pub(super) fn private(path: &Path) -> Result<(), StoreError> {
    let file = File::options().create(true).append(true).mode(PRIVATE).open(path);
    file.map_err(|e| StoreError::io(path, "open", e))?;
    let owner = fs::Permissions::from_mode(PRIVATE);
    for end in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        match fs::set_permissions(&name, owner.clone()) {
            Err(e) if e.kind() != ErrorKind::NotFound => {
                return Err(StoreError::io(path, "restrict the mode of", e));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Opens a read-only connection. `known` is the schema version that the caller reads.
pub(super) fn reader(path: &Path, known: i64, cache_kib: u32) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = connect(path, flags, cache_kib)?;
    match migrate::version(&conn)? {
        found if found > known => Err(StoreError::Version { path: path.into(), found, known }),
        found if found < known => Err(StoreError::Outdated { path: path.into(), found, known }),
        _ => Ok(conn),
    }
}

pub(super) fn connect(
    path: &Path,
    flags: OpenFlags,
    cache_kib: u32,
) -> Result<Connection, StoreError> {
    let conn = Connection::open_with_flags(path, flags).map_err(|error| {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::CannotOpen | rusqlite::ErrorCode::PermissionDenied) => {
                StoreError::io(path, "open", std::io::Error::other(error))
            }
            _ => error.into(),
        }
    })?;
    conn.busy_timeout(BUSY)?;
    conn.set_prepared_statement_cache_capacity(64);
    conn.execute_batch(&format!("PRAGMA cache_size = -{cache_kib}; PRAGMA temp_store = MEMORY;"))?;
    Ok(conn)
}
