//! Which alarms are active, by scope and type, at the end of each window and now.
//!
//! The forecaster decides which alarms are active, but stores only their number, and only of finalized windows. The sink
//! replays the stored messages with the same rules, so that open windows show the alarms that are active now, and each type
//! has its number.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::fields::{Fields, Line, nanos, scope_tags, tag};
use crate::domain::{DAY, Name, Scope, Timestamp, UNKNOWN, WindowWidth};
use crate::output::replayed_alarms::ReplayedAlarms;
use crate::store::{Reader, StoreError};
use crate::window::{ActiveAlarm, AggregationKey, AlarmRules};

/// Types with a tag of their own, in one region and service.
const TYPES_MAX: usize = 20;
/// The tag of all other types.
const OTHER_TYPES: &str = "other";
const TYPE_CHARS_MAX: usize = 64;
/// How long a window is kept that was passed before its change came.
const NOT_WRITTEN_MAX: Duration = Duration::from_secs(7 * 86_400);

/// Alarms of one type in one scope and window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OfType {
    /// How many began in the window.
    pub raised: u32,
    /// How many are active at its end.
    pub standing: u32,
}

impl OfType {
    fn add(&mut self, more: Self) {
        self.raised = self.raised.saturating_add(more.raised);
        self.standing = self.standing.saturating_add(more.standing);
    }
}

/// By scope and type.
type Types = BTreeMap<(Scope, String), OfType>;

/// The alarms of one window.
#[derive(Default)]
struct Window {
    all: Types,
    /// The most frequent types, the rest as `other`, once they were found.
    few: Option<Types>,
    /// Whether its lines were written.
    is_written: bool,
}

/// All alarms, as of the end of the last finalized window that was written.
pub struct Alarms {
    width: WindowWidth,
    /// Moved on to the end of the last finalized window.
    replayed: ReplayedAlarms,
    /// Of the day up to that end and the day up to the newest, by start of the window, and those of a week that were not written
    /// yet. A batch may be written twice, and the book does not go back.
    windows: BTreeMap<Timestamp, Window>,
}

impl Alarms {
    /// Without messages: the first window reads all that are stored.
    pub fn new(rules: AlarmRules, width: WindowWidth) -> Self {
        Self { width, replayed: ReplayedAlarms::new(rules), windows: BTreeMap::new() }
    }

    /// Takes the messages that are new in the store.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    pub fn read(&mut self, reader: &Reader) -> Result<(), StoreError> {
        self.replayed.read(reader)
    }

    /// Moves on over a finalized window and all before it that were not passed yet; at first, over those of a day. A window that
    /// changed again may come after later ones, and the book does not go back. Windows that were passed before stay as they
    /// were.
    pub fn finalized(&mut self, start: Timestamp, known: &BTreeSet<AggregationKey>) {
        let is_first = self.replayed.reached.is_none();
        let mut next = self.replayed.reached.unwrap_or_else(|| self.width.floor(start - DAY));
        while next <= start {
            self.pass(next, known);
            // While the day before it is known.
            if !is_first {
                self.rank(next);
            }
            next = self.width.end(next);
        }
        self.rank(start);
    }

    fn pass(&mut self, start: Timestamp, known: &BTreeSet<AggregationKey>) {
        let mut types = Types::new();
        self.replayed.advance(self.width.end(start), |transition| {
            if !transition.is_over && transition.ts >= start {
                types.entry(key_of(transition.alarm, known)).or_default().raised += 1;
            }
        });
        for alarm in self.replayed.book.active_alarms() {
            types.entry(key_of(alarm, known)).or_default().standing += 1;
        }
        self.keep(start, types);
    }

    /// Counts an open window, up to the newest message.
    pub fn open(&mut self, start: Timestamp, known: &BTreeSet<AggregationKey>) {
        if self.replayed.reached.is_some_and(|reached| start < reached) {
            return;
        }
        let mut types = Types::new();
        for alarm in self.replayed.book.active_alarms() {
            types.entry(key_of(alarm, known)).or_default().standing += 1;
        }
        self.replayed.book.peek(self.width.end(start), |transition| {
            let of_type = types.entry(key_of(transition.alarm, known)).or_default();
            if transition.is_over {
                of_type.standing = of_type.standing.saturating_sub(1);
            } else {
                of_type.standing += 1;
                of_type.raised += u32::from(transition.ts >= start);
            }
        });
        types.retain(|_, of_type| *of_type != OfType::default());
        self.keep(start, types);
        self.rank(start);
    }

    /// Active alarms by scope at the end of a window, or now while it is open. Empty for a window of another day.
    pub fn active(&self, start: Timestamp) -> BTreeMap<Scope, u32> {
        let mut active = BTreeMap::new();
        for ((scope, _), of_type) in self.windows.get(&start).iter().flat_map(|w| &w.all) {
            *active.entry(scope.clone()).or_default() += of_type.standing;
        }
        active
    }

    /// `alarm_types` of a window. A type that has no active alarm any more gets its 0.
    pub fn lines(&self, start: Timestamp) -> Vec<Line> {
        let Some(window) = self.windows.get(&start) else { return Vec::new() };
        let before = self.windows.get(&(start - self.width.length()));
        let before = before.and_then(|before| before.few.as_ref()).into_iter().flatten();
        let Some(few) = &window.few else { return Vec::new() };
        let ended = before.filter(|(key, of_type)| of_type.standing > 0 && !few.contains_key(key));
        let ended = ended.map(|(key, _)| (key, OfType::default()));
        let all = few.iter().map(|(key, of_type)| (key, *of_type)).chain(ended);
        let line = |((scope, alarm_type), of_type): (&(Scope, String), OfType)| {
            Fields::new()
                .integer("raised", of_type.raised)
                .integer("standing", of_type.standing)
                .at(scope_tags("alarm_types", scope).tag("type", &tag(alarm_type)), nanos(start))
        };
        all.filter_map(line).collect()
    }

    /// `alarm_types` with the tickets that the newest forecasts expect because of each type, in the window before them.
    pub fn effects(&self, start: Timestamp, effects: &BTreeMap<(Scope, String), f64>) -> Vec<Line> {
        let few = self.windows.get(&start).and_then(|window| window.few.as_ref());
        let Some(few) = few else { return Vec::new() };
        let seen = self.frequent(start);
        let mut sums: BTreeMap<(&Scope, &str), f64> = BTreeMap::new();
        for ((scope, what), tickets) in effects {
            let key = (scope.clone(), short(what));
            if let Some((key, _)) = few.get_key_value(&key) {
                *sums.entry((&key.0, &key.1)).or_default() += tickets;
            } else if seen.contains_key(&key) {
                *sums.entry((scope, OTHER_TYPES)).or_default() += tickets;
            }
        }
        let line = |((scope, alarm_type), tickets): ((&Scope, &str), f64)| {
            let tags = scope_tags("alarm_types", scope).tag("type", &tag(alarm_type));
            Fields::new().float("ticket_effect", tickets).at(tags, nanos(start))
        };
        sums.into_iter().filter_map(line).collect()
    }

    /// Raised within a day up to a window's end, and active at it.
    fn frequent(&self, start: Timestamp) -> BTreeMap<(Scope, String), u32> {
        let mut sums: BTreeMap<(Scope, String), u32> = BTreeMap::new();
        for (at, window) in self.windows.range(start - DAY..=start) {
            for (key, of_type) in &window.all {
                let standing = if *at == start { of_type.standing } else { 0 };
                let n = of_type.raised.saturating_add(standing);
                if let Some(sum) = sums.get_mut(key) {
                    *sum = sum.saturating_add(n);
                } else {
                    sums.insert(key.clone(), n);
                }
            }
        }
        sums
    }

    fn keep(&mut self, start: Timestamp, mut all: Types) {
        // What was written for the window as active before, and is not any more.
        let before = self.windows.remove(&start).into_iter().flat_map(|before| before.all);
        for (key, of_type) in before.filter(|(_, of_type)| of_type.standing > 0) {
            all.entry(key).or_insert(OfType { raised: of_type.raised, standing: 0 });
        }
        self.windows.insert(start, Window { all, few: None, is_written: false });
    }

    /// The lines of these windows were taken: drops windows that are not needed any more.
    pub fn written(&mut self, starts: &BTreeSet<Timestamp>) {
        for start in starts {
            if let Some(window) = self.windows.get_mut(start) {
                window.is_written = true;
            }
        }
        let Some(newest) = self.windows.keys().next_back().copied() else { return };
        // While a source is far ahead of the others, its open windows are far ahead of the finalized ones.
        let reached = self.replayed.reached.unwrap_or(newest);
        let is_near = |at: Timestamp, of: Timestamp| at <= of && at + DAY >= of;
        self.windows.retain(|at, window| {
            is_near(*at, reached)
                || is_near(*at, newest)
                || (!window.is_written && *at <= reached && *at + NOT_WRITTEN_MAX >= reached)
        });
    }

    /// Finds the most frequent types of a window.
    fn rank(&mut self, start: Timestamp) {
        let Some(window) = self.windows.get(&start).filter(|window| window.few.is_none()) else {
            return;
        };
        let mut ranked: BTreeMap<Scope, Vec<(u32, String)>> = BTreeMap::new();
        for ((scope, alarm_type), n) in self.frequent(start) {
            ranked.entry(scope).or_default().push((n, alarm_type));
        }
        for types in ranked.values_mut() {
            types.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
            types.truncate(TYPES_MAX);
        }
        let mut few = Types::new();
        for ((scope, alarm_type), of_type) in &window.all {
            let own = ranked
                .get(scope)
                .is_some_and(|types| types.iter().any(|(_, frequent)| frequent == alarm_type));
            let tag = if own { alarm_type.as_str() } else { OTHER_TYPES };
            few.entry((scope.clone(), tag.to_owned())).or_default().add(*of_type);
        }
        if let Some(window) = self.windows.get_mut(&start) {
            window.few = Some(few);
        }
    }
}

fn key_of(alarm: &ActiveAlarm, known: &BTreeSet<AggregationKey>) -> (Scope, String) {
    let alarm_type = alarm.alarm_type.as_deref().filter(|text| !text.trim().is_empty());
    (counted_under(&alarm.scope, known), short(alarm_type.unwrap_or(UNKNOWN)))
}

fn short(text: &str) -> String {
    text.chars().take(TYPE_CHARS_MAX).collect()
}

/// The scope under which alarms are counted: names beyond the limit of series are counted as `_other`.
fn counted_under(scope: &Scope, known: &BTreeSet<AggregationKey>) -> Scope {
    let is_known = |scope: &Scope| known.contains(&AggregationKey::Alarms(scope.clone()));
    let region = Scope { region: Name::other(), service: scope.service.clone() };
    let both = Scope { region: Name::other(), service: Name::other() };
    let others = [region, both].into_iter().find(|other| !is_known(scope) && is_known(other));
    others.unwrap_or_else(|| scope.clone())
}
