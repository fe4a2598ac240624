//! Duration of alarms: hazards of clearing by age, for faults that customers notice and for others.

use super::episode::{Episode, Kind};
use super::onset::minutes_between;
use super::prior::EndingPrior;
use crate::domain::Timestamp;
use crate::stats::normal;

/// Ends of the age bins, minutes.
const AGES: [f64; 18] = [
    5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 80.0, 105.0, 135.0, 170.0, 215.0, 270.0, 340.0, 430.0,
    540.0, 720.0, 1440.0,
];
/// Probabilities at which the residual duration is evaluated in a forecast: midpoints of equal shares.
pub(super) const REMAINING: [f64; 5] = [0.1, 0.3, 0.5, 0.7, 0.9];

/// Probability of clearing within each age bin, if the bin is reached.
#[derive(Clone, Debug)]
pub(super) struct Ending {
    /// Hazards by \[fault, overrun\] × \[harmless, real\].
    hazards: [[[f64; AGES.len()]; 2]; 2],
    pub(super) hold: f64,
}

/// Sums of a fit: (cleared, reached) by bin.
#[derive(Clone, Debug, Default)]
pub(super) struct EndingSums([[[(f64, f64); AGES.len()]; 2]; 2]);

fn row(kind: Kind) -> usize {
    usize::from(kind == Kind::Overrun)
}

fn bin(age: f64) -> usize {
    AGES.partition_point(|end| *end <= age).min(AGES.len() - 1)
}

fn start(bin: usize) -> f64 {
    if bin == 0 { 0.0 } else { AGES[bin - 1] }
}

impl Ending {
    pub(super) fn of_prior(prior: &EndingPrior) -> Self {
        let table = |median: f64| {
            let left = |m: f64| normal::tail((m / median).ln() / prior.spread);
            std::array::from_fn(|i| {
                let before = if i == 0 { 1.0 } else { left(AGES[i - 1]) };
                (1.0 - left(AGES[i]) / before.max(1e-9)).clamp(0.01, 0.95)
            })
        };
        let both = [table(prior.harmless_median), table(prior.real_median)];
        Self { hazards: [both, both], hold: prior.hold }
    }

    pub(super) fn learned(&self, sums: &EndingSums, weight: f64) -> Self {
        let mut learned = self.clone();
        for (kind, hazards) in learned.hazards.iter_mut().enumerate() {
            for (real, hazards) in hazards.iter_mut().enumerate() {
                for (i, hazard) in hazards.iter_mut().enumerate() {
                    let (cleared, reached) = sums.0[kind][real][i];
                    *hazard =
                        ((cleared + weight * *hazard) / (reached + weight)).clamp(0.002, 0.98);
                }
            }
        }
        learned
    }

    /// Log-likelihood ratio of the alarms' duration so far: of a fault that customers notice against a harmless one.
    pub(super) fn evidence(&self, episode: &Episode, now: Timestamp) -> f64 {
        let ln = |real: usize| {
            let hazards = &self.hazards[row(episode.kind)][real];
            let age = minutes_between(episode.starts, episode.ended.unwrap_or(now)).max(0.0);
            let last = bin(age);
            let stood: f64 = hazards[..last].iter().map(|h| (1.0 - h).ln()).sum();
            let share = ((age - start(last)) / (AGES[last] - start(last))).clamp(0.0, 1.0);
            match episode.ended {
                Some(_) => stood + hazards[last].ln(),
                None => stood + share * (1.0 - hazards[last]).ln(),
            }
        };
        ln(1) - ln(0)
    }

    /// Minutes after the start at which the alarms of a noticed fault clear: the known time, or quantiles at [`REMAINING`].
    pub(super) fn ends(&self, episode: &Episode, now: Timestamp) -> Vec<f64> {
        if let Some(ended) = episode.ended {
            return vec![minutes_between(episode.starts, ended)];
        }
        let age = minutes_between(episode.starts, now).max(0.0);
        REMAINING.iter().map(|p| self.quantile(row(episode.kind), age, *p)).collect()
    }

    /// Quantile `p` of the duration, given that the alarms are active at `age`, minutes.
    fn quantile(&self, kind: usize, age: f64, p: f64) -> f64 {
        let hazards = &self.hazards[kind][1];
        let (mut from, mut left) = (age, 1.0);
        for i in bin(age)..AGES.len() {
            let whole = AGES[i] - start(i);
            let share = ((AGES[i] - from) / whole).clamp(0.0, 1.0);
            let next = left * (1.0 - hazards[i]).powf(share);
            if 1.0 - next >= p {
                let part = (left - (1.0 - p)) / (left - next).max(1e-12);
                return from + part * (AGES[i] - from);
            }
            (from, left) = (AGES[i].max(from), next);
        }
        from.max(AGES[AGES.len() - 1])
    }
}

impl EndingSums {
    pub(super) fn add(&mut self, episode: &Episode, now: Timestamp, real: f64) {
        let age = minutes_between(episode.starts, episode.ended.unwrap_or(now)).max(0.0);
        let last = bin(age);
        for (which, weight) in [(0, 1.0 - real), (1, real)] {
            let bins = &mut self.0[row(episode.kind)][which];
            for bin in &mut bins[..last] {
                bin.1 += weight;
            }
            if episode.ended.is_some() {
                bins[last].0 += weight;
                bins[last].1 += weight;
            }
        }
    }
}
