//! What someone would forecast to come of the alarms so far who had nothing left to learn: the oracles.
//!
//! Two know all of every incident that has raised an alarm by the origin, whether it is felt, from when and how much, and how
//! complaints follow it. One knows its **course**, thus when it will end, which lies in the future. The other knows the
//! **response** alone: the law of lengths, and by Bayes' rule what alarms that stand or have cleared say of this one's.
//!
//! A third one knows the operator's **laws** and nothing of what came of them but alarms and tickets, the true rate of ordinary days
//! beside these: by Bayes' rule, from a few thousand ways in which each group of alarms may go on. Nobody who is to learn the laws
//! from history can do better, but by luck.

use std::collections::BTreeMap;

use surgecast::domain::{Scope, SeriesKey, Timestamp};
use surgecast::forecast::{Effect, Reading};
use surgecast::simulate::Incident;

use crate::world::{HOUR, WIDTH, World};

/// Windows of the horizon.
const HORIZON: i64 = 24;
/// Ways that are kept of those that tickets weigh, and windows of tickets that are looked at.
const KEPT: usize = 96;
const SEEN: i64 = 14 * HOUR;
/// Less is nothing, tickets a window.
const NEGLIGIBLE: f64 = 0.01;

/// Extra tickets at one origin.
#[derive(Default)]
pub struct Known {
    effects: BTreeMap<SeriesKey, Vec<Effect>>,
    /// By region and service, and incident: ways that are equally likely, tickets by target of all channels.
    courses: BTreeMap<Scope, Vec<Vec<Vec<f64>>>>,
}

/// Series of one region and service: name, position, and number among the world's.
type Leaves = Vec<(SeriesKey, [usize; 3], usize)>;

fn by_scope(world: &World) -> BTreeMap<Scope, Leaves> {
    let mut by_scope: BTreeMap<Scope, Leaves> = BTreeMap::new();
    for (number, (key, place, _)) in world.leaves.iter().enumerate() {
        by_scope.entry(key.scope()).or_default().push((key.clone(), *place, number));
    }
    by_scope
}

/// Tickets by target of each way in which an incident may go on, of one series.
fn excess(world: &mut World, place: [usize; 3], ways: &[Incident], origin: i64) -> Vec<Vec<f64>> {
    let starts: Vec<Timestamp> = (origin..origin + HORIZON).map(|i| WIDTH.start(i)).collect();
    let units: Vec<f64> = starts.iter().map(|at| world.operator.unit(place, *at)).collect();
    let of = |way: &Incident| {
        let each = starts.iter().zip(&units);
        each.map(|(at, unit)| unit * world.operator.strength(place, way, *at)).collect()
    };
    ways.iter().map(of).collect()
}

impl Known {
    /// Of those who know nothing but the laws, alarms and tickets: the best that anyone could say.
    pub fn laws(world: &mut World, origin: i64) -> Self {
        let mut known = Self::default();
        let now = WIDTH.start(origin);
        for (scope, leaves) in by_scope(world) {
            let [region, service, _] = leaves[0].1;
            let mut guesses = world.operator.guesses([region, service], now);
            guesses.retain(|ways| ways.iter().any(|(_, way)| way.size > 0.0));
            guesses.sort_by_key(|ways| ways[0].1.starts);
            // By series and window: tickets that earlier incidents account for.
            let mut others: BTreeMap<(usize, i64), f64> = BTreeMap::new();
            for ways in guesses {
                let ways = weighed(world, &leaves, ways, &mut others, origin);
                known.add_all(world, &scope, &leaves, &ways, origin);
            }
        }
        known
    }

    /// Of those who know the response, and not the future.
    pub fn response(world: &mut World, origin: i64) -> Self {
        let mut known = Self::default();
        let now = WIDTH.start(origin);
        for (scope, leaves) in by_scope(world) {
            let [region, service, _] = leaves[0].1;
            for ways in world.operator.courses([region, service], now) {
                if ways.iter().any(|incident| incident.size > 0.0) {
                    known.add_all(world, &scope, &leaves, &ways, origin);
                }
            }
        }
        known
    }

    fn add_all(
        &mut self,
        world: &mut World,
        scope: &Scope,
        leaves: &Leaves,
        ways: &[Incident],
        origin: i64,
    ) {
        let mut sums = vec![vec![0.0; HORIZON as usize]; ways.len()];
        for (key, place, _) in leaves {
            let each = excess(world, *place, ways, origin);
            self.add(key, &each);
            for (sum, own) in sums.iter_mut().zip(&each) {
                sum.iter_mut().zip(own).for_each(|(sum, x)| *sum += x);
            }
        }
        self.courses.entry(scope.clone()).or_default().push(sums);
    }

    /// Of those who know courses, too.
    pub fn course(world: &mut World, origin: i64) -> Self {
        let mut known = Self::default();
        let now = WIDTH.start(origin);
        for (key, place, _) in &world.leaves {
            let excess: Vec<f64> = (origin..origin + HORIZON)
                .map(|index| {
                    let rate = world.operator.rate_known(*place, WIDTH.start(index), now);
                    rate.rate - rate.without_incidents
                })
                .collect();
            let ways = known.courses.entry(key.scope()).or_default();
            match ways.first_mut() {
                Some(all) => all[0].iter_mut().zip(&excess).for_each(|(sum, x)| *sum += x),
                None => ways.push(vec![excess.clone()]),
            }
            known.add(key, &[excess]);
        }
        known
    }

    pub fn effects(&self, series: &SeriesKey) -> Option<&[Effect]> {
        self.effects.get(series).map(Vec::as_slice)
    }

    pub fn reading(&self, scope: &Scope) -> Reading {
        Reading::of_courses(scope, self.courses.get(scope).map_or(&[], Vec::as_slice))
    }

    fn add(&mut self, key: &SeriesKey, ways: &[Vec<f64>]) {
        let share = 1.0 / ways.len() as f64;
        let none = || vec![Effect::default(); HORIZON as usize];
        let effects = self.effects.entry(key.clone()).or_insert_with(none);
        for (target, effect) in effects.iter_mut().enumerate() {
            let mut points: Vec<(f64, f64)> = ways.iter().map(|way| (share, way[target])).collect();
            if points.iter().any(|(_, x)| *x >= NEGLIGIBLE) {
                points.sort_by(|a, b| a.1.total_cmp(&b.1));
                *effect = effect.plus(&Effect { points, drivers: vec![] });
            }
        }
    }
}

/// Ways that are equally likely once tickets are seen, by Bayes' rule: Poisson counts about the true rate of ordinary
/// days, what `others` account for, and what each way would have brought.
fn weighed(
    world: &mut World,
    leaves: &Leaves,
    ways: Vec<(f64, Incident)>,
    others: &mut BTreeMap<(usize, i64), f64>,
    origin: i64,
) -> Vec<Incident> {
    let first = WIDTH.index(ways[0].1.starts).max(origin - SEEN).max(world.first);
    let mut gains = vec![0.0; ways.len()];
    let mut brought: Vec<((usize, i64), Vec<f64>)> = Vec::new();
    for (key, place, number) in leaves {
        for index in first..origin {
            let at = WIDTH.start(index);
            let unit = world.operator.unit(*place, at);
            // Ways that differ in size only lie beside each other.
            let each: Vec<f64> = ways
                .chunk_by(|(_, a), (_, b)| (a.felt_from, a.ends) == (b.felt_from, b.ends))
                .flat_map(|alike| {
                    let one = Incident { size: 1.0, ..alike[0].1.clone() };
                    let one = unit * world.operator.strength(*place, &one, at);
                    alike.iter().map(move |(_, way)| way.size * one)
                })
                .collect();
            let usual = world.leaves[*number].2.ordinary[(index - world.first) as usize]
                + others.get(&(*number, index)).copied().unwrap_or(0.0);
            let count = f64::from(world.series[key].get(index));
            for (gain, x) in gains.iter_mut().zip(&each) {
                *gain += count * (x / usual.max(1e-9)).ln_1p() - x;
            }
            brought.push(((*number, index), each));
        }
    }
    let most = gains.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let weights: Vec<f64> =
        ways.iter().zip(&gains).map(|((weight, _), gain)| weight * (gain - most).exp()).collect();
    let total: f64 = weights.iter().sum();
    for (place, each) in brought {
        let mean = each.iter().zip(&weights).map(|(x, weight)| x * weight / total).sum::<f64>();
        *others.entry(place).or_default() += mean;
    }
    let (mut kept, mut sum, mut next) = (Vec::with_capacity(KEPT), 0.0, 0.5);
    for ((_, way), weight) in ways.iter().zip(&weights) {
        sum += weight / total * KEPT as f64;
        while next < sum && kept.len() < KEPT {
            kept.push(way.clone());
            next += 1.0;
        }
    }
    if kept.is_empty() {
        kept.push(ways[0].1.clone());
    }
    kept
}
