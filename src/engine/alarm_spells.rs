//! Alarm spells of the last weeks, from which forecasts learn. A spell is the time from an alarm's raise to its clear.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::anomaly::AlarmActivity;
use crate::domain::{DAY, Name, Scope, Severity, Timestamp};
use crate::forecast::AlarmSpell;
use crate::store::Body;
use crate::window::{ActiveAlarm, AlarmBook, Transition};

/// How far back spells are kept: as far as a fit reads.
pub const REACH: Duration = Duration::from_secs(63 * 86_400);
/// Maximum number of spells that are kept; the oldest go first.
const SPELLS_MAX: usize = 200_000;
/// Number of days from which the usual number of alarms is computed.
const ACTIVITY_DAYS: usize = 28;
/// Minimum number of alarms of a scope whose usual number is looked up.
const ACTIVITY_MIN: u32 = 3;

/// Spells of the last weeks, as of an instant in event time that never moves back.
#[derive(Debug, Default)]
pub struct AlarmSpells {
    /// Spells of active alarms, by alarm id.
    open: BTreeMap<Arc<str>, AlarmSpell>,
    /// Spells that have ended.
    over: Vec<AlarmSpell>,
    now: Option<Timestamp>,
}

/// Stored form: the instant that was reached, and all spells.
#[derive(Debug, Serialize, Deserialize)]
pub struct SpellsBody(Option<i64>, Vec<Stored>);

impl Body for SpellsBody {}

/// Stored form of a spell.
#[derive(Debug, Serialize, Deserialize)]
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

impl AlarmSpells {
    /// Whether a transition that became known at this time has not been taken yet.
    fn is_new(&self, known_at: Timestamp) -> bool {
        self.now.is_none_or(|now| known_at > now)
    }

    /// Takes the beginning or the end of an alarm.
    pub fn take(&mut self, transition: Transition<'_>) {
        let Transition { alarm, is_over, ts, known_at } = transition;
        if !self.is_new(known_at) {
            return;
        }
        if is_over {
            if let Some(mut spell) = self.open.remove(&alarm.alarm_id) {
                spell.cleared_at = Some(ts);
                self.over.push(spell);
            }
            return;
        }
        // Keep the alarm's state at its raise: later changes were not known then.
        if self.open.contains_key(&alarm.alarm_id) || self.open.len() >= SPELLS_MAX {
            return;
        }
        self.open.insert(alarm.alarm_id.clone(), spell_of(alarm, ts));
    }

    /// Moves on to `now`. All transitions up to then must have been taken.
    pub fn advance(&mut self, now: Timestamp) {
        self.now = self.now.max(Some(now));
        let many = self.over.len() > SPELLS_MAX + SPELLS_MAX / 8;
        if many || now == now.utc_midnight() {
            self.over.sort_by_key(|spell| spell.cleared_at);
            let surplus = self.over.len().saturating_sub(SPELLS_MAX);
            self.over.drain(..surplus);
            self.over.retain(|spell| spell.cleared_at >= Some(now - REACH));
            self.open.retain(|_, spell| spell.raised_at >= now - REACH);
        }
    }

    /// Spells that were open at any time since `from`, in order of `raised_at`.
    pub fn since(&self, from: Timestamp) -> Vec<AlarmSpell> {
        let over = self.over.iter().filter(|spell| spell.cleared_at >= Some(from));
        in_order(over.chain(self.open.values()).cloned().collect())
    }

    /// Scopes with alarms that were raised within `reach` before `now`, and the number of their alarms in the same span of each
    /// of the last known days. Alarms less severe than minor do not count.
    pub fn activity(&self, now: Timestamp, reach: Duration) -> Vec<AlarmActivity> {
        let counts =
            |spell: &&AlarmSpell| spell.severity <= Severity::Minor && spell.raised_at < now;
        let all = || self.over.iter().chain(self.open.values()).filter(counts);
        let mut found: BTreeMap<&Scope, AlarmActivity> = BTreeMap::new();
        for spell in all().filter(|spell| now.since(spell.raised_at) <= reach) {
            let fresh = AlarmActivity {
                scope: spell.scope.clone(),
                raised: 0,
                since: spell.raised_at,
                days: Vec::new(),
            };
            let own = found.entry(&spell.scope).or_insert(fresh);
            own.raised += 1;
            own.since = own.since.min(spell.raised_at);
        }
        found.retain(|_, own| own.raised >= ACTIVITY_MIN);
        if found.is_empty() {
            return Vec::new();
        }
        let first = self.over.iter().chain(self.open.values()).map(|spell| spell.raised_at).min();
        let known = first.map_or(0, |first| now.since(first).as_secs() / DAY.as_secs());
        let days = (known as usize).min(ACTIVITY_DAYS);
        found.values_mut().for_each(|own| own.days = vec![0.0; days]);
        for spell in all() {
            let ago = now.since(spell.raised_at);
            let (day, within) =
                (ago.as_millis() / DAY.as_millis(), ago.as_millis() % DAY.as_millis());
            let Some(day) = (day as usize).checked_sub(1).filter(|_| within <= reach.as_millis())
            else {
                continue;
            };
            let own = found.get_mut(&spell.scope).and_then(|own| own.days.get_mut(day));
            own.into_iter().for_each(|count| *count += 1.0);
        }
        found.into_values().collect()
    }

    /// Spells of some scopes that were open at any time since `from`, according to what `book` knows up to `until`.
    pub fn ahead(
        &self,
        from: Timestamp,
        until: Timestamp,
        book: &AlarmBook,
        scopes: &BTreeSet<Scope>,
    ) -> Vec<AlarmSpell> {
        let mut ended: BTreeMap<Arc<str>, Timestamp> = BTreeMap::new();
        let mut fresh: BTreeMap<Arc<str>, AlarmSpell> = BTreeMap::new();
        book.peek(until, |Transition { alarm, is_over, ts, known_at }| {
            if !scopes.contains(alarm.scope.as_ref()) || !self.is_new(known_at) {
                return;
            }
            let id = &alarm.alarm_id;
            match (is_over, fresh.get_mut(id)) {
                (true, Some(spell)) => spell.cleared_at = Some(ts),
                (true, None) => _ = ended.insert(id.clone(), ts),
                (false, Some(spell)) if spell.cleared_at.is_none() => {}
                (false, _) if self.open.contains_key(id) && !ended.contains_key(id) => {}
                (false, _) => _ = fresh.insert(id.clone(), spell_of(alarm, ts)),
            }
        });
        let here = |spell: &&AlarmSpell| scopes.contains(&spell.scope);
        let over = self.over.iter().filter(|spell| spell.cleared_at >= Some(from));
        let open = self.open.iter().filter(|(_, spell)| here(spell));
        let open = open
            .map(|(id, spell)| AlarmSpell { cleared_at: ended.get(id).copied(), ..spell.clone() });
        in_order(over.filter(here).cloned().chain(open).chain(fresh.into_values()).collect())
    }

    /// Stored form of the spells up to the instant that was reached.
    pub fn stored(&self) -> SpellsBody {
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
        SpellsBody(self.now.map(Timestamp::millis), all)
    }

    /// Restores spells. Later transitions have to be taken again.
    pub fn restored(SpellsBody(now, all): SpellsBody) -> Self {
        let now = now.map(Timestamp::from_millis);
        let mut spells = Self { now, ..Self::default() };
        let mut names: BTreeSet<Arc<str>> = BTreeSet::new();
        let mut name = |text: Arc<str>| match names.get(&text) {
            Some(known) => known.clone(),
            None => {
                names.insert(text.clone());
                text
            }
        };
        for stored in all {
            let spell = AlarmSpell {
                scope: Scope { region: stored.region, service: stored.service },
                severity: stored.severity,
                alarm_type: stored.alarm_type.map(&mut name),
                device: stored.device.map(&mut name),
                raised_at: Timestamp::from_millis(stored.raised_at),
                cleared_at: stored.cleared_at.map(Timestamp::from_millis),
            };
            match stored.alarm {
                Some(alarm) => _ = spells.open.insert(Arc::from(&*alarm), spell),
                None => spells.over.push(spell),
            }
        }
        spells
    }
}

fn spell_of(alarm: &ActiveAlarm, raised_at: Timestamp) -> AlarmSpell {
    AlarmSpell {
        scope: Scope::clone(&alarm.scope),
        severity: alarm.severity,
        alarm_type: alarm.alarm_type.clone(),
        device: alarm.device.clone(),
        raised_at,
        cleared_at: None,
    }
}

fn in_order(mut all: Vec<AlarmSpell>) -> Vec<AlarmSpell> {
    // Compare all fields, so that the order is total.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{AlarmAction, AlarmEvent, Position, SourceId};

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
            aliases: Box::default(),
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
        let (at, all) = (Timestamp::from_secs, Timestamp::from_secs(0));
        let mut straight = AlarmSpells::default();
        let mut book = AlarmBook::default();
        events.iter().for_each(|(position, event)| book.observe(position, event));
        // The clear is being held, so the state is stored before the clear is certain.
        book.advance(at(250), |transition| straight.take(transition));
        straight.advance(at(250));
        assert_eq!(straight.since(at(0)).len(), 2);
        let stored = straight.stored();
        book.advance(at(400), |transition| straight.take(transition));
        straight.advance(at(400));
        // All events are observed again, in reverse order.
        let mut other = AlarmSpells::restored(stored);
        let mut book = AlarmBook::default();
        events.iter().rev().for_each(|(position, event)| book.observe(position, event));
        book.advance(at(400), |transition| other.take(transition));
        other.advance(at(400));
        assert_eq!(straight.since(all), other.since(all));
        let times = other
            .since(all)
            .into_iter()
            .map(|s| (s.raised_at.secs(), s.cleared_at.map(Timestamp::secs)));
        assert_eq!(times.collect::<Vec<_>>(), [(100, Some(200)), (120, None), (300, None)]);
        assert_eq!(other.since(at(210)).len(), 2);
    }

    #[test]
    fn spells_ahead_are_known_without_moving_on() {
        let (mut spells, mut book) = (AlarmSpells::default(), AlarmBook::default());
        let observe = |book: &mut AlarmBook, id, at, action| {
            let (position, event) = event(id, at, action);
            book.observe(&position, &event);
        };
        observe(&mut book, "x", 100, AlarmAction::Raise);
        observe(&mut book, "x", 250, AlarmAction::Clear);
        observe(&mut book, "y", 230, AlarmAction::Raise);
        observe(&mut book, "y", 260, AlarmAction::Clear);
        observe(&mut book, "z", 300, AlarmAction::Raise);
        let at = Timestamp::from_secs;
        book.advance(at(200), |transition| spells.take(transition));
        spells.advance(at(200));
        let here = event("x", 0, AlarmAction::Raise).1.scope;
        let scopes = BTreeSet::from([here]);
        let times = |spells: Vec<AlarmSpell>| {
            let times = spells.into_iter();
            let times = times.map(|s| (s.raised_at.secs(), s.cleared_at.map(Timestamp::secs)));
            times.collect::<Vec<_>>()
        };
        // Clears are held for a minute.
        let ahead = spells.ahead(at(0), at(330), &book, &scopes);
        let z = (300, None);
        assert_eq!(times(ahead), [(100, Some(250)), (230, Some(260)), z]);
        assert_eq!(times(spells.ahead(at(0), at(240), &book, &scopes)), [(100, None), (230, None)]);
        assert_eq!(spells.ahead(at(0), at(900), &book, &BTreeSet::new()), []);
        assert_eq!(times(spells.since(at(0))), [(100, None)]);
        book.advance(at(330), |transition| spells.take(transition));
        spells.advance(at(330));
        assert_eq!(times(spells.since(at(0))), [(100, Some(250)), (230, Some(260)), z]);
    }
}
