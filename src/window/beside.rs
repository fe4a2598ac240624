//! State that is stored beside a commit: the watermark, and windows whose only event is too far ahead to move the watermark.
//!
//! Such a window may stay open for years, so it must not hold back the commit. Its only event is stored beside the commit, and
//! is not read again. The size is bounded, because brokers accept few bytes beside an offset. Windows beyond the bound hold
//! back the commit like others.

use serde::{Deserialize, Serialize};

use super::{AggregationKey, Counts, watermark::Watermark};
use crate::domain::{Offset, Timestamp};

/// Maximum size of the windows beside a commit. With the waiting events, and encoded as text, this is below 4,000 bytes.
pub(super) const BYTES_MAX: usize = 2_400;
/// Maximum size of a window without its names.
const WINDOW_BYTES: usize = 88;

/// A position in a log that distinguishes the events of one record.
pub(super) type At = (Offset, u32);

/// The state beside a commit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beside {
    /// The newest event time, and the events that wait to move it.
    pub watermark: Watermark,
    /// Windows whose only event is too far ahead.
    pub windows: Vec<KeptWindow>,
}

/// A window whose first event was too far ahead, in its state after that event and its duplicates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptWindow {
    pub(super) window: Timestamp,
    /// Hash of the event's id.
    pub(super) id: u128,
    pub(super) key: AggregationKey,
    pub(super) counts: Counts,
    /// Position of the event.
    pub(super) since: At,
    /// Position up to which events of the window are included.
    pub(super) upto: At,
}

impl Beside {
    /// The state without everything that was counted at `offset` or later, and without a watermark, for reading again from
    /// there.
    #[must_use]
    pub fn before(&self, offset: Offset) -> Self {
        let windows = self.windows.iter().filter(|kept| kept.upto.0 < offset).cloned();
        Self { watermark: Watermark::default(), windows: windows.collect() }
    }
}

/// Maximum size of a window with this key.
pub(super) fn bytes(key: &AggregationKey) -> usize {
    let names = match key {
        AggregationKey::Tickets(series) => [&series.region, &series.service, &series.channel]
            .map(|name| name.as_str().len())
            .iter()
            .sum(),
        AggregationKey::Alarms(scope) | AggregationKey::Phrase(scope, _) => {
            scope.region.as_str().len() + scope.service.as_str().len()
        }
        AggregationKey::Maintenance => 0,
    };
    WINDOW_BYTES + names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Name, SeriesKey};

    #[test]
    fn the_largest_state_fits_beside_an_offset() {
        let largest = |letters: usize| {
            let name = || Name::new(&"n".repeat(letters)).expect("valid name");
            let key = AggregationKey::Tickets(SeriesKey::new(name(), name(), name()));
            let counts =
                Counts { tickets: 1, duplicates: u32::MAX, topics: [1; 6], ..Counts::default() };
            let upto = (Offset::MAX, 999);
            let window = Timestamp::MAX;
            let kept = KeptWindow { window, id: u128::MAX, key, counts, since: upto, upto };
            (bytes(&kept.key), kept)
        };
        for letters in [1, 20, 64] {
            let (bytes, kept) = largest(letters);
            let stored = postcard::to_stdvec(&kept).expect("packs").len();
            assert!(stored <= bytes, "{stored} {bytes}");
            let mut watermark = Watermark::default();
            for n in 0..super::super::watermark::WAITING_MAX as u64 {
                let day = std::time::Duration::from_secs(86_400 * n);
                watermark.take(Timestamp::MAX - day, u64::MAX - n);
            }
            let windows = vec![kept; BYTES_MAX / bytes];
            let beside = Beside { watermark, windows };
            let stored = postcard::to_stdvec(&beside).expect("packs").len();
            assert!(stored <= 2_900, "{stored}");
        }
    }
}
