//! Expectation step: sums over past episodes for one round of learning.

use chrono::Timelike;

use super::context::SiteContext;
use super::curve::Curve;
use super::ending::EndingSums;
use super::episode::{Episode, Kind};
use super::explained::Explained;
use super::filter::{EVIDENCE_HOURS, Posterior};
use super::kernel::{KNOTS, WAKING_KNOTS};
use super::model::{ResponseModel, row};
use super::observations::Observations;
use super::onset::{LAGS, MORNING, Slot, minutes_between};
use crate::stats::SparseRow;

/// Usual relative error of an episode's size.
const SIZE_ERROR: f64 = 0.3;

/// Sums of one round.
pub(super) struct Sums {
    pub(super) rows: Vec<SparseRow>,
    pub(super) groups: Vec<usize>,
    pub(super) real: Vec<f64>,
    pub(super) ln_size: Vec<(f64, f64)>,
    pub(super) fault: [f64; LAGS.len()],
    pub(super) overrun: [f64; LAGS.len()],
    pub(super) morning: [f64; MORNING.len()],
    /// By local hour: weight of onsets in the morning, and of all.
    pub(super) night: [(f64, f64); 24],
    /// By kernel.
    pub(super) kernels: Vec<KernelSums>,
    pub(super) ending: EndingSums,
    /// While customers sleep: weighted actual tickets, and weighted tickets at the strength of daytime.
    pub(super) asleep: (f64, f64),
    pub(super) evidence: f64,
}

/// Normal equations of one channel's curves.
#[derive(Clone, Debug, Default)]
pub(super) struct KernelSums {
    pub(super) up: Curve<{ KNOTS.len() }>,
    pub(super) down: Curve<{ KNOTS.len() }>,
    pub(super) waking: Curve<{ WAKING_KNOTS.len() }>,
}

pub(super) fn gather(
    model: &ResponseModel,
    context: &SiteContext<'_>,
    episodes: &[&Episode],
) -> Sums {
    let mut sums = Sums {
        rows: Vec::with_capacity(episodes.len()),
        groups: Vec::with_capacity(episodes.len()),
        real: Vec::with_capacity(episodes.len()),
        ln_size: Vec::with_capacity(episodes.len()),
        fault: [0.0; LAGS.len()],
        overrun: [0.0; LAGS.len()],
        morning: [0.0; MORNING.len()],
        night: [(0.0, 0.0); 24],
        kernels: vec![KernelSums::default(); model.kernels.len()],
        ending: EndingSums::default(),
        asleep: (0.0, 0.0),
        evidence: 0.0,
    };
    let mut explained = Explained::default();
    let mut before = None;
    for episode in episodes {
        if before.replace(episode.site) != Some(episode.site) {
            explained = Explained::default();
        }
        let site = &context.sites[episode.site];
        let others = |leaf: usize, index: i64| explained.at(leaf, index);
        let observations =
            Observations::new(context, site, episode, EVIDENCE_HOURS, model, &others);
        let posterior = Posterior::new(model, context, site, episode, &observations);
        sums.evidence += posterior.evidence;
        sums.rows.push(row(episode));
        sums.groups.push(episode.site);
        sums.real.push(posterior.real);
        sums.ln_size.push(posterior.ln_size);
        sums.ending.add(episode, context.now(), posterior.real);
        let hour = site.zone.local(episode.starts).hour() as usize;
        for (state, weight, _) in posterior.by_onset() {
            let weight = weight * posterior.real;
            match (state.slot, episode.kind) {
                (Slot::Lag(i), Kind::Fault) => sums.fault[i] += weight,
                (Slot::Lag(i), Kind::Overrun) => sums.overrun[i] += weight,
                (Slot::Morning(i), _) => {
                    sums.morning[i] += weight;
                    sums.night[hour].0 += weight;
                }
            }
            sums.night[hour].1 += weight;
        }
        if posterior.real > 0.05 {
            let tickets = posterior.expected(model, context, episode, &observations);
            attribute(&mut sums, model, context, episode, &observations, &posterior);
            explained.add(&observations, &tickets);
        }
    }
    sums
}

/// Adds the excess over the baseline to the equations of each curve, window by window. The other curves are kept as they were.
fn attribute(
    sums: &mut Sums,
    model: &ResponseModel,
    context: &SiteContext<'_>,
    episode: &Episode,
    observations: &Observations,
    posterior: &Posterior,
) {
    let offset = minutes_between(episode.starts, context.width.start(observations.first));
    let minutes = context.minutes();
    for (state, weight, size) in posterior.by_onset().filter(|(_, weight, _)| *weight > 0.01) {
        let intensity = posterior.intensity(&state);
        let end = intensity.end.max(intensity.onset + model.ending.hold);
        let night = intensity.held(end);
        for leaf in &observations.leaves {
            let kernel = &model.kernels[leaf.kernel];
            for window in 0..observations.windows {
                let middle = offset + (window as f64 + 0.5) * minutes;
                let (since, after) = (middle - intensity.onset, middle - end);
                let count = leaf.count[window];
                if since <= 0.0 || count.is_nan() {
                    continue;
                }
                let (rise, fall) = (kernel.rise(since), kernel.fall(after));
                let woken = middle - intensity.wake;
                let held = night * kernel.waking(woken);
                let full = size * leaf.unit[window];
                let asleep = intensity.asleep(middle);
                let awake = full * model.awake(asleep);
                let (expected, excess) = (leaf.expected[window], awake * rise * fall + full * held);
                // The variance includes the error of the size.
                let variance = expected
                    + leaf.dispersion * expected.powi(2)
                    + excess
                    + (SIZE_ERROR * excess).powi(2);
                let weight = posterior.real * weight / variance.max(0.05);
                let beyond_baseline = count - expected;
                let direct = beyond_baseline - full * held;
                let by_day = full * rise * fall;
                if asleep >= 1.0 {
                    sums.asleep.0 += weight * by_day * direct;
                    sums.asleep.1 += weight * by_day * by_day;
                }
                let sums = &mut sums.kernels[leaf.kernel];
                sums.up.add(&KNOTS, since, (direct, awake * fall), weight);
                if after > 0.0 {
                    sums.down.add(&KNOTS, after, (direct, awake * rise), weight);
                }
                if woken > 0.0 && woken < WAKING_KNOTS[WAKING_KNOTS.len() - 1] {
                    let delayed = beyond_baseline - awake * rise * fall;
                    sums.waking.add(&WAKING_KNOTS, woken, (delayed, full * night), weight);
                }
            }
        }
    }
}
