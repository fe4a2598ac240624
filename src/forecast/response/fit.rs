//! Fit of the alarm response to up to eight weeks of alarms and tickets.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::time::Duration;

use super::baseline::{Baselines, learned_from};
use super::class::Classes;
use super::context::{Site, SiteContext};
use super::damp::DampingModel;
use super::episode::{Episode, episodes};
use super::explained::Explained;
use super::filter::{EVIDENCE_HOURS, Posterior};
use super::learn::{EPISODES_MAX, FIRST, OBSERVATIONS_MAX, SECOND, learn};
use super::model::ResponseModel;
use super::observations::Observations;
use super::prior::Prior;
use super::volatility::level_volatility;
use super::work::WorkEffect;
use crate::domain::{SeriesKey, Timestamp, WindowWidth};
use crate::forecast::{AlarmSpell, History, Past, PlannedWork};

/// Least excess, in standard deviations, at which an improbable episode is evaluated.
const NOTICEABLE: f64 = 1.0;

/// The alarm response of an operator. It depends only on windows, alarms and work before `until`.
#[derive(Clone, Debug)]
pub struct Response {
    pub(super) model: ResponseModel,
    /// Tickets by window attributed to past alarms and planned work, not more than the actual count; negative where alarms kept
    /// tickets away.
    pub(super) past: BTreeMap<SeriesKey, HashMap<i64, f32>>,
}

impl Response {
    /// The response of the prior, for an operator without history.
    pub fn of_prior(past: &Past<'_>, prior: &Prior) -> Self {
        let model = ResponseModel::of_prior(prior, past.series.keys().map(|key| &key.channel));
        Self { model, past: BTreeMap::new() }
    }

    /// Learns from up to eight weeks before window `until`. `base` has the baselines; series without one, and roll-ups, are
    /// ignored.
    ///
    /// This is the first pass: `base` still includes effects of alarms.
    pub fn fit(past: &Past<'_>, base: &Baselines, until: i64, prior: &Prior) -> Self {
        Self::of_prior(past, prior).learned(past, base, until, prior, FIRST)
    }

    /// Second pass, with a `base` from counts after [`Self::cleaned`].
    pub fn refined(self, past: &Past<'_>, base: &Baselines, until: i64, prior: &Prior) -> Self {
        self.learned(past, base, until, prior, SECOND)
    }

    fn learned(
        mut self,
        past: &Past<'_>,
        base: &Baselines,
        until: i64,
        prior: &Prior,
        rounds: Range<usize>,
    ) -> Self {
        let model = &mut self.model;
        let context = SiteContext::new(past, base, until, &model.channels);
        let from = learned_from(past.width, until);
        let start = past.width.start(from);
        let (alarms, work) = (context.alarms(past, start), context.work(past, start));
        model.classes = Classes::learn(&context, &alarms, from, &prior.alarm_class);
        model.damp = DampingModel::learn(&context, &alarms);
        model.level_volatility = level_volatility(&context, from);
        model.work = WorkEffect::learn(&context, &work, from, &prior.work);
        let mut found: Vec<Episode> = Vec::new();
        for (site, spells) in alarms.iter().enumerate() {
            let spells = model.damp.others(&context.sites[site].scope, spells);
            found.extend(episodes(site, &spells, &work[site], &model.classes, context.now()));
        }
        learn(model, prior, &context, &sample(&context, &found), rounds);
        self.past.clear();
        for (number, site) in context.sites.iter().enumerate() {
            let from = found.partition_point(|e| e.site < number);
            let to = found.partition_point(|e| e.site <= number);
            let explained =
                explain(model, &context, site, &found[from..to], &work[number], |_, _| {});
            for (leaf, tickets) in site.leaves.iter().zip(explained) {
                if !tickets.is_empty() {
                    self.past.insert(leaf.key.clone(), tickets);
                }
            }
        }
        self
    }

    /// A history without the tickets that the fit attributed to alarms and work.
    pub fn cleaned<'h>(&self, series: &SeriesKey, history: &'h History) -> Cow<'h, History> {
        without(history, windows(&self.past, series))
    }
}

/// Tickets by window of a series.
pub(super) fn windows<'p>(
    past: &'p BTreeMap<SeriesKey, HashMap<i64, f32>>,
    series: &SeriesKey,
) -> impl Iterator<Item = (i64, f64)> + use<'p> {
    let found = past.get(series).into_iter().flatten();
    found.map(|(index, tickets)| (*index, f64::from(*tickets)))
}

/// Subtracts tickets by window from a history.
pub(super) fn without<'h>(
    history: &'h History,
    tickets: impl Iterator<Item = (i64, f64)>,
) -> Cow<'h, History> {
    let mut cleaned = Cow::Borrowed(history);
    for (index, tickets) in tickets {
        let count = cleaned.get(index);
        if !count.is_nan() {
            cleaned.to_mut().set(index, (f64::from(count) - tickets).max(0.0) as f32);
        }
    }
    cleaned
}

/// Evenly spaced episodes. Their number is limited, so that learning takes seconds.
fn sample<'e>(context: &SiteContext<'_>, all: &'e [Episode]) -> Vec<&'e Episode> {
    let observed: usize = all.iter().map(|e| context.sites[e.site].leaves.len()).sum();
    let step = all.len().div_ceil(EPISODES_MAX).max(observed.div_ceil(OBSERVATIONS_MAX)).max(1);
    all.iter().step_by(step).collect()
}

/// Tickets by leaf and window attributed to a site's episodes and work. `each` is called for episodes that customers may
/// notice.
pub(super) fn explain(
    model: &ResponseModel,
    context: &SiteContext<'_>,
    site: &Site<'_>,
    episodes: &[Episode],
    work: &[&PlannedWork],
    mut each: impl FnMut(&Episode, &Posterior),
) -> Vec<HashMap<i64, f32>> {
    let mut explained = works(model, context, site, work);
    for episode in episodes {
        let others = |leaf: usize, index: i64| explained.at(leaf, index);
        let observations =
            Observations::new(context, site, episode, EVIDENCE_HOURS, model, &others);
        if !noticeable(model, site, episode, &observations) {
            continue;
        }
        let posterior = Posterior::new(model, context, site, episode, &observations);
        if posterior.real > 0.02 {
            explained
                .add(&observations, &posterior.expected(model, context, episode, &observations));
        }
        each(episode, &posterior);
    }
    let leaves = site.leaves.iter().enumerate();
    leaves
        .map(|(number, leaf)| {
            let shares = explained.windows(number).filter_map(|(index, tickets)| {
                let count = leaf.count(index, context.origin)?;
                let share = count * tickets / (leaf.expected(index) + tickets);
                (share > 0.01).then_some((index, share as f32))
            });
            shares.collect()
        })
        .collect()
}

/// Adds the tickets that damping alarms kept away since `from`, as negative numbers.
pub(super) fn damp(
    model: &ResponseModel,
    context: &SiteContext<'_>,
    site: &Site<'_>,
    spells: &[&AlarmSpell],
    from: Timestamp,
    explained: &mut [HashMap<i64, f32>],
) {
    let damping = model.damp.of(&site.scope, spells, context.now());
    if damping.is_none() {
        return;
    }
    for index in context.width.index(from)..context.origin {
        let at = middle(context.width, index);
        let factor: f64 = damping.factors(at).map(|(_, outcomes)| outcomes[0].1).product();
        if (factor - 1.0).abs() < 0.01 {
            continue;
        }
        for (leaf, explained) in site.leaves.iter().zip(explained.iter_mut()) {
            // The same amount as in a forecast: a deviation from it persists.
            if leaf.count(index, context.origin).is_some() {
                let kept_away = (factor - 1.0) * leaf.expected(index);
                *explained.entry(index).or_default() += kept_away as f32;
            }
        }
    }
}

/// Tickets attributed to planned work so far.
pub(super) fn works(
    model: &ResponseModel,
    context: &SiteContext<'_>,
    site: &Site<'_>,
    work: &[&PlannedWork],
) -> Explained {
    let mut explained = Explained::default();
    for work in work {
        let first = context.width.index(work.starts_at);
        let last = context.width.index(work.ends_at + Duration::from_secs(7200)) + 1;
        for (number, leaf) in site.leaves.iter().enumerate() {
            for index in first..last.min(context.origin) {
                let tickets = model.work.effect(&[work], leaf, middle(context.width, index));
                explained.raise(number, site.leaves.len(), index, tickets);
            }
        }
    }
    explained
}

pub(super) fn middle(width: WindowWidth, index: i64) -> Timestamp {
    width.start(index) + width.length() / 2
}

/// Whether an episode is worth evaluating: it has sufficient odds or an excess of tickets.
fn noticeable(
    model: &ResponseModel,
    site: &Site<'_>,
    episode: &Episode,
    observations: &Observations,
) -> bool {
    let odds = model.real.of(episode, site);
    // While there are few observations, the odds decide.
    let is_early = episode.ended.is_none() || observations.windows < 16;
    if odds > -0.5 || (is_early && odds > -4.0) {
        return true;
    }
    let (mut excess, mut variance) = (0.0, 1.0);
    for leaf in &observations.leaves {
        for (count, expected) in leaf.count.iter().zip(&leaf.expected) {
            if !count.is_nan() {
                excess += count - expected;
                variance += expected;
            }
        }
    }
    excess > NOTICEABLE * variance.sqrt()
}
