//! Windows: settled ones in chunks, open ones as partials by source, and how far the sources are.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::params;

use super::bodies::CountsBody;
use super::body::{self, Body};
use super::chunk::{self, Numbers};
use super::names::{all_cells, find_cell, main_cells};
use super::window_rows::{cell_windows, each_chunk, late, read_chunk};
use super::{
    CellWindow, Change, PartialRecord, Reader, SourceRecord, StoreError, Tx, WindowRecord, columns,
};
use crate::domain::{SourceId, Timestamp, UNKNOWN};
use crate::window::AggregationKey;

/// Days of windows held in memory by one transaction before they are written: some 10 MB.
const CHUNKS_MAX: usize = 2048;

/// Windows
impl Tx<'_> {
    /// How far a source has been merged; replaces what was there.
    pub fn put_source(&mut self, record: &SourceRecord) -> Result<(), StoreError> {
        self.run(
            "INSERT OR REPLACE INTO sources (topic, part, record, version) VALUES (?1, ?2, ?3, ?4)",
            params![
                &*record.source.topic,
                record.source.partition,
                body::encode(record)?,
                SourceRecord::VERSION
            ],
        )
        .map(drop)
    }

    /// Partials of unfinished windows; a later one of the same window, cell and source replaces.
    pub fn put_partials(&mut self, rows: &[PartialRecord]) -> Result<(), StoreError> {
        self.changes.extend(rows.iter().map(|row| Change::Window(row.window)));
        for row in rows {
            let cell = self.cell_id(&row.cell)?;
            self.run(
                "INSERT OR REPLACE INTO partials (cell, start, topic, part, upto, counts, version)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![
                    cell,
                    row.window.millis(),
                    &*row.source.topic,
                    row.source.partition,
                    row.upto,
                    body::encode(&CountsBody::from(row.counts))?,
                    CountsBody::VERSION
                ],
            )?;
        }
        Ok(())
    }

    /// Forgets partials, of windows that have settled.
    pub fn delete_partials(
        &mut self,
        keys: &[(Timestamp, AggregationKey, SourceId)],
    ) -> Result<(), StoreError> {
        for (window, cell, source) in keys {
            let cell = self.cell_id(cell)?;
            self.run(
                "DELETE FROM partials WHERE cell = ?1 AND start = ?2 AND topic = ?3 AND part = ?4",
                params![cell, window.millis(), &*source.topic, source.partition],
            )?;
        }
        Ok(())
    }

    /// Windows by cell and start. Written at commit, one blob per cell and UTC day.
    pub fn put_windows(
        &mut self,
        rows: &[(AggregationKey, Timestamp, WindowRecord)],
    ) -> Result<(), StoreError> {
        self.changes.extend(rows.iter().map(|row| Change::Window(row.1)));
        let per_day = self.width.per_day() as i64;
        for (cell, start, record) in rows {
            let cell = self.cell_id(cell)?;
            let day = chunk::day(*start);
            // A day has at most 288 windows.
            let slot = self.width.index(*start).rem_euclid(per_day) as u16;
            let key = chunk::key(cell, day);
            if !self.chunks.contains_key(&key) {
                if self.chunks.len() >= CHUNKS_MAX {
                    self.write_chunks()?;
                }
                let stored = read_chunk(self.conn, key)?.unwrap_or_default();
                self.chunks.insert(key, stored);
            }
            if let Some(chunk) = self.chunks.get_mut(&key) {
                chunk.set(slot, *record);
            }
        }
        Ok(())
    }

    pub(super) fn write_chunks(&mut self) -> Result<(), StoreError> {
        let mut touched: Vec<_> = self.chunks.drain().collect();
        // In order of the key the tree is walked once.
        touched.sort_unstable_by_key(|(key, _)| *key);
        let mut insert = self.conn.prepare_cached(
            "INSERT OR REPLACE INTO chunks (key, rows, version) VALUES (?1, ?2, ?3)",
        )?;
        for (key, chunk) in touched {
            insert.execute(params![key, body::encode(&chunk.numbers())?, Numbers::VERSION])?;
        }
        Ok(())
    }
}

/// Windows
impl Reader {
    /// Every source that has reported.
    pub fn sources(&self) -> Result<Vec<SourceRecord>, StoreError> {
        self.read(|conn| {
            let mut found =
                conn.prepare_cached("SELECT record, version FROM sources ORDER BY topic, part")?;
            let mut rows = found.query([])?;
            let mut sources = Vec::new();
            while let Some(row) = rows.next()? {
                sources.push(body::column(row, 0)?);
            }
            Ok(sources)
        })
    }

    /// Partials of unfinished windows.
    pub fn partials(&self) -> Result<Vec<PartialRecord>, StoreError> {
        self.read(|conn| {
            let cells: BTreeMap<i64, AggregationKey> = all_cells(conn)?.into_iter().collect();
            let mut found = conn.prepare_cached(
                "SELECT cell, start, topic, part, upto, counts, version FROM partials ORDER BY start, cell",
            )?;
            let mut rows = found.query([])?;
            let mut partials = Vec::new();
            while let Some(row) = rows.next()? {
                let Some(cell) = cells.get(&row.get(0)?) else { continue };
                partials.push(PartialRecord {
                    window: columns::time(row, 1)?,
                    cell: cell.clone(),
                    source: columns::source(row, 2)?,
                    upto: row.get(4)?,
                    counts: body::column::<CountsBody>(row, 5)?.into(),
                });
            }
            Ok(partials)
        })
    }

    /// Every cell that has been counted in, in order.
    pub fn cells(&self) -> Result<Vec<AggregationKey>, StoreError> {
        self.read(|conn| {
            let mut cells: Vec<_> = all_cells(conn)?.into_iter().map(|(_, cell)| cell).collect();
            cells.sort_unstable();
            Ok(cells)
        })
    }

    /// Windows of a cell that start in `from..to`; open ones are summed from partials.
    pub fn windows(
        &self,
        cell: &AggregationKey,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<(Timestamp, WindowRecord)>, StoreError> {
        let width = self.width();
        self.read(|conn| {
            let Some(id) = find_cell(conn, cell)? else { return Ok(Vec::new()) };
            let found = cell_windows(conn, id, width, from, to)?;
            Ok(found.into_iter().map(|(start, (record, _))| (start, record)).collect())
        })
    }

    /// Hands the stored windows of each cell that start at or after `from` to `each`, in order of time; not those of
    /// phrases.
    pub fn each_cell(
        &self,
        from: Timestamp,
        mut each: impl FnMut(&AggregationKey, &[(Timestamp, WindowRecord)]),
    ) -> Result<(), StoreError> {
        let width = self.width();
        self.read(|conn| {
            let mut windows = Vec::new();
            for (id, cell) in main_cells(conn)? {
                windows.clear();
                each_chunk(conn, id, from, Timestamp::MAX, |day, chunk| {
                    windows.extend(chunk.rows(day, width).filter(|row| row.0 >= from));
                })?;
                each(&cell, &windows);
            }
            Ok(())
        })
    }

    /// Counts of every cell in the windows that start at these times; phrases are left out.
    pub fn windows_at(
        &self,
        starts: &BTreeSet<Timestamp>,
    ) -> Result<Vec<(Timestamp, AggregationKey, CellWindow)>, StoreError> {
        let width = self.width();
        let mut days: BTreeMap<i64, (Timestamp, Timestamp)> = BTreeMap::new();
        for start in starts {
            let span = days.entry(chunk::day(*start)).or_insert((*start, *start));
            *span = (span.0.min(*start), span.1.max(*start));
        }
        self.read(|conn| {
            let mut found = Vec::new();
            for (id, cell) in main_cells(conn)? {
                for (first, last) in days.values().copied() {
                    let to = width.end(last);
                    let mut late: BTreeMap<_, _> = late(conn, id, first, to)?.into_iter().collect();
                    let rows = cell_windows(conn, id, width, first, to)?;
                    let rows = rows.into_iter().filter(|(start, _)| starts.contains(start));
                    found.extend(rows.map(|(start, (record, upto))| {
                        let late = late.remove(&start).unwrap_or(0);
                        (start, cell.clone(), CellWindow { record, late, upto })
                    }));
                }
            }
            Ok(found)
        })
    }

    /// Events counted since then under a name that is [`UNKNOWN`], by what they lacked.
    pub fn unmapped(&self, since: Timestamp) -> Result<BTreeMap<&'static str, u64>, StoreError> {
        self.read(|conn| {
            let mut found = BTreeMap::new();
            for (id, cell) in all_cells(conn)? {
                let lacks = lacking(&cell);
                if lacks.iter().all(|(_, lacks)| !lacks) {
                    continue;
                }
                let windows = cell_windows(conn, id, self.width(), since, Timestamp::MAX)?;
                let n: u64 = windows.values().map(|(window, _)| events(window)).sum();
                for (name, _) in lacks.into_iter().filter(|(_, lacks)| *lacks && n > 0) {
                    *found.entry(name).or_default() += n;
                }
            }
            Ok(found)
        })
    }
}

/// Which names of a cell are unknown.
fn lacking(cell: &AggregationKey) -> [(&'static str, bool); 3] {
    let (region, service, channel) = match cell {
        AggregationKey::Tickets(s) => (s.region.as_str(), s.service.as_str(), s.channel.as_str()),
        AggregationKey::Alarms(scope) => (scope.region.as_str(), scope.service.as_str(), ""),
        _ => ("", "", ""),
    };
    [("region", region), ("service", service), ("channel", channel)]
        .map(|(what, name)| (what, name == UNKNOWN))
}

/// Arrivals and raised alarms of a window.
fn events(window: &WindowRecord) -> u64 {
    let counts = window.counts.raised.iter().chain([&window.counts.tickets]);
    counts.map(|n| u64::from(*n)).sum()
}
