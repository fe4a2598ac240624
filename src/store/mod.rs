//! What must survive a restart: one SQLite database, `state.db`, and the local event log, `events.db`.
//!
//! One [`Store`] writes, in transactions; any number of [`Reader`]s read beside it (WAL).
//! The API and the sinks read only from here: the store is the record.
//!
//! SQLite rather than redb: its commits are synced, its files can be opened with any `sqlite3` at three in the
//! morning, secondary indexes (alerts by state, dead letters by reason) come for free, and triggers guard the ledger.

mod accuracy;
mod adjusted;
mod alarms;
mod alerts;
mod block;
mod bodies;
mod body;
mod changes;
mod chunk;
mod codes;
mod columns;
pub mod config;
mod dead_letters;
mod error;
mod events;
mod ledger;
mod migrate;
mod names;
mod nowcasts;
mod open;
mod pool;
mod prune;
mod reader;
mod records;
mod repack;
mod schema;
mod series_windows;
mod state;
pub mod sums;
#[cfg(test)]
mod tests;
mod topics;
mod tx;
mod vintage;
mod window_rows;
mod windows;

pub use accuracy::ByLead;
pub use adjusted::{AdjustedScore, Served};
pub use body::{Body, converted, with_appended};
pub use error::StoreError;
pub use events::EventLog;
pub use nowcasts::NowcastScore;
pub use reader::Reader;
pub use records::{
    ActiveAlarm, CellWindow, Change, DeliveryOutcome, DeliveryState, Filter, LogEntry, LogRecord,
    OutboxRow, PartialRecord, SeriesInfo, SeriesWindow, SourceRecord, WindowRecord,
};
pub use topics::PHRASES_KEPT;
pub use tx::Tx;

use std::fs::File;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use self::reader::stored_width;
use self::schema::{FILE, STEPS};
use self::tx::Ids;
use crate::domain::{Timestamp, WindowWidth};

const LOCK: &str = "state.lock";
/// Page cache of the writer.
const CACHE_KIB: u32 = 16_384;

/// The one writer of `state.db`.
pub struct Store {
    conn: Connection,
    ids: Ids,
    width: WindowWidth,
    reader: Reader,
    /// Held as long as the store is open; released last.
    _lock: File,
}

impl Store {
    /// Opens the store in `dir`, making both where they are missing, and locks it against other processes. A store of an older
    /// program is brought up to date; a copy of it is kept beside it, as `state.db.before-v` and the new schema's number.
    ///
    /// # Errors
    /// [`StoreError::InUse`], [`StoreError::Version`], [`StoreError::Copy`], [`StoreError::Width`] if it was made with another width,
    /// [`StoreError::Io`] if the directory cannot be made or written.
    pub fn open(dir: &Path, width: WindowWidth) -> Result<Self, StoreError> {
        let lock = open::lock(dir, LOCK)?;
        let conn = open::writer(&dir.join(FILE), STEPS, CACHE_KIB)?;
        conn.execute(
            "INSERT OR IGNORE INTO meta (key, value) VALUES ('width_s', ?1)",
            [width.secs()],
        )?;
        let found = stored_width(&conn)?;
        if found != width {
            return Err(StoreError::Width {
                dir: dir.into(),
                found_minutes: found.secs() / 60,
                asked_minutes: width.secs() / 60,
            });
        }
        let reader = Reader::open(dir)?;
        Ok(Self { conn, ids: Ids::default(), width, reader, _lock: lock })
    }

    /// Copies of the store in `dir` from before its schema changed.
    ///
    /// # Errors
    /// [`StoreError::Io`] if the directory cannot be read.
    pub fn copies(dir: &Path) -> Result<Vec<PathBuf>, StoreError> {
        migrate::copies(&dir.join(FILE))
    }

    /// A reader beside this writer; clones share a few connections.
    ///
    /// # Errors
    /// None at present; opening a connection is left to the first read.
    pub fn reader(&self) -> Result<Reader, StoreError> {
        Ok(self.reader.clone())
    }

    /// Starts a transaction; dropped without [`Tx::commit`] it leaves nothing behind.
    ///
    /// # Errors
    /// [`StoreError::Busy`], or what SQLite says.
    pub fn begin(&mut self) -> Result<Tx<'_>, StoreError> {
        Tx::begin(&self.conn, &mut self.ids, self.width)
    }

    /// Forgets what is older than its retention: vintages keep all leads for 14 days, then those of 1, 3 and 6 h
    /// for 400 days; windows, scores, anomalies and resolved alerts 400 days; phrases 30 days; dead letters 30 days
    /// and 100,000 in number; alarm transitions 7 days.
    ///
    /// # Errors
    /// [`StoreError`]; nothing is forgotten then.
    pub fn prune(&mut self, now: Timestamp) -> Result<(), StoreError> {
        self.begin()?.prune(now)
    }

    /// The width of the store's windows.
    pub fn width(&self) -> WindowWidth {
        self.width
    }
}
