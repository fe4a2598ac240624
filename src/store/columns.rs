//! Reads values from columns.

use rusqlite::Row;

use super::StoreError;
use crate::domain::{Name, Scope, SeriesKey, SourceId, Timestamp};

pub(super) fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    row.get(column).map(Timestamp::from_millis)
}

/// Reads topic and partition from two columns, starting at `column`.
pub(super) fn source(row: &Row<'_>, column: usize) -> rusqlite::Result<SourceId> {
    Ok(SourceId::new(row.get_ref(column)?.as_str()?, row.get(column + 1)?))
}

pub(super) fn name(row: &Row<'_>, column: usize) -> Result<Name, StoreError> {
    let text: String = row.get(column)?;
    Name::filter(&text).map_err(|e| StoreError::corrupt(format!("a stored name {e}")))
}

/// Reads region and service from two columns, starting at `column`.
pub(super) fn scope(row: &Row<'_>, column: usize) -> Result<Scope, StoreError> {
    Ok(Scope { region: name(row, column)?, service: name(row, column + 1)? })
}

/// Reads region, service and channel from three columns, starting at `column`.
pub(super) fn series(row: &Row<'_>, column: usize) -> Result<SeriesKey, StoreError> {
    Ok(SeriesKey::new(name(row, column)?, name(row, column + 1)?, name(row, column + 2)?))
}

/// A limit as a parameter of SQL.
pub(super) fn count(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
