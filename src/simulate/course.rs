//! How incidents may go on, to someone who knows how alarms and tickets follow faults but not the future.

use super::OperatorConfig;
use super::incident::{Incident, IncidentKind, Spell, minutes};
use super::plan::{LONGEST_FAULT, OVERRUNS, STANDS, draw, factor, length, rate, work};
use super::shape::stream;
use crate::domain::Timestamp;

/// Lengths that are drawn, and those of them that are kept.
const DRAWN: u64 = 600;
const KEPT: usize = 24;
/// Incidents of either kind that are drawn for alarms that may be an outage's, and sizes of each.
const GUESSED: usize = 300;
const SIZES: usize = 16;

/// Versions of an incident that are equally likely to someone who at `now` knows all of it but its end: whether it is felt, from
/// when, how much, and the law of lengths. What its `spells` did until then is taken in by Bayes' rule. One version
/// where it is planned work, whose length is known, or not felt.
pub(super) fn versions(
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

/// How likely it is that alarms do what an incident's `spells` did until `now`, if it is of such a kind; and ends that are equally
/// likely then.
fn ends(
    config: &OperatorConfig,
    kind: IncidentKind,
    incident: &Incident,
    spells: &[Spell],
    now: Timestamp,
) -> (f64, Vec<Timestamp>) {
    let Some(law) = length(kind, config.family) else { return (0.0, vec![incident.ends]) };
    let mut rng = stream(config.seed, "lengths", 0, 0);
    let mut drawn: Vec<(f64, f64)> = (0..DRAWN)
        .map(|_| law.draw(&mut rng).min(LONGEST_FAULT))
        .map(|length| (length, likelihood(incident, spells, length, now)))
        .collect();
    drawn.sort_by(|a, b| a.0.total_cmp(&b.0));
    let total: f64 = drawn.iter().map(|(_, weight)| weight).sum();
    if total <= 0.0 {
        // Its alarms have said when it ended, more closely than lengths were drawn.
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

/// What an incident that is known of may be, to someone who knows the laws of this operator and nothing but alarms and
/// announcements: ways it may go on, each with a weight. None where it cannot mean tickets.
pub(super) fn guesses(
    config: &OperatorConfig,
    incident: &Incident,
    spells: &[Spell],
    now: Timestamp,
) -> Vec<(f64, Incident)> {
    if incident.kind == IncidentKind::Maintenance {
        let (usual, overrun) = work(incident);
        let way = |share: f64, way: Incident| {
            let length = way.ends.since(way.starts).as_secs_f64() / 60.0;
            (share * likelihood(incident, spells, length, now), way)
        };
        return vec![way(1.0 - OVERRUNS, usual), way(OVERRUNS, overrun)];
    }
    let severe = matches!(incident.kind, IncidentKind::Outage | IncidentKind::Harmless);
    let Some(first) = spells.first().filter(|_| severe) else { return vec![] };
    let kinds = [IncidentKind::Outage, IncidentKind::Harmless].map(|kind| {
        let rate = rate(config.family, kind, spells.len() as u32, first.kind);
        let (likely, ends) = ends(config, kind, incident, spells, now);
        (rate, likely, ends)
    });
    // Where no length that was drawn fits, both are thought to fit as well.
    let none_fits = kinds.iter().all(|(_, likely, _)| *likely <= 0.0);
    let [outage, harmless] =
        kinds.map(|(rate, likely, ends)| (if none_fits { rate } else { rate * likely }, ends));
    let mut rng = stream(config.seed, "guesses", 0, 0);
    let drawn: Vec<Incident> = (0..GUESSED)
        .map(|_| {
            let (kind, starts, id) = (IncidentKind::Outage, incident.starts, incident.id.clone());
            let (region, service) = (incident.region, incident.service);
            let way = draw(config, &mut rng, kind, region, service, starts, id);
            Incident { size: way.size * factor(config.family, kind, spells, &mut rng), ..way }
        })
        .collect();
    // When it is felt, how much and how long have nothing to do with each other.
    let share = outage.0 / (GUESSED * SIZES) as f64;
    let each = (0..GUESSED).flat_map(|n| {
        let felt_from = drawn[n].felt_from;
        let ends = outage.1[n % outage.1.len()];
        let sizes = (0..SIZES).map(move |i| (n + i * GUESSED / SIZES) % GUESSED);
        sizes.map(move |i| (felt_from, ends, i))
    });
    let mut ways: Vec<(f64, Incident)> = each
        .map(|(felt_from, ends, i)| (share, Incident { felt_from, ends, ..drawn[i].clone() }))
        .collect();
    ways.push((harmless.0, Incident { size: 0.0, ..incident.clone() }));
    ways.retain(|(weight, _)| *weight > 0.0);
    ways
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
