//! Durable state: the SQLite database `state.db`, and the local event log `events.db`.
//!
//! One [`Store`] writes, in transactions. Any number of [`Reader`]s read at the same time (WAL). The API and the sinks read
//! only from the store.
//!
//! SQLite was chosen over redb: its commits are synced, any `sqlite3` opens its files, it has secondary indexes (alerts by
//! state, dead letters by reason), and triggers guard the ledger.

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
mod followed;
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
pub use followed::{Content, FollowedFile, Span};
pub use nowcasts::NowcastScore;
pub use reader::Reader;
pub use records::{
    ActiveAlarm, Change, DeliveryOutcome, DeliveryState, Filter, KeyWindow, LogEntry, LogRecord,
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

/// The only writer of `state.db`.
pub struct Store {
    conn: Connection,
    ids: Ids,
    width: WindowWidth,
    reader: Reader,
    /// Held while the store is open. It is the last field, so it is released last.
    _lock: File,
}

impl Store {
    /// Opens the store in `dir` and locks it against other processes. Creates directory and store if they are missing.
    /// Migrates a store of an older release, and keeps a copy of it as `state.db.before-v` and the new schema version.
    ///
    /// # Errors
    /// [`StoreError::InUse`], [`StoreError::Version`], [`StoreError::Copy`], [`StoreError::Width`] if it was created with
    /// another width, [`StoreError::Io`] if the directory cannot be created or written.
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

    /// Copies of the store in `dir` from before migrations.
    ///
    /// # Errors
    /// [`StoreError::Io`] if the directory cannot be read.
    pub fn copies(dir: &Path) -> Result<Vec<PathBuf>, StoreError> {
        migrate::copies(&dir.join(FILE))
    }

    /// A reader of this store. Clones share a few connections.
    ///
    /// # Errors
    /// Currently never: the first read opens a connection.
    pub fn reader(&self) -> Result<Reader, StoreError> {
        Ok(self.reader.clone())
    }

    /// Begins a transaction. It is rolled back if it is dropped without [`Tx::commit`].
    ///
    /// # Errors
    /// [`StoreError::Busy`], or another error of SQLite.
    pub fn begin(&mut self) -> Result<Tx<'_>, StoreError> {
        Tx::begin(&self.conn, &mut self.ids, self.width)
    }

    /// Deletes data past its retention. Vintages keep all leads for 14 days, and the leads 1, 3 and 6 h for 400 days.
    /// Windows, scores, anomalies and resolved alerts are kept for 400 days, phrases for 30 days, dead letters for 30
    /// days and at most 100,000, alarm messages for 7 days.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing was deleted.
    pub fn prune(&mut self, now: Timestamp) -> Result<(), StoreError> {
        self.begin()?.prune(now)
    }

    /// The width of the store's windows.
    pub fn width(&self) -> WindowWidth {
        self.width
    }
}
