//! Events as native JSON lines.

use std::fmt::Write;
use std::time::Duration;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use xxhash_rust::xxh3::xxh3_64;

use super::OperatorConfig;
use super::incident::{DayPlan, IncidentKind, Spell};
use crate::domain::{EventKind, Severity, Timestamp};

/// An event without an offset.
pub(super) struct Pending {
    pub(super) append_at: Timestamp,
    pub(super) kind: EventKind,
    pub(super) line: Vec<u8>,
}

/// Time from the announcement to the start of planned work.
pub const ANNOUNCED_BEFORE: Duration = Duration::from_secs(86_400);
/// Announced duration of planned work.
pub const PLANNED_LENGTH: Duration = Duration::from_secs(3 * 3600);

const ORDINARY: [&str; 6] = [
    "question about my bill",
    "how do I change my tariff",
    "router keeps restarting",
    "remote control does not work",
    "I would like to move house",
    "password reset",
];
const CAUSED: [&str; 5] = [
    "no internet since a while",
    "connection drops all the time",
    "nothing works any more",
    "very slow today",
    "when will this be fixed",
];

/// JSON of one created ticket.
pub fn ticket(
    config: &OperatorConfig,
    [r, s, c]: [usize; 3],
    (number, quarter, n): (usize, i64, u32),
    ts: Timestamp,
    is_caused: bool,
    rng: &mut ChaCha8Rng,
) -> Vec<u8> {
    let texts: &[&str] = if is_caused { &CAUSED } else { &ORDINARY };
    let text = texts[rng.random_range(0..texts.len())];
    format!(
        "{{\"kind\":\"ticket\",\"event_id\":\"T-{number}-{quarter}-{n}\",\"ts\":\"{ts}\",\
         \"region\":\"{}\",\"service\":\"{}\",\"channel\":\"{}\",\"text\":\"{text}\"}}",
        config.regions[r].name, config.services[s].name, config.channels[c].name
    )
    .into_bytes()
}

/// Seconds between an event and its record: up to a minute for alarms.
fn delay(id: &str) -> Duration {
    Duration::from_millis(500 + xxh3_64(id.as_bytes()) % 59_000)
}

/// Adds the alarm transitions of a day within `from..to`.
pub fn alarms(
    config: &OperatorConfig,
    plan: &DayPlan,
    from: Timestamp,
    to: Timestamp,
    events: &mut Vec<Pending>,
) {
    let mut push = |spell: &Spell, action: &str, ts: Timestamp, severity: Severity| {
        if ts < from || ts >= to {
            return;
        }
        let id = format!("{}-{action}", spell.alarm_id);
        let mut line = format!(
            "{{\"kind\":\"alarm\",\"event_id\":\"{id}\",\"alarm_id\":\"{}\",\"action\":\"{action}\",\
             \"ts\":\"{ts}\",\"severity\":\"{}\"",
            spell.alarm_id,
            severity.as_str()
        );
        // Writing to a String cannot fail.
        let _ = write!(
            line,
            ",\"region\":\"{}\",\"service\":\"{}\",\"device\":\"{}\",\"type\":\"{}\"}}",
            config.regions[spell.region].name,
            config.services[spell.service].name,
            spell.device,
            spell.kind
        );
        let append_at = ts + delay(&id);
        events.push(Pending { append_at, kind: EventKind::Alarm, line: line.into_bytes() });
    };
    for spell in &plan.spells {
        push(spell, "raise", spell.raised, spell.severity);
        if let Some((at, severity)) = spell.changed {
            push(spell, "change", at, severity);
        }
        push(spell, "clear", spell.cleared, spell.severity);
    }
}

/// Adds the announcements within `from..to`.
pub fn maintenance(
    config: &OperatorConfig,
    plan: &DayPlan,
    from: Timestamp,
    to: Timestamp,
    events: &mut Vec<Pending>,
) {
    for work in plan.incidents.iter().filter(|i| i.kind == IncidentKind::Maintenance) {
        let ts = work.starts - ANNOUNCED_BEFORE;
        if ts < from || ts >= to {
            continue;
        }
        // An overrun is not announced.
        let planned_end = work.starts + PLANNED_LENGTH;
        let line = format!(
            "{{\"kind\":\"maintenance\",\"event_id\":\"{}\",\"action\":\"plan\",\"ts\":\"{ts}\",\
             \"starts_at\":\"{}\",\"ends_at\":\"{planned_end}\",\"region\":\"{}\",\
             \"service\":\"{}\",\"impact\":\"degraded\",\"text\":\"planned work\"}}",
            work.id,
            work.starts,
            config.regions[work.region].name,
            config.services[work.service].name
        );
        let append_at = ts + delay(&work.id);
        events.push(Pending { append_at, kind: EventKind::Maintenance, line: line.into_bytes() });
    }
}
