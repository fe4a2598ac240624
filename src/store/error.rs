//! Errors of the store. Their texts say what to do.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

/// Why an operation of the store failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The disk is full, or the database has reached its size limit. The transaction was rolled back.
    #[error("the disk of the store is full: free some space; no partial data was written")]
    Full,
    /// The event log reached its size limit.
    #[error(
        "the event log has reached its limit of {limit_bytes} bytes: wait until old events are trimmed, or raise the limit"
    )]
    LogFull { limit_bytes: u64 },
    /// Another process uses the directory.
    #[error(
        "the store in {} is in use by another surgecast: stop it, or use another directory",
        dir.display()
    )]
    InUse { dir: PathBuf },
    /// Another connection locked the database for too long.
    #[error("the store was busy for too long: another program has locked the database; try again")]
    Busy,
    /// The stored data are damaged.
    #[error("the store is damaged: {what}; restore a backup or start with an empty directory")]
    Corrupt { what: String },
    /// `events.db` was written beside another `state.db`.
    #[error(
        "events.db in {} belongs to another state.db: put the files back that belong together, or move events.db away to \
         begin with an empty one (events in it that are not counted yet would be missing)",
        dir.display()
    )]
    OtherLog { dir: PathBuf },
    /// A file was removed or replaced while it is in use. What is written to it would be lost.
    #[error(
        "{} was moved, removed or replaced while it is in use, so nothing was stored: move it back, or start the service \
         again, then send this again",
        path.display()
    )]
    Moved { path: PathBuf },
    /// Written by a newer surgecast.
    #[error(
        "{} has schema version {found}, this surgecast reads versions up to {known}: use a newer surgecast",
        path.display()
    )]
    Version { path: PathBuf, found: i64, known: i64 },
    /// Written by an older surgecast and not migrated yet.
    #[error(
        "{} has schema version {found}, this surgecast reads version {known}: start the service once, it migrates the \
         store and keeps a copy",
        path.display()
    )]
    Outdated { path: PathBuf, found: i64, known: i64 },
    /// No copy of the database could be made before its migration. Nothing was changed.
    #[error(
        "{} was not migrated, because no copy of it could be made: {source}; make room for a second {}, then start \
         again",
        path.display(),
        path.file_name().unwrap_or_default().display()
    )]
    Copy { path: PathBuf, source: Box<StoreError> },
    /// The store was created with another window width.
    #[error(
        "the store in {} has windows of {found_minutes} min, not {asked_minutes} min: \
         keep that width or use another directory",
        dir.display()
    )]
    Width { dir: PathBuf, found_minutes: u32, asked_minutes: u32 },
    /// An operation of the file system failed.
    #[error("cannot {action} {}: {source}; check that it exists and is writable", path.display())]
    Io { path: PathBuf, action: &'static str, source: io::Error },
    /// A write or sync to disk failed. The transaction was rolled back.
    #[error(
        "the disk of the store failed ({0}): check its free space, quota and health; no partial data was written"
    )]
    Disk(rusqlite::Error),
    /// Any other error of SQLite.
    #[error("the database returned an error: {0}")]
    Sql(rusqlite::Error),
}

impl StoreError {
    /// Whether the disk is full, or the quota of this user is exhausted.
    pub fn is_full(&self) -> bool {
        match self {
            Self::Full => true,
            Self::Disk(error) => {
                let code = error.sqlite_error().map(|error| error.extended_code);
                // A quota or a limit on the size of files fails a write, or the growth of the shared memory's file.
                let full = [rusqlite::ffi::SQLITE_IOERR_WRITE, rusqlite::ffi::SQLITE_IOERR_SHMSIZE];
                code.is_some_and(|code| full.contains(&code))
            }
            _ => false,
        }
    }

    /// Whether a retry may succeed later without any action.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Busy | Self::LogFull { .. })
    }

    /// Names the damaged file.
    pub(super) fn of_file(self, path: &Path) -> Self {
        let name = path.file_name().unwrap_or_default().display();
        match self {
            Self::Corrupt { what } => Self::Corrupt { what: format!("{name}: {what}") },
            other => other,
        }
    }

    pub(super) fn corrupt(what: impl Into<String>) -> Self {
        Self::Corrupt { what: what.into() }
    }

    pub(super) fn io(path: &Path, action: &'static str, source: io::Error) -> Self {
        if source.kind() == io::ErrorKind::StorageFull {
            return Self::Full;
        }
        Self::Io { path: path.into(), action, source }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::SystemIoFailure) => Self::Disk(error),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::corrupt(error.to_string())
            }
            _ => Self::Sql(error),
        }
    }
}

impl From<postcard::Error> for StoreError {
    fn from(error: postcard::Error) -> Self {
        Self::corrupt(format!("a record cannot be decoded ({error})"))
    }
}
