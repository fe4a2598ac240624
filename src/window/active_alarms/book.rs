//! All alarms.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::alarm::{ActiveAlarm, Transition};
use super::life::{Effect, End, Life};
use super::rules::{AlarmRules, STALE_AFTER};
use super::step::{About, Key, Step};
use super::tally::Tally;
use crate::domain::{
    AlarmAction, AlarmEvent, ListRebuilt, Offset, Position, Scope, SourceId, Timestamp,
};

/// Rebuilt lists whose time has not come, at most: each is held against every alarm that stands.
const REBUILT_MAX: usize = 1000;

/// Transitions of one alarm whose time has not come.
#[derive(Clone, Debug)]
struct Waiting {
    steps: Vec<Step>,
    about: About,
}

/// All alarms, as of an instant that only moves forward.
#[derive(Clone, Debug, Default)]
pub struct AlarmBook {
    rules: AlarmRules,
    ahead: BTreeMap<Arc<str>, Waiting>,
    rebuilt: BTreeMap<Key, ListRebuilt>,
    alarms: BTreeMap<Arc<str>, Life>,
    active: usize,
    tally: Tally,
    now: Option<Timestamp>,
    names: BTreeSet<Arc<str>>,
    scopes: BTreeSet<Arc<Scope>>,
    sources: Vec<SourceId>,
}

impl AlarmBook {
    /// A book without alarms.
    pub fn new(rules: AlarmRules) -> Self {
        Self { rules, ..Self::default() }
    }

    /// Takes a transition, in any order and any number of times; it has its effect when the book moves on.
    pub fn observe(&mut self, position: &Position, event: &AlarmEvent) {
        let action = match event.action {
            AlarmAction::Raise => 0,
            AlarmAction::Change => 1,
            AlarmAction::Clear => 2,
        };
        let key = (event.ts, self.source(&position.source), position.offset);
        let step = Step { key, action, severity: event.severity };
        let about = About {
            scope: self.scope(&event.scope),
            device: event.device.as_deref().map(|text| self.name(text)),
            alarm_type: event.alarm_type.as_deref().map(|text| self.name(text)),
        };
        match self.ahead.get_mut(&*event.alarm_id) {
            Some(waiting) => {
                if let Err(at) = waiting.steps.binary_search_by_key(&key, |step| step.key) {
                    if at == waiting.steps.len() {
                        waiting.about = about;
                    }
                    waiting.steps.insert(at, step);
                }
            }
            None => {
                let alarm_id: Arc<str> = match self.alarms.get_key_value(&*event.alarm_id) {
                    Some((known, _)) => known.clone(),
                    None => Arc::from(&*event.alarm_id),
                };
                self.ahead.insert(alarm_id, Waiting { steps: vec![step], about });
            }
        }
    }

    /// Takes a notice that a system rebuilt its list, as [`Self::observe`] takes a transition.
    pub fn observe_rebuilt(&mut self, position: &Position, rebuilt: &ListRebuilt) {
        let key = (rebuilt.ts, self.source(&position.source), position.offset);
        if self.rebuilt.len() >= REBUILT_MAX && !self.rebuilt.contains_key(&key) {
            // Alarms that are not doubted stand until they are cleared.
            self.tally.lists_refused += 1;
            return;
        }
        self.rebuilt.insert(key, rebuilt.clone());
    }

    fn source(&mut self, source: &SourceId) -> u16 {
        let known = self.sources.iter().position(|known| known == source);
        let number = known.unwrap_or_else(|| {
            self.sources.push(source.clone());
            self.sources.len() - 1
        });
        number as u16
    }

    fn name(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.names.get(text) {
            return known.clone();
        }
        let name: Arc<str> = text.into();
        self.names.insert(name.clone());
        name
    }

    fn scope(&mut self, scope: &Scope) -> Arc<Scope> {
        if let Some(known) = self.scopes.get(scope) {
            return known.clone();
        }
        let scope = Arc::new(scope.clone());
        self.scopes.insert(scope.clone());
        scope
    }

    /// Tells what [`Self::advance`] would tell of transitions up to `until` and of held clears, without moving on. It
    /// goes from alarm to alarm: in a storm a copy of all would be large.
    pub fn peek(&self, until: Timestamp, mut tell: impl FnMut(Transition<'_>)) {
        let mut look = |alarm_id: &Arc<str>, life: Option<&Life>, waiting: Option<Waiting>| {
            let (rules, active, now) = (self.rules, self.active, self.now);
            let mut one = Self { rules, active, now, ..Self::default() };
            one.alarms.extend(life.map(|life| (alarm_id.clone(), life.clone())));
            one.ahead.extend(waiting.map(|waiting| (alarm_id.clone(), waiting)));
            one.advance(until, &mut tell);
        };
        let due = |waiting: &Waiting| waiting.steps.partition_point(|step| step.key.0 <= until);
        for (alarm_id, waiting) in &self.ahead {
            let steps = waiting.steps[..due(waiting)].to_vec();
            if !steps.is_empty() {
                let waiting = Waiting { steps, about: waiting.about.clone() };
                look(alarm_id, self.alarms.get(alarm_id), Some(waiting));
            }
        }
        let waits = |alarm_id| self.ahead.get(alarm_id).is_some_and(|waiting| due(waiting) > 0);
        for (alarm_id, life) in self.alarms.iter().filter(|(_, life)| life.is_ending()) {
            if !waits(alarm_id) {
                look(alarm_id, Some(life), None);
            }
        }
    }

    /// Moves on to `now`: transitions up to it take effect, beginnings and ends are told, stale alarms go.
    pub fn advance(&mut self, now: Timestamp, mut tell: impl FnMut(Transition<'_>)) {
        let later = self.rebuilt.split_off(&(now + Duration::from_millis(1), 0, Offset::MIN));
        for (key, rebuilt) in std::mem::replace(&mut self.rebuilt, later) {
            self.move_to(key.0, &mut tell);
            for (alarm_id, life) in &mut self.alarms {
                let device = life.active.as_ref().and_then(|alarm| alarm.device.as_deref());
                if rebuilt.concerns(alarm_id, device) {
                    life.doubt(key.0);
                }
            }
        }
        self.move_to(now, &mut tell);
        let active = &mut self.active;
        self.alarms.retain(|_, life| {
            let stays = life.newest.0 + STALE_AFTER > now;
            *active -= usize::from(!stays && life.active.is_some());
            stays
        });
        self.now = self.now.max(Some(now));
        self.names.retain(|name| Arc::strong_count(name) > 1);
    }

    fn move_to(&mut self, now: Timestamp, tell: &mut impl FnMut(Transition<'_>)) {
        let mut ahead = std::mem::take(&mut self.ahead);
        ahead.retain(|alarm_id, waiting| {
            let due = waiting.steps.partition_point(|step| step.key.0 <= now);
            for step in waiting.steps.drain(..due) {
                self.apply(alarm_id, step, &waiting.about, tell);
            }
            !waiting.steps.is_empty()
        });
        self.ahead = ahead;
        let mut ended =
            Ended { reached: self.now, active: &mut self.active, tally: &mut self.tally };
        for life in self.alarms.values_mut() {
            // What is sure at `now` is over then.
            if let Some(end) = life.end_before(now + Duration::from_millis(1), &self.rules) {
                ended.tell(&end, tell);
            }
            life.calm(now, &self.rules);
        }
    }

    fn apply(
        &mut self,
        alarm_id: &Arc<str>,
        step: Step,
        about: &About,
        tell: &mut impl FnMut(Transition<'_>),
    ) {
        let ts = step.key.0;
        let known = self.alarms.get_mut(alarm_id);
        if known.as_ref().is_some_and(|life| life.newest >= step.key) {
            return;
        }
        let mut stands = false;
        if let Some(life) = known {
            let mut ended =
                Ended { reached: self.now, active: &mut self.active, tally: &mut self.tally };
            if let Some(end) = life.end_before(ts, &self.rules) {
                ended.tell(&end, tell);
            }
            life.calm(ts, &self.rules);
            stands = life.active.is_some();
        }
        let begins = !stands && step.action() != AlarmAction::Clear;
        if begins && self.active >= self.rules.standing_max {
            self.tally.refused += 1;
            return;
        }
        let life = self.alarms.entry(alarm_id.clone()).or_insert_with(|| Life::new(step.key));
        match life.take(alarm_id, step, about, &self.rules) {
            Effect::Began => {
                self.active += 1;
                self.tally.began += 1;
                if let Some(alarm) = &life.active {
                    let known_at = known_at(ts, self.now);
                    tell(Transition { alarm, is_over: false, ts, known_at });
                }
            }
            Effect::Repeated => self.tally.repeated += 1,
            Effect::Flapped => self.tally.flapped += 1,
            Effect::Other => {}
        }
    }

    /// What stands now, by alarm id.
    pub fn active_alarms(&self) -> impl Iterator<Item = &ActiveAlarm> + '_ {
        self.alarms.values().filter_map(|life| life.active.as_ref())
    }

    /// How many stand now.
    pub fn active_count(&self) -> usize {
        self.active
    }

    /// Standing alarms by scope.
    pub fn active(&self) -> BTreeMap<Scope, u32> {
        let mut active = BTreeMap::new();
        for alarm in self.active_alarms() {
            *active.entry(Scope::clone(&alarm.scope)).or_default() += 1;
        }
        active
    }

    /// What happened since this was last called.
    pub fn take_tally(&mut self) -> Tally {
        std::mem::take(&mut self.tally)
    }
}

/// What comes late is known only now.
fn known_at(ts: Timestamp, reached: Option<Timestamp>) -> Timestamp {
    reached.map_or(ts, |reached| ts.max(reached + Duration::from_millis(1)))
}

/// Where the ends of alarms are told and counted.
struct Ended<'a> {
    reached: Option<Timestamp>,
    active: &'a mut usize,
    tally: &'a mut Tally,
}

impl Ended<'_> {
    fn tell(&mut self, (alarm, end): &(ActiveAlarm, End), tell: &mut impl FnMut(Transition<'_>)) {
        *self.active -= 1;
        self.tally.resynced += u64::from(end.is_resync);
        let known_at = known_at(end.sure_at, self.reached);
        tell(Transition { alarm, is_over: true, ts: end.ts, known_at });
    }
}
