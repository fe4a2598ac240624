//! What alarms did in the last weeks, small enough to keep in memory: what forecasts learn from.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::leader::to_blob;
use crate::domain::{AlarmAction, AlarmEvent, Name, Position, Scope, Severity, Timestamp};
use crate::forecast::AlarmSpell;

/// How far back spells are kept: as far as a fit reads.
pub const REACH: Duration = Duration::from_secs(63 * 86_400);
/// Most spells that are kept; the oldest go first.
const SPELLS_MAX: usize = 200_000;

/// Raises and clears of the last weeks, as of an instant that only moves forward.
#[derive(Debug, Default)]
pub struct Spells {
    ahead: BTreeMap<(Timestamp, Position), AlarmEvent>,
    /// Those that stand, by alarm id.
    open: BTreeMap<Box<str>, AlarmSpell>,
    /// Those that are over, in the order in which they ended.
    over: Vec<AlarmSpell>,
    /// Each name once.
    names: BTreeSet<Arc<str>>,
    now: Option<Timestamp>,
}

/// A spell as it is stored.
#[derive(Serialize, Deserialize)]
struct Stored {
    alarm: Option<Box<str>>,
    region: Name,
    service: Name,
    severity: Severity,
    alarm_type: Option<Arc<str>>,
    device: Option<Arc<str>>,
    raised_at: i64,
    cleared_at: Option<i64>,
}

impl Spells {
    /// Takes a transition; one that lies before the instant that was reached is too late to be learned from.
    pub fn observe(&mut self, position: Position, event: AlarmEvent) {
        if self.now.is_none_or(|now| event.ts > now) {
            self.ahead.insert((event.ts, position), event);
        }
    }

    /// Moves on to `now`: transitions up to it take effect.
    pub fn advance(&mut self, now: Timestamp) {
        while let Some(first) = self.ahead.first_entry() {
            if first.key().0 > now {
                break;
            }
            let event = first.remove();
            self.apply(event);
        }
        self.now = self.now.max(Some(now));
        let many = self.over.len() > SPELLS_MAX + SPELLS_MAX / 8;
        let old = self.over.first().is_some_and(|s| s.cleared_at < Some(now - REACH));
        if many || old {
            self.forget(now - REACH);
        }
    }

    fn forget(&mut self, before: Timestamp) {
        let surplus = self.over.len().saturating_sub(SPELLS_MAX);
        self.over.drain(..surplus);
        self.over.retain(|spell| spell.cleared_at >= Some(before));
        self.open.retain(|_, spell| spell.raised_at >= before);
        self.names.retain(|name| Arc::strong_count(name) > 1);
    }

    fn name(&mut self, text: Option<Box<str>>) -> Option<Arc<str>> {
        let text = text?;
        if let Some(known) = self.names.get(&*text) {
            return Some(known.clone());
        }
        let name: Arc<str> = text.into();
        self.names.insert(name.clone());
        Some(name)
    }

    fn apply(&mut self, event: AlarmEvent) {
        let AlarmEvent { alarm_id, action, ts, severity, scope, device, alarm_type, .. } = event;
        match action {
            AlarmAction::Clear => {
                if let Some(mut spell) = self.open.remove(&alarm_id) {
                    spell.cleared_at = Some(ts);
                    self.over.push(spell);
                }
            }
            // As it was when it came: what it became later was not known then.
            AlarmAction::Raise | AlarmAction::Change if self.open.contains_key(&alarm_id) => {}
            AlarmAction::Raise | AlarmAction::Change => {
                let (alarm_type, device) = (self.name(alarm_type), self.name(device));
                let spell = AlarmSpell {
                    scope,
                    severity,
                    alarm_type,
                    device,
                    raised_at: ts,
                    cleared_at: None,
                };
                self.open.insert(alarm_id, spell);
            }
        }
    }

    /// Those that stood at any time since `from`, by `raised_at`.
    pub fn since(&self, from: Timestamp) -> Vec<AlarmSpell> {
        let over = self.over.iter().filter(|spell| spell.cleared_at >= Some(from));
        let mut all: Vec<AlarmSpell> = over.chain(self.open.values()).cloned().collect();
        // What is otherwise equal is equal.
        all.sort_by(|a, b| {
            let key = |s: &AlarmSpell| (s.raised_at, s.cleared_at, s.severity);
            (key(a), &a.scope, &a.device, &a.alarm_type).cmp(&(
                key(b),
                &b.scope,
                &b.device,
                &b.alarm_type,
            ))
        });
        all
    }

    /// State as bytes: what has happened up to the instant that was reached.
    pub fn stored(&self) -> Vec<u8> {
        let stored = |alarm: Option<&str>, spell: &AlarmSpell| Stored {
            alarm: alarm.map(Box::from),
            region: spell.scope.region.clone(),
            service: spell.scope.service.clone(),
            severity: spell.severity,
            alarm_type: spell.alarm_type.clone(),
            device: spell.device.clone(),
            raised_at: spell.raised_at.millis(),
            cleared_at: spell.cleared_at.map(Timestamp::millis),
        };
        let over = self.over.iter().map(|spell| stored(None, spell));
        let open = self.open.iter().map(|(alarm, spell)| stored(Some(alarm), spell));
        let all: Vec<Stored> = over.chain(open).collect();
        to_blob(&(self.now.map(Timestamp::millis), all))
    }

    /// State from bytes; what happened since has to be observed again.
    ///
    /// # Errors
    /// What postcard says.
    pub fn restored(bytes: &[u8]) -> Result<Self, postcard::Error> {
        let (now, all): (Option<i64>, Vec<Stored>) = postcard::from_bytes(bytes)?;
        let now = now.map(Timestamp::from_millis);
        let mut spells = Self { now, ..Self::default() };
        for stored in all {
            let spell = AlarmSpell {
                scope: Scope { region: stored.region, service: stored.service },
                severity: stored.severity,
                alarm_type: spells.name(stored.alarm_type.map(|text| Box::from(&*text))),
                device: spells.name(stored.device.map(|text| Box::from(&*text))),
                raised_at: Timestamp::from_millis(stored.raised_at),
                cleared_at: stored.cleared_at.map(Timestamp::from_millis),
            };
            match stored.alarm {
                Some(alarm) => _ = spells.open.insert(alarm, spell),
                None => spells.over.push(spell),
            }
        }
        Ok(spells)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::SourceId;

    fn event(id: &str, at: i64, action: AlarmAction) -> (Position, AlarmEvent) {
        let name = |text| Name::new(text).expect("a name");
        let event = AlarmEvent {
            event_id: format!("{id}-{at}").into(),
            alarm_id: id.into(),
            action,
            ts: Timestamp::from_secs(at),
            severity: Severity::Major,
            scope: Scope { region: name("north"), service: name("tv") },
            device: Some("d".into()),
            alarm_type: Some("linkDown".into()),
            text: None,
        };
        (Position { source: SourceId::new("a", 0), offset: at }, event)
    }

    #[test]
    fn spells_are_the_same_in_any_order_and_after_a_restart() {
        let events = [
            event("x", 100, AlarmAction::Raise),
            event("x", 150, AlarmAction::Change),
            event("x", 200, AlarmAction::Clear),
            event("y", 120, AlarmAction::Raise),
            event("x", 300, AlarmAction::Raise),
        ];
        let mut straight = Spells::default();
        for (position, event) in events.clone() {
            straight.observe(position, event);
        }
        straight.advance(Timestamp::from_secs(250));
        let bytes = straight.stored();
        straight.advance(Timestamp::from_secs(400));
        let mut other = Spells::restored(&bytes).expect("state");
        assert_eq!(other.now, Some(Timestamp::from_secs(250)));
        for (position, event) in events.into_iter().rev() {
            other.observe(position, event);
        }
        other.advance(Timestamp::from_secs(400));
        assert_eq!(straight.since(Timestamp::from_secs(0)), other.since(Timestamp::from_secs(0)));
        let times: Vec<_> = other
            .since(Timestamp::from_secs(0))
            .iter()
            .map(|s| (s.raised_at.secs(), s.cleared_at.map(Timestamp::secs)))
            .collect();
        assert_eq!(times, [(100, Some(200)), (120, None), (300, None)]);
        assert_eq!(other.since(Timestamp::from_secs(210)).len(), 2);
    }
}
