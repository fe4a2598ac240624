//! Alarm state, which outlives windows: what stands at a given event time.
//!
//! Transitions are applied in event-time order up to the instant that is asked for, so that the answer
//! for a window's end does not depend on how much of the log had been read when it was asked.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::domain::{AlarmAction, AlarmEvent, Position, Scope, Severity, Timestamp};

/// An alarm whose last change is older than this is stale (ISA-18.2 calls for such a limit) and no
/// longer counts as standing.
pub const STALE_AFTER: Duration = Duration::from_secs(7 * 86_400);

/// An alarm that has been raised and not cleared.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    pub alarm_id: Box<str>,
    pub scope: Scope,
    pub severity: Severity,
    pub raised_at: Timestamp,
    pub changed_at: Timestamp,
    pub device: Option<Box<str>>,
    pub alarm_type: Option<Box<str>>,
    pub text: Option<Box<str>>,
}

#[derive(Clone, Debug)]
struct State {
    /// Time and position of the newest transition: the larger wins.
    newest: (Timestamp, Position),
    standing: Option<Standing>,
}

/// All alarms, as of an instant that only moves forward.
#[derive(Clone, Debug, Default)]
pub struct AlarmBook {
    ahead: BTreeMap<(Timestamp, Position), AlarmEvent>,
    alarms: BTreeMap<Box<str>, State>,
    now: Option<Timestamp>,
}

impl AlarmBook {
    /// Takes a transition, in any order and any number of times.
    pub fn observe(&mut self, position: Position, event: AlarmEvent) {
        let at = event.ts;
        if self.now.is_some_and(|now| at <= now) {
            self.apply((at, position), event);
        } else {
            self.ahead.insert((at, position), event);
        }
    }

    /// Moves on to `now`: transitions up to it take effect, stale alarms go.
    pub fn advance(&mut self, now: Timestamp) {
        while let Some(first) = self.ahead.first_entry() {
            if first.key().0 > now {
                break;
            }
            let (key, event) = first.remove_entry();
            self.apply(key, event);
        }
        self.now = self.now.max(Some(now));
        self.alarms.retain(|_, state| state.newest.0 + STALE_AFTER > now);
    }

    fn apply(&mut self, key: (Timestamp, Position), event: AlarmEvent) {
        let before = self.alarms.get(&event.alarm_id);
        if before.is_some_and(|state| state.newest >= key) {
            return;
        }
        let since = before.and_then(|s| s.standing.as_ref()).map_or(event.ts, |s| s.raised_at);
        let standing = (event.action != AlarmAction::Clear).then(|| Standing {
            alarm_id: event.alarm_id.clone(),
            scope: event.scope,
            severity: event.severity,
            raised_at: since,
            changed_at: event.ts,
            device: event.device,
            alarm_type: event.alarm_type,
            text: event.text,
        });
        self.alarms.insert(event.alarm_id, State { newest: key, standing });
    }

    /// What stands now, by alarm id.
    pub fn standing(&self) -> impl Iterator<Item = &Standing> + '_ {
        self.alarms.values().filter_map(|state| state.standing.as_ref())
    }

    /// Standing alarms by scope.
    pub fn active(&self) -> BTreeMap<Scope, u32> {
        let mut active = BTreeMap::new();
        for alarm in self.standing() {
            *active.entry(alarm.scope.clone()).or_default() += 1;
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
                straight.observe(position(n), event(*id, *at, *action));
            }
            straight.advance(Timestamp::from_secs(1000));
            let mut order: Vec<usize> = (0..steps.len()).collect();
            order.sort_by_key(|n| (*n as u64 + 1).wrapping_mul(seed | 1));
            let mut other = AlarmBook::default();
            for (k, n) in order.iter().enumerate() {
                let (id, at, action) = steps[*n];
                other.observe(position(*n), event(id, at, action));
                if let Some(stop) = stops.get(k) {
                    other.advance(Timestamp::from_secs(*stop));
                }
            }
            other.advance(Timestamp::from_secs(1000));
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
        book.observe(position(0), event(1, 100, 0));
        book.observe(position(1), event(1, 200, 2));
        book.advance(Timestamp::from_secs(150));
        assert_eq!(book.standing().count(), 1);
        book.advance(Timestamp::from_secs(250));
        assert_eq!(book.standing().count(), 0);
        book.observe(position(2), event(2, 260, 0));
        book.advance(Timestamp::from_secs(260) + STALE_AFTER);
        assert_eq!(book.standing().count(), 0, "stale");
    }
}
