//! The alarms of a window by type.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::alarm::ActiveAlarm;
use crate::domain::{Scope, UNKNOWN};

/// Maximum number of types of one scope and window that are kept, because types come from outside. All others are counted
/// together.
const TYPES_MAX: usize = 64;
/// The name under which all other types are counted.
pub const OTHER_TYPES: &str = "other";
const TYPE_CHARS_MAX: usize = 64;

/// Alarms of one type in one scope and window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TypeCount {
    /// Number of alarms that began in the window.
    pub raised: u32,
    /// Number of alarms that are active at its end.
    pub standing: u32,
}

impl TypeCount {
    fn add(&mut self, more: Self) {
        self.raised = self.raised.saturating_add(more.raised);
        self.standing = self.standing.saturating_add(more.standing);
    }

    /// Alarms that began in the window or are active at its end, for an order of types.
    pub fn weight(&self) -> u32 {
        self.raised.saturating_add(self.standing)
    }
}

/// The alarms of one window by scope and type.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmTypes(BTreeMap<(Scope, Box<str>), TypeCount>);

impl AlarmTypes {
    /// Counts an alarm that began in the window, in `scope`.
    pub fn began(&mut self, scope: Scope, alarm: &ActiveAlarm) {
        let count = self.of(scope, alarm);
        count.raised = count.raised.saturating_add(1);
    }

    /// Counts an alarm that is active at the end of the window, in `scope`.
    pub fn add_active(&mut self, scope: Scope, alarm: &ActiveAlarm) {
        let count = self.of(scope, alarm);
        count.standing = count.standing.saturating_add(1);
    }

    /// Removes an alarm that [`Self::add_active`] counted, because it has ended since.
    pub fn ended(&mut self, scope: Scope, alarm: &ActiveAlarm) {
        let count = self.of(scope, alarm);
        count.standing = count.standing.saturating_sub(1);
    }

    fn of(&mut self, scope: Scope, alarm: &ActiveAlarm) -> &mut TypeCount {
        let alarm_type = alarm.alarm_type.as_deref().filter(|text| !text.trim().is_empty());
        self.0.entry((scope, short_type(alarm_type.unwrap_or(UNKNOWN)))).or_default()
    }

    /// Counts by scope and type, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&Scope, &str, TypeCount)> + '_ {
        self.0.iter().map(|((scope, alarm_type), count)| (scope, &**alarm_type, *count))
    }

    /// The count of a type in a scope.
    pub fn get(&self, scope: &Scope, alarm_type: &str) -> Option<TypeCount> {
        self.0.get(&(scope.clone(), short_type(alarm_type))).copied()
    }

    /// Whether no alarm began or is active.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Number of active alarms by scope; 0 for scopes whose alarms have all ended.
    pub fn active(&self) -> BTreeMap<Scope, u32> {
        let mut active: BTreeMap<Scope, u32> = BTreeMap::new();
        for (scope, _, count) in self.iter() {
            let sum = active.entry(scope.clone()).or_default();
            *sum = sum.saturating_add(count.standing);
        }
        active
    }

    /// The same counts, with all types that are not in `named` counted as [`OTHER_TYPES`].
    pub fn named(&self, named: &BTreeSet<(&Scope, &str)>) -> Self {
        let mut few = Self::default();
        for (scope, alarm_type, count) in self.iter() {
            let name = if named.contains(&(scope, alarm_type)) { alarm_type } else { OTHER_TYPES };
            few.0.entry((scope.clone(), name.into())).or_default().add(count);
        }
        few
    }

    /// The same counts, bounded for the store.
    pub fn bounded(self) -> Self {
        let weights = self.iter().map(|(scope, of, count)| ((scope, of), count.weight()));
        let named = most_frequent(weights, TYPES_MAX);
        if named.len() == self.0.len() {
            return self;
        }
        self.named(&named)
    }
}

/// At most `max` types of each scope: those with the largest numbers; if these are equal, the first by name.
pub fn most_frequent<'a>(
    types: impl Iterator<Item = ((&'a Scope, &'a str), u32)>,
    max: usize,
) -> BTreeSet<(&'a Scope, &'a str)> {
    let mut by_scope: BTreeMap<&Scope, Vec<(Reverse<u32>, &str)>> = BTreeMap::new();
    for ((scope, alarm_type), n) in types {
        by_scope.entry(scope).or_default().push((Reverse(n), alarm_type));
    }
    let mut found = BTreeSet::new();
    for (scope, mut types) in by_scope {
        types.sort_unstable();
        found.extend(types.into_iter().take(max).map(|(_, alarm_type)| (scope, alarm_type)));
    }
    found
}

/// A type in the form in which it is stored and written.
pub fn short_type(text: &str) -> Box<str> {
    text.chars().take(TYPE_CHARS_MAX).collect()
}
