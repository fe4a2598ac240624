//! Oracles: forecasts with knowledge of the simulator.
//!
//! Two oracles know all parameters of every incident that has raised an alarm by the origin: whether customers notice, from when
//! on, how much, and how complaints follow. The **course** oracle also knows its future end. The **response** oracle knows only
//! the distribution of lengths, updated by active and cleared alarms (Bayes' rule).
//!
//! The **parameters** oracle knows the simulator's parameters and the true rate of ordinary days, but only alarms and tickets of
//! the actual incidents. It applies Bayes' rule to a few thousand possible incidents for each group of alarms. No model that
//! learns from history can be better on average.

use std::collections::BTreeMap;

use surgecast::domain::{Scope, SeriesKey, Timestamp};
use surgecast::forecast::{Effect, Reading};
use surgecast::simulate::Incident;

use crate::world::{HOUR, WIDTH, World};

/// Windows of the horizon.
const HORIZON: i64 = 24;
/// Number of possible incidents kept after weighting by tickets, and windows of tickets used.
const KEPT: usize = 96;
const EVIDENCE: i64 = 14 * HOUR;
/// Effects below this count as zero, tickets a window.
const NEGLIGIBLE: f64 = 0.01;

/// Extra tickets of one oracle at one origin.
#[derive(Default)]
pub struct Oracle {
    effects: BTreeMap<SeriesKey, Vec<Effect>>,
    /// By scope and incident: equally likely courses, each with tickets of all channels by forecast point.
    courses: BTreeMap<Scope, Vec<Vec<Vec<f64>>>>,
}

/// Series of one scope: key, position, and number in the world.
type Leaves = Vec<(SeriesKey, [usize; 3], usize)>;

fn by_scope(world: &World) -> BTreeMap<Scope, Leaves> {
    let mut by_scope: BTreeMap<Scope, Leaves> = BTreeMap::new();
    for (number, (key, place, _)) in world.leaves.iter().enumerate() {
        by_scope.entry(key.scope()).or_default().push((key.clone(), *place, number));
    }
    by_scope
}

/// Extra tickets of one series by forecast point, for each possible incident.
fn excess(
    world: &mut World,
    place: [usize; 3],
    courses: &[Incident],
    origin: i64,
) -> Vec<Vec<f64>> {
    let starts: Vec<Timestamp> = (origin..origin + HORIZON).map(|i| WIDTH.start(i)).collect();
    let units: Vec<f64> = starts.iter().map(|at| world.operator.unit(place, *at)).collect();
    let of = |course: &Incident| {
        let each = starts.iter().zip(&units);
        each.map(|(at, unit)| unit * world.operator.strength(place, course, *at)).collect()
    };
    courses.iter().map(of).collect()
}

impl Oracle {
    /// The oracle that knows the simulator's parameters and sees alarms and tickets.
    pub fn parameters(world: &mut World, origin: i64) -> Self {
        let mut oracle = Self::default();
        let now = WIDTH.start(origin);
        for (scope, leaves) in by_scope(world) {
            let [region, service, _] = leaves[0].1;
            let mut possible = world.operator.possible_incidents([region, service], now);
            possible.retain(|courses| courses.iter().any(|(_, course)| course.size > 0.0));
            possible.sort_by_key(|courses| courses[0].1.starts);
            // By series and window: tickets attributed to earlier incidents.
            let mut others: BTreeMap<(usize, i64), f64> = BTreeMap::new();
            for courses in possible {
                let courses = weighed(world, &leaves, courses, &mut others, origin);
                oracle.add_all(world, &scope, &leaves, &courses, origin);
            }
        }
        oracle
    }

    /// The oracle that knows the response, but not the future.
    pub fn response(world: &mut World, origin: i64) -> Self {
        let mut oracle = Self::default();
        let now = WIDTH.start(origin);
        for (scope, leaves) in by_scope(world) {
            let [region, service, _] = leaves[0].1;
            for courses in world.operator.courses([region, service], now) {
                if courses.iter().any(|incident| incident.size > 0.0) {
                    oracle.add_all(world, &scope, &leaves, &courses, origin);
                }
            }
        }
        oracle
    }

    fn add_all(
        &mut self,
        world: &mut World,
        scope: &Scope,
        leaves: &Leaves,
        courses: &[Incident],
        origin: i64,
    ) {
        let mut sums = vec![vec![0.0; HORIZON as usize]; courses.len()];
        for (key, place, _) in leaves {
            let each = excess(world, *place, courses, origin);
            self.add(key, &each);
            for (sum, own) in sums.iter_mut().zip(&each) {
                sum.iter_mut().zip(own).for_each(|(sum, x)| *sum += x);
            }
        }
        self.courses.entry(scope.clone()).or_default().push(sums);
    }

    /// The oracle that knows the whole course.
    pub fn course(world: &mut World, origin: i64) -> Self {
        let mut oracle = Self::default();
        let now = WIDTH.start(origin);
        for (key, place, _) in &world.leaves {
            let excess: Vec<f64> = (origin..origin + HORIZON)
                .map(|index| {
                    let rate = world.operator.rate_known(*place, WIDTH.start(index), now);
                    rate.rate - rate.without_incidents
                })
                .collect();
            let courses = oracle.courses.entry(key.scope()).or_default();
            match courses.first_mut() {
                Some(all) => all[0].iter_mut().zip(&excess).for_each(|(sum, x)| *sum += x),
                None => courses.push(vec![excess.clone()]),
            }
            oracle.add(key, &[excess]);
        }
        oracle
    }

    pub fn effects(&self, series: &SeriesKey) -> Option<&[Effect]> {
        self.effects.get(series).map(Vec::as_slice)
    }

    pub fn reading(&self, scope: &Scope) -> Reading {
        Reading::of_courses(scope, self.courses.get(scope).map_or(&[], Vec::as_slice))
    }

    fn add(&mut self, key: &SeriesKey, courses: &[Vec<f64>]) {
        let share = 1.0 / courses.len() as f64;
        let none = || vec![Effect::default(); HORIZON as usize];
        let effects = self.effects.entry(key.clone()).or_insert_with(none);
        for (target, effect) in effects.iter_mut().enumerate() {
            let mut points: Vec<(f64, f64)> =
                courses.iter().map(|course| (share, course[target])).collect();
            if points.iter().any(|(_, x)| *x >= NEGLIGIBLE) {
                points.sort_by(|a, b| a.1.total_cmp(&b.1));
                *effect = effect.plus(&Effect { points, drivers: vec![] });
            }
        }
    }
}

/// Equally likely incidents given the tickets, by Bayes' rule: Poisson counts around the sum of the true rate of ordinary days,
/// the tickets attributed to `others`, and the tickets of each possible incident.
fn weighed(
    world: &mut World,
    leaves: &Leaves,
    courses: Vec<(f64, Incident)>,
    others: &mut BTreeMap<(usize, i64), f64>,
    origin: i64,
) -> Vec<Incident> {
    let first = WIDTH.index(courses[0].1.starts).max(origin - EVIDENCE).max(world.first);
    let mut gains = vec![0.0; courses.len()];
    let mut expected: Vec<((usize, i64), Vec<f64>)> = Vec::new();
    for (key, place, number) in leaves {
        for index in first..origin {
            let at = WIDTH.start(index);
            let unit = world.operator.unit(*place, at);
            // Incidents that differ only in size are adjacent.
            let each: Vec<f64> = courses
                .chunk_by(|(_, a), (_, b)| (a.felt_from, a.ends) == (b.felt_from, b.ends))
                .flat_map(|alike| {
                    let one = Incident { size: 1.0, ..alike[0].1.clone() };
                    let one = unit * world.operator.strength(*place, &one, at);
                    alike.iter().map(move |(_, course)| course.size * one)
                })
                .collect();
            let usual = world.leaves[*number].2.ordinary[(index - world.first) as usize]
                + others.get(&(*number, index)).copied().unwrap_or(0.0);
            let count = f64::from(world.series[key].get(index));
            for (gain, x) in gains.iter_mut().zip(&each) {
                *gain += count * (x / usual.max(1e-9)).ln_1p() - x;
            }
            expected.push(((*number, index), each));
        }
    }
    let most = gains.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let weights: Vec<f64> = courses
        .iter()
        .zip(&gains)
        .map(|((weight, _), gain)| weight * (gain - most).exp())
        .collect();
    let total: f64 = weights.iter().sum();
    for (place, each) in expected {
        let mean = each.iter().zip(&weights).map(|(x, weight)| x * weight / total).sum::<f64>();
        *others.entry(place).or_default() += mean;
    }
    let (mut kept, mut sum, mut next) = (Vec::with_capacity(KEPT), 0.0, 0.5);
    for ((_, course), weight) in courses.iter().zip(&weights) {
        sum += weight / total * KEPT as f64;
        while next < sum && kept.len() < KEPT {
            kept.push(course.clone());
            next += 1.0;
        }
    }
    if kept.is_empty() {
        kept.push(courses[0].1.clone());
    }
    kept
}
