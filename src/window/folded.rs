//! Parts that are counted under another key: see [`Names`](super::names::Names).
//!
//! A partial is cumulative, so the previous partial of the same key and source has to be known to replace it in the sum. The
//! key itself is not needed; a hash of it is enough.

use std::collections::{BTreeMap, HashMap};

use foldhash::fast::RandomState;
use xxhash_rust::xxh3::xxh3_64;

use super::{AggregationKey, Counts, Part, Partial};
use crate::domain::{SourceId, Timestamp};

/// A part that is counted under another key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoldedPart {
    pub window: Timestamp,
    pub source: SourceId,
    /// Hash of its own key.
    pub key: u64,
    pub part: Part,
}

/// Why events are not counted under their own name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Beyond {
    /// More ticket series than `limits.series`.
    Series,
    /// Alarms of more regions and services than `limits.series`.
    Scopes,
    /// Too many names in one window of one source.
    Window,
}

impl Beyond {
    /// Every reason.
    pub const EVERY: [Self; 3] = [Self::Series, Self::Scopes, Self::Window];

    /// Its name in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Series => "series",
            Self::Scopes => "alarm_scopes",
            Self::Window => "names_in_window",
        }
    }
}

/// Events that were counted under [`OTHER`](crate::domain::OTHER).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BeyondTally {
    /// Number of events by reason.
    pub events: BTreeMap<Beyond, u64>,
    /// One of the keys, as an example.
    pub example: Option<AggregationKey>,
}

/// How a part changes the sum that contains it.
#[derive(Clone, Copy, Debug)]
pub struct Change {
    before: Counts,
    after: Counts,
}

impl Change {
    /// The sum after the change is applied.
    pub fn on(self, sum: Counts) -> Counts {
        sum.minus(self.before).plus(self.after)
    }
}

/// Newest parts by window, source and hash of their key.
#[derive(Debug, Default)]
pub struct Folded {
    parts: BTreeMap<Timestamp, HashMap<(SourceId, u64), Part, RandomState>>,
    tally: BeyondTally,
}

impl Folded {
    /// Restores stored parts.
    pub fn restore(stored: Vec<FoldedPart>) -> Self {
        let mut folded = Self::default();
        for FoldedPart { window, source, key, part } in stored {
            folded.parts.entry(window).or_default().insert((source, key), part);
        }
        folded
    }

    /// Takes a partial. Returns its part and the change of the sum, or `None` for a replay.
    pub fn take(&mut self, source: &SourceId, partial: &Partial) -> Option<(FoldedPart, Change)> {
        let key = xxh3_64(partial.key.to_string().as_bytes());
        let parts = self.parts.entry(partial.window).or_default();
        let known = parts.get(&(source.clone(), key)).copied();
        if known.is_some_and(|known| known.upto >= partial.upto) {
            return None;
        }
        let part = Part { counts: partial.counts, upto: partial.upto };
        parts.insert((source.clone(), key), part);
        let before = known.map(|known| known.counts).unwrap_or_default();
        self.count(&partial.key, before, partial.counts);
        let folded = FoldedPart { window: partial.window, source: source.clone(), key, part };
        Some((folded, Change { before, after: partial.counts }))
    }

    fn count(&mut self, key: &AggregationKey, before: Counts, after: Counts) {
        let beyond = match key {
            key if key.is_other() => Beyond::Window,
            AggregationKey::Alarms(_) => Beyond::Scopes,
            _ => Beyond::Series,
        };
        let more = after.events().saturating_sub(before.events());
        *self.tally.events.entry(beyond).or_default() += more;
        self.tally.example.get_or_insert_with(|| key.clone());
    }

    /// The events since the last call.
    pub fn take_tally(&mut self) -> BeyondTally {
        std::mem::take(&mut self.tally)
    }

    /// Drops a source's parts of a window.
    pub fn drop_source(&mut self, window: Timestamp, source: &SourceId) {
        let Some(parts) = self.parts.get_mut(&window) else { return };
        parts.retain(|(of, _), _| of != source);
        if parts.is_empty() {
            self.parts.remove(&window);
        }
    }

    /// All parts, in order.
    pub fn all(&self) -> Vec<FoldedPart> {
        let of = |(window, parts): (&Timestamp, &HashMap<(SourceId, u64), Part, RandomState>)| {
            let window = *window;
            let parts = parts.iter().map(move |((source, key), part)| FoldedPart {
                window,
                source: source.clone(),
                key: *key,
                part: *part,
            });
            parts.collect::<Vec<_>>()
        };
        let mut all: Vec<FoldedPart> = self.parts.iter().flat_map(of).collect();
        all.sort_by(|a, b| (a.window, &a.source, a.key).cmp(&(b.window, &b.source, b.key)));
        all
    }
}
