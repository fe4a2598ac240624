//! Windows of an aggregation key in the tables: whole days in `chunks`, open windows in `partials`, late events in `late`.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::bodies::CountsBody;
use super::chunk::{self, Chunk};
use super::{StoreError, WindowRecord, body, columns};
use crate::domain::{Offset, Timestamp, WindowWidth};

pub(super) fn read_chunk(conn: &Connection, key: i64) -> Result<Option<Chunk>, StoreError> {
    let mut found = conn.prepare_cached("SELECT rows, version FROM chunks WHERE key = ?1")?;
    let mut rows = found.query([key])?;
    rows.next()?.map(|row| Chunk::of(body::column(row, 0)?)).transpose()
}

pub(super) fn each_chunk(
    conn: &Connection,
    key_id: i64,
    from: Timestamp,
    to: Timestamp,
    mut each: impl FnMut(i64, Chunk),
) -> Result<(), StoreError> {
    let keys = [chunk::key(key_id, chunk::day(from)), chunk::key(key_id, chunk::day(to))];
    let mut found = conn.prepare_cached(
        "SELECT key, rows, version FROM chunks WHERE key BETWEEN ?1 AND ?2 ORDER BY key",
    )?;
    let mut rows = found.query(keys)?;
    while let Some(row) = rows.next()? {
        each(chunk::day_of(row.get(0)?), Chunk::of(body::column(row, 1)?)?);
    }
    Ok(())
}

/// Start of the first and of the last window of a key.
pub(super) fn span(
    conn: &Connection,
    key_id: i64,
    width: WindowWidth,
) -> Result<Option<(Timestamp, Timestamp)>, StoreError> {
    let ends = [chunk::key(key_id, 0), chunk::key(key_id, i64::MAX)];
    let (first, last): (Option<i64>, Option<i64>) = conn
        .prepare_cached(
            "SELECT (SELECT min(key) FROM chunks WHERE key BETWEEN ?1 AND ?2),
                    (SELECT max(key) FROM chunks WHERE key BETWEEN ?1 AND ?2)",
        )?
        .query_row(ends, |row| Ok((row.get(0)?, row.get(1)?)))?;
    let open: (Option<i64>, Option<i64>) = conn
        .prepare_cached("SELECT min(start), max(start) FROM partials WHERE cell = ?1")?
        .query_row([key_id], |row| Ok((row.get(0)?, row.get(1)?)))?;
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

/// Windows of a key that start in `from..to`, with the largest offset of open ones. Stored windows replace partials.
pub(super) fn key_windows(
    conn: &Connection,
    key_id: i64,
    width: WindowWidth,
    from: Timestamp,
    to: Timestamp,
) -> Result<BTreeMap<Timestamp, (WindowRecord, Offset)>, StoreError> {
    let mut windows = BTreeMap::new();
    let mut open = conn.prepare_cached(
        "SELECT start, upto, counts, version FROM partials
         WHERE cell = ?1 AND start >= ?2 AND start < ?3",
    )?;
    let mut rows = open.query([key_id, from.millis(), to.millis()])?;
    while let Some(row) = rows.next()? {
        let counts = body::column::<CountsBody>(row, 2)?.into();
        let (record, upto): &mut (WindowRecord, Offset) =
            windows.entry(columns::time(row, 0)?).or_default();
        record.counts = record.counts.plus(counts);
        *upto = (*upto).max(row.get(1)?);
    }
    each_chunk(conn, key_id, from, to, |day, chunk| {
        let wanted = chunk.rows(day, width).filter(|(start, _)| (from..to).contains(start));
        windows.extend(wanted.map(|(start, record)| (start, (record, 0))));
    })?;
    Ok(windows)
}

pub(super) fn late(
    conn: &Connection,
    key_id: i64,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<(Timestamp, u32)>, StoreError> {
    let mut found = conn.prepare_cached(
        "SELECT start, n FROM late WHERE cell = ?1 AND start >= ?2 AND start < ?3",
    )?;
    let rows = found.query_map([key_id, from.millis(), to.millis()], |row| {
        Ok((columns::time(row, 0)?, row.get(1)?))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
