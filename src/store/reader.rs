//! The reader. Each kind of record is read in the file that also writes it: windows in `windows.rs`, vintages in
//! `ledger.rs`, and so on.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension};

use super::pool::Pool;
use super::schema::{FILE, STEPS};
use super::{StoreError, migrate};
use crate::domain::WindowWidth;

/// Reads committed data. Cheap to clone; threads can share it. Calls block on disk, so do not use it in async tasks.
///
/// Every method returns only a [`StoreError`].
#[derive(Clone)]
pub struct Reader {
    pool: Arc<Pool>,
    width: WindowWidth,
}

impl Reader {
    /// Opens a store for reading only. Another process may have it open.
    ///
    /// # Errors
    /// [`StoreError::Io`] if there is no store in `dir`, [`StoreError::Version`].
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        let pool = Pool::new(&dir.join(FILE), migrate::newest(STEPS));
        let width = pool.read(stored_width)?;
        Ok(Self { pool: Arc::new(pool), width })
    }

    /// The width of the store's windows.
    pub fn width(&self) -> WindowWidth {
        self.width
    }

    /// Size of the database on disk, without its write-ahead log.
    pub fn size_bytes(&self) -> Result<u64, StoreError> {
        self.read(|conn| {
            let pages: i64 = conn.query_row("PRAGMA page_count", [], |row| row.get(0))?;
            let page: i64 = conn.query_row("PRAGMA page_size", [], |row| row.get(0))?;
            Ok(u64::try_from(pages.saturating_mul(page)).unwrap_or(0))
        })
    }

    /// Reads in one snapshot.
    pub(super) fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.pool.read(read)
    }
}

/// The window width with which the store was created.
pub(super) fn stored_width(conn: &Connection) -> Result<WindowWidth, StoreError> {
    let secs: Option<u32> = conn
        .query_row("SELECT value FROM meta WHERE key = 'width_s'", [], |row| row.get(0))
        .optional()?;
    let secs = secs.ok_or_else(|| StoreError::corrupt("the window width is not recorded"))?;
    WindowWidth::new(Duration::from_secs(u64::from(secs)))
        .map_err(|e| StoreError::corrupt(e.to_string()))
}
