//! The book of all alarms.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::alarm::{ActiveAlarm, Transition};
use super::life::{Effect, End, Life};
use super::rules::{AlarmRules, STALE_AFTER};
use super::step::{Details, Key, Step};
use super::tally::Tally;
use super::types::AlarmTypes;
use crate::domain::{
    AlarmAction, AlarmEvent, DAY, ListRebuilt, Offset, Position, Scope, Severity, SourceId,
    Timestamp,
};

/// Maximum number of rebuilt lists that wait for their time. Each is compared with all active alarms.
const REBUILT_MAX: usize = 1000;

/// How long the end of the last alarm of a scope is remembered.
pub const ENDED_KEPT: Duration = Duration::from_secs(3 * 3600);

/// Messages of one alarm that have not taken effect yet, in order.
#[derive(Clone, Debug)]
struct Pending {
    steps: Vec<Step>,
}

impl Pending {
    /// Number of steps up to `now`.
    fn due(&self, now: Timestamp) -> usize {
        self.steps.partition_point(|step| step.key.0 <= now)
    }
}

/// All alarms, as of an instant in event time that never moves back.
#[derive(Clone, Debug, Default)]
pub struct AlarmBook {
    rules: AlarmRules,
    pending: BTreeMap<Arc<str>, Pending>,
    /// Alarms in `pending` by the time of their first step. If the book is far behind its messages, only alarms with due steps
    /// are examined.
    by_first_step: BTreeSet<(Timestamp, Arc<str>)>,
    rebuilt: BTreeMap<Key, ListRebuilt>,
    alarms: BTreeMap<Arc<str>, Life>,
    active: usize,
    /// When the last critical or major alarm of a scope ended, for [`ENDED_KEPT`].
    ended: BTreeMap<Arc<Scope>, Timestamp>,
    tally: Tally,
    now: Option<Timestamp>,
    /// When clears without a raise were last logged.
    hinted_at: Option<Timestamp>,
    names: BTreeSet<Arc<str>>,
    scopes: BTreeSet<Arc<Scope>>,
}

impl AlarmBook {
    /// A book without alarms.
    pub fn new(rules: AlarmRules) -> Self {
        Self { rules, ..Self::default() }
    }

    /// Takes a message of an alarm. Messages may come in any order and repeatedly; they take effect in
    /// [`Self::advance`].
    pub fn observe(&mut self, position: &Position, event: &AlarmEvent) {
        let action = match event.action {
            AlarmAction::Raise => 0,
            AlarmAction::Change => 1,
            AlarmAction::Clear => 2,
        };
        let key = (event.ts, order(&position.source), position.offset);
        let severity = event.severity;
        let details = Details {
            scope: self.scope(&event.scope),
            device: event.device.as_deref().map(|text| self.name(text)),
            alarm_type: event.alarm_type.as_deref().map(|text| self.name(text)),
        };
        let Some(pending) = self.pending.get_mut(&*event.alarm_id) else {
            let alarm_id: Arc<str> = match self.alarms.get_key_value(&*event.alarm_id) {
                Some((known, _)) => known.clone(),
                None => Arc::from(&*event.alarm_id),
            };
            let step = Step { key, action, severity, details: Arc::new(details) };
            self.add_pending(alarm_id, Pending { steps: vec![step] });
            return;
        };
        let Err(at) = pending.steps.binary_search_by_key(&key, |step| step.key) else { return };
        let last = pending.steps.last().map(|step| &step.details);
        let details = match last.filter(|last| ***last == details) {
            Some(same) => same.clone(),
            None => Arc::new(details),
        };
        pending.steps.insert(at, Step { key, action, severity, details });
        if at == 0
            && let Some((alarm_id, pending)) = self.pending.remove_entry(&*event.alarm_id)
        {
            self.by_first_step.remove(&(pending.steps[1].key.0, alarm_id.clone()));
            self.add_pending(alarm_id, pending);
        }
    }

    fn add_pending(&mut self, alarm_id: Arc<str>, pending: Pending) {
        self.by_first_step.extend(pending.steps.first().map(|step| (step.key.0, alarm_id.clone())));
        self.pending.insert(alarm_id, pending);
    }

    /// Alarms with a step up to `now` that has not taken effect, in order of their ids.
    fn due(&self, now: Timestamp) -> Vec<Arc<str>> {
        let due = self.by_first_step.iter().take_while(|(first, _)| *first <= now);
        let mut due: Vec<Arc<str>> = due.map(|(_, alarm_id)| alarm_id.clone()).collect();
        due.sort_unstable();
        due
    }

    /// Takes the notification that a system rebuilt its alarm list. It takes effect in [`Self::advance`].
    pub fn observe_rebuilt(&mut self, position: &Position, rebuilt: &ListRebuilt) {
        let key = (rebuilt.ts, order(&position.source), position.offset);
        if self.rebuilt.len() >= REBUILT_MAX && !self.rebuilt.contains_key(&key) {
            // The alarms of that list stay active until they are cleared.
            self.tally.lists_refused += 1;
            return;
        }
        self.rebuilt.insert(key, rebuilt.clone());
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

    /// Emits the transitions that [`Self::advance`] would emit up to `until`, without advancing the book. Pending rebuilt lists
    /// are ignored. One alarm is copied at a time, because in an alarm storm a copy of the whole book would be large.
    pub fn peek(&self, until: Timestamp, mut emit: impl FnMut(Transition<'_>)) {
        self.each_ahead(until, &mut emit, |_, _| {});
    }

    /// Alarms that will be active after [`Self::advance`] to `until`, in their state at that time. The book is not advanced.
    /// Pending rebuilt lists are ignored.
    pub fn active_at(&self, until: Timestamp) -> Vec<ActiveAlarm> {
        let mut moved: BTreeSet<Arc<str>> = BTreeSet::new();
        let mut active: Vec<ActiveAlarm> = Vec::new();
        self.each_ahead(until, &mut |_| {}, |alarm_id, book| {
            moved.insert(alarm_id.clone());
            active.extend(book.active_alarms().cloned());
        });
        for (_, life) in self.alarms.iter().filter(|(alarm_id, _)| !moved.contains(*alarm_id)) {
            let mut life = life.clone();
            life.forget_flaps_if_quiet(until, &self.rules);
            active.extend(life.active.filter(|_| life.newest.0 + STALE_AFTER > until));
        }
        active.sort_by(|a, b| a.alarm_id.cmp(&b.alarm_id));
        active
    }

    /// Advances a copy of each alarm that changes up to `until`, each in a book of its own.
    fn each_ahead(
        &self,
        until: Timestamp,
        emit: &mut impl FnMut(Transition<'_>),
        mut moved: impl FnMut(&Arc<str>, &Self),
    ) {
        let mut peek_one = |alarm_id: &Arc<str>, life: Option<&Life>, pending: Option<Pending>| {
            let (rules, active, now) = (self.rules, self.active, self.now);
            let mut one = Self { rules, active, now, ..Self::default() };
            one.alarms.extend(life.map(|life| (alarm_id.clone(), life.clone())));
            if let Some(pending) = pending {
                one.add_pending(alarm_id.clone(), pending);
            }
            one.advance(until, &mut *emit);
            moved(alarm_id, &one);
        };
        let due = self.due(until);
        for (alarm_id, pending) in due.iter().filter_map(|id| self.pending.get_key_value(id)) {
            let steps = pending.steps[..pending.due(until)].to_vec();
            peek_one(alarm_id, self.alarms.get(alarm_id), Some(Pending { steps }));
        }
        for (alarm_id, life) in self.alarms.iter().filter(|(_, life)| life.is_ending()) {
            if due.binary_search(alarm_id).is_err() {
                peek_one(alarm_id, Some(life), None);
            }
        }
    }

    /// Advances to `now`: messages up to this time take effect, beginnings and ends are emitted, stale alarms are dropped.
    pub fn advance(&mut self, now: Timestamp, mut emit: impl FnMut(Transition<'_>)) {
        let later = self.rebuilt.split_off(&(now + Duration::from_millis(1), 0, Offset::MIN));
        for (key, rebuilt) in std::mem::replace(&mut self.rebuilt, later) {
            self.move_to(key.0, &mut emit);
            for (alarm_id, life) in &mut self.alarms {
                let device = life.active.as_ref().and_then(|alarm| alarm.device.as_deref());
                if rebuilt.concerns(alarm_id, device) {
                    life.mark_doubtful(key.0);
                }
            }
        }
        self.move_to(now, &mut emit);
        let active = &mut self.active;
        self.alarms.retain(|_, life| {
            let stays = life.newest.0 + STALE_AFTER > now;
            *active -= usize::from(!stays && life.active.is_some());
            stays
        });
        self.ended.retain(|_, at| *at + ENDED_KEPT > now);
        self.now = self.now.max(Some(now));
        self.names.retain(|name| Arc::strong_count(name) > 1);
    }

    /// Advances to the `end` of the window that begins at `start`. Returns the alarms of the window by type, each in the scope
    /// to which `place` maps its own.
    pub fn advance_window(
        &mut self,
        (start, end): (Timestamp, Timestamp),
        place: impl Fn(&Scope) -> Scope,
        mut emit: impl FnMut(Transition<'_>),
    ) -> AlarmTypes {
        let mut types = AlarmTypes::default();
        self.advance(end, |transition| {
            emit(transition);
            if !transition.is_over && transition.ts >= start {
                types.began(place(&transition.alarm.scope), transition.alarm);
            }
        });
        self.active_alarms().for_each(|alarm| types.add_active(place(&alarm.scope), alarm));
        types.bounded()
    }

    fn move_to(&mut self, now: Timestamp, emit: &mut impl FnMut(Transition<'_>)) {
        for alarm_id in self.due(now) {
            let Some(mut pending) = self.pending.remove(&alarm_id) else { continue };
            self.by_first_step.remove(&(pending.steps[0].key.0, alarm_id.clone()));
            for step in pending.steps.drain(..pending.due(now)) {
                self.apply(&alarm_id, &step, emit);
            }
            if !pending.steps.is_empty() {
                self.add_pending(alarm_id, pending);
            }
        }
        let mut ended = Ended {
            reached: self.now,
            active: &mut self.active,
            tally: &mut self.tally,
            last: &mut self.ended,
        };
        for life in self.alarms.values_mut() {
            // An end that is certain at `now` takes effect at `now`.
            if let Some(end) = life.end_before(now + Duration::from_millis(1), &self.rules) {
                ended.emit(&end, emit);
            }
            life.forget_flaps_if_quiet(now, &self.rules);
        }
    }

    fn apply(&mut self, alarm_id: &Arc<str>, step: &Step, emit: &mut impl FnMut(Transition<'_>)) {
        let ts = step.key.0;
        let known = self.alarms.get_mut(alarm_id);
        if known.as_ref().is_some_and(|life| life.is_past(step)) {
            return;
        }
        let (mut is_active, mut is_cleared) = (false, false);
        if let Some(life) = known {
            let mut ended = Ended {
                reached: self.now,
                active: &mut self.active,
                tally: &mut self.tally,
                last: &mut self.ended,
            };
            if let Some(end) = life.end_before(ts, &self.rules) {
                ended.emit(&end, emit);
            }
            life.forget_flaps_if_quiet(ts, &self.rules);
            (is_active, is_cleared) = (life.active.is_some(), life.is_cleared());
        }
        let action = step.action();
        let is_clear = action == AlarmAction::Clear;
        let begins = !is_active && (action == AlarmAction::Raise || (!is_clear && !is_cleared));
        if begins && self.active >= self.rules.active_max {
            self.tally.refused += 1;
            if let Some(life) = self.alarms.get_mut(alarm_id) {
                life.refused(step);
            }
            return;
        }
        if is_clear && !self.alarms.contains_key(alarm_id) {
            self.tally.unpaired += 1;
        }
        let life = self.alarms.entry(alarm_id.clone()).or_insert_with(|| Life::new(step.key));
        match life.take(alarm_id, step, &self.rules) {
            Effect::Began => {
                self.active += 1;
                self.tally.began += 1;
                if let Some(alarm) = &life.active {
                    let known_at = known_at(ts, self.now);
                    emit(Transition { alarm, is_over: false, ts, known_at });
                }
            }
            Effect::Repeated => self.tally.repeated += 1,
            Effect::Flapped => self.tally.flapped += 1,
            Effect::Other => {}
        }
    }

    /// Active alarms, in order of their ids.
    pub fn active_alarms(&self) -> impl Iterator<Item = &ActiveAlarm> + '_ {
        self.alarms.values().filter_map(|life| life.active.as_ref())
    }

    /// Scopes in which a critical or major alarm ended within [`ENDED_KEPT`], with the last end.
    pub fn ended(&self) -> impl Iterator<Item = (&Scope, Timestamp)> + '_ {
        self.ended.iter().map(|(scope, at)| (&**scope, *at))
    }

    /// Number of active alarms.
    pub fn active_count(&self) -> usize {
        self.active
    }

    /// Number of active alarms by scope.
    pub fn active(&self) -> BTreeMap<Scope, u32> {
        let mut active = BTreeMap::new();
        for alarm in self.active_alarms() {
            *active.entry(Scope::clone(&alarm.scope)).or_default() += 1;
        }
        active
    }

    /// Whether clears without a raise should be logged: once a day of event time.
    pub fn is_hint_due(&mut self, now: Timestamp) -> bool {
        let is_due = self.hinted_at.is_none_or(|at| at + DAY <= now);
        if is_due {
            self.hinted_at = Some(now);
        }
        is_due
    }

    /// Counts of alarm effects since the last call.
    pub fn take_tally(&mut self) -> Tally {
        std::mem::take(&mut self.tally)
    }
}

/// The position of a source in an order that is the same in each run. Messages of the same time take effect in this order.
fn order(source: &SourceId) -> u64 {
    // FNV-1a.
    let topic = source
        .topic
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    u64::from(topic) << 32 | u64::from(source.partition.cast_unsigned())
}

/// When a transition becomes known: a transition at or before the instant that was reached becomes known only after that
/// instant.
fn known_at(ts: Timestamp, reached: Option<Timestamp>) -> Timestamp {
    reached.map_or(ts, |reached| ts.max(reached + Duration::from_millis(1)))
}

/// Emits and counts the ends of alarms.
struct Ended<'a> {
    reached: Option<Timestamp>,
    active: &'a mut usize,
    tally: &'a mut Tally,
    last: &'a mut BTreeMap<Arc<Scope>, Timestamp>,
}

impl Ended<'_> {
    fn emit(&mut self, (alarm, end): &(ActiveAlarm, End), emit: &mut impl FnMut(Transition<'_>)) {
        *self.active -= 1;
        self.tally.resynced += u64::from(end.is_resync);
        if alarm.severity <= Severity::Major {
            let last = self.last.entry(alarm.scope.clone()).or_insert(end.ts);
            *last = end.ts.max(*last);
        }
        let known_at = known_at(end.sure_at, self.reached);
        emit(Transition { alarm, is_over: true, ts: end.ts, known_at });
    }
}
