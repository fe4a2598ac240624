//! Blocks: vintages of one issue time and up to 64 series in one row, stored by field and compressed.
//!
//! For 80 simulated series a vintage takes 143 bytes instead of 346, and its kept leads 30 instead of 66. All vintages of a
//! block share the 50 bytes or so of a row and its indexes.

use std::collections::BTreeMap;
use std::io::Read;

use rusqlite::{Connection, Row, params};
use serde::{Deserialize, Serialize};

use super::StoreError;
use super::body::{self, Body, bytes};
use super::vintage::{NUMBERS, Parts};
use crate::domain::Timestamp;

/// Ids of the series in a block differ only in these low bits.
const BITS: u32 = 6;
/// Compression level. Higher levels take much longer and save only a twentieth.
const LEVEL: i32 = 3;
/// Largest decompressed block: a hundred times the usual size.
const BYTES_MAX: u64 = 16 << 20;

/// The tables of blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Table {
    /// Vintages with all leads.
    Whole,
    /// Vintages with the leads that are kept longer.
    Leads,
}

impl Table {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Whole => "vintage_blocks",
            Self::Leads => "lead_blocks",
        }
    }
}

/// The block of a series' id, and the series' position in it.
pub(super) fn place(series: i64) -> (i64, u32) {
    (series >> BITS, (series & ((1 << BITS) - 1)) as u32)
}

/// Stored form of a block: vintages without their numbers, and the numbers by field, vintage and forecast point.
#[derive(Serialize, Deserialize)]
pub(super) struct Columns {
    heads: Vec<(Parts, u32)>,
    numbers: Vec<i64>,
}

/// The block is compressed in the table. It contains [`Parts`], so a new form of [`Parts`] requires a new form of blocks.
impl Body for Columns {}

/// Arranges the numbers of vintages by field.
pub(super) fn columns(mut vintages: Vec<Parts>) -> Columns {
    let mut numbers = Vec::with_capacity(vintages.iter().map(|parts| parts.numbers().len()).sum());
    for field in 0..NUMBERS {
        for parts in &vintages {
            numbers.extend(parts.numbers().chunks_exact(NUMBERS).map(|target| target[field]));
        }
    }
    let heads = vintages.drain(..).map(|mut parts| {
        let targets = std::mem::take(parts.numbers_mut()).len() / NUMBERS;
        (parts, targets as u32)
    });
    Columns { heads: heads.collect(), numbers }
}

fn encode(vintages: Vec<Parts>) -> Result<Vec<u8>, StoreError> {
    zstd::bulk::compress(&body::encode(&columns(vintages))?, LEVEL).map_err(damaged)
}

/// Vintages in the order of their series.
fn decode(version: u32, compressed: &[u8]) -> Result<Vec<Parts>, StoreError> {
    let mut packed = Vec::new();
    let decoder = zstd::stream::read::Decoder::with_buffer(compressed).map_err(damaged)?;
    decoder.take(BYTES_MAX).read_to_end(&mut packed).map_err(damaged)?;
    let Columns { heads, numbers } = body::decode(version, &packed)?;
    let targets: usize = heads.iter().map(|(_, targets)| *targets as usize).sum();
    if targets.checked_mul(NUMBERS) != Some(numbers.len()) {
        return Err(StoreError::corrupt("a block of vintages ends in the middle"));
    }
    let mut first = 0;
    let vintages = heads.into_iter().map(|(mut parts, own)| {
        let rows = first..first + own as usize;
        first = rows.end;
        let row = |row| (0..NUMBERS).map(move |field| field * targets + row);
        parts.numbers_mut().extend(rows.flat_map(row).map(|at| numbers[at]));
        parts
    });
    Ok(vintages.collect())
}

fn damaged(error: std::io::Error) -> StoreError {
    StoreError::corrupt(format!("a block of vintages: {error}"))
}

/// Writes vintages of one issue time, by id of the series. If a series already has one, the existing one is kept.
pub(super) fn put(
    conn: &Connection,
    table: Table,
    issued_at: Timestamp,
    vintages: BTreeMap<i64, Parts>,
) -> Result<(), StoreError> {
    let mut blocks: BTreeMap<i64, BTreeMap<u32, Parts>> = BTreeMap::new();
    for (series, parts) in vintages {
        let (block, nth) = place(series);
        blocks.entry(block).or_default().insert(nth, parts);
    }
    let name = table.name();
    let mut known = conn.prepare_cached(&format!(
        "SELECT members FROM {name} WHERE issued_at = ?1 AND block = ?2"
    ))?;
    let mut insert = conn.prepare_cached(&format!(
        "INSERT INTO {name} (issued_at, block, members, body, version)
         VALUES (?1, ?2, ?3, ?4, ?5)"
    ))?;
    for (block, mut vintages) in blocks {
        let mut rows = known.query([issued_at.millis(), block])?;
        while let Some(row) = rows.next()? {
            let members: i64 = row.get(0)?;
            vintages.retain(|nth, _| members >> nth & 1 == 0);
        }
        if !vintages.is_empty() {
            let members = vintages.keys().fold(0i64, |members, nth| members | 1 << nth);
            let body = encode(vintages.into_values().collect())?;
            insert.execute(params![issued_at.millis(), block, members, body, Columns::VERSION])?;
        }
    }
    Ok(())
}

/// The vintage of one series in a row whose columns from `column` on are members, body and version.
pub(super) fn one(row: &Row<'_>, column: usize, series: i64) -> Result<Parts, StoreError> {
    let members: i64 = row.get(column)?;
    let before = members & !(-1 << place(series).1);
    let vintages = decode(row.get(column + 2)?, bytes(row, column + 1)?)?;
    let found = vintages.into_iter().nth(before.count_ones() as usize);
    found.ok_or_else(|| StoreError::corrupt("a block of vintages lacks one"))
}

/// All vintages, with their series' ids, in a row whose columns from `column` on are block, members, body and
/// version.
pub(super) fn all(
    row: &Row<'_>,
    column: usize,
) -> Result<impl Iterator<Item = (i64, Parts)> + use<>, StoreError> {
    let (block, members): (i64, i64) = (row.get(column)?, row.get(column + 1)?);
    let series = (0..1 << BITS).filter(move |nth| members >> nth & 1 == 1);
    let series = series.map(move |nth: i64| block << BITS | nth);
    Ok(series.zip(decode(row.get(column + 3)?, bytes(row, column + 2)?)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::forecast::Cause;
    use crate::store::tests::vintage;

    proptest! {
        #[test]
        fn a_block_survives_encoding(targets in proptest::collection::vec(0usize..25, 0..64)) {
            let parts = targets.iter().enumerate().map(|(n, targets)| {
                let mut vintage = vintage(0);
                vintage.targets.truncate(*targets);
                vintage.targets.iter_mut().for_each(|target| target.mean += n as f64);
                vintage.causes = vec![Cause { what: "linkDown".into(), tickets: 2.5 }; n % 2];
                Parts::of(&vintage)
            });
            let parts: Vec<Parts> = parts.collect();
            prop_assert_eq!(decode(Columns::VERSION, &encode(parts.clone()).expect("encodes")).expect("decodes"), parts);
        }

        #[test]
        fn damage_is_an_error_not_a_panic(at: proptest::sample::Index, with: u8, cut: proptest::sample::Index) {
            let _ = decode(0, &[with; 40]);
            let mut bytes = encode(vec![Parts::of(&vintage(0)); 5]).expect("encodes");
            let at = at.index(bytes.len());
            bytes[at] = with;
            let _ = decode(0, &bytes);
            let _ = decode(0, &bytes[..cut.index(bytes.len())]);
        }
    }

    #[test]
    fn each_series_has_its_own_position() {
        assert_eq!([0, 63, 64, 12_726].map(place), [(0, 0), (0, 63), (1, 0), (198, 54)]);
    }
}
