//! Possible courses of incidents, for an oracle that knows the simulator's parameters but not the future.

use super::OperatorConfig;
use super::incident::{Incident, IncidentKind, Spell, minutes};
use super::plan::{ACTIVE_SHARE, LONGEST_FAULT, OVERRUNS, draw, factor, length, rate, work};
use super::profile::stream;
use crate::domain::Timestamp;

/// Number of sampled lengths, and number of ends that are kept.
const DRAWN: u64 = 600;
const KEPT: usize = 24;
/// Number of sampled incidents for alarms that may belong to an outage, and number of sizes for each.
const SAMPLED: usize = 300;
const SIZES: usize = 16;

/// Equally likely courses of an incident for an oracle that at `now` knows everything about it except its end, and the
/// distribution of lengths. The alarms so far (`spells`) are included by Bayes' rule. There is only one course for planned
/// work, whose length is known, and for an incident that customers do not notice.
pub(super) fn courses(
    config: &OperatorConfig,
    incident: &Incident,
    spells: &[Spell],
    now: Timestamp,
) -> Vec<Incident> {
    if incident.kind != IncidentKind::Outage || incident.size <= 0.0 {
        return vec![incident.clone()];
    }
    let (_, ends) = ends(config, incident.kind, incident, spells, now);
    ends.into_iter().map(|ends| Incident { ends, ..incident.clone() }).collect()
}

/// Likelihood of the `spells` until `now` if the incident has this kind, and equally likely ends of the incident for this kind.
fn ends(
    config: &OperatorConfig,
    kind: IncidentKind,
    incident: &Incident,
    spells: &[Spell],
    now: Timestamp,
) -> (f64, Vec<Timestamp>) {
    let Some(lengths) = length(kind, config.family) else { return (0.0, vec![incident.ends]) };
    let mut rng = stream(config.seed, "lengths", 0, 0);
    let mut drawn: Vec<(f64, f64)> = (0..DRAWN)
        .map(|_| lengths.draw(&mut rng).min(LONGEST_FAULT))
        .map(|length| (length, likelihood(incident, spells, length, now)))
        .collect();
    drawn.sort_by(|a, b| a.0.total_cmp(&b.0));
    let total: f64 = drawn.iter().map(|(_, weight)| weight).sum();
    if total <= 0.0 {
        // The alarms determine the end more precisely than the sampled lengths.
        return (0.0, vec![incident.ends]);
    }
    let (mut sum, mut kept) = (0.0, Vec::with_capacity(KEPT));
    for (length, weight) in &drawn {
        sum += weight / total * KEPT as f64;
        while kept.len() < KEPT && (kept.len() as f64) + 0.5 < sum {
            kept.push(incident.starts + minutes(*length));
        }
    }
    (total / DRAWN as f64, kept)
}

/// Possible incidents behind a known one, each with a weight, for an oracle that knows the simulator's parameters and sees
/// only alarms and announcements. Empty if it cannot cause tickets.
pub(super) fn possible_incidents(
    config: &OperatorConfig,
    incident: &Incident,
    spells: &[Spell],
    now: Timestamp,
) -> Vec<(f64, Incident)> {
    if incident.kind == IncidentKind::Maintenance {
        let (usual, overrun) = work(incident);
        let weighted = |share: f64, course: Incident| {
            let length = course.ends.since(course.starts).as_secs_f64() / 60.0;
            (share * likelihood(incident, spells, length, now), course)
        };
        return vec![weighted(1.0 - OVERRUNS, usual), weighted(OVERRUNS, overrun)];
    }
    let severe = matches!(incident.kind, IncidentKind::Outage | IncidentKind::Harmless);
    let Some(first) = spells.first().filter(|_| severe) else { return vec![] };
    let kinds = [IncidentKind::Outage, IncidentKind::Harmless].map(|kind| {
        let rate = rate(config, kind, spells.len() as u32, first.kind);
        let (likelihood, ends) = ends(config, kind, incident, spells, now);
        (rate, likelihood, ends)
    });
    // If no sampled length fits, both kinds count as equally likely.
    let none_fits = kinds.iter().all(|(_, likelihood, _)| *likelihood <= 0.0);
    let [outage, harmless] = kinds
        .map(|(rate, likelihood, ends)| (if none_fits { rate } else { rate * likelihood }, ends));
    let mut rng = stream(config.seed, "guesses", 0, 0);
    let drawn: Vec<Incident> = (0..SAMPLED)
        .map(|_| {
            let (kind, starts, id) = (IncidentKind::Outage, incident.starts, incident.id.clone());
            let (region, service) = (incident.region, incident.service);
            let sample = draw(config, &mut rng, kind, region, service, starts, id);
            Incident { size: sample.size * factor(config.family, kind, spells, &mut rng), ..sample }
        })
        .collect();
    // Onset, size and length are independent.
    let share = outage.0 / (SAMPLED * SIZES) as f64;
    let each = (0..SAMPLED).flat_map(|n| {
        let felt_from = drawn[n].felt_from;
        let ends = outage.1[n % outage.1.len()];
        let sizes = (0..SIZES).map(move |i| (n + i * SAMPLED / SIZES) % SAMPLED);
        sizes.map(move |i| (felt_from, ends, i))
    });
    let mut found: Vec<(f64, Incident)> = each
        .map(|(felt_from, ends, i)| (share, Incident { felt_from, ends, ..drawn[i].clone() }))
        .collect();
    found.push((harmless.0, Incident { size: 0.0, ..incident.clone() }));
    found.retain(|(weight, _)| *weight > 0.0);
    found
}

/// Likelihood of the alarms until `now` if the incident lasts `minutes`: each alarm is active for a share of the rest of the
/// incident.
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
            return if ACTIVE_SHARE.contains(&share) { 1.0 / left } else { 0.0 };
        }
        ((ACTIVE_SHARE.end - since(now) / left) / (ACTIVE_SHARE.end - ACTIVE_SHARE.start))
            .clamp(0.0, 1.0)
    });
    each.product()
}
