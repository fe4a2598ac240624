//! The operator: true rates, and events by hour.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{Datelike, Timelike};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Poisson};

use super::OperatorConfig;
use super::course;
use super::incident::{DayPlan, Incident, IncidentKind, Spell};
use super::plan::{ACTIVE_SHARE, plan_day};
use super::profile::{day_level, growth, holiday_factor, hour_profile, stream, weekday_factor};
use super::write::{self, ANNOUNCED_BEFORE, PLANNED_LENGTH, Pending};
use crate::domain::{EventKind, Offset, SeriesKey, Timestamp};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 86_400_000;
/// Tickets are drawn by quarters of an hour.
pub const QUARTER: Duration = Duration::from_secs(900);
/// Low bits of an offset: number within the hour; the high bits are the hour.
const HOUR_BITS: u32 = 20;
/// Days before a day whose incidents may affect it.
const DAYS_BACK: i64 = 1;

/// One record of the operator's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimEvent {
    pub offset: Offset,
    pub append_at: Timestamp,
    pub kind: EventKind,
    /// Native JSON without a newline.
    pub line: Vec<u8>,
}

impl SimEvent {
    /// The hour (since the epoch) of an offset.
    pub fn hour_of(offset: Offset) -> i64 {
        offset >> HOUR_BITS
    }
}

/// Expected tickets in a quarter of an hour, with and without incidents.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrueRate {
    pub rate: f64,
    pub without_incidents: f64,
}

/// A seeded operator. Hours can be generated in any order; only plans of days are cached.
pub struct Operator {
    config: OperatorConfig,
    series: Vec<(SeriesKey, [usize; 3])>,
    plans: BTreeMap<(i64, usize), DayPlan>,
    levels: BTreeMap<(i64, usize), f64>,
    /// The last generated hour, and its events with an append time in the next hour.
    next_hour: Option<(i64, Vec<Pending>)>,
}

impl Operator {
    /// An operator from its configuration, which includes the seed.
    pub fn new(config: OperatorConfig) -> Self {
        let series = config.series();
        let (plans, levels) = (BTreeMap::new(), BTreeMap::new());
        Self { config, series, plans, levels, next_hour: None }
    }

    /// Its configuration.
    pub fn config(&self) -> &OperatorConfig {
        &self.config
    }

    /// All series with their (region, service, channel) positions.
    pub fn series(&self) -> &[(SeriesKey, [usize; 3])] {
        &self.series
    }

    /// Tickets per hour without incidents and day-to-day level: the basis of a planner's schedule.
    pub fn base_rate(&self, [r, s, c]: [usize; 3], at: Timestamp) -> f64 {
        let region = &self.config.regions[r];
        let channel = self.config.channels[c].name.as_str();
        let local = region.zone.local(at);
        let hour = f64::from(local.hour()) + f64::from(local.minute()) / 60.0;
        let holiday = region.holidays.contains(&local.date().to_string());
        // Bills are sent on the fifth.
        let billing = if local.day() == 5 { 1.2 } else { 1.0 };
        self.average([r, s, c], at)
            * hour_profile(channel, hour)
            * weekday_factor(channel, local.weekday().num_days_from_monday())
            * if holiday { holiday_factor(channel) } else { billing }
    }

    /// Tickets in an average hour of a series.
    fn average(&self, [r, s, c]: [usize; 3], at: Timestamp) -> f64 {
        let day = (at.millis() - self.config.start.millis()).div_euclid(DAY_MS);
        let large = self.config.large.iter().find(|(place, _)| *place == [r, s, c]);
        self.config.volume
            * large.map_or(1.0, |(_, factor)| *factor)
            * self.config.regions[r].size
            * self.config.services[s].size
            * self.config.channels[c].size
            * growth(day)
    }

    /// Expected tickets of a series in the quarter that starts at `start`.
    pub fn rate(&mut self, at: [usize; 3], start: Timestamp) -> TrueRate {
        self.rate_of(at, start, |_| true)
    }

    /// Like [`Self::rate`], for an oracle at `now`. It knows all parameters of incidents that have raised an alarm and of
    /// announced work, and nothing about other incidents.
    pub fn rate_known(&mut self, at: [usize; 3], start: Timestamp, now: Timestamp) -> TrueRate {
        self.rate_of(at, start, |incident| is_known(incident, now))
    }

    /// Incidents of a region and service known as in [`Self::rate_known`], each with equally likely courses, for an oracle that
    /// does not know the remaining duration.
    pub fn courses(&mut self, place: [usize; 2], now: Timestamp) -> Vec<Vec<Incident>> {
        self.each_known(place, now, is_known, |config, incident, spells| {
            course::courses(config, incident, spells, now)
        })
    }

    /// Incidents with alarms or announcements, each with weighted possible incidents, for an oracle that knows the simulator's
    /// parameters but sees no tickets.
    pub fn possible_incidents(
        &mut self,
        place: [usize; 2],
        now: Timestamp,
    ) -> Vec<Vec<(f64, Incident)>> {
        let is_announced = |incident: &Incident, now| match incident.kind {
            IncidentKind::Maintenance => incident.starts <= now + ANNOUNCED_BEFORE,
            _ => is_known(incident, now),
        };
        self.each_known(place, now, is_announced, |config, incident, spells| {
            course::possible_incidents(config, incident, spells, now)
        })
    }

    fn each_known<T>(
        &mut self,
        [region, service]: [usize; 2],
        now: Timestamp,
        is_known: impl Fn(&Incident, Timestamp) -> bool,
        each: impl Fn(&OperatorConfig, &Incident, &[Spell]) -> Vec<T>,
    ) -> Vec<Vec<T>> {
        let mut found = Vec::new();
        let today = now.millis().div_euclid(DAY_MS);
        for day in today - DAYS_BACK..=today + 1 {
            let plan = self.plan(region, day).clone();
            let here = plan.incidents.iter().filter(|i| i.service == service && is_known(i, now));
            for incident in here {
                let own = |spell: &&Spell| spell.incident() == incident.id;
                let spells: Vec<Spell> = plan.spells.iter().filter(own).cloned().collect();
                found.push(each(&self.config, incident, &spells));
            }
        }
        found
    }

    /// Whether the true rates of the quarter that starts at `start` include an incident. They include planned work only from the
    /// UTC day of whose plan it is a part, even if it begins on the evening before.
    pub fn includes(&mut self, incident: &Incident, start: Timestamp) -> bool {
        let day = (start + QUARTER / 2).millis().div_euclid(DAY_MS);
        (day - DAYS_BACK..=day).any(|day| {
            let plan = self.plan(incident.region, day);
            plan.incidents.iter().any(|planned| planned.id == incident.id)
        })
    }

    /// Tickets of an incident of size 1 at full strength for a series in the quarter that starts at `start`.
    pub fn unit(&mut self, at: [usize; 3], start: Timestamp) -> f64 {
        let middle = start + QUARTER / 2;
        let ordinary = self.ordinary(at, middle);
        self.config.family.unit(self.average(at, middle), ordinary) / 4.0
    }

    /// Size × strength of an incident in the quarter that starts at `start`.
    pub fn strength(&self, at: [usize; 3], incident: &Incident, start: Timestamp) -> f64 {
        self.strength_at(at, incident, start + QUARTER / 2)
    }

    fn strength_at(&self, [r, _, c]: [usize; 3], incident: &Incident, at: Timestamp) -> f64 {
        let channel = self.config.channels[c].name.as_str();
        let zone = self.config.regions[r].zone;
        incident.size * self.config.family.strength(incident, channel, at, zone)
    }

    /// Tickets per hour without incidents.
    fn ordinary(&mut self, at: [usize; 3], middle: Timestamp) -> f64 {
        self.base_rate(at, middle) * self.level(at[0], middle.millis().div_euclid(DAY_MS))
    }

    fn rate_of(
        &mut self,
        at: [usize; 3],
        start: Timestamp,
        counts: impl Fn(&Incident) -> bool,
    ) -> TrueRate {
        let middle = start + QUARTER / 2;
        let day = middle.millis().div_euclid(DAY_MS);
        let ordinary = self.ordinary(at, middle);
        let unit = self.config.family.unit(self.average(at, middle), ordinary);
        let mut excess = 0.0;
        for day in day - DAYS_BACK..=day {
            self.plan(at[0], day);
            let incidents = self.plans.get(&(day, at[0])).into_iter().flat_map(|p| &p.incidents);
            let here = incidents.filter(|i| i.service == at[1] && counts(i));
            excess += here.map(|incident| self.strength_at(at, incident, middle)).sum::<f64>();
        }
        TrueRate { rate: (ordinary + excess * unit) / 4.0, without_incidents: ordinary / 4.0 }
    }

    fn level(&mut self, region: usize, day: i64) -> f64 {
        let seed = self.config.seed;
        *self.levels.entry((day, region)).or_insert_with(|| day_level(seed, region, day))
    }

    fn plan(&mut self, region: usize, day: i64) -> &DayPlan {
        if self.plans.len() > 64 {
            let newest = self.plans.keys().next_back().map_or(day, |key| key.0.max(day));
            self.plans.retain(|key, _| key.0 > newest - 8);
            self.levels.retain(|key, _| key.0 > newest - 8);
        }
        let config = &self.config;
        self.plans.entry((day, region)).or_insert_with(|| plan_day(config, region, day))
    }

    /// Incidents that start on the days (since the epoch) `from..to`.
    pub fn incidents(&mut self, from: i64, to: i64) -> Vec<Incident> {
        let mut found = Vec::new();
        for day in from..to {
            for region in 0..self.config.regions.len() {
                found.extend(self.plan(region, day).incidents.iter().cloned());
            }
        }
        found.sort_by(|a, b| (a.starts, &a.id).cmp(&(b.starts, &b.id)));
        found
    }

    /// Alarms raised on the days (since the epoch) `from..to`, including chatter, in order of time.
    pub fn spells(&mut self, from: i64, to: i64) -> Vec<Spell> {
        let mut found = Vec::new();
        for day in from..to {
            for region in 0..self.config.regions.len() {
                found.extend(self.plan(region, day).spells.iter().cloned());
            }
        }
        found.sort_by(|a, b| (a.raised, &a.alarm_id).cmp(&(b.raised, &b.alarm_id)));
        found
    }

    /// Number of tickets of series `number` with event times in the quarter that starts at `start`, as generated by
    /// [`Self::hour`].
    pub fn count(&mut self, number: usize, start: Timestamp) -> u32 {
        let rate = self.rate(self.series[number].1, start).rate;
        let quarter = start.secs().div_euclid(QUARTER.as_secs() as i64);
        draw_count(rate, &mut stream(self.config.seed, "tickets", number as u64, quarter))
    }

    /// Records with append times in an hour (since the epoch), in append order.
    pub fn hour(&mut self, hour: i64) -> Vec<SimEvent> {
        let mut pending = match self.next_hour.take() {
            Some((last, rest)) if last == hour - 1 => rest,
            _ => {
                let before = self.events_of(hour - 1);
                before.into_iter().filter(|e| hour_of(e.append_at) == hour).collect()
            }
        };
        let (now, later): (Vec<_>, Vec<_>) =
            self.events_of(hour).into_iter().partition(|e| hour_of(e.append_at) == hour);
        pending.extend(now);
        self.next_hour = Some((hour, later));
        pending.sort_by(|a, b| (a.append_at, &a.line).cmp(&(b.append_at, &b.line)));
        let first = hour << HOUR_BITS;
        let numbered = pending.into_iter().zip(first..).map(|(event, offset)| SimEvent {
            offset,
            append_at: event.append_at,
            kind: event.kind,
            line: event.line,
        });
        numbered.collect()
    }

    /// Events with event times in an hour.
    fn events_of(&mut self, hour: i64) -> Vec<Pending> {
        let mut events = Vec::new();
        self.tickets(hour, &mut events);
        let (from, to) =
            (Timestamp::from_millis(hour * HOUR_MS), Timestamp::from_millis((hour + 1) * HOUR_MS));
        let day = from.millis().div_euclid(DAY_MS);
        for region in 0..self.config.regions.len() {
            // Planned work is announced a day before it starts.
            for day in day - DAYS_BACK..=day + 2 {
                self.plan(region, day);
                let Some(plan) = self.plans.get(&(day, region)) else { continue };
                write::alarms(&self.config, plan, from, to, &mut events);
                write::maintenance(&self.config, plan, from, to, &mut events);
            }
        }
        events
    }

    fn tickets(&mut self, hour: i64, events: &mut Vec<Pending>) {
        for number in 0..self.series.len() {
            let at = self.series[number].1;
            for quarter in hour * 4..hour * 4 + 4 {
                let start = Timestamp::from_millis(quarter * HOUR_MS / 4);
                let truth = self.rate(at, start);
                let mut rng = stream(self.config.seed, "tickets", number as u64, quarter);
                let count = draw_count(truth.rate, &mut rng);
                let caused = 1.0 - truth.without_incidents / truth.rate.max(1e-9);
                for n in 0..count {
                    let ts = start + Duration::from_millis(rng.random_range(0..900_000));
                    let delay = Duration::from_millis(rng.random_range(1_000..150_000));
                    let because = rng.random::<f64>() < caused;
                    let line = write::ticket(
                        &self.config,
                        at,
                        (number, quarter, n),
                        ts,
                        because,
                        &mut rng,
                    );
                    let append_at = ts + delay;
                    events.push(Pending { append_at, kind: EventKind::Ticket, line });
                }
            }
        }
    }
}

/// Whether an incident is known at `now`: by an alarm or an announcement. An overrun is known by alarms that are active longer
/// than those of work that ends as planned.
fn is_known(incident: &Incident, now: Timestamp) -> bool {
    match incident.kind {
        IncidentKind::Maintenance if incident.ends.since(incident.starts) <= PLANNED_LENGTH => {
            incident.starts <= now + ANNOUNCED_BEFORE
        }
        IncidentKind::Maintenance => {
            incident.starts + PLANNED_LENGTH.mul_f64(ACTIVE_SHARE.end) <= now
        }
        _ => incident.first_alarm.is_some_and(|raised| raised < now),
    }
}

fn draw_count(rate: f64, rng: &mut ChaCha8Rng) -> u32 {
    Poisson::new(rate.max(1e-9)).map_or(0.0, |p| p.sample(rng)) as u32
}

fn hour_of(at: Timestamp) -> i64 {
    at.millis().div_euclid(HOUR_MS)
}
