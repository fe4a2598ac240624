//! Windows: settled ones in chunks, open ones as partials by source, and how far the sources are.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, OptionalExtension, Rows, params, params_from_iter};

use super::chunk::{self, Chunk};
use super::columns::{self, pack};
use super::tx::{PHRASE, find_cell};
use super::{
    Change, PartialRecord, Reader, SeriesInfo, SeriesWindow, SourceRecord, StoreError, Tx,
    WindowRecord,
};
use crate::domain::{Name, Offset, SeriesKey, SourceId, Timestamp, WindowWidth};
use crate::window::Cell;

/// Days of windows held in memory by one transaction before they are written: some 10 MB.
const CHUNKS_MAX: usize = 2048;

/// Windows
impl Tx<'_> {
    /// How far a source has been merged; replaces what was there.
    pub fn put_source(&mut self, record: &SourceRecord) -> Result<(), StoreError> {
        self.run(
            "INSERT OR REPLACE INTO sources (topic, part, record) VALUES (?1, ?2, ?3)",
            params![&*record.source.topic, record.source.partition, pack(record)?],
        )
        .map(drop)
    }

    /// Partials of unfinished windows; a later one of the same window, cell and source replaces.
    pub fn put_partials(&mut self, rows: &[PartialRecord]) -> Result<(), StoreError> {
        self.changes.extend(rows.iter().map(|row| Change::Window(row.window)));
        for row in rows {
            let cell = self.cell_id(&row.cell)?;
            self.run(
                "INSERT OR REPLACE INTO partials (cell, start, topic, part, upto, counts)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![
                    cell,
                    row.window.millis(),
                    &*row.source.topic,
                    row.source.partition,
                    row.upto,
                    columns::pack_counts(&row.counts)?
                ],
            )?;
        }
        Ok(())
    }

    /// Forgets partials, of windows that have settled.
    pub fn delete_partials(
        &mut self,
        keys: &[(Timestamp, Cell, SourceId)],
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
        rows: &[(Cell, Timestamp, WindowRecord)],
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
        let mut insert = self
            .conn
            .prepare_cached("INSERT OR REPLACE INTO chunks (key, rows) VALUES (?1, ?2)")?;
        for (key, chunk) in touched {
            insert.execute(params![key, chunk.encode()?])?;
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
                conn.prepare_cached("SELECT record FROM sources ORDER BY topic, part")?;
            let mut rows = found.query([])?;
            let mut sources = Vec::new();
            while let Some(row) = rows.next()? {
                sources.push(columns::value(row, 0)?);
            }
            Ok(sources)
        })
    }

    /// Partials of unfinished windows.
    pub fn partials(&self) -> Result<Vec<PartialRecord>, StoreError> {
        self.read(|conn| {
            let cells: BTreeMap<i64, Cell> = all_cells(conn)?.into_iter().collect();
            let mut found = conn.prepare_cached(
                "SELECT cell, start, topic, part, upto, counts FROM partials ORDER BY start, cell",
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
                    counts: columns::counts(row, 5)?,
                });
            }
            Ok(partials)
        })
    }

    /// Every cell that has been counted in, in order.
    pub fn cells(&self) -> Result<Vec<Cell>, StoreError> {
        self.read(|conn| {
            let mut cells: Vec<_> = all_cells(conn)?.into_iter().map(|(_, cell)| cell).collect();
            cells.sort_unstable();
            Ok(cells)
        })
    }

    /// Ticket series: leaves and their roll-ups, in order.
    pub fn series(&self) -> Result<Vec<SeriesInfo>, StoreError> {
        let width = self.width();
        let spans = self.read(|conn| {
            let mut spans: BTreeMap<SeriesKey, (Timestamp, Timestamp)> = BTreeMap::new();
            for (id, cell) in main_cells(conn)? {
                let Cell::Tickets(leaf) = cell else { continue };
                let Some((first, last)) = span(conn, id, width)? else { continue };
                for key in leaf.roll_ups().chain([leaf.clone()]) {
                    let whole = spans.entry(key).or_insert((first, last));
                    *whole = (whole.0.min(first), whole.1.max(last));
                }
            }
            Ok(spans)
        })?;
        Ok(spans
            .into_iter()
            .map(|(series, (first, last))| SeriesInfo { series, first, last })
            .collect())
    }

    /// Ticket series that have windows: leaves and their roll-ups, in order.
    pub fn series_keys(&self) -> Result<BTreeSet<SeriesKey>, StoreError> {
        self.read(|conn| {
            let mut found = conn.prepare_cached(
                "SELECT region, service, channel FROM cells WHERE kind = 0
                     AND (EXISTS (SELECT 1 FROM chunks c WHERE c.key BETWEEN cells.id << 24
                             AND (cells.id << 24) + 16777215)
                         OR EXISTS (SELECT 1 FROM partials p WHERE p.cell = cells.id))",
            )?;
            let mut rows = found.query([])?;
            let mut keys = BTreeSet::new();
            while let Some(row) = rows.next()? {
                let leaf = columns::series(row, 0)?;
                keys.extend(leaf.roll_ups());
                keys.insert(leaf);
            }
            Ok(keys)
        })
    }

    /// Windows of a cell that start in `from..to`; open ones are summed from partials.
    pub fn windows(
        &self,
        cell: &Cell,
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

    /// Windows of a series that start in `from..to`, summed over the leaves and alarm scopes it covers.
    /// Windows in which none of them has a record are left out.
    pub fn series_windows(
        &self,
        series: &SeriesKey,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<SeriesWindow>, StoreError> {
        let width = self.width();
        self.read(|conn| {
            let parts = covered(conn, series)?;
            if !parts.iter().any(|(_, cell)| matches!(cell, Cell::Tickets(_))) {
                return Ok(Vec::new());
            }
            let mut sums: BTreeMap<Timestamp, SeriesWindow> = BTreeMap::new();
            for (id, cell) in &parts {
                for (start, (record, upto)) in cell_windows(conn, *id, width, from, to)? {
                    let sum = sums.entry(start).or_insert_with(|| SeriesWindow {
                        start,
                        settled: true,
                        ..SeriesWindow::default()
                    });
                    add(sum, cell, &record, upto);
                }
                for (start, late) in late(conn, *id, from, to)? {
                    if let Some(sum) = sums.get_mut(&start) {
                        sum.late = sum.late.saturating_add(late);
                    }
                }
            }
            Ok(sums.into_values().collect())
        })
    }

    /// Tickets of series in the `windows` settled windows up to `upto`, oldest first, summed over their leaves in one pass;
    /// `None` where a leaf's count is missing or none is known.
    pub fn past(
        &self,
        wanted: &BTreeSet<SeriesKey>,
        upto: Timestamp,
        windows: u32,
    ) -> Result<BTreeMap<SeriesKey, Vec<Option<u32>>>, StoreError> {
        let width = self.width();
        let (first, last) = (width.index(upto) - i64::from(windows), width.index(upto) - 1);
        let (from, to) = (width.start(first), width.start(last));
        self.read(|conn| {
            let mut sums: BTreeMap<SeriesKey, Vec<Option<(u32, bool)>>> = BTreeMap::new();
            for (id, cell) in main_cells(conn)? {
                let Cell::Tickets(leaf) = cell else { continue };
                let covers: Vec<SeriesKey> = leaf
                    .roll_ups()
                    .chain([leaf.clone()])
                    .filter(|key| wanted.contains(key))
                    .collect();
                if covers.is_empty() {
                    continue;
                }
                let mut own = Vec::new();
                each_chunk(conn, id, from, to, |day, chunk| {
                    let rows = chunk.rows(day, width);
                    let rows = rows.filter(|(start, _)| (from..=to).contains(start));
                    own.extend(
                        rows.map(|(start, row)| ((width.index(start) - first) as usize, row)),
                    );
                })?;
                for series in covers {
                    let sums = sums.entry(series).or_insert_with(|| vec![None; windows as usize]);
                    for (nth, row) in &own {
                        let (tickets, missing) = sums[*nth].get_or_insert((0, false));
                        *tickets = tickets.saturating_add(row.counts.tickets);
                        *missing |= row.missing;
                    }
                }
            }
            let shown = |sum: Option<(u32, bool)>| {
                sum.and_then(|(tickets, missing)| (!missing).then_some(tickets))
            };
            let all = sums.into_iter();
            Ok(all.map(|(series, sums)| (series, sums.into_iter().map(shown).collect())).collect())
        })
    }

    /// Hands the stored windows of each cell that start at or after `from` to `each`, in order of time; not those of
    /// phrases.
    pub fn each_cell(
        &self,
        from: Timestamp,
        mut each: impl FnMut(&Cell, &[(Timestamp, WindowRecord)]),
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
}

/// Cells of tickets and alarms that a series covers, with their ids.
fn covered(conn: &Connection, series: &SeriesKey) -> Result<Vec<(i64, Cell)>, StoreError> {
    // Only what narrows it: then an index serves.
    let (mut given, mut narrowed) = (Vec::new(), String::new());
    let mut narrow = |column: &str, name: &Name| {
        if !name.is_all() {
            given.push(name.to_string());
            narrowed += &format!(" AND {column} = ?{}", given.len());
        }
        narrowed.clone()
    };
    narrow("region", &series.region);
    let alarms = narrow("service", &series.service);
    let tickets = narrow("channel", &series.channel);
    let sql = format!(
        "SELECT id, kind, region, service, channel FROM cells WHERE kind = 0{tickets}
         UNION ALL SELECT id, kind, region, service, channel FROM cells WHERE kind = 1{alarms}
         ORDER BY 1"
    );
    let mut found = conn.prepare_cached(&sql)?;
    cells_in(found.query(params_from_iter(given))?)
}

fn add(sum: &mut SeriesWindow, cell: &Cell, record: &WindowRecord, upto: Offset) {
    sum.tickets = sum.tickets.saturating_add(record.counts.tickets);
    for (sum, n) in sum.raised.iter_mut().zip(record.counts.raised) {
        *sum = sum.saturating_add(n);
    }
    sum.cleared = sum.cleared.saturating_add(record.counts.cleared);
    sum.active = sum.active.saturating_add(record.active);
    sum.upto = sum.upto.max(upto);
    sum.settled &= record.settled;
    sum.revised |= record.revised;
    // Silence of an alarm feed says nothing about the tickets.
    sum.missing |= record.missing && matches!(cell, Cell::Tickets(_));
}

/// Every cell with its id.
pub(super) fn all_cells(conn: &Connection) -> Result<Vec<(i64, Cell)>, StoreError> {
    cells_upto(conn, PHRASE)
}

/// Cells that an event is in once, with their ids: without phrases, of which there are many.
pub(super) fn main_cells(conn: &Connection) -> Result<Vec<(i64, Cell)>, StoreError> {
    cells_upto(conn, PHRASE - 1)
}

fn cells_upto(conn: &Connection, kind: u8) -> Result<Vec<(i64, Cell)>, StoreError> {
    let mut found = conn.prepare_cached(
        "SELECT id, kind, region, service, channel FROM cells WHERE kind <= ?1 ORDER BY id",
    )?;
    cells_in(found.query([kind])?)
}

fn cells_in(mut rows: Rows<'_>) -> Result<Vec<(i64, Cell)>, StoreError> {
    let mut cells = Vec::new();
    while let Some(row) = rows.next()? {
        let cell = match row.get::<_, u8>(1)? {
            0 => Cell::Tickets(columns::series(row, 2)?),
            1 => Cell::Alarms(columns::scope(row, 2)?),
            PHRASE => Cell::Phrase(columns::scope(row, 2)?, row.get::<_, String>(4)?.into()),
            _ => Cell::Maintenance,
        };
        cells.push((row.get(0)?, cell));
    }
    Ok(cells)
}

/// Ids of cells, and whether each is a phrase's.
pub(super) fn cell_ids(conn: &Connection) -> Result<Vec<(i64, bool)>, StoreError> {
    let mut found = conn.prepare_cached("SELECT id, kind FROM cells")?;
    let rows = found.query_map([], |row| Ok((row.get(0)?, row.get::<_, u8>(1)? == PHRASE)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn read_chunk(conn: &Connection, key: i64) -> Result<Option<Chunk>, StoreError> {
    let bytes: Option<Vec<u8>> = conn
        .prepare_cached("SELECT rows FROM chunks WHERE key = ?1")?
        .query_row([key], |row| row.get(0))
        .optional()?;
    bytes.map(|bytes| Chunk::decode(&bytes)).transpose()
}

pub(super) fn each_chunk(
    conn: &Connection,
    cell: i64,
    from: Timestamp,
    to: Timestamp,
    mut each: impl FnMut(i64, Chunk),
) -> Result<(), StoreError> {
    let keys = [chunk::key(cell, chunk::day(from)), chunk::key(cell, chunk::day(to))];
    let mut found = conn
        .prepare_cached("SELECT key, rows FROM chunks WHERE key BETWEEN ?1 AND ?2 ORDER BY key")?;
    let mut rows = found.query(keys)?;
    while let Some(row) = rows.next()? {
        let bytes = columns::bytes(row, 1)?;
        each(chunk::day_of(row.get(0)?), Chunk::decode(bytes)?);
    }
    Ok(())
}

/// Start of the first and of the last window of a cell.
fn span(
    conn: &Connection,
    cell: i64,
    width: WindowWidth,
) -> Result<Option<(Timestamp, Timestamp)>, StoreError> {
    let ends = [chunk::key(cell, 0), chunk::key(cell, i64::MAX)];
    let (first, last): (Option<i64>, Option<i64>) = conn
        .prepare_cached(
            "SELECT (SELECT min(key) FROM chunks WHERE key BETWEEN ?1 AND ?2),
                    (SELECT max(key) FROM chunks WHERE key BETWEEN ?1 AND ?2)",
        )?
        .query_row(ends, |row| Ok((row.get(0)?, row.get(1)?)))?;
    let open: (Option<i64>, Option<i64>) = conn
        .prepare_cached("SELECT min(start), max(start) FROM partials WHERE cell = ?1")?
        .query_row([cell], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut starts: Vec<_> =
        [open.0, open.1].into_iter().flatten().map(Timestamp::from_millis).collect();
    for key in [first, last].into_iter().flatten() {
        let Some(chunk) = read_chunk(conn, key)? else { continue };
        let rows: Vec<_> = chunk.rows(chunk::day_of(key), width).map(|row| row.0).collect();
        starts.extend(rows.first());
        starts.extend(rows.last());
    }
    Ok(starts.iter().min().copied().zip(starts.iter().max().copied()))
}

/// A cell's windows in `from..to` with the largest offset of open ones. What is stored beats partials.
pub(super) fn cell_windows(
    conn: &Connection,
    cell: i64,
    width: WindowWidth,
    from: Timestamp,
    to: Timestamp,
) -> Result<BTreeMap<Timestamp, (WindowRecord, Offset)>, StoreError> {
    let mut windows = BTreeMap::new();
    let mut open = conn.prepare_cached(
        "SELECT start, upto, counts FROM partials WHERE cell = ?1 AND start >= ?2 AND start < ?3",
    )?;
    let mut rows = open.query([cell, from.millis(), to.millis()])?;
    while let Some(row) = rows.next()? {
        let counts = columns::counts(row, 2)?;
        let (record, upto): &mut (WindowRecord, Offset) =
            windows.entry(columns::time(row, 0)?).or_default();
        record.counts = record.counts.plus(counts);
        *upto = (*upto).max(row.get(1)?);
    }
    each_chunk(conn, cell, from, to, |day, chunk| {
        let wanted = chunk.rows(day, width).filter(|(start, _)| (from..to).contains(start));
        windows.extend(wanted.map(|(start, record)| (start, (record, 0))));
    })?;
    Ok(windows)
}

pub(super) fn late(
    conn: &Connection,
    cell: i64,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<(Timestamp, u32)>, StoreError> {
    let mut found = conn.prepare_cached(
        "SELECT start, n FROM late WHERE cell = ?1 AND start >= ?2 AND start < ?3",
    )?;
    let rows = found.query_map([cell, from.millis(), to.millis()], |row| {
        Ok((columns::time(row, 0)?, row.get(1)?))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
