//! Which alarms are active, by scope and type, at the end of each window and now.
//!
//! The forecaster decides which alarms are active, and stores them for finalized windows. For open windows the sink replays the
//! stored messages with the same rules, so that they show the alarms that are active now.

use std::collections::{BTreeMap, BTreeSet};

use super::fields::{Fields, Line, nanos, scope_tags, tag};
use crate::domain::{DAY, Name, Scope, Timestamp, WindowWidth};
use crate::output::replayed_alarms::ReplayedAlarms;
use crate::store::{Reader, StoreError};
use crate::window::{
    AggregationKey, AlarmRules, AlarmTypes, OTHER_TYPES, TypeCount, most_frequent, short_type,
};

/// Maximum number of types with a tag of their own, in one region and service.
const TYPES_MAX: usize = 20;

/// Types by start of the window.
pub type TypesByWindow = BTreeMap<Timestamp, AlarmTypes>;

/// The alarms of open windows, and what was written about them.
pub struct Alarms {
    width: WindowWidth,
    /// The book of alarms, advanced to the end of the last finalized window.
    replayed: ReplayedAlarms,
    open: TypesByWindow,
    /// Types that were written as active, by start of the window. A type that is no longer active gets a point with 0.
    shown: BTreeMap<Timestamp, BTreeSet<(Scope, Box<str>)>>,
}

impl Alarms {
    /// Starts without messages. The first window reads all stored ones.
    pub fn new(rules: AlarmRules, width: WindowWidth) -> Self {
        let replayed = ReplayedAlarms::new(rules);
        Self { width, replayed, open: BTreeMap::new(), shown: BTreeMap::new() }
    }

    /// Takes the messages that are new in the store.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    pub fn read(&mut self, reader: &Reader) -> Result<(), StoreError> {
        self.replayed.read(reader)
    }

    /// Advances over finalized windows up to the window that begins at `start`.
    pub fn finalized(&mut self, start: Timestamp) {
        let end = self.width.end(start);
        if self.replayed.reached.is_none_or(|reached| reached < end) {
            self.replayed.advance(end, |_| {});
        }
        self.open = self.open.split_off(&end);
        self.shown = self.shown.split_off(&(end - DAY));
    }

    /// Counts an open window, up to the newest message.
    pub fn open(&mut self, start: Timestamp, known: &BTreeSet<AggregationKey>) {
        if self.replayed.reached.is_some_and(|reached| start < reached) {
            return;
        }
        let mut types = AlarmTypes::default();
        let place = |scope: &Scope| counted_under(scope, known);
        for alarm in self.replayed.book.active_alarms() {
            types.add_active(place(&alarm.scope), alarm);
        }
        self.replayed.book.peek(self.width.end(start), |transition| {
            let alarm = transition.alarm;
            if transition.is_over {
                types.ended(place(&alarm.scope), alarm);
            } else {
                types.add_active(place(&alarm.scope), alarm);
                if transition.ts >= start {
                    types.began(place(&alarm.scope), alarm);
                }
            }
        });
        self.open.insert(start, types);
    }

    /// The types of these windows, of a window and a day before the first, and of the windows between them.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    pub fn types(
        &self,
        reader: &Reader,
        starts: &BTreeSet<Timestamp>,
    ) -> Result<TypesByWindow, StoreError> {
        let (Some(first), Some(last)) = (starts.first(), starts.last()) else {
            return Ok(BTreeMap::new());
        };
        let first = *first - DAY - self.width.length();
        let mut types: TypesByWindow = reader.alarm_types(first, *last)?.into_iter().collect();
        types.extend(self.open.range(first..=*last).map(|(start, own)| (*start, own.clone())));
        Ok(types)
    }

    /// `alarm_types` of a window. A type without active alarms gets a point with 0, if it had some before.
    pub fn lines(&mut self, start: Timestamp, types: &TypesByWindow) -> Vec<Line> {
        let standing = |types: AlarmTypes| -> BTreeSet<(Scope, Box<str>)> {
            let all = types.iter().filter(|(.., count)| count.standing > 0);
            all.map(|(scope, alarm_type, _)| (scope.clone(), alarm_type.into())).collect()
        };
        let now = few(start, types);
        let mut ended = standing(few(start - self.width.length(), types));
        let shown = self.shown.entry(start).or_default();
        ended.extend(shown.iter().cloned());
        shown.extend(standing(now.clone()));
        ended.retain(|(scope, alarm_type)| now.get(scope, alarm_type).is_none());
        let ended = ended.iter().map(|(scope, of)| (scope, &**of, TypeCount::default()));
        let line = |(scope, alarm_type, count): (&Scope, &str, TypeCount)| {
            Fields::new()
                .integer("raised", count.raised)
                .integer("standing", count.standing)
                .at(scope_tags("alarm_types", scope).tag("type", &tag(alarm_type)), nanos(start))
        };
        now.iter().chain(ended).filter_map(line).collect()
    }
}

/// `alarm_types` with the tickets that the newest forecasts expect because of each type, in the window before them.
pub fn effects(
    start: Timestamp,
    effects: &BTreeMap<(Scope, String), f64>,
    types: &TypesByWindow,
) -> Vec<Line> {
    let few = few(start, types);
    let seen = frequent(start, types);
    let mut sums: BTreeMap<(&Scope, Box<str>), f64> = BTreeMap::new();
    for ((scope, what), tickets) in effects {
        let alarm_type = short_type(what);
        if few.get(scope, &alarm_type).is_some() {
            *sums.entry((scope, alarm_type)).or_default() += tickets;
        } else if seen.contains_key(&(scope, &*alarm_type)) {
            *sums.entry((scope, OTHER_TYPES.into())).or_default() += tickets;
        }
    }
    let line = |((scope, alarm_type), tickets): ((&Scope, Box<str>), f64)| {
        let tags = scope_tags("alarm_types", scope).tag("type", &tag(&alarm_type));
        Fields::new().float("ticket_effect", tickets).at(tags, nanos(start))
    };
    sums.into_iter().filter_map(line).collect()
}

/// The types of a window. The most frequent types of the day before have a name of their own, all others are `other`.
fn few(start: Timestamp, types: &TypesByWindow) -> AlarmTypes {
    let Some(own) = types.get(&start) else { return AlarmTypes::default() };
    let frequent = frequent(start, types);
    own.named(&most_frequent(frequent.into_iter(), TYPES_MAX))
}

/// Alarms that were raised within the day before the end of the window, and alarms that are active at its end.
fn frequent(start: Timestamp, types: &TypesByWindow) -> BTreeMap<(&Scope, &str), u32> {
    let mut sums: BTreeMap<(&Scope, &str), u32> = BTreeMap::new();
    for (at, window) in types.range(start - DAY..=start) {
        for (scope, alarm_type, count) in window.iter() {
            let n = if *at == start { count.weight() } else { count.raised };
            let sum = sums.entry((scope, alarm_type)).or_default();
            *sum = sum.saturating_add(n);
        }
    }
    sums
}

/// The scope under which alarms are counted: names beyond the limit of series are counted as `_other`.
fn counted_under(scope: &Scope, known: &BTreeSet<AggregationKey>) -> Scope {
    let is_known = |scope: &Scope| known.contains(&AggregationKey::Alarms(scope.clone()));
    let region = Scope { region: Name::other(), service: scope.service.clone() };
    let both = Scope { region: Name::other(), service: Name::other() };
    let others = [region, both].into_iter().find(|other| !is_known(scope) && is_known(other));
    others.unwrap_or_else(|| scope.clone())
}
