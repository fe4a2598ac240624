//! A pool of read-only connections. Each serves one caller at a time.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rusqlite::Connection;

use super::{StoreError, open};

/// Maximum number of idle connections. There are more while more callers read at once.
const IDLE_MAX: usize = 4;
/// Page cache of one connection.
const CACHE_KIB: u32 = 2048;

pub(super) struct Pool {
    path: PathBuf,
    known: i64,
    idle: Mutex<Vec<Connection>>,
}

impl Pool {
    /// An empty pool. `known` is the schema version that the caller reads.
    pub(super) fn new(path: &Path, known: i64) -> Self {
        Self { path: path.into(), known, idle: Mutex::new(Vec::new()) }
    }

    /// Reads in one snapshot: the data do not change while `read` runs.
    pub(super) fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let conn = match idle {
            Some(conn) => conn,
            None => open::reader(&self.path, self.known, CACHE_KIB)?,
        };
        let snapshot = conn.unchecked_transaction()?;
        let answer = read(&snapshot)?;
        snapshot.finish()?;
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_MAX {
            idle.push(conn);
        }
        Ok(answer)
    }
}
