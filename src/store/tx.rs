//! A transaction of the writer: begin, commit, and ids of keys and series.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rusqlite::{Connection, params};

use super::block::{self, Table};
use super::chunk::Chunk;
use super::names::{find_key, find_series, key_columns};
use super::vintage::Parts;
use super::{Change, StoreError};
use crate::domain::{SeriesKey, Timestamp, WindowWidth};
use crate::window::AggregationKey;

/// Ids of keys and series that are committed or assigned in the current transaction.
#[derive(Default)]
pub(super) struct Ids {
    keys: HashMap<AggregationKey, i64>,
    series: HashMap<SeriesKey, i64>,
    /// Bytes of all dead letters, once they were summed.
    pub(super) letter_bytes: Option<u64>,
}

/// A transaction. Its writes become visible and durable with [`Tx::commit`], and are rolled back without it.
///
/// Every method returns only a [`StoreError`]. After an error drop the transaction.
pub struct Tx<'s> {
    pub(super) conn: &'s Connection,
    pub(super) ids: &'s mut Ids,
    pub(super) width: WindowWidth,
    /// Changed chunks that are not written yet, by their key.
    pub(super) chunks: HashMap<i64, Chunk>,
    /// Vintages of one issue time that are not written yet, by id of the series.
    pub(super) vintages: (Timestamp, BTreeMap<i64, Parts>),
    /// Changes for the sinks.
    pub(super) changes: BTreeSet<Change>,
    done: bool,
}

impl<'s> Tx<'s> {
    pub(super) fn begin(
        conn: &'s Connection,
        ids: &'s mut Ids,
        width: WindowWidth,
    ) -> Result<Self, StoreError> {
        conn.execute_batch("BEGIN IMMEDIATE")?;
        let (chunks, changes) = (HashMap::new(), BTreeSet::new());
        let vintages = (Timestamp::MIN, BTreeMap::new());
        Ok(Self { conn, ids, width, chunks, vintages, changes, done: false })
    }
}

impl Tx<'_> {
    /// Commits. The writes are synced to disk when it returns.
    ///
    /// # Errors
    /// [`StoreError::Full`] or another error of SQLite; then the transaction was rolled back.
    pub fn commit(mut self) -> Result<(), StoreError> {
        self.write_chunks()?;
        self.write_vintages()?;
        self.write_changes()?;
        self.conn.execute_batch("COMMIT")?;
        self.done = true;
        Ok(())
    }

    /// Writes the vintages that were collected.
    pub(super) fn write_vintages(&mut self) -> Result<(), StoreError> {
        let (issued_at, vintages) =
            std::mem::replace(&mut self.vintages, (Timestamp::MIN, BTreeMap::new()));
        block::put(self.conn, Table::Whole, issued_at, vintages)
    }

    /// Runs one statement. Prepared statements are cached.
    pub(super) fn run(&self, sql: &str, with: impl rusqlite::Params) -> Result<usize, StoreError> {
        Ok(self.conn.prepare_cached(sql)?.execute(with)?)
    }

    /// Id of a key. A new key gets one.
    pub(super) fn key_id(&mut self, key: &AggregationKey) -> Result<i64, StoreError> {
        if let Some(id) = self.ids.keys.get(key) {
            return Ok(*id);
        }
        let (kind, [region, service, channel]) = key_columns(key);
        let names = params![kind, region, service, channel];
        self.run(
            "INSERT OR IGNORE INTO cells (kind, region, service, channel) VALUES (?1, ?2, ?3, ?4)",
            names,
        )?;
        let id = find_key(self.conn, key)?
            .ok_or_else(|| StoreError::corrupt(format!("{key} has no id")))?;
        self.ids.keys.insert(key.clone(), id);
        Ok(id)
    }

    /// Drops cached ids after keys were deleted.
    pub(super) fn forget_keys(&mut self) {
        self.ids.keys.clear();
    }

    /// Id of a series. A new series gets one.
    pub(super) fn series_id(&mut self, series: &SeriesKey) -> Result<i64, StoreError> {
        if let Some(id) = self.ids.series.get(series) {
            return Ok(*id);
        }
        let names = [series.region.as_str(), series.service.as_str(), series.channel.as_str()];
        self.run(
            "INSERT OR IGNORE INTO series (region, service, channel) VALUES (?1, ?2, ?3)",
            names,
        )?;
        let id = find_series(self.conn, series)?
            .ok_or_else(|| StoreError::corrupt(format!("{series} has no id")))?;
        self.ids.series.insert(series.clone(), id);
        Ok(id)
    }
}

impl Drop for Tx<'_> {
    fn drop(&mut self) {
        if self.done {
            return;
        }
        // Ids that this transaction assigned are no longer valid.
        *self.ids = Ids::default();
        // After some errors, such as a full disk, SQLite has rolled back already. If this rollback fails, the next BEGIN
        // returns an error.
        if !self.conn.is_autocommit() {
            let _ = self.conn.execute_batch("ROLLBACK");
        }
    }
}
