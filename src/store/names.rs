//! Aggregation keys and series: their names, and their ids in other tables. The table of keys is `cells`.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, Rows, params, params_from_iter};

use super::codes::key_kind::{ALARMS, MAINTENANCE, PHRASE, TICKETS};
use super::{StoreError, columns};
use crate::domain::{Name, SeriesKey};
use crate::window::AggregationKey;

/// An aggregation key as columns of `cells`.
pub(super) fn key_columns(key: &AggregationKey) -> (u8, [&str; 3]) {
    match key {
        AggregationKey::Tickets(s) => {
            (TICKETS, [s.region.as_str(), s.service.as_str(), s.channel.as_str()])
        }
        AggregationKey::Alarms(s) => (ALARMS, [s.region.as_str(), s.service.as_str(), ""]),
        AggregationKey::Maintenance => (MAINTENANCE, ["", "", ""]),
        AggregationKey::Phrase(s, phrase) => {
            (PHRASE, [s.region.as_str(), s.service.as_str(), phrase])
        }
    }
}

pub(super) fn find_key(conn: &Connection, key: &AggregationKey) -> Result<Option<i64>, StoreError> {
    let (kind, [region, service, channel]) = key_columns(key);
    Ok(conn
        .prepare_cached(
            "SELECT id FROM cells WHERE kind = ?1 AND region = ?2 AND service = ?3 AND channel = ?4",
        )?
        .query_row(params![kind, region, service, channel], |row| row.get(0))
        .optional()?)
}

/// Every key with its id.
pub(super) fn all_keys(conn: &Connection) -> Result<Vec<(i64, AggregationKey)>, StoreError> {
    keys_upto(conn, PHRASE)
}

/// All keys except those of phrases, which are many, with their ids. Each event is counted exactly once under these keys.
pub(super) fn main_keys(conn: &Connection) -> Result<Vec<(i64, AggregationKey)>, StoreError> {
    keys_upto(conn, PHRASE - 1)
}

fn keys_upto(conn: &Connection, kind: u8) -> Result<Vec<(i64, AggregationKey)>, StoreError> {
    let mut found = conn.prepare_cached(
        "SELECT id, kind, region, service, channel FROM cells WHERE kind <= ?1 ORDER BY id",
    )?;
    keys_in(found.query([kind])?)
}

/// Keys of tickets and alarms that belong to a series, with their ids.
pub(super) fn covered(
    conn: &Connection,
    series: &SeriesKey,
) -> Result<Vec<(i64, AggregationKey)>, StoreError> {
    // Only conditions that narrow the result, so that SQLite uses an index.
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
        "SELECT id, kind, region, service, channel FROM cells WHERE kind = {TICKETS}{tickets}
         UNION ALL SELECT id, kind, region, service, channel FROM cells WHERE kind = {ALARMS}{alarms}
         ORDER BY 1"
    );
    let mut found = conn.prepare_cached(&sql)?;
    keys_in(found.query(params_from_iter(given))?)
}

fn keys_in(mut rows: Rows<'_>) -> Result<Vec<(i64, AggregationKey)>, StoreError> {
    let mut keys = Vec::new();
    while let Some(row) = rows.next()? {
        let key = match row.get::<_, u8>(1)? {
            TICKETS => AggregationKey::Tickets(columns::series(row, 2)?),
            ALARMS => AggregationKey::Alarms(columns::scope(row, 2)?),
            MAINTENANCE => AggregationKey::Maintenance,
            PHRASE => {
                AggregationKey::Phrase(columns::scope(row, 2)?, row.get::<_, String>(4)?.into())
            }
            kind => return Err(StoreError::corrupt(format!("cell of kind {kind}"))),
        };
        keys.push((row.get(0)?, key));
    }
    Ok(keys)
}

/// Ids of all keys, and whether each is a phrase's.
pub(super) fn key_ids(conn: &Connection) -> Result<Vec<(i64, bool)>, StoreError> {
    let mut found = conn.prepare_cached("SELECT id, kind FROM cells")?;
    let rows = found.query_map([], |row| Ok((row.get(0)?, row.get::<_, u8>(1)? == PHRASE)))?;
    Ok(rows.collect::<Result<_, _>>()?)
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

/// Series by id.
pub(super) fn series_by_id(conn: &Connection) -> Result<HashMap<i64, SeriesKey>, StoreError> {
    let mut found = conn.prepare_cached("SELECT id, region, service, channel FROM series")?;
    let mut rows = found.query([])?;
    let mut names = HashMap::new();
    while let Some(row) = rows.next()? {
        names.insert(row.get(0)?, columns::series(row, 1)?);
    }
    Ok(names)
}
