//! What someone would forecast to come of the alarms so far who had nothing left to learn: the oracles.
//!
//! Both know all of every incident that has raised an alarm by the origin, whether it is felt, from when and how much, and how
//! complaints follow it. One knows its **course**, thus when it will end, which lies in the future. The other knows the
//! **response** alone: the law of lengths, and by Bayes' rule what alarms that stand or have cleared say of this one's.

use std::collections::BTreeMap;

use surgecast::domain::{Scope, SeriesKey};
use surgecast::forecast::{Effect, Reading};

use crate::world::{WIDTH, World};

/// Windows of the horizon.
const HORIZON: i64 = 24;
/// Less is nothing, tickets a window.
const NEGLIGIBLE: f64 = 0.01;

/// Extra tickets at one origin.
#[derive(Default)]
pub struct Known {
    effects: BTreeMap<SeriesKey, Vec<Effect>>,
    /// By region and service, and incident: ways that are equally likely, tickets by target of all channels.
    courses: BTreeMap<Scope, Vec<Vec<Vec<f64>>>>,
}

impl Known {
    /// Of those who know the response alone.
    pub fn response(world: &mut World, origin: i64) -> Self {
        let mut known = Self::default();
        let now = WIDTH.start(origin);
        let mut by_scope: BTreeMap<Scope, Vec<(SeriesKey, [usize; 3])>> = BTreeMap::new();
        for (key, place, _) in &world.leaves {
            by_scope.entry(key.scope()).or_default().push((key.clone(), *place));
        }
        for (scope, leaves) in by_scope {
            let [region, service, _] = leaves[0].1;
            for versions in world.operator.courses([region, service], now) {
                if versions.iter().all(|incident| incident.size <= 0.0) {
                    continue;
                }
                let mut ways = vec![vec![0.0; HORIZON as usize]; versions.len()];
                for (key, place) in &leaves {
                    let each: Vec<Vec<f64>> = versions
                        .iter()
                        .map(|incident| {
                            let targets = origin..origin + HORIZON;
                            let excess = targets
                                .map(|i| world.operator.excess(*place, incident, WIDTH.start(i)));
                            excess.collect()
                        })
                        .collect();
                    known.add(key, &each);
                    for (way, own) in ways.iter_mut().zip(&each) {
                        way.iter_mut().zip(own).for_each(|(sum, x)| *sum += x);
                    }
                }
                known.courses.entry(scope.clone()).or_default().push(ways);
            }
        }
        known
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
