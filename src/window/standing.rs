//! Alarm state, which outlives windows: what stands at a given event time.
//!
//! Transitions take effect up to the instant that is asked for, each alarm's in the order of event time, so that the
//! answer for a window's end does not depend on how much of the log had been read when it was asked. A storm is
//! kept small: names once, and of a transition what is needed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::domain::{
    AlarmAction, AlarmEvent, Offset, Position, Scope, Severity, SourceId, Timestamp,
};

/// An alarm whose last change is older than this is stale (ISA-18.2 calls for such a limit) and no
/// longer counts as standing.
pub const STALE_AFTER: Duration = Duration::from_secs(7 * 86_400);

/// An alarm that has been raised and not cleared.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    pub alarm_id: Arc<str>,
    pub scope: Arc<Scope>,
    pub severity: Severity,
    pub raised_at: Timestamp,
    pub changed_at: Timestamp,
    pub device: Option<Arc<str>>,
    pub alarm_type: Option<Arc<str>>,
}

/// What happened to an alarm, once its time has come.
#[derive(Clone, Copy, Debug)]
pub struct Transition<'a> {
    pub alarm_id: &'a Arc<str>,
    pub action: AlarmAction,
    pub severity: Severity,
    pub ts: Timestamp,
    pub scope: &'a Arc<Scope>,
    pub device: Option<&'a Arc<str>>,
    pub alarm_type: Option<&'a Arc<str>>,
}

/// Time and position of a transition: the larger is the newer. Sources by number.
type Key = (Timestamp, u16, Offset);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Step {
    key: Key,
    action: u8,
    severity: Severity,
}

/// Transitions of one alarm whose time has not come.
#[derive(Clone, Debug)]
struct Waiting {
    steps: Vec<Step>,
    about: About,
}

/// What its newest transition says of an alarm.
#[derive(Clone, Debug)]
struct About {
    scope: Arc<Scope>,
    device: Option<Arc<str>>,
    alarm_type: Option<Arc<str>>,
}

#[derive(Clone, Debug)]
struct State {
    newest: Key,
    standing: Option<Standing>,
}

/// All alarms, as of an instant that only moves forward.
#[derive(Clone, Debug, Default)]
pub struct AlarmBook {
    ahead: BTreeMap<Arc<str>, Waiting>,
    alarms: BTreeMap<Arc<str>, State>,
    now: Option<Timestamp>,
    names: BTreeSet<Arc<str>>,
    scopes: BTreeSet<Arc<Scope>>,
    sources: Vec<SourceId>,
}

fn transition<'a>(alarm_id: &'a Arc<str>, step: &Step, about: &'a About) -> Transition<'a> {
    Transition {
        alarm_id,
        action: ACTIONS[usize::from(step.action)],
        severity: step.severity,
        ts: step.key.0,
        scope: &about.scope,
        device: about.device.as_ref(),
        alarm_type: about.alarm_type.as_ref(),
    }
}

const ACTIONS: [AlarmAction; 3] = [AlarmAction::Raise, AlarmAction::Change, AlarmAction::Clear];

impl AlarmBook {
    /// Takes a transition, in any order and any number of times.
    pub fn observe(&mut self, position: &Position, event: &AlarmEvent) {
        let source = match self.sources.iter().position(|known| *known == position.source) {
            Some(number) => number,
            None => {
                self.sources.push(position.source.clone());
                self.sources.len() - 1
            }
        };
        let action = match event.action {
            AlarmAction::Raise => 0,
            AlarmAction::Change => 1,
            AlarmAction::Clear => 2,
        };
        let key = (event.ts, source as u16, position.offset);
        let step = Step { key, action, severity: event.severity };
        let about = About {
            scope: self.scope(&event.scope),
            device: event.device.as_deref().map(|text| self.name(text)),
            alarm_type: event.alarm_type.as_deref().map(|text| self.name(text)),
        };
        if self.now.is_some_and(|now| event.ts <= now) {
            let alarm_id: Arc<str> = match self.alarms.get_key_value(&*event.alarm_id) {
                Some((known, _)) => known.clone(),
                None => Arc::from(&*event.alarm_id),
            };
            self.apply(&alarm_id, step, &about);
            return;
        }
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
                let alarm_id: Arc<str> = Arc::from(&*event.alarm_id);
                self.ahead.insert(alarm_id, Waiting { steps: vec![step], about });
            }
        }
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

    /// Tells what lies ahead up to `until`, each alarm's in order, without moving on.
    pub fn peek(&self, until: Timestamp, mut tell: impl FnMut(Transition<'_>)) {
        for (alarm_id, waiting) in &self.ahead {
            let due = waiting.steps.iter().take_while(|step| step.key.0 <= until);
            due.for_each(|step| tell(transition(alarm_id, step, &waiting.about)));
        }
    }

    /// Moves on to `now`: transitions up to it take effect, each is told, stale alarms go.
    pub fn advance(&mut self, now: Timestamp, mut tell: impl FnMut(Transition<'_>)) {
        let mut ahead = std::mem::take(&mut self.ahead);
        ahead.retain(|alarm_id, waiting| {
            let due = waiting.steps.partition_point(|step| step.key.0 <= now);
            for step in waiting.steps.drain(..due) {
                tell(transition(alarm_id, &step, &waiting.about));
                self.apply(alarm_id, step, &waiting.about);
            }
            !waiting.steps.is_empty()
        });
        self.ahead = ahead;
        self.now = self.now.max(Some(now));
        self.alarms.retain(|_, state| state.newest.0 + STALE_AFTER > now);
        self.names.retain(|name| Arc::strong_count(name) > 1);
    }

    fn apply(&mut self, alarm_id: &Arc<str>, step: Step, about: &About) {
        let before = self.alarms.get(alarm_id);
        if before.is_some_and(|state| state.newest >= step.key) {
            return;
        }
        let ts = step.key.0;
        let since = before.and_then(|s| s.standing.as_ref()).map_or(ts, |s| s.raised_at);
        let stands = ACTIONS[usize::from(step.action)] != AlarmAction::Clear;
        let standing = stands.then(|| Standing {
            alarm_id: alarm_id.clone(),
            scope: about.scope.clone(),
            severity: step.severity,
            raised_at: since,
            changed_at: ts,
            device: about.device.clone(),
            alarm_type: about.alarm_type.clone(),
        });
        self.alarms.insert(alarm_id.clone(), State { newest: step.key, standing });
    }

    /// What stands now, by alarm id.
    pub fn standing(&self) -> impl Iterator<Item = &Standing> + '_ {
        self.alarms.values().filter_map(|state| state.standing.as_ref())
    }

    /// Standing alarms by scope.
    pub fn active(&self) -> BTreeMap<Scope, u32> {
        let mut active = BTreeMap::new();
        for alarm in self.standing() {
            *active.entry(Scope::clone(&alarm.scope)).or_default() += 1;
        }
        active
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Name, SourceId};
    use proptest::prelude::*;

    fn event(id: u8, at: i64, action: u8) -> AlarmEvent {
        let name = |text| Name::new(text).expect("valid");
        AlarmEvent {
            event_id: format!("{id}-{at}").into(),
            alarm_id: id.to_string().into(),
            action: [AlarmAction::Raise, AlarmAction::Change, AlarmAction::Clear]
                [usize::from(action % 3)],
            ts: Timestamp::from_secs(at),
            severity: Severity::Major,
            scope: Scope { region: name("north"), service: name("tv") },
            device: None,
            alarm_type: None,
            text: None,
        }
    }

    proptest! {
        #[test]
        fn the_newest_wins_in_any_order(
            steps in prop::collection::vec((0u8..4, 0i64..1000, 0u8..3), 1..60),
            stops in prop::collection::vec(0i64..1000, 0..4),
            seed in any::<u64>(),
        ) {
            let position = |n: usize| Position { source: SourceId::new("a", 0), offset: n as i64 };
            let mut straight = AlarmBook::default();
            for (n, (id, at, action)) in steps.iter().enumerate() {
                straight.observe(&position(n), &event(*id, *at, *action));
            }
            straight.advance(Timestamp::from_secs(1000), |_| {});
            let mut order: Vec<usize> = (0..steps.len()).collect();
            order.sort_by_key(|n| (*n as u64 + 1).wrapping_mul(seed | 1));
            let mut other = AlarmBook::default();
            for (k, n) in order.iter().enumerate() {
                let (id, at, action) = steps[*n];
                other.observe(&position(*n), &event(id, at, action));
                if let Some(stop) = stops.get(k) {
                    other.advance(Timestamp::from_secs(*stop), |_| {});
                }
            }
            other.advance(Timestamp::from_secs(1000), |_| {});
            let ids = |book: &AlarmBook| -> Vec<_> {
                book.standing().map(|s| (s.alarm_id.clone(), s.changed_at)).collect()
            };
            prop_assert_eq!(ids(&straight), ids(&other));
        }
    }

    #[test]
    fn an_answer_does_not_see_later_transitions() {
        let position = |n| Position { source: SourceId::new("a", 0), offset: n };
        let mut book = AlarmBook::default();
        book.observe(&position(0), &event(1, 100, 0));
        book.observe(&position(1), &event(1, 200, 2));
        book.advance(Timestamp::from_secs(150), |_| {});
        assert_eq!(book.standing().count(), 1);
        book.advance(Timestamp::from_secs(250), |_| {});
        assert_eq!(book.standing().count(), 0);
        book.observe(&position(2), &event(2, 260, 0));
        book.advance(Timestamp::from_secs(260) + STALE_AFTER, |_| {});
        assert_eq!(book.standing().count(), 0, "stale");
    }
}
