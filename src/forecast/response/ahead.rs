//! Effects of episodes, damping alarms and planned work over the horizon.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::context::{Site, SiteContext};
use super::damp::Outcomes;
use super::effect::Effect;
use super::episode::Episode;
use super::filter::Posterior;
use super::fit::middle;
use super::intensity::IntensityProfile;
use super::model::ResponseModel;
use super::onset::minutes_between;
use super::paths::Paths;
use crate::domain::SeriesKey;
use crate::forecast::types::PLANNED_WORK;
use crate::forecast::{AlarmSpell, HORIZON, Past, PlannedWork};

/// Effects below this count as zero, tickets per window.
const NEGLIGIBLE: f64 = 0.02;
/// Bins of ln tickets: their number, tickets of the first bin, and width of a bin.
const BINS: usize = 40;
const BIN_FIRST: f64 = 0.05;
const BIN_STEP: f64 = 0.22;

/// Effects at one site over the horizon.
pub(super) struct Ahead<'g, 'a> {
    model: &'g ResponseModel,
    context: &'g SiteContext<'a>,
    site: &'g Site<'a>,
    targets: usize,
}

impl<'g, 'a> Ahead<'g, 'a> {
    pub(super) fn new(
        model: &'g ResponseModel,
        context: &'g SiteContext<'a>,
        site: &'g Site<'a>,
    ) -> Self {
        Self { model, context, site, targets: context.width.per(HORIZON) }
    }

    /// Adds the effects of an episode: one item for each leaf, and as the last item the effects on all leaves together.
    pub(super) fn add(
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

    /// Adds the effects of damping alarms.
    pub(super) fn damp(&self, effects: &mut [Vec<Effect>], spells: &[&AlarmSpell]) {
        let (model, context, site) = (self.model, self.context, self.site);
        let damping = model.damp.of(&site.scope, spells, context.now());
        if damping.is_none() {
            return;
        }
        for target in 0..self.targets {
            let index = context.origin + target as i64;
            let at = middle(context.width, index);
            for (name, outcomes) in damping.factors(at) {
                let mut total = 0.0;
                for (leaf, effects) in site.leaves.iter().zip(effects.iter_mut()) {
                    let expected = leaf.expected(index);
                    total += expected;
                    effects[target] = effects[target].plus(&damped(outcomes, expected, name));
                }
                if let Some(effects) = effects.last_mut() {
                    effects[target] = effects[target].plus(&damped(outcomes, total, name));
                }
            }
        }
    }

    pub(super) fn planned(&self, work: &[&PlannedWork]) -> Vec<Vec<Effect>> {
        let name: Arc<str> = PLANNED_WORK.into();
        let leaves = self.site.leaves.len();
        let mut effects = vec![Vec::with_capacity(self.targets); leaves + 1];
        for target in 0..self.targets {
            let at = middle(self.context.width, self.context.origin + target as i64);
            let mut total = 0.0;
            for (leaf, effects) in self.site.leaves.iter().zip(&mut effects) {
                let tickets = self.model.work.effect(work, leaf, at);
                total += tickets;
                effects.push(certain(tickets, &name));
            }
            effects[leaves].push(certain(total, &name));
        }
        effects
    }

    fn episode(&self, episode: &Episode, posterior: &Posterior) -> (Vec<Vec<Effect>>, Paths) {
        let (model, context, site) = (self.model, self.context, self.site);
        let leaves = site.leaves.len();
        let ends = model.ending.ends(episode, context.now());
        let minutes = context.minutes();
        let from = minutes_between(episode.starts, context.now());
        let units: Vec<Vec<f64>> = site
            .leaves
            .iter()
            .map(|leaf| {
                let windows = context.origin..context.origin + self.targets as i64;
                windows.map(|i| leaf.unit(leaf.expected(i), model.daytime)).collect()
            })
            .collect();
        let mut bins = vec![[(0.0, 0.0); BINS]; (leaves + 1) * self.targets];
        let mut paths = Paths { sizes: posterior.sizes.to_vec(), courses: Vec::new() };
        for (state, row) in posterior.onsets.iter().zip(&posterior.weights) {
            if row.iter().sum::<f64>() < 1e-3 {
                continue;
            }
            for end in &ends {
                let intensity =
                    IntensityProfile { onset: state.minutes, end: *end, wake: state.wake };
                let share = posterior.real / ends.len() as f64;
                let mut path = Vec::with_capacity(self.targets);
                for target in 0..self.targets {
                    let at = from + target as f64 * minutes;
                    let mut total = 0.0;
                    for (number, leaf) in site.leaves.iter().enumerate() {
                        let kernel = &model.kernels[leaf.kernel];
                        let strength = intensity.strength(model, kernel, at, minutes);
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
                paths.courses.push((row.iter().map(|w| w * share).collect(), path));
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

/// Adds the sizes of one onset to the bins of tickets.
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

fn damped(outcomes: Outcomes, expected: f64, name: &Arc<str>) -> Effect {
    let points = outcomes.map(|(p, factor)| (p, (factor - 1.0) * expected));
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

/// Effects of leaves and of all roll-ups in `past`. Sites are independent; channels of one site are fully dependent.
pub(super) fn roll_up(
    past: &Past<'_>,
    context: &SiteContext<'_>,
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
        let site = &context.sites[number];
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
