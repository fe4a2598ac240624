//! Which names have counts of their own, and under which names all others are counted.
//!
//! Names come from outside, and a mistake in a mapping can create a new name for every event. So only the first `limits.series`
//! ticket series, and as many alarm scopes, are counted under their own names. Events of all others are counted under the
//! region [`OTHER`] with their service and channel, so that totals by service stay right. If there are many services or
//! channels as well, they are counted under [`OTHER`] alone.
//!
//! An admitted name stays admitted: from then on it has stored counts, from which a restart restores it.

use std::collections::BTreeSet;

use super::AggregationKey;
use crate::domain::{Name, OTHER, Scope, SeriesKey};

/// Maximum number of series, and of scopes, in the region [`OTHER`], in addition to the one that is [`OTHER`] in all parts.
const OTHERS_MAX: usize = 64;

/// The key under which the events of a key are counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CountedUnder {
    /// The key itself.
    Own,
    /// This key, because the limit is reached.
    Other(AggregationKey),
    /// None. Phrases of tickets that are counted under [`OTHER`] are not counted; the tickets themselves are.
    Nothing,
}

/// The admitted ticket series and alarm scopes.
#[derive(Clone, Debug, Default)]
pub struct Names {
    max: usize,
    leaves: Admitted<SeriesKey>,
    scopes: Admitted<Scope>,
}

/// Admitted keys of one kind.
#[derive(Clone, Debug)]
struct Admitted<K> {
    keys: BTreeSet<K>,
    /// Number of keys with the region [`OTHER`].
    others: usize,
}

impl<K> Default for Admitted<K> {
    fn default() -> Self {
        Self { keys: BTreeSet::new(), others: 0 }
    }
}

/// A key with a region, and the keys that replace it if the limit is reached.
trait LimitedKey: Clone + Ord {
    fn is_other(&self) -> bool;
    /// The key with the region [`OTHER`].
    fn other_region(&self) -> Self;
    /// The key that is [`OTHER`] in all parts.
    fn other() -> Self;
}

impl LimitedKey for SeriesKey {
    fn is_other(&self) -> bool {
        self.region.as_str() == OTHER
    }

    fn other_region(&self) -> Self {
        Self::new(Name::other(), self.service.clone(), self.channel.clone())
    }

    fn other() -> Self {
        Self::new(Name::other(), Name::other(), Name::other())
    }
}

impl LimitedKey for Scope {
    fn is_other(&self) -> bool {
        self.region.as_str() == OTHER
    }

    fn other_region(&self) -> Self {
        Self { region: Name::other(), service: self.service.clone() }
    }

    fn other() -> Self {
        Self { region: Name::other(), service: Name::other() }
    }
}

impl<K: LimitedKey> Admitted<K> {
    fn insert(&mut self, key: K) {
        let is_other = key.is_other();
        self.others += usize::from(self.keys.insert(key) && is_other);
    }

    /// Whether there is room for a new key.
    fn has_room(&self, key: &K, max: usize) -> bool {
        match key.is_other() {
            true => self.others < OTHERS_MAX || *key == K::other(),
            false => self.keys.len() - self.others < max,
        }
    }

    /// The key that replaces `key`; `None` if `key` itself is used. Admits new keys while there is room.
    fn place(&mut self, key: &K, max: usize) -> Option<K> {
        if self.keys.contains(key) {
            return None;
        }
        if self.has_room(key, max) {
            self.insert(key.clone());
            return None;
        }
        let mut other = key.other_region();
        if !self.keys.contains(&other) && !self.has_room(&other, max) {
            other = K::other();
        }
        self.insert(other.clone());
        Some(other)
    }

    /// Like [`Self::place`], but admits nothing.
    fn find(&self, key: &K, max: usize) -> Option<K> {
        if self.keys.contains(key) || self.has_room(key, max) {
            return None;
        }
        let other = key.other_region();
        let is_known = self.keys.contains(&other) || self.has_room(&other, max);
        Some(if is_known { other } else { K::other() })
    }
}

impl Names {
    /// An empty set of names. At most `max` series and `max` scopes are admitted.
    pub fn new(max: usize) -> Self {
        Self { max, ..Self::default() }
    }

    /// The same names with another limit.
    pub(super) fn limited(self, max: usize) -> Self {
        Self { max, ..self }
    }

    /// Admits a name that has stored counts, regardless of the limit.
    pub fn restore(&mut self, key: &AggregationKey) {
        match key {
            AggregationKey::Tickets(series) => self.leaves.insert(series.clone()),
            AggregationKey::Alarms(scope) => self.scopes.insert(scope.clone()),
            AggregationKey::Maintenance | AggregationKey::Phrase(..) => {}
        }
    }

    /// The key under which events of a key are counted. A new name is admitted while there is room.
    pub fn place(&mut self, key: &AggregationKey) -> CountedUnder {
        let other = match key {
            AggregationKey::Tickets(series) => {
                self.leaves.place(series, self.max).map(AggregationKey::Tickets)
            }
            AggregationKey::Alarms(scope) => {
                self.scopes.place(scope, self.max).map(AggregationKey::Alarms)
            }
            AggregationKey::Maintenance => None,
            AggregationKey::Phrase(scope, _) if self.counts_phrases_of(scope) => None,
            AggregationKey::Phrase(..) => return CountedUnder::Nothing,
        };
        other.map_or(CountedUnder::Own, CountedUnder::Other)
    }

    /// The key under which the next event of a key would be counted.
    pub fn find(&self, key: &AggregationKey) -> AggregationKey {
        let other = match key {
            AggregationKey::Tickets(series) => {
                self.leaves.find(series, self.max).map(AggregationKey::Tickets)
            }
            AggregationKey::Alarms(scope) => self.scope(scope).map(AggregationKey::Alarms),
            AggregationKey::Maintenance | AggregationKey::Phrase(..) => None,
        };
        other.unwrap_or_else(|| key.clone())
    }

    /// The scope under which alarms of `scope` are counted; `None` if that is `scope` itself.
    pub fn scope(&self, scope: &Scope) -> Option<Scope> {
        self.scopes.find(scope, self.max)
    }

    /// Whether phrases of a scope are counted. They are if one of its series is admitted.
    pub fn counts_phrases_of(&self, scope: &Scope) -> bool {
        let first = SeriesKey::new(scope.region.clone(), scope.service.clone(), Name::least());
        self.leaves.keys.range(first..).next().is_some_and(|leaf| leaf.scope() == *scope)
    }

    /// Whether a ticket series is admitted.
    pub fn has(&self, series: &SeriesKey) -> bool {
        self.leaves.keys.contains(series)
    }

    /// Number of admitted ticket series, not including those of the region [`OTHER`].
    pub fn series(&self) -> usize {
        self.leaves.keys.len() - self.leaves.others
    }

    /// The limit.
    pub fn max(&self) -> usize {
        self.max
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tickets(text: &str) -> AggregationKey {
        AggregationKey::Tickets(SeriesKey::parse(text).expect("series"))
    }

    fn alarms(region: &str, service: &str) -> AggregationKey {
        let name = |text| Name::new(text).expect("a name");
        AggregationKey::Alarms(Scope { region: name(region), service: name(service) })
    }

    #[test]
    fn beyond_the_limit_names_are_counted_under_other() {
        let mut names = Names::new(2);
        let own = CountedUnder::Own;
        let other = |key| CountedUnder::Other(key);
        let cases = [
            (tickets("a/tv/phone"), own.clone()),
            (tickets("b/tv/phone"), own.clone()),
            (tickets("c/tv/phone"), other(tickets("_other/tv/phone"))),
            (tickets("a/tv/phone"), own.clone()),
            (tickets("a/tv/chat"), other(tickets("_other/tv/chat"))),
            (tickets("_other/tv/chat"), own.clone()),
            // Alarms have a limit of their own.
            (alarms("x", "tv"), own.clone()),
            (alarms("y", "tv"), own.clone()),
            (alarms("z", "tv"), other(alarms("_other", "tv"))),
            (AggregationKey::Maintenance, own),
        ];
        for (key, expected) in cases {
            let found = names.find(&key);
            assert_eq!(names.place(&key), expected, "{key}");
            let expected = if let CountedUnder::Other(other) = expected { other } else { key };
            assert_eq!(found, expected);
        }
        assert_eq!(names.series(), 2);
    }

    #[test]
    fn names_in_every_part_are_bounded_too() {
        let mut names = Names::new(3);
        for n in 0..10_000 {
            names.place(&tickets(&format!("r{n}/s{n}/c{n}")));
            names.place(&alarms(&format!("r{n}"), &format!("s{n}")));
        }
        assert_eq!(names.series(), 3);
        assert_eq!(names.leaves.keys.len(), 3 + OTHERS_MAX + 1);
        assert_eq!(names.scopes.keys.len(), 3 + OTHERS_MAX + 1);
        let last = names.place(&tickets("r/s/c"));
        assert_eq!(last, CountedUnder::Other(tickets("_other/_other/_other")));
    }

    #[test]
    fn phrases_need_a_series_of_their_scope() {
        let mut names = Names::new(1);
        names.place(&tickets("a/tv/phone"));
        names.place(&tickets("b/tv/phone"));
        let phrase = |region: &str| {
            let scope = SeriesKey::parse(&format!("{region}/tv/phone")).expect("series").scope();
            AggregationKey::Phrase(scope, "login error".into())
        };
        assert_eq!(names.place(&phrase("a")), CountedUnder::Own);
        assert_eq!(names.place(&phrase("_other")), CountedUnder::Own);
        assert_eq!(names.place(&phrase("b")), CountedUnder::Nothing);
    }
}
