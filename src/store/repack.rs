//! Moves vintages of stores before version 8, which have one row each, into blocks.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::block::{self, Table};
use super::vintage::Parts;
use super::{StoreError, body, columns};
use crate::domain::Timestamp;

/// Moves all vintages of the old tables into blocks, and drops the tables. Runs in the transaction of the migration.
pub(super) fn repack(conn: &Connection) -> Result<(), StoreError> {
    for (old, table) in [("vintages", Table::Whole), ("vintage_leads", Table::Leads)] {
        let known = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1";
        if !conn.prepare(known)?.exists([old])? {
            continue;
        }
        tracing::info!(table = old, "store: packing forecasts");
        let moved = move_all(conn, old, table)?;
        conn.execute_batch(&format!("DROP TABLE {old}"))?;
        tracing::info!(table = old, moved, "store: forecasts packed");
    }
    Ok(())
}

fn move_all(conn: &Connection, old: &str, table: Table) -> Result<usize, StoreError> {
    let mut found =
        conn.prepare(&format!("SELECT issued_at, series, body FROM {old} ORDER BY issued_at"))?;
    let mut rows = found.query([])?;
    let (mut at, mut of_time, mut moved) = (Timestamp::MIN, BTreeMap::new(), 0);
    while let Some(row) = rows.next()? {
        let issued_at = columns::time(row, 0)?;
        if issued_at != at {
            block::put(conn, table, at, std::mem::take(&mut of_time))?;
            at = issued_at;
        }
        of_time.insert(row.get(1)?, body::decode::<Parts>(0, body::bytes(row, 2)?)?);
        moved += 1;
    }
    block::put(conn, table, at, of_time)?;
    Ok(moved)
}
