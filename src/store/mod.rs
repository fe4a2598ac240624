//! What must survive a restart: one SQLite database, `state.db`, and the local event log, `events.db`.
//!
//! One [`Store`] writes, in transactions; any number of [`Reader`]s read beside it (WAL).
//! The API and the sinks read only from here: the store is the record.
//!
//! SQLite rather than redb: its commits are synced, its files can be opened with any `sqlite3` at three in the
//! morning, secondary indexes (alerts by state, dead letters by reason) come for free, and triggers guard the ledger.

mod error;
mod events;
mod reader;
mod records;
mod tx;

pub use error::StoreError;
pub use events::EventLog;
pub use reader::Reader;
pub use records::{
    DeliveryOutcome, DeliveryState, Filter, LogEntry, LogRecord, OutboxRow, PartialRecord,
    SeriesInfo, SeriesWindow, SourceRecord, StandingAlarm, WindowRecord,
};
pub use tx::Tx;

use std::path::Path;

use crate::domain::{Timestamp, WindowWidth};

/// The one writer of `state.db`.
pub struct Store {}

impl Store {
    /// Opens the store in `dir`, making both where they are missing, and locks it against other processes.
    ///
    /// # Errors
    /// [`StoreError::InUse`], [`StoreError::Version`], [`StoreError::Width`] if it was made with another width,
    /// [`StoreError::Io`] if the directory cannot be made or written.
    pub fn open(dir: &Path, width: WindowWidth) -> Result<Self, StoreError> {
        let _ = (dir, width);
        todo!()
    }

    /// A reader beside this writer; clones share a few connections.
    ///
    /// # Errors
    /// [`StoreError`] if the database cannot be opened a second time.
    pub fn reader(&self) -> Result<Reader, StoreError> {
        todo!()
    }

    /// Starts a transaction; dropped without [`Tx::commit`] it leaves nothing behind.
    ///
    /// # Errors
    /// [`StoreError::Busy`], or what SQLite says.
    pub fn begin(&mut self) -> Result<Tx<'_>, StoreError> {
        todo!()
    }

    /// Forgets what is older than its retention: vintages keep all leads for 14 days, then those of 1, 3 and 6 h
    /// for 400 days; windows, scores, anomalies and resolved alerts 400 days; dead letters 30 days and
    /// 100,000 in number; alarm transitions 7 days.
    ///
    /// # Errors
    /// [`StoreError`]; nothing is forgotten then.
    pub fn prune(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let _ = now;
        todo!()
    }

    /// The width of the store's windows.
    pub fn width(&self) -> WindowWidth {
        todo!()
    }
}
