//! Learning from past episodes: expectation–maximisation over whether each was felt, when and how much.

use std::ops::Range;

use super::context::SiteContext;
use super::episode::Episode;
use super::gather::{Sums, gather};
use super::kernel::Kernel;
use super::model::ResponseModel;
use super::onset::{Onset, shares};
use super::prior::Prior;
use super::scores::improve_scores;

/// Rounds of learning: those of a first look, and those after it.
pub(super) const FIRST: Range<usize> = 0..4;
pub(super) const THEN: Range<usize> = 4..9;
/// Episodes that are learned from: enough for every feature, and no more work than seconds.
pub(super) const EPISODES_MAX: usize = 2000;
/// The same times their series.
pub(super) const OBSERVATIONS_MAX: usize = 8000;
/// Candidates for how far an incident's tickets follow the hour's own volume, and the round that chooses.
const DAYTIME_ROUND: usize = 2;
const DAYTIME_EPISODES: usize = 600;
const DAYTIME: [f64; 4] = [0.0, 0.35, 0.7, 1.0];
/// How far the prior's curves may be trusted, in multiples of its own weight, and the round that chooses.
const TRUST: [f64; 3] = [1.0 / 3.0, 1.0, 3.0];
const TRUST_ROUND: usize = 4;
/// No night holds back more, in multiples of the start's.
const BACKLOG_MOST: f64 = 6.0;
/// Improves a model by the episodes of a past.
pub(super) fn learn(
    model: &mut ResponseModel,
    prior: &Prior,
    context: &SiteContext<'_>,
    episodes: &[&Episode],
    rounds: Range<usize>,
) {
    let start = ResponseModel::of_prior(prior, model.channels.names());
    let mut trust = 1.0;
    for round in rounds {
        if round == DAYTIME_ROUND {
            let few: Vec<&Episode> = episodes.iter().take(DAYTIME_EPISODES).copied().collect();
            let found = DAYTIME.map(|daytime| {
                let candidate = ResponseModel { daytime, ..model.clone() };
                (daytime, gather(&candidate, context, &few).evidence)
            });
            model.daytime = likeliest(&found).unwrap_or(0.0);
        }
        if round == TRUST_ROUND {
            trust = trusted(model, &start, prior, context, episodes);
        }
        let sums = gather(model, context, episodes);
        improve(model, &start, prior, context, &sums);
        improve_kernels(model, &start, prior.kernel.weight * trust, &sums);
    }
}

/// How far to trust the prior's curves: as those learned from every other week foretell the tickets of the rest best.
fn trusted(
    model: &ResponseModel,
    start: &ResponseModel,
    prior: &Prior,
    context: &SiteContext<'_>,
    episodes: &[&Episode],
) -> f64 {
    let is_even = |e: &&Episode| e.starts.secs().div_euclid(7 * 86_400) % 2 == 0;
    let (even, odd): (Vec<&Episode>, Vec<&Episode>) =
        episodes.iter().copied().partition(|e| is_even(e));
    let halves = [(gather(model, context, &even), &odd), (gather(model, context, &odd), &even)];
    let scored = TRUST.map(|trust| {
        let evidence = halves.iter().map(|(sums, others)| {
            let mut candidate = model.clone();
            improve_kernels(&mut candidate, start, prior.kernel.weight * trust / 2.0, sums);
            gather(&candidate, context, others).evidence
        });
        (trust, evidence.sum::<f64>())
    });
    likeliest(&scored).unwrap_or(1.0)
}

/// The candidate with the most evidence: (candidate, evidence) each.
fn likeliest(scored: &[(f64, f64)]) -> Option<f64> {
    scored.iter().max_by(|a, b| a.1.total_cmp(&b.1)).map(|(candidate, _)| *candidate)
}

fn improve(
    model: &mut ResponseModel,
    start: &ResponseModel,
    prior: &Prior,
    context: &SiteContext<'_>,
    sums: &Sums,
) {
    improve_scores(model, prior, context, sums);
    model.onset = onset(&start.onset, prior, sums);
    let (came, by_day) = sums.asleep;
    let weight = prior.kernel.weight;
    model.night = ((came + weight * start.night) / (by_day + weight)).clamp(0.02, 2.0);
    model.ending = start.ending.learned(&sums.ending, prior.ending.weight);
}

/// `weight`: tickets that the curves to start from are worth at each knot.
fn improve_kernels(model: &mut ResponseModel, start: &ResponseModel, weight: f64, sums: &Sums) {
    let light = weight / 4.0;
    let backlog = backlog(start, light, sums);
    for ((kernel, start), sums) in model.kernels.iter_mut().zip(&start.kernels).zip(&sums.kernels) {
        let up = sums.up.solved(&kernel.up, &start.up, 1, weight);
        let down = sums.down.solved(&kernel.down, &start.down, 1, weight);
        let morning = start.dawn.map(|strength| backlog * strength);
        let dawn = sums.dawn.solved(&kernel.dawn, &morning, 0, light);
        *kernel = Kernel::new(up, down, dawn);
    }
}

/// What the night holds back of all channels, in multiples of the start's: whether it does so at all is soon seen in all of
/// them together, long before each channel's curve is.
fn backlog(start: &ResponseModel, weight: f64, sums: &Sums) -> f64 {
    let (mut came, mut square) = (weight, weight);
    for (start, sums) in start.kernels.iter().zip(&sums.kernels) {
        let (more, own) = sums.dawn.amount(&start.dawn);
        came += more;
        square += own;
    }
    (came / square).clamp(0.0, BACKLOG_MOST)
}

fn onset(start: &Onset, prior: &Prior, sums: &Sums) -> Onset {
    let mut night = start.night;
    for (share, (morning, all)) in night.iter_mut().zip(sums.night) {
        let weight = prior.night.weight;
        *share = ((morning + weight * *share) / (all + weight)).clamp(0.0, 0.98);
    }
    Onset {
        fault: histogram(prior.onset.weight, &start.fault, &sums.fault),
        overrun: histogram(prior.onset.weight, &start.overrun, &sums.overrun),
        morning: histogram(prior.night.weight, &start.morning, &sums.morning),
        night,
    }
}

/// Shares from weights, each smoothed over its neighbours, pulled towards those at the start.
fn histogram<const N: usize>(weight: f64, start: &[f64; N], sums: &[f64; N]) -> [f64; N] {
    shares(std::array::from_fn(|i| {
        let (before, after) = (sums[i.saturating_sub(1)], sums[(i + 1).min(N - 1)]);
        0.5 * sums[i] + 0.25 * (before + after) + weight * start[i]
    }))
}
