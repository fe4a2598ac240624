//! Windows: finalized ones in chunks, open ones as partials by source; and the progress of the sources.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use rusqlite::params;

use super::bodies::CountsBody;
use super::body::{self, Body};
use super::chunk::{self, Chunk, Numbers};
use super::names::{all_keys, find_key, main_keys};
use super::window_rows::{each_chunk, key_windows, late, read_chunk};
use super::{
    Change, KeyWindow, PartialRecord, Reader, SourceRecord, StoreError, Tx, WindowRecord, columns,
};
use crate::domain::{SourceId, Timestamp, UNKNOWN};
use crate::window::AggregationKey;

/// Maximum number of chunks that one transaction holds in memory before it writes them: about 10 MB.
const CHUNKS_MAX: usize = 2048;

/// Windows
impl Tx<'_> {
    /// Stores the progress of a source. Replaces the previous one.
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

    /// Stores partials of open windows. Each replaces the previous one of the same window, key and source.
    pub fn put_partials(&mut self, rows: &[PartialRecord]) -> Result<(), StoreError> {
        self.changes.extend(rows.iter().map(|row| Change::Window(row.window)));
        for row in rows {
            let key_id = self.key_id(&row.key)?;
            self.run(
                "INSERT OR REPLACE INTO partials (cell, start, topic, part, upto, counts, version)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![
                    key_id,
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

    /// Deletes partials of finalized windows.
    pub fn delete_partials(
        &mut self,
        keys: &[(Timestamp, AggregationKey, SourceId)],
    ) -> Result<(), StoreError> {
        for (window, key, source) in keys {
            let key_id = self.key_id(key)?;
            self.run(
                "DELETE FROM partials WHERE cell = ?1 AND start = ?2 AND topic = ?3 AND part = ?4",
                params![key_id, window.millis(), &*source.topic, source.partition],
            )?;
            self.delete_folded(key, *window, source)?;
        }
        Ok(())
    }

    /// Stores windows by key and start. They are written at commit, one blob per key and UTC day. A window that was restored before
    /// keeps the restored tickets beside those in its row.
    pub fn put_windows(
        &mut self,
        rows: &[(AggregationKey, Timestamp, WindowRecord)],
    ) -> Result<(), StoreError> {
        self.changes.extend(rows.iter().map(|row| Change::Window(row.1)));
        for (key, start, record) in rows {
            let (chunk, slot) = self.chunk(key, *start)?;
            chunk.set(slot, *record);
        }
        Ok(())
    }

    /// The chunk of a window, which is written at commit, and the window's place in it.
    pub(super) fn chunk(
        &mut self,
        key: &AggregationKey,
        start: Timestamp,
    ) -> Result<(&mut Chunk, u16), StoreError> {
        let chunk_key = chunk::key(self.key_id(key)?, chunk::day(start));
        // A day has at most 288 windows.
        let slot = self.width.index(start).rem_euclid(self.width.per_day() as i64) as u16;
        if !self.chunks.contains_key(&chunk_key) && self.chunks.len() >= CHUNKS_MAX {
            self.write_chunks()?;
        }
        let chunk = match self.chunks.entry(chunk_key) {
            Entry::Occupied(held) => held.into_mut(),
            Entry::Vacant(free) => {
                free.insert(read_chunk(self.conn, chunk_key)?.unwrap_or_default())
            }
        };
        Ok((chunk, slot))
    }

    pub(super) fn write_chunks(&mut self) -> Result<(), StoreError> {
        let mut touched: Vec<_> = self.chunks.drain().collect();
        // In order of the keys, SQLite walks the tree once.
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

    /// Partials of open windows.
    pub fn partials(&self) -> Result<Vec<PartialRecord>, StoreError> {
        self.read(|conn| {
            let keys: BTreeMap<i64, AggregationKey> = all_keys(conn)?.into_iter().collect();
            let mut found = conn.prepare_cached(
                "SELECT cell, start, topic, part, upto, counts, version FROM partials ORDER BY start, cell",
            )?;
            let mut rows = found.query([])?;
            let mut partials = Vec::new();
            while let Some(row) = rows.next()? {
                let Some(key) = keys.get(&row.get(0)?) else { continue };
                partials.push(PartialRecord {
                    window: columns::time(row, 1)?,
                    key: key.clone(),
                    source: columns::source(row, 2)?,
                    upto: row.get(4)?,
                    counts: body::column::<CountsBody>(row, 5)?.into(),
                });
            }
            Ok(partials)
        })
    }

    /// Every aggregation key with counts, in order.
    pub fn keys(&self) -> Result<Vec<AggregationKey>, StoreError> {
        self.read(|conn| {
            let mut keys: Vec<_> = all_keys(conn)?.into_iter().map(|(_, key)| key).collect();
            keys.sort_unstable();
            Ok(keys)
        })
    }

    /// Keys except those of phrases, with finalized windows on the day of `from` or later, in the order in which they were
    /// first stored.
    pub fn keys_since(&self, from: Timestamp) -> Result<Vec<AggregationKey>, StoreError> {
        let day = chunk::day(from);
        self.read(|conn| {
            let mut has = conn.prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM chunks WHERE key BETWEEN ?1 AND ?2)",
            )?;
            let mut keys = Vec::new();
            for (id, key) in main_keys(conn)? {
                let span = [chunk::key(id, day), chunk::key(id, i64::MAX)];
                if has.query_row(span, |row| row.get(0))? {
                    keys.push(key);
                }
            }
            Ok(keys)
        })
    }

    /// Windows of a key that start in `from..to`. Open windows are summed from partials.
    pub fn windows(
        &self,
        key: &AggregationKey,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<(Timestamp, WindowRecord)>, StoreError> {
        let width = self.width();
        self.read(|conn| {
            let Some(id) = find_key(conn, key)? else { return Ok(Vec::new()) };
            let found = key_windows(conn, id, width, from, to)?;
            Ok(found.into_iter().map(|(start, (record, _))| (start, record)).collect())
        })
    }

    /// Calls `each` for every key except those of phrases, with its stored windows that start at or after `from`, in order of
    /// time.
    pub fn each_key(
        &self,
        from: Timestamp,
        mut each: impl FnMut(&AggregationKey, &[(Timestamp, WindowRecord)]),
    ) -> Result<(), StoreError> {
        let width = self.width();
        self.read(|conn| {
            let mut windows = Vec::new();
            for (id, key) in main_keys(conn)? {
                windows.clear();
                each_chunk(conn, id, from, Timestamp::MAX, |day, chunk| {
                    windows.extend(chunk.rows(day, width).filter(|row| row.0 >= from));
                })?;
                each(&key, &windows);
            }
            Ok(())
        })
    }

    /// Windows of every key except those of phrases, that start at these times.
    pub fn windows_at(
        &self,
        starts: &BTreeSet<Timestamp>,
    ) -> Result<Vec<(Timestamp, AggregationKey, KeyWindow)>, StoreError> {
        let width = self.width();
        let mut days: BTreeMap<i64, (Timestamp, Timestamp)> = BTreeMap::new();
        for start in starts {
            let span = days.entry(chunk::day(*start)).or_insert((*start, *start));
            *span = (span.0.min(*start), span.1.max(*start));
        }
        self.read(|conn| {
            let mut found = Vec::new();
            for (id, key) in main_keys(conn)? {
                for (first, last) in days.values().copied() {
                    let to = width.end(last);
                    let mut late: BTreeMap<_, _> = late(conn, id, first, to)?.into_iter().collect();
                    let rows = key_windows(conn, id, width, first, to)?;
                    let rows = rows.into_iter().filter(|(start, _)| starts.contains(start));
                    found.extend(rows.map(|(start, (record, upto))| {
                        let late = late.remove(&start).unwrap_or(0);
                        (start, key.clone(), KeyWindow { record, late, upto })
                    }));
                }
            }
            Ok(found)
        })
    }

    /// Number of events counted since `since` without a region, service or channel ([`UNKNOWN`]), by the missing name.
    pub fn unmapped(&self, since: Timestamp) -> Result<BTreeMap<&'static str, u64>, StoreError> {
        self.read(|conn| {
            let mut found = BTreeMap::new();
            for (id, key) in all_keys(conn)? {
                let lacks = lacking(&key);
                if lacks.iter().all(|(_, lacks)| !lacks) {
                    continue;
                }
                let windows = key_windows(conn, id, self.width(), since, Timestamp::MAX)?;
                let n: u64 = windows.values().map(|(window, _)| events(window)).sum();
                for (name, _) in lacks.into_iter().filter(|(_, lacks)| *lacks && n > 0) {
                    *found.entry(name).or_default() += n;
                }
            }
            Ok(found)
        })
    }
}

/// Whether each name of a key is unknown.
fn lacking(key: &AggregationKey) -> [(&'static str, bool); 3] {
    let (region, service, channel) = match key {
        AggregationKey::Tickets(s) => (s.region.as_str(), s.service.as_str(), s.channel.as_str()),
        AggregationKey::Alarms(scope) => (scope.region.as_str(), scope.service.as_str(), ""),
        _ => ("", "", ""),
    };
    [("region", region), ("service", service), ("channel", channel)]
        .map(|(what, name)| (what, name == UNKNOWN))
}

/// Number of tickets and raised alarms of a window.
fn events(window: &WindowRecord) -> u64 {
    let counts = window.counts.raised.iter().chain([&window.counts.tickets]);
    counts.map(|n| u64::from(*n)).sum()
}
