//! Pairs a message with its alarm if the message has another id than the raise: a clear without the system, or with another of
//! the alarm's ids.

use std::collections::HashMap;
use std::sync::Arc;

use super::STALE_AFTER;
use crate::domain::{AlarmAction, AlarmEvent, Timestamp};

/// With at least this number of known alarms, stale ones are forgotten.
const PRUNE_FROM: usize = 10_000;

/// The ids of alarms, learned from messages in the order in which they were read.
#[derive(Debug, Default)]
pub struct Pairing {
    alarms: HashMap<Arc<str>, Known>,
    /// Alarms by ids without a system.
    by_alias: HashMap<Box<str>, Vec<Arc<str>>>,
    prune_at: usize,
}

#[derive(Debug)]
struct Known {
    aliases: Box<[Box<str>]>,
    is_active: bool,
    ts: Timestamp,
}

impl Known {
    /// Records an action. A change does not make a cleared alarm active.
    fn turn(&mut self, action: AlarmAction) {
        match action {
            AlarmAction::Raise => self.is_active = true,
            AlarmAction::Clear => self.is_active = false,
            AlarmAction::Change => {}
        }
    }
}

impl Pairing {
    /// Takes a message. Returns the id of its alarm if it differs from the id in the message.
    pub fn take(&mut self, event: &AlarmEvent) -> Option<Box<str>> {
        let is_clear = event.action == AlarmAction::Clear;
        if event.aliases.is_empty() && !is_clear {
            return None;
        }
        if let Some(known) = self.alarms.get_mut(&*event.alarm_id) {
            known.turn(event.action);
            known.ts = known.ts.max(event.ts);
            return None;
        }
        let found = match event.action {
            AlarmAction::Raise => None,
            AlarmAction::Change | AlarmAction::Clear => self.find(event),
        };
        if let Some(id) = found {
            if let Some(known) = self.alarms.get_mut(&id) {
                known.turn(event.action);
            }
            return Some((*id).into());
        }
        if !is_clear {
            self.remember(event);
        }
        None
    }

    /// The only alarm that has one of the message's ids and no other system; active alarms are preferred.
    fn find(&self, event: &AlarmEvent) -> Option<Arc<str>> {
        let own = event.aliases.iter().chain(std::iter::once(&event.alarm_id));
        let system = system(&event.alarm_id, &event.aliases);
        own.filter_map(|alias| self.by_alias.get(alias)).find_map(|ids| {
            let fits = |id: &&Arc<str>| {
                let other = self.alarms.get(*id).and_then(|known| self::system(id, &known.aliases));
                system.is_none() || other.is_none() || system == other
            };
            let is_active =
                |id: &&Arc<str>| self.alarms.get(*id).is_some_and(|known| known.is_active);
            let all: Vec<&Arc<str>> = ids.iter().filter(fits).collect();
            let active: Vec<&Arc<str>> = all.iter().copied().filter(is_active).collect();
            match (&active[..], &all[..]) {
                ([one], _) | ([], [one]) => Some((*one).clone()),
                _ => None,
            }
        })
    }

    fn remember(&mut self, event: &AlarmEvent) {
        let id: Arc<str> = (*event.alarm_id).into();
        for alias in &event.aliases {
            self.by_alias.entry(alias.clone()).or_default().push(id.clone());
        }
        let known = Known { aliases: event.aliases.clone(), is_active: true, ts: event.ts };
        self.alarms.insert(id, known);
        if self.alarms.len() >= self.prune_at.max(PRUNE_FROM) {
            self.prune();
            self.prune_at = 2 * self.alarms.len();
        }
    }

    /// Forgets stale alarms.
    fn prune(&mut self) {
        let newest = self.alarms.values().map(|known| known.ts).max().unwrap_or_default();
        self.alarms.retain(|_, known| known.ts + STALE_AFTER > newest);
        let alarms = &self.alarms;
        self.by_alias.retain(|_, ids| {
            ids.retain(|id| alarms.contains_key(id));
            !ids.is_empty()
        });
    }
}

/// The system in an alarm's id; `None` if the id is one of the aliases, which have no system.
fn system<'i>(id: &'i str, aliases: &[Box<str>]) -> Option<&'i str> {
    // An alias may be the id in lower case.
    if aliases.is_empty() || aliases.iter().any(|alias| alias.to_lowercase() == id.to_lowercase()) {
        return None;
    }
    let of = |alias: &str| id.strip_suffix(alias)?.strip_suffix('|');
    // A hashed id has some system, but not a readable one.
    Some(aliases.iter().find_map(|alias| of(alias)).unwrap_or(id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Name, Scope, Severity};

    fn event(action: AlarmAction, system: Option<&str>, ids: &[&str]) -> AlarmEvent {
        let alarm_id = match system {
            Some(system) => format!("{system}|{}", ids[0]),
            None => ids[0].to_owned(),
        };
        AlarmEvent {
            event_id: "e".into(),
            alarm_id: alarm_id.into(),
            action,
            ts: Timestamp::from_secs(1_000_000),
            severity: Severity::Major,
            scope: Scope { region: Name::unknown(), service: Name::unknown() },
            device: None,
            alarm_type: None,
            text: None,
            aliases: ids.iter().map(|id| Box::from(*id)).collect(),
        }
    }

    #[test]
    fn clears_find_their_raises() {
        use AlarmAction::{Change, Clear, Raise};
        type Message<'m> = (AlarmAction, Option<&'m str>, &'m [&'m str]);
        let one: &[Message<'_>] = &[(Raise, Some("EMS1"), &["a-1", "551"])];
        let two: &[Message<'_>] = &[(Raise, Some("EMS1"), &["7"]), (Raise, Some("EMS2"), &["7"])];
        let no_system: &[Message<'_>] = &[(Raise, None, &["a-1"])];
        let cleared: &[Message<'_>] = &[
            (Raise, Some("EMS1"), &["7"]),
            (Clear, Some("EMS1"), &["7"]),
            (Raise, Some("EMS2"), &["7"]),
        ];
        let upper: &[Message<'_>] = &[(Raise, None, &["gNB|IF-1", "gnb|if-1"])];
        let cases: [(&[Message<'_>], Message<'_>, Option<&str>); 17] = [
            // Without the system, by each of the alarm's ids.
            (one, (Clear, None, &["a-1"]), Some("EMS1|a-1")),
            (one, (Clear, None, &["551"]), Some("EMS1|a-1")),
            (one, (Clear, None, &["x", "551"]), Some("EMS1|a-1")),
            (one, (Change, None, &["551"]), Some("EMS1|a-1")),
            // With the system and another id.
            (one, (Clear, Some("EMS1"), &["551"]), Some("EMS1|a-1")),
            // The id that it has already, another system, another alarm.
            (one, (Clear, Some("EMS1"), &["a-1"]), None),
            (one, (Clear, Some("EMS2"), &["a-1"]), None),
            (one, (Clear, None, &["552"]), None),
            // A raise is never another alarm's.
            (one, (Raise, None, &["a-1"]), None),
            // Two systems have the id: only the active alarm can be meant.
            (two, (Clear, None, &["7"]), None),
            (two, (Clear, Some("EMS2"), &["7"]), None),
            (cleared, (Clear, None, &["7"]), Some("EMS2|7")),
            // The raise has no system.
            (no_system, (Clear, Some("EMS1"), &["a-1"]), Some("a-1")),
            (no_system, (Clear, None, &["a-1"]), None),
            // The same id in another case.
            (upper, (Clear, None, &["gnb|if-1"]), Some("gNB|IF-1")),
            (upper, (Clear, None, &["GNB|if-1", "gnb|if-1"]), Some("gNB|IF-1")),
            (upper, (Clear, None, &["gNB|if-2", "gnb|if-2"]), None),
        ];
        for (before, (action, system, ids), want) in cases {
            let mut pairing = Pairing::default();
            for (action, system, ids) in before {
                assert_eq!(pairing.take(&event(*action, *system, ids)), None, "{before:?}");
            }
            let found = pairing.take(&event(action, system, ids));
            assert_eq!(found.as_deref(), want, "{before:?} {action:?} {system:?} {ids:?}");
        }
    }

    #[test]
    fn stale_alarms_are_forgotten() {
        let mut pairing = Pairing::default();
        for n in 0..3 * PRUNE_FROM {
            let id = n.to_string();
            let mut raise = event(AlarmAction::Raise, Some("EMS"), &[&id]);
            raise.ts = Timestamp::from_secs(60 * n as i64);
            pairing.take(&raise);
        }
        // Seven days have 10,080 minutes.
        assert!(pairing.alarms.len() <= 2 * 10_080 + 1, "{}", pairing.alarms.len());
        assert_eq!(pairing.alarms.len(), pairing.by_alias.len());
    }
}
