//! The long-tail family: complaints decay as a power law, and alarm types indicate outages.

use std::ops::Range;
use std::time::Duration;

use chrono::Timelike;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::incident::{Incident, IncidentKind, LONGEST, Spell};
use crate::domain::{Severity, Timestamp, Zone};
use crate::stats::normal;

/// Local hour at which the night with few complaints ends.
const NIGHT_ENDS: f64 = 6.5;

/// Strength of an incident in a channel at an instant.
pub(super) fn strength(i: &Incident, channel: &str, at: Timestamp, zone: Zone) -> f64 {
    if i.size <= 0.0 || at < i.felt_from || at > i.starts + LONGEST {
        return 0.0;
    }
    let (weight, delay, fade) = match channel {
        "chat" => (1.1, 35.0, 40.0),
        "email" => (0.8, 130.0, 150.0),
        _ => (0.9, 18.0, 30.0),
    };
    let minutes = |from: Timestamp| at.since(from).as_secs_f64() / 60.0;
    let up = log_normal_cdf(minutes(i.felt_from) / delay, 0.8);
    let down = (1.0 + minutes(i.ends.max(i.felt_from)) / fade).powf(-1.4);
    let local = zone.local(at);
    let hour = f64::from(local.hour()) + f64::from(local.minute()) / 60.0;
    let awake = 0.15 + 0.85 * ((hour - NIGHT_ENDS) / 1.5).clamp(0.0, 1.0);
    let midnight = local.date().and_hms_opt(0, 0, 0).map_or(at, |local| zone.instant(local));
    // Complaints delayed during the night arrive between seven and ten.
    let wake = midnight + Duration::from_secs_f64(NIGHT_ENDS * 3600.0);
    let night = i.ends.min(wake).since(i.felt_from.max(midnight));
    let delayed = (night.as_secs_f64() / 3600.0 / 3.0).min(1.0);
    let late =
        if (7.0..10.0).contains(&hour) { 0.9 * (1.0 - (hour - 8.5).abs() / 1.5) } else { 0.0 };
    weight * (up * down * awake + late * delayed)
}

fn log_normal_cdf(ratio: f64, spread: f64) -> f64 {
    if ratio <= 0.0 {
        return 0.0;
    }
    normal::cdf(ratio.ln() / spread)
}

/// Alarm types of outages, mostly.
const OUTAGE_TYPES: [(&str, Severity); 4] = [
    ("lossOfSignal", Severity::Critical),
    ("powerFailure", Severity::Critical),
    ("latencyHigh", Severity::Minor),
    ("cellDown", Severity::Major),
];
/// Alarm types of harmless groups, mostly.
const HARMLESS_TYPES: [(&str, Severity); 3] = [
    ("linkDown", Severity::Major),
    ("bgpPeerDown", Severity::Major),
    ("fanFailure", Severity::Critical),
];

/// Probability that an incident's alarms have types of its kind.
const TYPICAL: f64 = 0.93;

/// Alarms of a long-tail incident: their number, and the types to draw from.
pub(super) fn alarms(
    kind: IncidentKind,
    rng: &mut ChaCha8Rng,
) -> Option<(u32, &'static [(&'static str, Severity)])> {
    let is_typical = rng.random::<f64>() < TYPICAL;
    let types = types_of(kind, is_typical)?;
    Some((rng.random_range(counts(kind)), types))
}

fn types_of(kind: IncidentKind, is_typical: bool) -> Option<&'static [(&'static str, Severity)]> {
    match (kind, is_typical) {
        (IncidentKind::Outage, true) => Some(&OUTAGE_TYPES),
        (IncidentKind::Outage, false) | (IncidentKind::Harmless, true) => Some(&HARMLESS_TYPES),
        (IncidentKind::Harmless, false) => Some(&OUTAGE_TYPES[..3]),
        _ => None,
    }
}

/// Range of the number of alarms.
pub(super) fn counts(kind: IncidentKind) -> Range<u32> {
    if kind == IncidentKind::Outage { 2..11 } else { 1..9 }
}

/// Share of incidents of a kind whose alarms have a type.
pub(super) fn share(kind: IncidentKind, alarm_type: &str) -> f64 {
    let share = |is_typical: bool| {
        let types = types_of(kind, is_typical).unwrap_or_default();
        let here = types.iter().filter(|(known, _)| *known == alarm_type).count();
        here as f64 / types.len().max(1) as f64
    };
    TYPICAL * share(true) + (1.0 - TYPICAL) * share(false)
}

/// Factor on an outage's size by severity and number of its alarms.
pub(super) fn factor(spells: &[Spell]) -> f64 {
    let worst = spells.iter().map(|s| s.severity).min();
    let by_severity = match worst {
        Some(Severity::Critical) => 1.6,
        Some(Severity::Major) => 1.0,
        _ => 0.7,
    };
    by_severity * (spells.len() as f64 / 5.0).powf(0.4)
}
