//! Parts of open windows that are counted under another aggregation key.

use rusqlite::params;

use super::bodies::CountsBody;
use super::body::{self, Body};
use super::{Reader, StoreError, Tx, columns};
use crate::domain::{SourceId, Timestamp};
use crate::window::{AggregationKey, FoldedPart, Part};

/// Parts under another key
impl Tx<'_> {
    /// Stores parts. Each replaces the previous one of the same window, key and source.
    pub fn put_folded(&mut self, parts: &[FoldedPart]) -> Result<(), StoreError> {
        for FoldedPart { window, source, key, part } in parts {
            self.run(
                "INSERT OR REPLACE INTO folded (start, topic, part, key, upto, counts, version)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![
                    window.millis(),
                    &*source.topic,
                    source.partition,
                    key.cast_signed(),
                    part.upto,
                    body::encode(&CountsBody::from(part.counts))?,
                    CountsBody::VERSION
                ],
            )?;
        }
        Ok(())
    }

    /// Deletes a source's parts of a window, if `key` may contain them.
    pub(super) fn delete_folded(
        &self,
        key: &AggregationKey,
        window: Timestamp,
        source: &SourceId,
    ) -> Result<(), StoreError> {
        if !key.is_other() {
            return Ok(());
        }
        self.run(
            "DELETE FROM folded WHERE start = ?1 AND topic = ?2 AND part = ?3",
            params![window.millis(), &*source.topic, source.partition],
        )
        .map(drop)
    }
}

/// Parts under another key
impl Reader {
    /// All parts of open windows that are counted under another key.
    pub fn folded(&self) -> Result<Vec<FoldedPart>, StoreError> {
        self.read(|conn| {
            let mut found = conn.prepare_cached(
                "SELECT start, topic, part, key, upto, counts, version FROM folded",
            )?;
            let mut rows = found.query([])?;
            let mut parts = Vec::new();
            while let Some(row) = rows.next()? {
                let counts = body::column::<CountsBody>(row, 5)?.into();
                parts.push(FoldedPart {
                    window: columns::time(row, 0)?,
                    source: columns::source(row, 1)?,
                    key: row.get::<_, i64>(3)?.cast_unsigned(),
                    part: Part { counts, upto: row.get(4)? },
                });
            }
            Ok(parts)
        })
    }
}
