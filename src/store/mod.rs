//! Durable state: the SQLite database `state.db`, and the local event log `events.db`.
//!
//! One [`Store`] writes, in transactions. Any number of [`Reader`]s read at the same time (WAL). The API and the sinks read
//! only from the store.
//!
//! SQLite was chosen over redb: its commits are synced, any `sqlite3` opens its files, it has secondary indexes (alerts by
//! state, dead letters by reason), and triggers guard the ledger.

mod accuracy;
mod adjusted;
mod alarm_types;
mod alarms;
mod alerts;
mod annotations;
mod assessments;
mod audit;
mod backup;
mod block;
mod bodies;
mod body;
mod changes;
mod check;
mod chunk;
mod codes;
mod columns;
pub mod config;
mod dead_letters;
mod episodes;
mod error;
mod events;
mod folded;
mod followed;
mod forget;
mod ledger;
mod migrate;
mod names;
mod nowcasts;
mod open;
mod pairing;
mod pool;
mod prune;
mod reader;
mod recommendations;
mod records;
mod repack;
mod restored;
mod schema;
mod sentiments;
mod series_windows;
mod service;
mod silences;
mod state;
pub mod sums;
mod team_shifts;
#[cfg(test)]
mod tests;
mod tickets;
mod timeline;
mod topics;
mod tx;
mod vintage;
mod window_rows;
mod windows;

pub use accuracy::ByLead;
pub use adjusted::{AdjustedScore, Served};
pub use alerts::AlertFilter;
pub use annotations::{Annotation, AnnotationKind, AnnotationState};
pub use assessments::{CustomerKey, Urgency};
pub use backup::{BackedUp, backup};
pub use body::{Body, converted, with_appended};
pub use check::{FilesInUse, check, check_before_start, mark_suspect};
pub use error::StoreError;
pub use events::EventLog;
pub use followed::{Content, FollowedFile, Span};
pub use forget::{Forget, Forgotten, forget};
pub use nowcasts::NowcastScore;
pub use pairing::Pairing;
pub use prune::VINTAGES_KEPT;
pub use reader::Reader;
pub use records::{
    ActiveAlarm, Change, DeliveryOutcome, DeliveryState, Filter, KeyWindow, LogEntry, LogRecord,
    OutboxRow, PartialRecord, PlannedKey, PlannedKind, SeriesInfo, SeriesWindow, SourceRecord,
    WindowRecord,
};
pub use restored::{RestoredTickets, RestoredWindows, WARM_START, WarmStart};
pub use topics::PHRASES_KEPT;
pub use tx::Tx;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

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
    /// How long customers' texts and ids are kept.
    texts_kept: Duration,
    /// The lock. It is held while the store is open. It is the last field, so it is released last.
    _lock: File,
}

impl Store {
    /// Opens the store in `dir` and locks it against other processes. Creates directory and store if they are missing. Migrates
    /// a store of an older release, and keeps a copy with the name `state.db.before-vN`, where N is the new schema version.
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
        let texts_kept = config::TEXTS_KEPT;
        Ok(Self { conn, ids: Ids::default(), width, reader, texts_kept, _lock: lock })
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
    /// Windows, scores, anomalies and resolved alerts are kept for 400 days, phrases and dead letters for 30 days or as
    /// [`Self::keep_texts`] says, at most 100,000 dead letters with 256 MB, alarm messages for 7 days.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing was deleted.
    pub fn prune(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let texts = self.texts_kept;
        self.begin()?.prune(now, texts)
    }

    /// Keeps customers' texts and ids (phrases, dead letters) for this long from now on.
    pub fn keep_texts(&mut self, length: Duration) {
        self.texts_kept = length;
    }

    /// Deletes dead letters past their retention. At the start there may be more than the limits allow.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing was deleted.
    pub fn prune_dead_letters(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let texts = self.texts_kept;
        self.begin()?.prune_dead_letters(now, texts)
    }

    /// The width of the store's windows.
    pub fn width(&self) -> WindowWidth {
        self.width
    }
}

/// Version of the SQLite that is built in.
pub fn sqlite_version() -> &'static str {
    rusqlite::version()
}
