//! Values as columns and back.

use rusqlite::Row;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::StoreError;
use crate::domain::{Name, Scope, SeriesKey, SourceId, TOPICS, Timestamp};
use crate::window::Counts;

/// A value as a blob.
pub(super) fn pack<T: Serialize>(value: &T) -> Result<Vec<u8>, StoreError> {
    Ok(postcard::to_stdvec(value)?)
}

/// A blob as the value it was.
pub(super) fn unpack<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, StoreError> {
    Ok(postcard::from_bytes(bytes)?)
}

/// The value that a blob begins with, and what follows it.
pub(super) fn unpack_first<T: DeserializeOwned>(bytes: &[u8]) -> Result<(T, &[u8]), StoreError> {
    Ok(postcard::take_from_bytes(bytes)?)
}

/// The packed value in a column.
pub(super) fn value<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> Result<T, StoreError> {
    unpack(bytes(row, column)?)
}

pub(super) fn bytes<'r>(row: &'r Row<'_>, column: usize) -> Result<&'r [u8], StoreError> {
    let bytes = row.get_ref(column)?.as_blob();
    bytes.map_err(|_| StoreError::corrupt("a column holds no bytes"))
}

pub(super) fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    row.get(column).map(Timestamp::from_millis)
}

/// Topic and partition, in two columns from `column` on.
pub(super) fn source(row: &Row<'_>, column: usize) -> rusqlite::Result<SourceId> {
    Ok(SourceId::new(row.get_ref(column)?.as_str()?, row.get(column + 1)?))
}

pub(super) fn name(row: &Row<'_>, column: usize) -> Result<Name, StoreError> {
    let text: String = row.get(column)?;
    Name::filter(&text).map_err(|e| StoreError::corrupt(format!("a stored name {e}")))
}

/// Region and service, in two columns from `column` on.
pub(super) fn scope(row: &Row<'_>, column: usize) -> Result<Scope, StoreError> {
    Ok(Scope { region: name(row, column)?, service: name(row, column + 1)? })
}

/// Region, service and channel, in three columns from `column` on.
pub(super) fn series(row: &Row<'_>, column: usize) -> Result<SeriesKey, StoreError> {
    Ok(SeriesKey::new(name(row, column)?, name(row, column + 1)?, name(row, column + 2)?))
}

/// A limit as SQLite wants it.
pub(super) fn count(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// Counts as they were stored before there were topics. These follow behind, where there are any.
type Before = (u32, [u32; 5], u32, u32, u32);

/// Counts as a blob.
pub(super) fn pack_counts(counts: &Counts) -> Result<Vec<u8>, StoreError> {
    let Counts { tickets, raised, cleared, other, duplicates, topics } = *counts;
    let before: Before = (tickets, raised, cleared, other, duplicates);
    let mut bytes = pack(&before)?;
    if topics != [0; TOPICS] {
        bytes.extend(pack(&topics)?);
    }
    Ok(bytes)
}

/// The counts in a column.
pub(super) fn counts(row: &Row<'_>, column: usize) -> Result<Counts, StoreError> {
    let (before, rest) = postcard::take_from_bytes::<Before>(bytes(row, column)?)?;
    let (tickets, raised, cleared, other, duplicates) = before;
    let topics = if rest.is_empty() { [0; TOPICS] } else { unpack(rest)? };
    Ok(Counts { tickets, raised, cleared, other, duplicates, topics })
}
