//! Dead letters: events that were not counted, with the reason.

use std::collections::BTreeMap;

use rusqlite::params;

use super::codes::Code;
use super::columns::{self, count};
use super::{Change, Reader, StoreError, Tx, body};
use crate::domain::{DeadLetter, Position, Reason, SourceId, Timestamp};
use crate::window::AggregationKey;

/// Maximum size of all dead letters, smaller in tests. When it is exceeded, the oldest eighth is deleted.
const BYTES_MAX: u64 = if cfg!(test) { 1 << 20 } else { 256 << 20 };
/// Size of a row without its texts.
const ROW_BYTES: u64 = 128;

/// Dead letters
impl Tx<'_> {
    /// Stores a dead letter, once per position and event. `counted_in` is the aggregation key and window start of a late
    /// event. It adds one to the window's `late`.
    pub fn put_dead_letter(
        &mut self,
        letter: &DeadLetter,
        counted_in: Option<(&AggregationKey, Timestamp)>,
    ) -> Result<(), StoreError> {
        let new = self.run(
            "INSERT OR IGNORE INTO dead_letters
                 (topic, part, position, received_at, reason, detail, bytes, nth)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![
                &*letter.position.source.topic,
                letter.position.source.partition,
                letter.position.offset,
                letter.received_at.millis(),
                letter.reason.code(),
                letter.detail,
                &*letter.bytes,
                letter.nth
            ],
        )?;
        if new == 1 {
            let bytes = letter.bytes.len() as u64 + letter.detail.len() as u64 + ROW_BYTES;
            let held = match self.ids.letter_bytes {
                Some(held) => held + bytes,
                None => self.letter_bytes()?,
            };
            self.ids.letter_bytes = Some(held);
            if held > BYTES_MAX {
                self.drop_oldest_letters(held, BYTES_MAX / 8 * 7)?;
            }
        }
        let Some((key, start)) = counted_in.filter(|_| new == 1 && letter.reason == Reason::Late)
        else {
            return Ok(());
        };
        self.changed(Change::Window(self.width.floor(start)));
        let key_id = self.key_id(key)?;
        self.run(
            "INSERT INTO late (cell, start, n) VALUES (?1, ?2, 1)
             ON CONFLICT (cell, start) DO UPDATE SET n = n + 1",
            params![key_id, self.width.floor(start).millis()],
        )
        .map(drop)
    }
}

/// Size of dead letters
impl Tx<'_> {
    /// Bytes of all dead letters. This reads every row, but no content.
    fn letter_bytes(&self) -> Result<u64, StoreError> {
        let sum = "SELECT coalesce(sum(length(bytes) + length(detail) + ?1), 0) FROM dead_letters";
        let bytes: i64 =
            self.conn.prepare_cached(sum)?.query_row([ROW_BYTES as i64], |row| row.get(0))?;
        Ok(u64::try_from(bytes).unwrap_or(0))
    }

    /// Deletes the oldest dead letters until at most `target` bytes are left.
    fn drop_oldest_letters(&mut self, held: u64, target: u64) -> Result<(), StoreError> {
        let (mut held, mut upto) = (held, None);
        {
            let mut oldest = self.conn.prepare_cached(
                "SELECT id, length(bytes) + length(detail) + ?1 FROM dead_letters ORDER BY id",
            )?;
            let mut rows = oldest.query([ROW_BYTES as i64])?;
            while let Some(row) = rows.next()?
                && held > target
            {
                upto = Some(row.get::<_, i64>(0)?);
                held = held.saturating_sub(u64::try_from(row.get::<_, i64>(1)?).unwrap_or(0));
            }
        }
        let deleted = self.run("DELETE FROM dead_letters WHERE id <= ?1", [upto])?;
        self.ids.letter_bytes = Some(held);
        tracing::warn!(
            deleted,
            bytes_max = BYTES_MAX,
            "dead letters: the oldest were deleted, because the size limit was reached; \
             surgecast_dead_letters_total shows why events are not counted"
        );
        Ok(())
    }

    /// Deletes dead letters that are older than `before`, and the oldest beyond the limits of number and bytes.
    pub(super) fn prune_letters(
        &mut self,
        before: Timestamp,
        number: u32,
    ) -> Result<(), StoreError> {
        self.run("DELETE FROM dead_letters WHERE received_at < ?1", [before.millis()])?;
        self.run(
            "DELETE FROM dead_letters WHERE id <= (
                 SELECT id FROM dead_letters ORDER BY id DESC LIMIT 1 OFFSET ?1)",
            [number],
        )?;
        let held = self.letter_bytes()?;
        self.ids.letter_bytes = Some(held);
        match held > BYTES_MAX {
            true => self.drop_oldest_letters(held, BYTES_MAX / 8 * 7),
            false => Ok(()),
        }
    }
}

/// Dead letters
impl Reader {
    /// Dead letters, newest first. The returned cursors continue a list as `after`.
    pub fn dead_letters(
        &self,
        reason: Option<Reason>,
        limit: usize,
        after: Option<i64>,
    ) -> Result<Vec<(i64, DeadLetter)>, StoreError> {
        self.read(|conn| {
            let mut found = conn.prepare_cached(&format!(
                "SELECT id, topic, part, position, received_at, reason, detail, bytes, nth
                 FROM dead_letters WHERE id < ?1 {} ORDER BY id DESC LIMIT ?2",
                // Two statements, so that each uses its index.
                if reason.is_some() { "AND reason = ?3" } else { "AND ?3 IS NULL" }
            ))?;
            let mut rows = found.query(params![
                after.unwrap_or(i64::MAX),
                count(limit),
                reason.map(Reason::code)
            ])?;
            let mut letters = Vec::new();
            while let Some(row) = rows.next()? {
                let source = columns::source(row, 1)?;
                let letter = DeadLetter {
                    position: Position { source, offset: row.get(3)? },
                    nth: row.get(8)?,
                    received_at: columns::time(row, 4)?,
                    reason: Reason::of_code(row.get(5)?)?,
                    detail: row.get(6)?,
                    bytes: body::bytes(row, 7)?.into(),
                };
                letters.push((row.get(0)?, letter));
            }
            Ok(letters)
        })
    }

    /// Number of dead letters received since `since`, by source and reason.
    pub fn dead_letters_by_source(
        &self,
        since: Timestamp,
    ) -> Result<BTreeMap<(SourceId, Reason), i64>, StoreError> {
        self.read(|conn| {
            let mut found = conn.prepare_cached(
                "SELECT topic, part, reason, count(*) FROM dead_letters WHERE received_at >= ?1
                 GROUP BY topic, part, reason",
            )?;
            let mut rows = found.query([since.millis()])?;
            let mut counts = BTreeMap::new();
            while let Some(row) = rows.next()? {
                let reason = Reason::of_code(row.get(2)?)?;
                counts.insert((columns::source(row, 0)?, reason), row.get(3)?);
            }
            Ok(counts)
        })
    }

    /// Number of dead letters received in `from..to`, by reason.
    pub fn dead_letters_between(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<BTreeMap<Reason, u64>, StoreError> {
        self.read(|conn| {
            let mut found = conn.prepare_cached(
                "SELECT reason, count(*) FROM dead_letters
                 WHERE received_at >= ?1 AND received_at < ?2 GROUP BY reason",
            )?;
            let mut rows = found.query([from.millis(), to.millis()])?;
            let mut counts = BTreeMap::new();
            while let Some(row) = rows.next()? {
                let n = u64::try_from(row.get::<_, i64>(1)?).unwrap_or(0);
                counts.insert(Reason::of_code(row.get(0)?)?, n);
            }
            Ok(counts)
        })
    }

    /// Number of dead letters by reason.
    pub fn dead_letter_counts(&self) -> Result<BTreeMap<Reason, u64>, StoreError> {
        self.read(|conn| {
            let mut found =
                conn.prepare_cached("SELECT reason, count(*) FROM dead_letters GROUP BY reason")?;
            let mut rows = found.query([])?;
            let mut counts = BTreeMap::new();
            while let Some(row) = rows.next()? {
                let n = u64::try_from(row.get::<_, i64>(1)?).unwrap_or(0);
                counts.insert(Reason::of_code(row.get(0)?)?, n);
            }
            Ok(counts)
        })
    }

    /// Number of dead letters since `since` that are late or in the future, by source and reason. Their senders got the answer
    /// that they were accepted.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn late_or_future(
        &self,
        since: Timestamp,
    ) -> Result<BTreeMap<SourceId, BTreeMap<Reason, u64>>, StoreError> {
        self.read(|conn| {
            let mut found = conn.prepare_cached(
                "SELECT topic, part, reason, count(*) FROM dead_letters
                 WHERE received_at >= ?1 AND reason IN (?2, ?3) GROUP BY topic, part, reason",
            )?;
            let reasons = [Reason::Late, Reason::Future].map(Reason::code);
            let mut rows = found.query(params![since.millis(), reasons[0], reasons[1]])?;
            let mut counts: BTreeMap<SourceId, BTreeMap<Reason, u64>> = BTreeMap::new();
            while let Some(row) = rows.next()? {
                let n = u64::try_from(row.get::<_, i64>(3)?).unwrap_or(0);
                let of_source = counts.entry(columns::source(row, 0)?).or_default();
                of_source.insert(Reason::of_code(row.get(2)?)?, n);
            }
            Ok(counts)
        })
    }
}
