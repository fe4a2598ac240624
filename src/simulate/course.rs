//! How incidents may go on, to someone who knows how alarms and tickets follow faults but not the future.

use super::OperatorConfig;
use super::incident::{Incident, IncidentKind, LONGEST_FAULT, STANDS, Spell, length};
use super::shape::stream;
use crate::domain::Timestamp;

/// Lengths that are drawn, and those of them that are kept.
const DRAWN: u64 = 600;
const KEPT: usize = 24;

/// Versions of an incident that are equally likely to someone who at `now` knows all of it but its end: whether it is felt, from
/// when, how much, and the law of lengths. What its `spells` did until then is taken in by Bayes' rule. One version
/// where it is planned work, whose length is known, or not felt.
pub(super) fn versions(
    config: &OperatorConfig,
    incident: &Incident,
    spells: &[Spell],
    now: Timestamp,
) -> Vec<Incident> {
    let Some(law) = length(incident.kind, config.family) else { return vec![incident.clone()] };
    if incident.kind != IncidentKind::Outage || incident.size <= 0.0 {
        return vec![incident.clone()];
    }
    let mut rng = stream(config.seed, "lengths", 0, 0);
    let mut drawn: Vec<(f64, f64)> = (0..DRAWN)
        .map(|_| law.draw(&mut rng).min(LONGEST_FAULT))
        .map(|minutes| (minutes, likelihood(incident, spells, minutes, now)))
        .collect();
    drawn.sort_by(|a, b| a.0.total_cmp(&b.0));
    let total: f64 = drawn.iter().map(|(_, weight)| weight).sum();
    if total <= 0.0 {
        // Its alarms have said when it ended, more closely than lengths were drawn.
        return vec![incident.clone()];
    }
    let mut versions = Vec::with_capacity(KEPT);
    let (mut sum, mut rest) = (0.0, drawn.iter());
    let mut last = drawn[0].0;
    for n in 0..KEPT {
        while sum <= total * (n as f64 + 0.5) / KEPT as f64 {
            let Some((minutes, weight)) = rest.next() else { break };
            (sum, last) = (sum + weight, *minutes);
        }
        versions.push(Incident {
            ends: incident.starts + super::incident::minutes(last),
            ..incident.clone()
        });
    }
    versions
}

/// Of what alarms did until `now`, were the incident to last so many minutes: each stands for a share of what is left of it.
fn likelihood(incident: &Incident, spells: &[Spell], minutes: f64, now: Timestamp) -> f64 {
    let known = spells.iter().filter(|spell| spell.raised < now);
    let each = known.map(|spell| {
        let since = |at: Timestamp| at.since(spell.raised).as_secs_f64() / 60.0;
        let left = minutes - spell.raised.since(incident.starts).as_secs_f64() / 60.0;
        if left <= 0.0 {
            return 0.0;
        }
        if spell.cleared < now {
            let share = since(spell.cleared) / left;
            return if STANDS.contains(&share) { 1.0 / left } else { 0.0 };
        }
        ((STANDS.end - since(now) / left) / (STANDS.end - STANDS.start)).clamp(0.0, 1.0)
    });
    each.product()
}
