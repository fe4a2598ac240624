//! What can go wrong with the store, in words that say what to do.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

/// Why the store did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The disk, or a limit set on the database, has no room left. Nothing of the transaction was kept.
    #[error("the disk that holds the store is full: free some space; nothing was half written")]
    Full,
    /// The event log reached its size limit.
    #[error(
        "the event log holds its limit of {limit_bytes} bytes: wait until old events are trimmed, or raise the limit"
    )]
    LogFull { limit_bytes: u64 },
    /// Another process has the directory.
    #[error(
        "the store in {} is in use by another surgecast: stop it, or use another directory",
        dir.display()
    )]
    InUse { dir: PathBuf },
    /// Another connection held the database for longer than we wait.
    #[error("the store was busy for too long: something else has the database open; try again")]
    Busy,
    /// The bytes on disk are not what was written.
    #[error("the store is damaged: {what}; restore a backup or start with an empty directory")]
    Corrupt { what: String },
    /// Written by a newer surgecast.
    #[error(
        "{} has schema version {found}, this surgecast knows versions up to {known}: use a newer surgecast",
        path.display()
    )]
    Version { path: PathBuf, found: i64, known: i64 },
    /// Written by an older surgecast and not brought up to date yet.
    #[error(
        "{} has schema version {found}, this surgecast reads version {known}: start the service once, it brings the \
         store up to date and keeps a copy",
        path.display()
    )]
    Outdated { path: PathBuf, found: i64, known: i64 },
    /// Before a change of the schema no copy of the database could be made. Nothing was changed.
    #[error(
        "{} stays as it is, for no copy of it could be kept beside it: {source}; make room for a second {}, then start \
         again",
        path.display(),
        path.file_name().unwrap_or_default().display()
    )]
    Copy { path: PathBuf, source: Box<StoreError> },
    /// The window width differs from the one the store was made with.
    #[error(
        "the store in {} has windows of {found_minutes} min, not {asked_minutes} min: \
         keep that width or use another directory",
        dir.display()
    )]
    Width { dir: PathBuf, found_minutes: u32, asked_minutes: u32 },
    /// The file system refused.
    #[error("cannot {action} {}: {source}; check that it exists and may be written", path.display())]
    Io { path: PathBuf, action: &'static str, source: io::Error },
    /// A write or a sync failed below the file system. Nothing of the transaction was kept.
    #[error(
        "the disk that holds the store failed ({0}): check its room, quota and health; nothing was half written"
    )]
    Disk(rusqlite::Error),
    /// Anything else SQLite says.
    #[error("the database refused: {0}")]
    Sql(rusqlite::Error),
}

impl StoreError {
    /// Whether trying again later may help without anybody doing anything.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Busy | Self::LogFull { .. })
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
