//! One transaction of the writer: begin, commit, and the ids of names.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rusqlite::{Connection, params};

use super::block::{self, Table};
use super::chunk::Chunk;
use super::names::{cell_columns, find_cell, find_series};
use super::vintage::Parts;
use super::{Change, StoreError};
use crate::domain::{SeriesKey, Timestamp, WindowWidth};
use crate::window::AggregationKey;

/// Ids of cells and series that are known to be committed, or made by the running transaction.
#[derive(Default)]
pub(super) struct Ids {
    cells: HashMap<AggregationKey, i64>,
    series: HashMap<SeriesKey, i64>,
}

/// All or nothing: what is put becomes visible and durable with [`Tx::commit`], and is forgotten without it.
///
/// Every method fails with a [`StoreError`] only; after an error drop the transaction.
pub struct Tx<'s> {
    pub(super) conn: &'s Connection,
    ids: &'s mut Ids,
    pub(super) width: WindowWidth,
    /// Days of windows touched and not written yet, by chunk key.
    pub(super) chunks: HashMap<i64, Chunk>,
    /// Vintages of one time that are not written yet, by series' id.
    pub(super) vintages: (Timestamp, BTreeMap<i64, Parts>),
    /// What sinks have to be told of.
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
    /// Makes it durable: synced to disk when this returns.
    ///
    /// # Errors
    /// [`StoreError::Full`] or what SQLite says; nothing was kept then.
    pub fn commit(mut self) -> Result<(), StoreError> {
        self.write_chunks()?;
        self.write_vintages()?;
        self.write_changes()?;
        self.conn.execute_batch("COMMIT")?;
        self.done = true;
        Ok(())
    }

    /// Writes the vintages that were gathered.
    pub(super) fn write_vintages(&mut self) -> Result<(), StoreError> {
        let (issued_at, vintages) =
            std::mem::replace(&mut self.vintages, (Timestamp::MIN, BTreeMap::new()));
        block::put(self.conn, Table::Whole, issued_at, vintages)
    }

    /// Runs one statement, prepared once.
    pub(super) fn run(&self, sql: &str, with: impl rusqlite::Params) -> Result<usize, StoreError> {
        Ok(self.conn.prepare_cached(sql)?.execute(with)?)
    }

    /// Id of a cell, given when it is first seen.
    pub(super) fn cell_id(&mut self, cell: &AggregationKey) -> Result<i64, StoreError> {
        if let Some(id) = self.ids.cells.get(cell) {
            return Ok(*id);
        }
        let (kind, [region, service, channel]) = cell_columns(cell);
        let names = params![kind, region, service, channel];
        self.run(
            "INSERT OR IGNORE INTO cells (kind, region, service, channel) VALUES (?1, ?2, ?3, ?4)",
            names,
        )?;
        let id = find_cell(self.conn, cell)?
            .ok_or_else(|| StoreError::corrupt(format!("{cell} has no id")))?;
        self.ids.cells.insert(cell.clone(), id);
        Ok(id)
    }

    /// Cells have been deleted: their ids mean nothing any more.
    pub(super) fn forget_cells(&mut self) {
        self.ids.cells.clear();
    }

    /// Id of a series, given when it is first seen.
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
        // Ids given by this transaction are gone with it.
        *self.ids = Ids::default();
        // SQLite has rolled back already after some errors, a full disk among them. If this one fails, the
        // next BEGIN says so.
        if !self.conn.is_autocommit() {
            let _ = self.conn.execute_batch("ROLLBACK");
        }
    }
}
