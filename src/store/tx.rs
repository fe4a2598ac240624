//! One transaction of the writer: begin, commit, the ids of names, and what has no home of its own.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rusqlite::{Connection, OptionalExtension, params};

use super::block::{self, Table};
use super::chunk::Chunk;
use super::vintage::Parts;
use super::{Change, StoreError};
use crate::domain::{DeadLetter, Reason, SeriesKey, Timestamp, WindowWidth};
use crate::window::Cell;

/// Ids of cells and series that are known to be committed, or made by the running transaction.
#[derive(Default)]
pub(super) struct Ids {
    cells: HashMap<Cell, i64>,
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

    /// Small named state: the clock, calibrations.
    pub fn put_blob(&mut self, key: &str, bytes: &[u8]) -> Result<(), StoreError> {
        self.run("INSERT OR REPLACE INTO blobs (key, bytes) VALUES (?1, ?2)", params![key, bytes])
            .map(drop)
    }

    /// What was not counted, once per event of a position. `counted_in` is the cell and window start in which a late event
    /// would have been counted, where it could be decoded: it adds one to the window's `late`.
    pub fn put_dead_letter(
        &mut self,
        letter: &DeadLetter,
        counted_in: Option<(&Cell, Timestamp)>,
    ) -> Result<(), StoreError> {
        let new = self.run(
            "INSERT OR IGNORE INTO dead_letters
                 (topic, part, position, received_at, reason, detail, bytes, nth)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![
                &*letter.position.source.topic,
                letter.position.source.partition,
                letter.position.offset,
                letter.received_at.millis(),
                letter.reason as u8,
                letter.detail,
                &*letter.bytes,
                letter.nth
            ],
        )?;
        let Some((cell, start)) = counted_in.filter(|_| new == 1 && letter.reason == Reason::Late)
        else {
            return Ok(());
        };
        self.changed(Change::Window(self.width.floor(start)));
        let cell = self.cell_id(cell)?;
        self.run(
            "INSERT INTO late (cell, start, n) VALUES (?1, ?2, 1)
             ON CONFLICT (cell, start) DO UPDATE SET n = n + 1",
            params![cell, self.width.floor(start).millis()],
        )
        .map(drop)
    }

    /// Runs one statement, prepared once.
    pub(super) fn run(&self, sql: &str, with: impl rusqlite::Params) -> Result<usize, StoreError> {
        Ok(self.conn.prepare_cached(sql)?.execute(with)?)
    }

    /// Id of a cell, given when it is first seen.
    pub(super) fn cell_id(&mut self, cell: &Cell) -> Result<i64, StoreError> {
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

/// Kind of phrases' cells: the largest.
pub(super) const PHRASE: u8 = 3;

/// A cell as columns of `cells`.
pub(super) fn cell_columns(cell: &Cell) -> (u8, [&str; 3]) {
    match cell {
        Cell::Tickets(s) => (0, [s.region.as_str(), s.service.as_str(), s.channel.as_str()]),
        Cell::Alarms(s) => (1, [s.region.as_str(), s.service.as_str(), ""]),
        Cell::Maintenance => (2, ["", "", ""]),
        Cell::Phrase(s, phrase) => (PHRASE, [s.region.as_str(), s.service.as_str(), phrase]),
    }
}

pub(super) fn find_cell(conn: &Connection, cell: &Cell) -> Result<Option<i64>, StoreError> {
    let (kind, [region, service, channel]) = cell_columns(cell);
    Ok(conn
        .prepare_cached(
            "SELECT id FROM cells WHERE kind = ?1 AND region = ?2 AND service = ?3 AND channel = ?4",
        )?
        .query_row(params![kind, region, service, channel], |row| row.get(0))
        .optional()?)
}

pub(super) fn find_series(
    conn: &Connection,
    series: &SeriesKey,
) -> Result<Option<i64>, StoreError> {
    Ok(conn
        .prepare_cached(
            "SELECT id FROM series WHERE region = ?1 AND service = ?2 AND channel = ?3",
        )?
        .query_row(
            [series.region.as_str(), series.service.as_str(), series.channel.as_str()],
            |row| row.get(0),
        )
        .optional()?)
}
