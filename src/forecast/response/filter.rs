//! What is known of one episode: whether it is felt, since when, how much, given the tickets seen since.
//!
//! A grid over onsets × sizes beside "harmless", weighed by Bayes' rule: negative-binomial counts about the
//! baseline with and without the episode's excess, how long its alarms stand, and the learned odds.

use super::episode::Episode;
use super::ground::{Ground, Site};
use super::kernel::Kernel;
use super::law::Law;
use super::onset::{OnsetState, minutes_between};
use super::solve::logistic;

/// Sizes in standard deviations of the log about the expected one.
const STEPS: [f64; 9] = [-2.4, -1.8, -1.2, -0.6, 0.0, 0.6, 1.2, 1.8, 2.4];
/// Hours of tickets that say something of an episode.
pub(super) const EVIDENCE_HOURS: i64 = 12;
/// Counts of neighbouring windows err together: each says less than it would alone.
const TEMPER: f64 = 0.8;
/// Hours before the episode that today's level is taken from, and tickets that weigh as much as the baseline.
const LEVEL_HOURS: i64 = 4;
const LEVEL_WEIGHT: f64 = 30.0;

/// Tickets of a site since an episode began.
pub(super) struct Track {
    /// Window of the episode's start.
    pub(super) first: i64,
    pub(super) windows: usize,
    pub(super) leaves: Vec<TrackLeaf>,
}

pub(super) struct TrackLeaf {
    pub(super) kernel: usize,
    dispersion: f64,
    /// Tickets, NaN where missing.
    pub(super) count: Vec<f64>,
    /// Expected without the episode.
    pub(super) expected: Vec<f64>,
    /// What size 1 at full strength would bring.
    pub(super) unit: Vec<f64>,
}

impl Track {
    /// `others`: tickets that other episodes and planned work account for, by leaf and window.
    pub(super) fn new(
        ground: &Ground<'_>,
        site: &Site<'_>,
        episode: &Episode,
        hours: i64,
        law: &Law,
        others: &dyn Fn(usize, i64) -> f64,
    ) -> Self {
        let per_hour = 3600 / i64::from(ground.width.secs());
        let first = ground.width.index(episode.starts);
        let last = (first + hours * per_hour).min(ground.origin);
        let level = level(ground, site, first - LEVEL_HOURS * per_hour..first, others);
        let leaves = site.leaves.iter().enumerate().map(|(number, leaf)| {
            let windows = first..last;
            let expected: Vec<f64> = windows.clone().map(|i| leaf.expected(i) * level).collect();
            TrackLeaf {
                kernel: leaf.kernel,
                dispersion: f64::from(leaf.base.dispersion).clamp(1e-3, 1.0),
                count: windows
                    .clone()
                    .map(|i| leaf.count(i, ground.origin).unwrap_or(f64::NAN))
                    .collect(),
                unit: expected.iter().map(|e| leaf.unit(*e, law.daytime)).collect(),
                expected: windows.zip(&expected).map(|(i, e)| e + others(number, i)).collect(),
            }
        });
        let windows = usize::try_from(last - first).unwrap_or(0);
        Self { first, windows, leaves: leaves.collect() }
    }
}

/// Busyness just before the episode: a busy day is no incident.
fn level(
    ground: &Ground<'_>,
    site: &Site<'_>,
    windows: std::ops::Range<i64>,
    others: &dyn Fn(usize, i64) -> f64,
) -> f64 {
    let (mut came, mut said) = (LEVEL_WEIGHT, LEVEL_WEIGHT);
    for index in windows {
        for (number, leaf) in site.leaves.iter().enumerate() {
            if let Some(count) = leaf.count(index, ground.origin) {
                came += (count - others(number, index)).max(0.0);
                said += leaf.expected(index);
            }
        }
    }
    (came / said).clamp(0.6, 1.6)
}

/// How an incident's strength follows from its onset and end, minutes after the episode's start.
#[derive(Clone, Copy)]
pub(super) struct Course {
    pub(super) onset: f64,
    /// Infinite while it goes on.
    pub(super) end: f64,
}

impl Course {
    /// Mean strength over a window that begins `from` minutes after the episode's start.
    pub(super) fn strength(self, kernel: &Kernel, hold: f64, from: f64, minutes: f64) -> f64 {
        if from + minutes <= self.onset {
            return 0.0;
        }
        let end = self.end.max(self.onset + hold);
        let parts = ((minutes / 10.0).ceil() as usize).max(1);
        let part = minutes / parts as f64;
        let at = |i: usize| from + (i as f64 + 0.5) * part;
        let sum: f64 =
            (0..parts).map(|i| kernel.rise(at(i) - self.onset) * kernel.fall(at(i) - end)).sum();
        sum / parts as f64
    }
}

/// What is known of an episode.
pub(super) struct Posterior {
    /// Chance that it is felt at all.
    pub(super) real: f64,
    /// ln of the evidence, beside that of the baseline alone.
    pub(super) evidence: f64,
    pub(super) onsets: Vec<OnsetState>,
    pub(super) sizes: [f64; STEPS.len()],
    /// By onset, by size; 1 in all, given that it is real.
    pub(super) weights: Vec<[f64; STEPS.len()]>,
    /// Mean ln size and its variance, given that it is real.
    pub(super) ln_size: (f64, f64),
    /// Minutes after the start at which the alarms had cleared.
    pub(super) end: Option<f64>,
}

impl Posterior {
    pub(super) fn new(
        law: &Law,
        ground: &Ground<'_>,
        site: &Site<'_>,
        episode: &Episode,
        track: &Track,
    ) -> Self {
        let onsets = law.onset.states(episode, site.zone);
        let centre = law.size.of(episode, site);
        let sizes = STEPS.map(|z| (centre + law.size_spread * z).exp());
        let end = episode.ended.map(|at| minutes_between(episode.starts, at));
        let mut posterior = Self {
            real: 0.0,
            evidence: 0.0,
            weights: Vec::with_capacity(onsets.len()),
            onsets,
            sizes,
            ln_size: (centre, law.size_spread.powi(2)),
            end,
        };
        posterior.weigh(law, ground, episode, track);
        let odds = (law.real.of(episode, site) + law.ending.evidence(episode, ground.now()))
            .clamp(-12.0, 12.0);
        let before = logistic(odds);
        posterior.real = logistic(odds + posterior.evidence.clamp(-50.0, 50.0));
        posterior.evidence = if posterior.evidence > 50.0 {
            posterior.evidence + before.ln()
        } else {
            (1.0 - before + before * posterior.evidence.exp()).ln()
        };
        posterior
    }

    /// Weights of onsets and sizes by the tickets seen; `evidence` becomes the ln of their mean likelihood.
    fn weigh(&mut self, law: &Law, ground: &Ground<'_>, episode: &Episode, track: &Track) {
        let offset = minutes_between(episode.starts, ground.width.start(track.first));
        let minutes = ground.minutes();
        let normal = STEPS.map(|z| (-0.5 * z * z).exp());
        let total: f64 = normal.iter().sum();
        for state in &self.onsets {
            let course = self.course(state.minutes);
            let mut ln = normal.map(|n| (state.weight * n / total).ln());
            for leaf in &track.leaves {
                let kernel = &law.kernels[leaf.kernel];
                let size = 1.0 / leaf.dispersion;
                for window in 0..track.windows {
                    let from = offset + window as f64 * minutes;
                    let strength = course.strength(kernel, law.ending.hold, from, minutes);
                    let count = leaf.count[window];
                    if strength < 0.005 || count.is_nan() {
                        continue;
                    }
                    let (expected, full) = (leaf.expected[window], strength * leaf.unit[window]);
                    let (a, b) = (full / expected, full / (expected + size));
                    for (ln, s) in ln.iter_mut().zip(self.sizes) {
                        let gain = if count > 0.0 { count * (1.0 + a * s).ln() } else { 0.0 };
                        *ln += TEMPER * (gain - (count + size) * (1.0 + b * s).ln());
                    }
                }
            }
            self.weights.push(ln);
        }
        let most = self.weights.iter().flatten().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = self.weights.iter().flatten().map(|ln| (ln - most).exp()).sum();
        self.evidence = most + sum.ln();
        for row in &mut self.weights {
            *row = row.map(|ln| (ln - most).exp() / sum);
        }
        let by_size = |f: &dyn Fn(f64) -> f64| -> f64 {
            self.weights
                .iter()
                .flat_map(|row| row.iter().zip(self.sizes))
                .map(|(w, s)| w * f(s))
                .sum()
        };
        let mean = by_size(&|s: f64| s.ln());
        self.ln_size = (mean, by_size(&|s: f64| (s.ln() - mean).powi(2)));
    }

    /// The course so far, or as far as is known.
    pub(super) fn course(&self, onset: f64) -> Course {
        Course { onset, end: self.end.unwrap_or(f64::INFINITY) }
    }

    /// Onsets with their weight and the mean size that goes with each.
    pub(super) fn by_onset(&self) -> impl Iterator<Item = (OnsetState, f64, f64)> + '_ {
        self.onsets.iter().zip(&self.weights).map(|(state, row)| {
            let weight: f64 = row.iter().sum();
            let size: f64 = row.iter().zip(self.sizes).map(|(w, s)| w * s).sum();
            (*state, weight, if weight > 0.0 { size / weight } else { 0.0 })
        })
    }

    /// Expected tickets of the episode in the windows of a track, by leaf.
    pub(super) fn expected(
        &self,
        law: &Law,
        ground: &Ground<'_>,
        episode: &Episode,
        track: &Track,
    ) -> Vec<Vec<f64>> {
        let offset = minutes_between(episode.starts, ground.width.start(track.first));
        let minutes = ground.minutes();
        let mut tickets: Vec<Vec<f64>> =
            track.leaves.iter().map(|_| vec![0.0; track.windows]).collect();
        for (state, weight, size) in self.by_onset().filter(|(_, weight, _)| *weight > 1e-4) {
            let course = self.course(state.minutes);
            for (leaf, tickets) in track.leaves.iter().zip(&mut tickets) {
                let kernel = &law.kernels[leaf.kernel];
                for (window, tickets) in tickets.iter_mut().enumerate() {
                    let from = offset + window as f64 * minutes;
                    let strength = course.strength(kernel, law.ending.hold, from, minutes);
                    *tickets += self.real * weight * size * strength * leaf.unit[window];
                }
            }
        }
        tickets
    }
}
