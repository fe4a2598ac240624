//! Now: what stands, what it has brought, and what it will bring.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use super::baseline::Baselines;
use super::course::Course;
use super::damp::Ways;
use super::effect::Effect;
use super::episode::{Episode, episodes};
use super::filter::Posterior;
use super::fit::{Response, damp, explain, middle, windows};
use super::ground::{Ground, Site};
use super::law::Law;
use super::onset::minutes_between;
use super::paths::Paths;
use crate::domain::{Scope, SeriesKey};
use crate::forecast::{AlarmSpell, HORIZON, Past, PlannedWork};

/// Alarms older than this say nothing any more: what they bring has become usual.
const REACH: Duration = Duration::from_secs(20 * 3600);
/// Planned work may have lasted this long when it overruns.
const WORK_REACH: Duration = Duration::from_secs(12 * 3600);
/// Effects below this are none, tickets a window.
const NEGLIGIBLE: f64 = 0.02;
/// Bins of the logarithm of tickets, from `BIN_FIRST` tickets on, each wider by this factor.
const BINS: usize = 40;
const BIN_FIRST: f64 = 0.05;
const BIN_STEP: f64 = 0.22;

/// Minutes after which counts show half of what an alarm that damps does, and ahead for which they say half.
const SHOWN: f64 = 30.0;
const SEEN_AHEAD: f64 = 120.0;

/// What is known at one origin.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    effects: BTreeMap<SeriesKey, Vec<Effect>>,
    /// By series: tickets by window of the last day.
    past: BTreeMap<SeriesKey, HashMap<i64, f32>>,
    /// First window that the reading, and no longer the fit, speaks for.
    first: i64,
    /// Leaves that alarms damp: minutes since the newest of these was raised or cleared.
    damped: BTreeMap<SeriesKey, f64>,
    /// By scope: how each of its episodes may go on, all channels together.
    paths: BTreeMap<Scope, Vec<Paths>>,
}

impl Reading {
    /// Extra tickets by target from the origin on; `None` where there is no effect at all. Roll-ups of the
    /// past's series are here too.
    pub fn effects(&self, series: &SeriesKey) -> Option<&[Effect]> {
        self.effects.get(series).map(Vec::as_slice)
    }

    /// Series that alarms or planned work touch.
    pub fn touched(&self) -> impl Iterator<Item = (&SeriesKey, &[Effect])> {
        self.effects.iter().map(|(key, effects)| (key, effects.as_slice()))
    }

    /// Tickets of a leaf's past windows that alarms and work account for, by what is known now: of the last day as read, before
    /// it as of the fit.
    pub(super) fn past_effects<'r>(
        &'r self,
        response: &'r Response,
        series: &SeriesKey,
    ) -> impl Iterator<Item = (i64, f64)> + use<'r> {
        let fitted = windows(&response.past, series).filter(|(index, _)| *index < self.first);
        fitted.chain(windows(&self.past, series))
    }

    /// A reading of given courses, for comparisons: by episode, ways that are equally likely, tickets by target of all channels
    /// of a scope.
    pub fn of_courses(scope: &Scope, episodes: &[Vec<Vec<f64>>]) -> Self {
        let paths = |ways: &Vec<Vec<f64>>| {
            let share = 1.0 / ways.len().max(1) as f64;
            let ways = ways.iter().map(|way| (vec![share], way.clone())).collect();
            Paths { sizes: vec![1.0], ways }
        };
        let paths = episodes.iter().map(paths).collect();
        Self { paths: BTreeMap::from([(scope.clone(), paths)]), ..Self::default() }
    }

    /// Chance of a surge in the span of `windows` that begins with each target: two windows in a row above
    /// `high`, for all channels of a scope together. `base` are its quantiles without alarms' effects.
    ///
    /// Zero where no alarms say anything: a surge that comes by itself is not foreseen here.
    pub fn surge_chances(
        &self,
        scope: &Scope,
        base: &[[f64; 7]],
        high: &[f64],
        windows: usize,
    ) -> Vec<f64> {
        let mut none = vec![1.0; base.len()];
        for paths in self.paths.get(scope).into_iter().flatten() {
            let chances = paths.surge_chances(base, high, windows);
            none.iter_mut().zip(chances).for_each(|(none, chance)| *none *= 1.0 - chance);
        }
        none.iter().map(|none| 1.0 - none).collect()
    }

    /// Share of a forecast that the newest counts say better than past outages do, `lead` minutes ahead of the origin:
    /// what has stopped is seen in them, the more so the longer it has, but not when it will be back.
    pub fn seen(&self, series: &SeriesKey, lead: f64) -> f64 {
        let share = |minutes: &f64| {
            let shown = 1.0 - (-minutes / SHOWN).exp2();
            shown * (-lead / SEEN_AHEAD).exp2()
        };
        self.damped.get(series).map_or(0.0, share)
    }

    /// Leaves of which alarms or work account for tickets of the last day.
    pub fn explained(&self) -> impl Iterator<Item = &SeriesKey> {
        self.past.keys()
    }
}

impl Response {
    /// Reads what the alarms, work and tickets before window `origin` mean for the horizon after it.
    ///
    /// `base` has to reach from a day before the origin to the end of the horizon.
    pub fn read(&self, past: &Past<'_>, base: &Baselines, origin: i64) -> Reading {
        let law = &self.law;
        let ground = Ground::new(past, base, origin, law);
        let now = ground.now();
        let since = now - REACH;
        let alarms = ground.alarms(past, since - WORK_REACH);
        let work = ground.work(past, since - WORK_REACH);
        let mut reading = Reading { first: past.width.index(since), ..Reading::default() };
        let mut totals = Vec::new();
        for (number, site) in ground.sites.iter().enumerate() {
            let (spells, work) = (&alarms[number], &work[number]);
            if spells.is_empty() && work.is_empty() {
                continue;
            }
            let others = law.damp.others(&site.scope, spells);
            let mut found = episodes(number, &others, work, &law.classes, now);
            found.retain(|e| e.starts >= since);
            let ahead = Ahead::new(law, &ground, site);
            let mut effects = ahead.planned(work);
            let mut paths = Vec::new();
            let mut explained = explain(law, &ground, site, &found, work, |episode, posterior| {
                paths.extend(ahead.add(&mut effects, episode, posterior));
            });
            damp(law, &ground, site, spells, since, &mut explained);
            ahead.damp(&mut effects, spells);
            if let Some(minutes) = law.damp.of(&site.scope, spells, now).changed() {
                reading.damped.extend(site.leaves.iter().map(|leaf| (leaf.key.clone(), minutes)));
            }
            if !paths.is_empty() {
                reading.paths.insert(site.scope.clone(), paths);
            }
            for (leaf, tickets) in site.leaves.iter().zip(explained) {
                if !tickets.is_empty() {
                    reading.past.insert(leaf.key.clone(), tickets);
                }
            }
            if effects.iter().flatten().any(|e| !e.is_none()) {
                totals.push((number, effects));
            }
        }
        let rolled = roll_up(past, &ground, totals);
        reading.effects = rolled;
        reading
    }
}

/// The horizon of one site.
struct Ahead<'g, 'a> {
    law: &'g Law,
    ground: &'g Ground<'a>,
    site: &'g Site<'a>,
    targets: usize,
}

impl<'g, 'a> Ahead<'g, 'a> {
    fn new(law: &'g Law, ground: &'g Ground<'a>, site: &'g Site<'a>) -> Self {
        Self { law, ground, site, targets: ground.width.per(HORIZON) }
    }

    /// Adds an episode's effects: by leaf, and last of all leaves together.
    fn add(
        &self,
        effects: &mut [Vec<Effect>],
        episode: &Episode,
        posterior: &Posterior,
    ) -> Option<Paths> {
        if posterior.real <= 1e-3 {
            return None;
        }
        let (own, paths) = self.episode(episode, posterior);
        for (effects, own) in effects.iter_mut().zip(own) {
            for (effect, own) in effects.iter_mut().zip(&own) {
                *effect = effect.plus(own);
            }
        }
        (posterior.real > 0.02).then_some(paths)
    }

    /// Adds what damping alarms keep away.
    fn damp(&self, effects: &mut [Vec<Effect>], spells: &[&AlarmSpell]) {
        let (law, ground, site) = (self.law, self.ground, self.site);
        let damping = law.damp.of(&site.scope, spells, ground.now());
        if damping.is_none() {
            return;
        }
        for target in 0..self.targets {
            let index = ground.origin + target as i64;
            let at = middle(ground.width, index);
            for (name, ways) in damping.factors(at) {
                let mut total = 0.0;
                for (leaf, effects) in site.leaves.iter().zip(effects.iter_mut()) {
                    let expected = leaf.expected(index);
                    total += expected;
                    effects[target] = effects[target].plus(&damped(ways, expected, name));
                }
                if let Some(effects) = effects.last_mut() {
                    effects[target] = effects[target].plus(&damped(ways, total, name));
                }
            }
        }
    }

    fn planned(&self, work: &[&PlannedWork]) -> Vec<Vec<Effect>> {
        let name: Arc<str> = "planned work".into();
        let leaves = self.site.leaves.len();
        let mut effects = vec![Vec::with_capacity(self.targets); leaves + 1];
        for target in 0..self.targets {
            let at = middle(self.ground.width, self.ground.origin + target as i64);
            let mut total = 0.0;
            for (leaf, effects) in self.site.leaves.iter().zip(&mut effects) {
                let tickets = self.law.work.effect(work, leaf, at);
                total += tickets;
                effects.push(certain(tickets, &name));
            }
            effects[leaves].push(certain(total, &name));
        }
        effects
    }

    fn episode(&self, episode: &Episode, posterior: &Posterior) -> (Vec<Vec<Effect>>, Paths) {
        let (law, ground, site) = (self.law, self.ground, self.site);
        let leaves = site.leaves.len();
        let ends = law.ending.ends(episode, ground.now());
        let minutes = ground.minutes();
        let from = minutes_between(episode.starts, ground.now());
        let units: Vec<Vec<f64>> = site
            .leaves
            .iter()
            .map(|leaf| {
                let windows = ground.origin..ground.origin + self.targets as i64;
                windows.map(|i| leaf.unit(leaf.expected(i), law.daytime)).collect()
            })
            .collect();
        let mut bins = vec![[(0.0, 0.0); BINS]; (leaves + 1) * self.targets];
        let mut paths = Paths { sizes: posterior.sizes.to_vec(), ways: Vec::new() };
        for (state, row) in posterior.onsets.iter().zip(&posterior.weights) {
            if row.iter().sum::<f64>() < 1e-3 {
                continue;
            }
            for end in &ends {
                let course = Course { onset: state.minutes, end: *end, wake: state.wake };
                let share = posterior.real / ends.len() as f64;
                let mut path = Vec::with_capacity(self.targets);
                for target in 0..self.targets {
                    let at = from + target as f64 * minutes;
                    let mut total = 0.0;
                    for (number, leaf) in site.leaves.iter().enumerate() {
                        let kernel = &law.kernels[leaf.kernel];
                        let strength = course.strength(law, kernel, at, minutes);
                        let full = strength * units[number][target];
                        total += full;
                        spread(
                            &mut bins[number * self.targets + target],
                            full,
                            share,
                            row,
                            posterior,
                        );
                    }
                    spread(&mut bins[leaves * self.targets + target], total, share, row, posterior);
                    path.push(total);
                }
                paths.ways.push((row.iter().map(|w| w * share).collect(), path));
            }
        }
        let effect = |bins: &[(f64, f64); BINS]| {
            let mean: f64 = bins.iter().map(|(_, px)| px).sum();
            if mean < NEGLIGIBLE {
                return Effect::default();
            }
            let points = bins.iter().filter(|b| b.0 > 1e-6).map(|(p, px)| (*p, px / p));
            Effect::of(points.collect(), vec![(episode.title.clone(), mean)])
        };
        let effects = bins.chunks(self.targets).map(|bins| bins.iter().map(effect).collect());
        (effects.collect(), paths)
    }
}

/// Adds a row of sizes to bins of tickets.
fn spread(
    bins: &mut [(f64, f64); BINS],
    full: f64,
    share: f64,
    row: &[f64],
    posterior: &Posterior,
) {
    if full <= 0.0 {
        return;
    }
    for (weight, size) in row.iter().zip(posterior.sizes) {
        let tickets = full * size;
        if tickets > BIN_FIRST * 0.2 {
            let bin = ((tickets / BIN_FIRST).ln() / BIN_STEP).max(0.0) as usize;
            let bin = &mut bins[bin.min(BINS - 1)];
            *bin = (bin.0 + weight * share, bin.1 + weight * share * tickets);
        }
    }
}

fn damped(ways: Ways, expected: f64, name: &Arc<str>) -> Effect {
    let points = ways.map(|(p, factor)| (p, (factor - 1.0) * expected));
    let mean: f64 = points.iter().map(|(p, x)| p * x).sum();
    if mean.abs() < NEGLIGIBLE {
        return Effect::default();
    }
    Effect::of(points.to_vec(), vec![(name.clone(), mean)])
}

fn certain(tickets: f64, name: &Arc<str>) -> Effect {
    if tickets < NEGLIGIBLE {
        return Effect::default();
    }
    Effect::of(vec![(1.0, tickets)], vec![(name.clone(), tickets)])
}

/// Effects of leaves and of every roll-up that the past has: sites have nothing to do with each other, the
/// channels of one site move together.
fn roll_up(
    past: &Past<'_>,
    ground: &Ground<'_>,
    sites: Vec<(usize, Vec<Vec<Effect>>)>,
) -> BTreeMap<SeriesKey, Vec<Effect>> {
    let mut rolled: BTreeMap<SeriesKey, Vec<Effect>> = BTreeMap::new();
    let mut add = |key: SeriesKey, effects: &[Effect]| {
        if effects.iter().all(Effect::is_none) {
            return;
        }
        match rolled.get_mut(&key) {
            Some(known) => {
                known.iter_mut().zip(effects).for_each(|(known, more)| *known = known.plus(more));
            }
            None => _ = rolled.insert(key, effects.to_vec()),
        }
    };
    for (number, mut effects) in sites {
        let site = &ground.sites[number];
        let total = effects.pop().unwrap_or_default();
        let mut of_all = BTreeSet::new();
        for (leaf, effects) in site.leaves.iter().zip(&effects) {
            for key in leaf.key.roll_ups().filter(|key| past.series.contains_key(key)) {
                if key.channel.is_all() {
                    of_all.insert(key);
                } else {
                    add(key, effects);
                }
            }
            add(leaf.key.clone(), effects);
        }
        for key in of_all {
            add(key, &total);
        }
    }
    rolled
}
