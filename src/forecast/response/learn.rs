//! Learns from past episodes by expectation–maximisation. Hidden are whether, when and how strongly customers noticed each
//! episode.

use std::ops::Range;

use super::context::SiteContext;
use super::episode::Episode;
use super::gather::{Sums, gather};
use super::kernel::Kernel;
use super::model::ResponseModel;
use super::onset::{Onset, shares};
use super::prior::Prior;
use super::scores::improve_scores;

/// Rounds of the first and the second pass.
pub(super) const FIRST: Range<usize> = 0..4;
pub(super) const SECOND: Range<usize> = 4..9;
/// Maximum number of episodes to learn from: enough for all features, within seconds.
pub(super) const EPISODES_MAX: usize = 2000;
/// Maximum of episodes × series.
pub(super) const OBSERVATIONS_MAX: usize = 8000;
/// Candidates for `ResponseModel::daytime`, the round in which it is chosen, and the number of episodes used.
const DAYTIME_ROUND: usize = 2;
const DAYTIME_EPISODES: usize = 600;
const DAYTIME: [f64; 4] = [0.0, 0.35, 0.7, 1.0];
/// Candidate factors on the weight of the prior's curves, and the round in which the factor is chosen.
const TRUST: [f64; 3] = [1.0 / 3.0, 1.0, 3.0];
const TRUST_ROUND: usize = 4;
/// Largest morning backlog, in multiples of the prior's.
const BACKLOG_MAX: f64 = 6.0;

/// Improves a model by past episodes.
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
            model.daytime = best_candidate(&found).unwrap_or(0.0);
        }
        if round == TRUST_ROUND {
            trust = trusted(model, &start, prior, context, episodes);
        }
        let sums = gather(model, context, episodes);
        improve(model, &start, prior, context, &sums);
        improve_kernels(model, &start, prior.kernel.weight * trust, &sums);
    }
}

/// Factor on the weight of the prior's curves: the one with which curves from every other week predict the remaining weeks
/// best.
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
    best_candidate(&scored).unwrap_or(1.0)
}

/// The candidate with the highest evidence, of (candidate, evidence).
fn best_candidate(scored: &[(f64, f64)]) -> Option<f64> {
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
    let (actual, by_day) = sums.asleep;
    let weight = prior.kernel.weight;
    model.night = ((actual + weight * start.night) / (by_day + weight)).clamp(0.02, 2.0);
    model.ending = start.ending.learned(&sums.ending, prior.ending.weight);
}

/// Updates the kernels. `weight` is that of the prior's curves, in tickets per knot.
fn improve_kernels(model: &mut ResponseModel, start: &ResponseModel, weight: f64, sums: &Sums) {
    let light = weight / 4.0;
    let backlog = backlog(start, light, sums);
    for ((kernel, start), sums) in model.kernels.iter_mut().zip(&start.kernels).zip(&sums.kernels) {
        let up = sums.up.solved(&kernel.up, &start.up, 1, weight);
        let down = sums.down.solved(&kernel.down, &start.down, 1, weight);
        let morning = start.waking.map(|strength| backlog * strength);
        let waking = sums.waking.solved(&kernel.waking, &morning, 0, light);
        *kernel = Kernel::new(up, down, waking);
    }
}

/// Morning backlog of all channels together, in multiples of the prior's. It needs less data than a curve for each channel.
fn backlog(start: &ResponseModel, weight: f64, sums: &Sums) -> f64 {
    let (mut actual, mut square) = (weight, weight);
    for (start, sums) in start.kernels.iter().zip(&sums.kernels) {
        let (more, own) = sums.waking.amount(&start.waking);
        actual += more;
        square += own;
    }
    (actual / square).clamp(0.0, BACKLOG_MAX)
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

/// Shares from weights, each smoothed over its neighbours and shrunk towards the prior.
fn histogram<const N: usize>(weight: f64, start: &[f64; N], sums: &[f64; N]) -> [f64; N] {
    shares(std::array::from_fn(|i| {
        let (before, after) = (sums[i.saturating_sub(1)], sums[(i + 1).min(N - 1)]);
        0.5 * sums[i] + 0.25 * (before + after) + weight * start[i]
    }))
}
