//! Numbers of aggregation keys, so that an event is counted without copying its names.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::AggregationKey;
use crate::domain::{Name, Place, Scope, SeriesKey};

/// With at least this number of keys, those that no open window has are dropped.
const FORGET_FROM: usize = 50_000;
/// Longest text of a place: three names of 64 characters with up to four bytes each, and separators.
const TEXT_MAX: usize = 3 * 64 * 4 + 3;
/// Number of keys that are cached by the sketch of their place.
const CACHED: usize = 256;

/// Aggregation keys and their numbers.
#[derive(Debug, Default)]
pub(super) struct KeyIndex {
    by_text: HashMap<Box<[u8]>, u32, RandomState>,
    all: Vec<AggregationKey>,
    /// By number of a key: the number of the alarm key of its scope, once it was looked up.
    scopes: Vec<Option<u32>>,
    /// Numbers of keys by the sketch of their place; empty before the first lookup.
    cache: Vec<u32>,
}

impl KeyIndex {
    /// The number of a place's key. A new key gets the next number.
    pub(super) fn number(&mut self, place: &Place<'_>) -> u32 {
        let sketch = sketch(place);
        if let Some(number) = self.cache.get(sketch)
            && self.all.get(*number as usize).is_some_and(|key| key.is_of(place))
        {
            return *number;
        }
        let number = self.look_up(place);
        self.cache.resize(CACHED, number);
        self.cache[sketch] = number;
        number
    }

    /// The number of a place's key, if it has one.
    pub(super) fn find(&self, place: &Place<'_>) -> Option<u32> {
        self.by_text.get(write(place, &mut [0; TEXT_MAX])).copied()
    }

    /// The number of a key. Phrases have no number.
    pub(super) fn number_of(&mut self, key: &AggregationKey) -> u32 {
        let place = match key {
            AggregationKey::Tickets(series) => Place::Tickets {
                region: series.region.as_str(),
                service: series.service.as_str(),
                channel: series.channel.as_str(),
            },
            AggregationKey::Alarms(scope) | AggregationKey::Phrase(scope, _) => {
                Place::Alarms { region: scope.region.as_str(), service: scope.service.as_str() }
            }
            AggregationKey::Maintenance => Place::Maintenance,
        };
        self.number(&place)
    }

    fn look_up(&mut self, place: &Place<'_>) -> u32 {
        let mut room = [0; TEXT_MAX];
        let text = write(place, &mut room);
        if let Some(number) = self.by_text.get(text) {
            return *number;
        }
        let number = self.all.len() as u32;
        self.by_text.insert(text.into(), number);
        self.all.push(AggregationKey::of(place));
        self.scopes.push(None);
        number
    }

    /// The number of the alarm key of a ticket's scope. `number` belongs to the ticket's place.
    pub(super) fn scope(&mut self, number: u32, place: &Place<'_>) -> Option<u32> {
        let Place::Tickets { region, service, .. } = *place else { return None };
        if let Some(known) = self.scopes[number as usize] {
            return Some(known);
        }
        let scope = self.number(&Place::Alarms { region, service });
        self.scopes[number as usize] = Some(scope);
        Some(scope)
    }

    pub(super) fn get(&self, number: u32) -> &AggregationKey {
        &self.all[number as usize]
    }

    /// Whether there are so many keys that unused ones should be dropped.
    pub(super) fn are_many(&self) -> bool {
        self.all.len() >= FORGET_FROM
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// Drops keys that are not in use and renumbers the others. Returns the new number by the old one.
    pub(super) fn keep(&mut self, used: &[bool]) -> Vec<u32> {
        let mut renumbered = vec![u32::MAX; self.all.len()];
        let mut kept = Vec::new();
        for (old, key) in std::mem::take(&mut self.all).into_iter().enumerate() {
            if used[old] {
                renumbered[old] = kept.len() as u32;
                kept.push(key);
            }
        }
        self.scopes = vec![None; kept.len()];
        self.cache.clear();
        self.all = kept;
        self.by_text.retain(|_, number| {
            *number = renumbered[*number as usize];
            *number != u32::MAX
        });
        renumbered
    }
}

/// A cheap hash of a place, below [`CACHED`].
fn sketch(place: &Place<'_>) -> usize {
    let names = match *place {
        Place::Tickets { region, service, channel } => [region, service, channel],
        Place::Alarms { region, service } => [region, service, ""],
        Place::Maintenance => [""; 3],
    };
    let sketch = names.iter().fold(0_u64, |sketch, name| {
        let bytes = name.as_bytes();
        let at = |n: usize| u64::from(bytes.get(n).copied().unwrap_or(0));
        let last = bytes.len().saturating_sub(1);
        let name = bytes.len() as u64 | at(0) << 8 | at(last / 2) << 16 | at(last) << 24;
        (sketch ^ name).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_right(29)
    });
    sketch as usize % CACHED
}

/// The unique text of a place. Names contain no `/`.
fn write<'r>(place: &Place<'_>, room: &'r mut [u8; TEXT_MAX]) -> &'r [u8] {
    let mut end = 0;
    let mut put = |text: &str| {
        // Valid names are never longer.
        let upto = (end + text.len()).min(TEXT_MAX);
        room[end..upto].copy_from_slice(&text.as_bytes()[..upto - end]);
        if upto < TEXT_MAX {
            room[upto] = b'/';
        }
        end = (upto + 1).min(TEXT_MAX);
    };
    match place {
        Place::Tickets { region, service, channel } => {
            put(region);
            put(service);
            put(channel);
        }
        Place::Alarms { region, service } => {
            put(region);
            put(service);
        }
        Place::Maintenance => {}
    }
    &room[..end]
}

impl AggregationKey {
    /// Whether it is the key of a place.
    fn is_of(&self, place: &Place<'_>) -> bool {
        match (self, place) {
            (Self::Tickets(series), Place::Tickets { region, service, channel }) => {
                series.region.as_str() == *region
                    && series.service.as_str() == *service
                    && series.channel.as_str() == *channel
            }
            (Self::Alarms(scope), Place::Alarms { region, service }) => {
                scope.region.as_str() == *region && scope.service.as_str() == *service
            }
            (Self::Maintenance, Place::Maintenance) => true,
            _ => false,
        }
    }

    /// The aggregation key of a place.
    pub fn of(place: &Place<'_>) -> Self {
        // The decoder has checked the names.
        let name = |text: &str| Name::filter(text).unwrap_or_else(|_| Name::unknown());
        match place {
            Place::Tickets { region, service, channel } => {
                Self::Tickets(SeriesKey::new(name(region), name(service), name(channel)))
            }
            Place::Alarms { region, service } => {
                Self::Alarms(Scope { region: name(region), service: name(service) })
            }
            Place::Maintenance => Self::Maintenance,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keys_keep_a_number_when_others_are_dropped() {
        let mut keys = KeyIndex::default();
        let regions: Vec<String> = (0..10).map(|n| format!("r{n}")).collect();
        let place = |n: usize| Place::Alarms { region: &regions[n], service: "tv" };
        let numbers: Vec<u32> = (0..10).map(|n| keys.number(&place(n))).collect();
        let used: Vec<bool> = (0..10).map(|n| n % 3 == 0).collect();
        let renumbered = keys.keep(&used);
        assert_eq!(keys.len(), 4);
        for n in (0..10).step_by(3) {
            let number = renumbered[numbers[n] as usize];
            assert_eq!(keys.get(number), &AggregationKey::of(&place(n)));
            assert_eq!(keys.number(&place(n)), number);
        }
        let tickets = Place::Tickets { region: "r0", service: "tv", channel: "" };
        assert_ne!(keys.number(&tickets), keys.number(&place(0)), "kinds do not mix");
        let longest = "\u{10ffff}".repeat(64);
        let place = Place::Tickets { region: &longest, service: &longest, channel: &longest };
        assert_eq!(keys.number(&place), keys.number(&place));
    }

    proptest! {
        #[test]
        fn similar_places_have_keys_of_their_own(
            places in prop::collection::vec(("[ab]{1,4}", "[ab]{1,3}", "[ab]{1,2}"), 1..200),
            forget in any::<u64>(),
        ) {
            let mut keys = KeyIndex::default();
            for (n, (region, service, channel)) in places.iter().enumerate() {
                let tickets = Place::Tickets { region, service, channel };
                let number = keys.number(&tickets);
                prop_assert_eq!(keys.get(number), &AggregationKey::of(&tickets));
                let scope = keys.scope(number, &tickets).map(|scope| keys.get(scope).clone());
                prop_assert_eq!(scope, Some(AggregationKey::of(&Place::Alarms { region, service })));
                if n == 100 {
                    let used: Vec<bool> = (0..keys.len()).map(|n| forget >> (n % 64) & 1 == 1).collect();
                    keys.keep(&used);
                }
            }
            let texts: std::collections::BTreeSet<String> = keys.all.iter().map(AggregationKey::to_string).collect();
            prop_assert_eq!(texts.len(), keys.len());
        }
    }
}
