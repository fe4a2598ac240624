//! Chunks: the windows of one aggregation key and UTC day in one blob, a stream of numbers without empty fields.

use serde::{Deserialize, Serialize};

use super::body::{Body, with_appended};
use super::{StoreError, WindowRecord};
use crate::domain::{TOPICS, Timestamp, WindowWidth};
use crate::window::{Counts, Restored};

const DAY_MS: i64 = 86_400_000;
const DAY_BITS: u32 = 24;

/// UTC day of an instant, counted from the epoch.
pub(super) fn day(at: Timestamp) -> i64 {
    at.millis().div_euclid(DAY_MS)
}

/// UTC midnight of a day.
pub(super) fn midnight(day: i64) -> Timestamp {
    Timestamp::from_millis(day * DAY_MS)
}

/// Key of a chunk. Chunks of one aggregation key are adjacent, in order of the day. Days before 1970 do not occur.
pub(super) fn key(key_id: i64, day: i64) -> i64 {
    (key_id << DAY_BITS) | day.clamp(0, (1 << DAY_BITS) - 1)
}

/// Day of a chunk's key.
pub(super) fn day_of(key: i64) -> i64 {
    key & ((1 << DAY_BITS) - 1)
}

/// Stored form of a chunk. For each window: the step from the previous slot, bits for flags and for the fields that follow,
/// and these fields.
#[derive(Serialize, Deserialize)]
pub(super) struct Numbers(Vec<u32>);

impl Body for Numbers {
    const VERSION: u32 = 1;

    /// Before version 1 no window was restored.
    fn earlier(_version: u32, bytes: &[u8]) -> Result<Self, StoreError> {
        with_appended(bytes, &())
    }
}

/// Windows of one day by slot. The slot is the number of the window in the day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Chunk(Vec<(u16, WindowRecord)>);

impl Chunk {
    /// Sets a window. It is almost always the last.
    pub(super) fn set(&mut self, slot: u16, record: WindowRecord) {
        match self.0.binary_search_by_key(&slot, |row| row.0) {
            Ok(i) => self.0[i].1 = record.keeping(self.0[i].1.restored),
            Err(i) => self.0.insert(i, (slot, record)),
        }
    }

    /// Restores the tickets of a window. What was counted stays.
    pub(super) fn restore(&mut self, slot: u16, tickets: u32) {
        match self.0.binary_search_by_key(&slot, |row| row.0) {
            Ok(i) => self.0[i].1 = self.0[i].1.restored(tickets, false),
            Err(i) => self.0.insert(i, (slot, WindowRecord::default().restored(tickets, true))),
        }
    }

    /// Marks a window without a record as missing.
    pub(super) fn set_missing(&mut self, slot: u16) {
        if let Err(i) = self.0.binary_search_by_key(&slot, |row| row.0) {
            let record = WindowRecord { settled: true, missing: true, ..WindowRecord::default() };
            self.0.insert(i, (slot, record));
        }
    }

    /// Starts and records, in order of time.
    pub(super) fn rows(
        &self,
        day: i64,
        width: WindowWidth,
    ) -> impl DoubleEndedIterator<Item = (Timestamp, WindowRecord)> + '_ {
        self.0
            .iter()
            .map(move |(slot, record)| (midnight(day) + width.length() * u32::from(*slot), *record))
    }

    /// The stored form.
    pub(super) fn numbers(&self) -> Numbers {
        let mut numbers = Vec::with_capacity(self.0.len() * 5);
        let mut before = 0;
        for (slot, record) in &self.0 {
            numbers.push(u32::from(slot - before));
            before = *slot;
            let fields = fields(record);
            let mut bits = flags(record);
            for (i, field) in fields.iter().enumerate() {
                bits |= u32::from(*field != 0) << (FLAGS + i);
            }
            numbers.push(bits);
            numbers.extend(fields.into_iter().filter(|field| *field != 0));
        }
        Numbers(numbers)
    }

    /// The chunk of a stored form.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] for numbers that end in the middle of a window.
    pub(super) fn of(numbers: Numbers) -> Result<Self, StoreError> {
        let mut numbers = numbers.0.into_iter();
        let mut rows = Vec::new();
        let mut slot = 0u32;
        let cut = || StoreError::corrupt("a day of windows ends in the middle");
        while let Some(step) = numbers.next() {
            slot = slot.saturating_add(step);
            let bits = numbers.next().ok_or_else(cut)?;
            let mut fields = [0; FIELDS];
            for (i, field) in fields.iter_mut().enumerate() {
                if bits >> (FLAGS + i) & 1 == 1 {
                    *field = numbers.next().ok_or_else(cut)?;
                }
            }
            let slot = u16::try_from(slot).map_err(|_| StoreError::corrupt("a day too long"))?;
            rows.push((slot, record(bits, fields)));
        }
        Ok(Self(rows))
    }
}

/// Number of flags. The bits for fields follow them.
const FLAGS: usize = 3;
const FIELDS: usize = 11 + TOPICS;
/// The bit after those for fields: a restored window was counted too.
const COUNTED: usize = FLAGS + FIELDS;

fn flags(record: &WindowRecord) -> u32 {
    let counted = record.restored.is_some_and(|both| both.counted.is_some());
    u32::from(record.settled)
        | u32::from(record.revised) << 1
        | u32::from(record.missing) << 2
        | u32::from(counted) << COUNTED
}

/// The fields, frequent ones first, so that the bits usually fit in one byte. The last one is 0 in a window that was not restored,
/// and one more than the restored tickets in others.
fn fields(record: &WindowRecord) -> [u32; FIELDS] {
    let Counts { tickets, raised: [a, b, c, d, e], cleared, other, duplicates, topics } =
        record.counted();
    let [p, q, r, s, t, u] = topics;
    let restored = record.restored.map_or(0, |both| both.tickets.saturating_add(1));
    [tickets, other, cleared, record.active, a, b, c, d, e, duplicates, p, q, r, s, t, u, restored]
}

fn record(bits: u32, fields: [u32; FIELDS]) -> WindowRecord {
    let [tickets, other, cleared, active, a, b, c, d, e, duplicates, topics @ .., restored] =
        fields;
    let counted = WindowRecord {
        counts: Counts { tickets, raised: [a, b, c, d, e], cleared, other, duplicates, topics },
        active,
        settled: bits & 1 != 0,
        revised: bits & 2 != 0,
        missing: bits & 4 != 0,
        restored: None,
    };
    match restored.checked_sub(1) {
        None => counted,
        Some(restored) => {
            let is_counted = bits >> COUNTED & 1 == 1;
            let both = Restored { tickets: restored, counted: is_counted.then_some(tickets) };
            counted.with_restored(both)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::store::body;

    fn decode(bytes: &[u8]) -> Result<Chunk, StoreError> {
        Chunk::of(body::decode(Numbers::VERSION, bytes)?)
    }

    fn any_record() -> impl Strategy<Value = WindowRecord> {
        let small = prop_oneof![3 => Just(0u32), 2 => 0u32..300, 1 => any::<u32>()];
        let bits = (0u32..8, any::<bool>());
        (proptest::collection::vec(small, FIELDS), bits).prop_map(|(fields, (bits, counted))| {
            let bits = bits | u32::from(counted) << COUNTED;
            record(bits, fields.try_into().expect("as many as there are fields"))
        })
    }

    proptest! {
        #[test]
        fn a_chunk_survives_encoding(rows in proptest::collection::btree_map(0u16..288, any_record(), 0..40)) {
            let mut chunk = Chunk::default();
            for (slot, record) in rows.iter().rev() {
                chunk.set(*slot, *record);
            }
            prop_assert_eq!(Chunk::of(chunk.numbers()).expect("decodes"), chunk);
        }

        #[test]
        fn damage_is_an_error_not_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = decode(&bytes);
        }
    }

    #[test]
    fn a_quiet_day_is_small() {
        let mut chunk = Chunk::default();
        for slot in 0..96 {
            let counts = Counts { tickets: 12, ..Counts::default() };
            chunk.set(slot, WindowRecord { counts, settled: true, ..WindowRecord::default() });
        }
        assert!(body::encode(&chunk.numbers()).expect("encodes").len() < 300);
    }

    #[test]
    fn counting_keeps_what_was_restored() {
        let counted = |tickets, missing| WindowRecord {
            counts: Counts { tickets, other: 2, ..Counts::default() },
            settled: true,
            missing,
            ..WindowRecord::default()
        };
        let rows = |chunk: &Chunk| -> Vec<(u32, u32, bool)> {
            let stored = Chunk::of(chunk.numbers()).expect("decodes");
            assert_eq!(&stored, chunk);
            stored
                .0
                .iter()
                .map(|(_, row)| (row.counts.tickets, row.counted().tickets, row.was_finalized()))
                .collect()
        };
        let mut chunk = Chunk::default();
        chunk.set(3, counted(9, false));
        for (slot, tickets) in [(1, 300), (2, 0), (3, 5), (1, 300)] {
            chunk.restore(slot, tickets);
        }
        assert_eq!(rows(&chunk), [(300, 0, false), (0, 0, false), (9, 9, true)]);
        chunk.set(1, counted(0, true));
        assert_eq!(rows(&chunk)[0], (300, 0, false), "a missing window");
        chunk.set(1, counted(1, false));
        chunk.set(2, counted(7, false));
        assert_eq!(rows(&chunk), [(300, 1, true), (7, 7, true), (9, 9, true)]);
        chunk.restore(1, 300);
        assert_eq!(rows(&chunk)[0], (300, 1, true));
    }
}
