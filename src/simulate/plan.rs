//! Incidents of a region and day, drawn from the seed.

use std::ops::Range;
use std::time::Duration;

use chrono::Timelike;
use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;

use super::config::OperatorConfig;
use super::family::Family;
use super::incident::{DayPlan, Incident, IncidentKind, LONGEST, Spell, minutes};
use super::long_tail;
use super::profile::stream;
use super::rebound::UNNOTICED;
use super::two_humps::NOTICING_FACTOR;
use crate::domain::{Severity, Timestamp};

/// Mean number of incidents per region and day.
const RATES: [(IncidentKind, f64); 6] = [
    (IncidentKind::Outage, 0.35),
    (IncidentKind::Surge, 0.15),
    (IncidentKind::Harmless, 1.2),
    (IncidentKind::Flapping, 0.5),
    (IncidentKind::Chatter, 40.0),
    (IncidentKind::Maintenance, 0.2),
];
/// Longest fault, minutes.
pub(super) const LONGEST_FAULT: f64 = 720.0;
/// Duration of an alarm that does not flap, as a share of the rest of its incident.
pub(super) const ACTIVE_SHARE: Range<f64> = 0.85..1.1;
const DAY_MS: i64 = 86_400_000;

/// A log-normal sample with a median and standard deviation of the log, limited to a factor of six.
fn around(rng: &mut ChaCha8Rng, median: f64, spread: f64) -> f64 {
    let unit: f64 = (0..4).map(|_| rng.random::<f64>()).sum::<f64>() - 2.0;
    median * (spread * unit * 3f64.sqrt()).exp().clamp(1.0 / 6.0, 6.0)
}

/// Distribution of lengths: median in minutes and standard deviation of the log.
pub(super) struct Length(f64, f64);

impl Length {
    pub(super) fn draw(&self, rng: &mut ChaCha8Rng) -> f64 {
        around(rng, self.0, self.1)
    }
}

/// Distribution of the length of incidents of a kind; `None` if the length is fixed.
pub(super) fn length(kind: IncidentKind, family: Family) -> Option<Length> {
    match kind {
        IncidentKind::Outage if family == Family::LongTail => Some(Length(180.0, 0.8)),
        IncidentKind::Outage => Some(Length(110.0, 0.6)),
        IncidentKind::Surge => Some(Length(150.0, 0.5)),
        IncidentKind::Harmless => Some(Length(60.0, 0.8)),
        IncidentKind::Flapping => Some(Length(40.0, 0.5)),
        IncidentKind::Chatter => Some(Length(30.0, 0.9)),
        IncidentKind::Maintenance => None,
    }
}

/// A Poisson sample (Knuth's product of uniforms, for small rates).
fn poisson(rng: &mut impl Rng, rate: f64) -> usize {
    let limit = (-rate).exp();
    let (mut n, mut product) = (0, rng.random::<f64>());
    while product > limit {
        n += 1;
        product *= rng.random::<f64>();
    }
    n
}

/// Mean number of incidents of a kind a region and day.
fn frequency(config: &OperatorConfig, kind: IncidentKind) -> f64 {
    let found = RATES.iter().find(|(known, _)| *known == kind).map_or(0.0, |(_, rate)| *rate);
    match kind {
        IncidentKind::Chatter | IncidentKind::Maintenance => found,
        _ => found * config.faults,
    }
}

/// Plans one region's day. `day` counts days since the epoch.
pub fn plan_day(config: &OperatorConfig, region: usize, day: i64) -> DayPlan {
    let mut plan = DayPlan::default();
    for (kind, _) in RATES {
        let mut rng = stream(config.seed, kind.as_str(), region as u64, day);
        for n in 0..poisson(&mut rng, frequency(config, kind)) {
            let starts = Timestamp::from_millis(day * DAY_MS + rng.random_range(0..DAY_MS));
            let service = rng.random_range(0..config.services.len());
            let id = format!("{}-{}-{day}-{n}", kind.as_str(), config.regions[region].name);
            let incident = draw(config, &mut rng, kind, region, service, starts, id);
            add(config, &mut rng, incident, &mut plan);
        }
    }
    for (n, starts) in config.showcase.iter().enumerate() {
        let on = (n % config.regions.len(), starts.millis().div_euclid(DAY_MS));
        if on == (region, day) {
            let mut rng = stream(config.seed, "showcase", n as u64, day);
            let incident = Incident {
                id: format!("showcase-{n}"),
                kind: IncidentKind::Outage,
                region,
                service: n % config.services.len(),
                starts: *starts,
                ends: *starts + minutes(150.0),
                felt_from: *starts + minutes(12.0),
                size: 6.0,
                has_alarms: true,
                first_alarm: None,
            };
            add(config, &mut rng, incident, &mut plan);
        }
    }
    plan
}

pub(super) fn draw(
    config: &OperatorConfig,
    rng: &mut ChaCha8Rng,
    kind: IncidentKind,
    region: usize,
    service: usize,
    starts: Timestamp,
    id: String,
) -> Incident {
    let zone = config.regions[region].zone;
    let mut incident = Incident {
        id,
        kind,
        region,
        service,
        starts,
        ends: starts,
        felt_from: starts,
        size: 0.0,
        has_alarms: !matches!(kind, IncidentKind::Surge),
        first_alarm: None,
    };
    if let Some(length) = length(kind, config.family) {
        incident.ends = starts + minutes(length.draw(rng));
    }
    match kind {
        IncidentKind::Outage if config.family == Family::LongTail => {
            incident.felt_from = starts + minutes(4.0 * 22.5f64.powf(rng.random::<f64>()));
            incident.size = around(rng, 1.3, 0.5);
        }
        IncidentKind::Outage => {
            let lead = minutes(around(rng, 25.0, 0.8));
            incident.felt_from = morning(zone.local(starts).hour(), starts, zone, rng, lead);
            incident.size = around(rng, 2.2, 0.6);
        }
        IncidentKind::Surge => {
            incident.felt_from =
                morning(zone.local(starts).hour(), starts, zone, rng, minutes(5.0));
            incident.size = around(rng, 1.8, 0.5);
        }
        IncidentKind::Harmless | IncidentKind::Flapping | IncidentKind::Chatter => {}
        IncidentKind::Maintenance => {
            // At 1:00 local time on the drawn day.
            let local = zone.local(starts).date().and_hms_opt(1, 0, 0);
            incident.starts = local.map_or(starts, |local| zone.instant(local));
            let (usual, overrun) = work(&incident);
            incident = if rng.random_range(0..6) == 0 { overrun } else { usual };
        }
    }
    incident.ends = incident.ends.min(incident.starts + minutes(LONGEST_FAULT));
    incident
}

/// Share of planned work that overruns: one in six.
pub(super) const OVERRUNS: f64 = 1.0 / 6.0;

/// The planned work as announced, and the same work with an overrun.
pub(super) fn work(planned: &Incident) -> (Incident, Incident) {
    let course = |length: f64, felt: f64, size: f64| Incident {
        ends: planned.starts + minutes(length),
        felt_from: planned.starts + minutes(felt),
        size,
        ..planned.clone()
    };
    (course(180.0, 30.0, 0.15), course(420.0, 330.0, 1.5))
}

/// When customers notice: after `lead`, or if that is at night, when they wake up.
fn morning(
    hour: u32,
    starts: Timestamp,
    zone: crate::domain::Zone,
    rng: &mut ChaCha8Rng,
    lead: Duration,
) -> Timestamp {
    if hour >= 6 {
        return starts + lead;
    }
    let wake = zone.local(starts).date().and_hms_opt(7, 0, 0);
    let wake = wake.map_or(starts, |local| zone.instant(local));
    (wake + minutes(rng.random_range(0.0..50.0))).max(starts)
}

fn add(config: &OperatorConfig, rng: &mut ChaCha8Rng, mut incident: Incident, plan: &mut DayPlan) {
    let before = plan.spells.len();
    spells(config, rng, &incident, &mut plan.spells);
    let own = &plan.spells[before..];
    incident.first_alarm = own.iter().map(|spell| spell.raised).min();
    incident.size *= factor(config.family, incident.kind, own, rng);
    plan.incidents.push(incident);
}

/// A family's factor on an incident's size.
pub(super) fn factor(
    family: Family,
    kind: IncidentKind,
    spells: &[Spell],
    rng: &mut ChaCha8Rng,
) -> f64 {
    match family {
        _ if kind != IncidentKind::Outage => 1.0,
        Family::Exponential => 1.0,
        Family::LongTail => long_tail::factor(spells),
        Family::TwoHumps => NOTICING_FACTOR,
        Family::Rebound => f64::from(u8::from(rng.random::<f64>() >= UNNOTICED)),
    }
}

/// Mean number of incidents of a kind a region and day with a number of alarms of a type.
pub(super) fn rate(
    config: &OperatorConfig,
    kind: IncidentKind,
    alarms: u32,
    alarm_type: &str,
) -> f64 {
    let (counts, share) = match (config.family, kind) {
        (Family::LongTail, _) => (long_tail::counts(kind), long_tail::share(kind, alarm_type)),
        (_, IncidentKind::Outage) => (OUTAGE_ALARMS, 1.0),
        _ => (HARMLESS_ALARMS, 1.0),
    };
    let n = f64::from(u8::from(counts.contains(&alarms))) / counts.len() as f64;
    frequency(config, kind) * n * share
}

/// Number of alarms of one outage, and of one harmless group.
const OUTAGE_ALARMS: Range<u32> = 4..22;
const HARMLESS_ALARMS: Range<u32> = 1..6;

const SEVERE: [(&str, Severity); 4] = [
    ("lossOfSignal", Severity::Critical),
    ("linkDown", Severity::Major),
    ("powerFailure", Severity::Critical),
    ("bgpPeerDown", Severity::Major),
];
const MILD: [(&str, Severity); 4] = [
    ("highTemperature", Severity::Warning),
    ("bitErrorRate", Severity::Minor),
    ("configMismatch", Severity::Warning),
    ("fanDegraded", Severity::Minor),
];

fn spells(config: &OperatorConfig, rng: &mut ChaCha8Rng, i: &Incident, spells: &mut Vec<Spell>) {
    let length = (i.ends.since(i.starts).as_secs_f64() / 60.0).max(1.0);
    let prefix = config.services[i.service].name.as_str().to_uppercase();
    let count = match i.kind {
        IncidentKind::Surge => return,
        IncidentKind::Outage => rng.random_range(OUTAGE_ALARMS),
        IncidentKind::Harmless => rng.random_range(HARMLESS_ALARMS),
        IncidentKind::Flapping => rng.random_range(6..20),
        IncidentKind::Chatter => 1,
        IncidentKind::Maintenance => rng.random_range(2..5),
    };
    let mild = matches!(i.kind, IncidentKind::Chatter | IncidentKind::Maintenance);
    let types: &[_] = if mild { &MILD } else { &SEVERE };
    let own = match config.family {
        Family::Exponential | Family::TwoHumps | Family::Rebound => None,
        Family::LongTail => long_tail::alarms(i.kind, rng),
    };
    let (count, types) = own.unwrap_or((count, types));
    let (kind, worst) = types[rng.random_range(0..types.len())];
    let site = rng.random_range(1..90u32);
    for n in 0..count {
        // Alarms of a storm are raised within minutes; a flapping device raises them throughout.
        let flaps = i.kind == IncidentKind::Flapping;
        let after = if flaps {
            length * f64::from(n) / f64::from(count)
        } else {
            rng.random_range(0.0..8.0f64).min(length * 0.5)
        };
        let raised = i.starts + minutes(after);
        let active = if flaps { 1.0 } else { (length - after) * rng.random_range(ACTIVE_SHARE) };
        let cleared = (raised + minutes(active.max(0.5))).min(i.starts + LONGEST);
        let severity = if n > 0 && rng.random_range(0..3) == 0 { Severity::Minor } else { worst };
        let changed = (i.kind == IncidentKind::Outage && rng.random_range(0..5) == 0)
            .then(|| (raised + minutes(active * 0.4), Severity::Critical));
        let device = if flaps { site } else { site + n };
        spells.push(Spell {
            alarm_id: format!("{}-{n}", i.id),
            region: i.region,
            service: i.service,
            device: format!("{prefix}-{device:02}"),
            kind,
            severity: if mild { worst } else { severity },
            raised,
            changed,
            cleared,
        });
    }
}
