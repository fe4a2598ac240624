//! Quantiles of counts: negative binomial with variance `m + φ m²`.

use super::rounding::rounded;
use super::types::{ForecastPoint, NORMAL_SCORES, QUANTILES};
use crate::stats::{GammaApproximation, NegativeBinomial, normal};

/// Above this mean the gamma approximation is used.
const WALK_MAX: f64 = 400.0;

/// Below this mean (tickets) a band does not determine its dispersion, and this dispersion is used.
const SHAPELESS: f64 = 0.5;
const DISPERSION: f64 = 0.06;

/// Standard deviations between the 10 % and the 90 % quantile of a normal distribution, to three decimals. The exact
/// 2.5631 would change surge probabilities and roll-ups of issued vintages.
pub(super) const BAND_80_SDS: f64 = 2.563;

/// Smallest standard deviation beyond the outermost quantiles, tickets: counts are whole.
const TICKETS_SD_MIN: f64 = 0.5;

/// The φ that corresponds to the 80 % band; 0 where the band is not wider than Poisson's.
pub fn dispersion(mean: f64, quantiles: &[f64; 7]) -> f64 {
    if mean < SHAPELESS {
        return DISPERSION;
    }
    let sd = (quantiles[5] - quantiles[1]) / (NORMAL_SCORES[5] - NORMAL_SCORES[1]);
    ((sd * sd - mean) / (mean * mean)).max(0.0)
}

impl ForecastPoint {
    /// Probability that more than `tickets` arrive. The quantiles give it: between two of them, the normal score is linear in
    /// tickets.
    pub fn probability_above(&self, tickets: f64) -> f64 {
        let q = &self.quantiles;
        let last = q.len() - 1;
        let beyond = |from: usize| {
            let sd = ((q[from] - q[3]) / NORMAL_SCORES[from]).max(TICKETS_SD_MIN);
            NORMAL_SCORES[from] + (tickets - q[from]) / sd
        };
        let score = match q.partition_point(|count| *count <= tickets) {
            0 => beyond(0),
            above if above > last => beyond(last),
            above => {
                let share = (tickets - q[above - 1]) / (q[above] - q[above - 1]);
                NORMAL_SCORES[above - 1] + share * (NORMAL_SCORES[above] - NORMAL_SCORES[above - 1])
            }
        };
        normal::tail(score)
    }

    /// Sets the level so that `baseline × level + alarm_effect` equals the mean.
    pub(super) fn explain(&mut self) {
        self.alarm_effect = self.alarm_effect.min(self.mean);
        if self.baseline > 0.0 {
            self.level = rounded((self.mean - self.alarm_effect) / self.baseline);
        }
    }

    /// Moves the mean by `tickets`, not below zero, and the quantiles with it at constant dispersion.
    pub fn shift(&mut self, tickets: f64) {
        let before = self.mean;
        let after = (before + tickets).max(0.0);
        self.mean = rounded(after);
        let dispersion = dispersion(before, &self.quantiles);
        if before < SHAPELESS || after <= 0.0 {
            self.quantiles = quantiles(after, dispersion);
            return;
        }
        let variance = |mean: f64| mean + dispersion * mean * mean;
        let wider = (variance(after) / variance(before)).sqrt();
        self.quantiles = self.quantiles.map(|q| (after + (q - before) * wider).max(0.0).round());
    }
}

/// Counts at [`QUANTILES`] for a mean and a dispersion φ ≥ 0.
pub fn quantiles(mean: f64, dispersion: f64) -> [f64; 7] {
    if mean > WALK_MAX {
        let close = GammaApproximation::new(mean, mean + dispersion * mean * mean);
        return NORMAL_SCORES.map(|z| close.at_score(z).round());
    }
    NegativeBinomial::with_dispersion(mean, dispersion).quantiles(&QUANTILES)
}

/// Counts at any ascending probabilities, for a mean and a dispersion φ ≥ 0. A probability of 0 or less has the count 0.
pub(super) fn quantiles_at(mean: f64, dispersion: f64, probabilities: &[f64; 7]) -> [f64; 7] {
    let within = probabilities.map(|p| p.clamp(1e-6, 1.0 - 1e-6));
    let mut found = if mean > WALK_MAX {
        let close = GammaApproximation::new(mean, mean + dispersion * mean * mean);
        within.map(|p| close.at_score(normal::quantile(p)).round())
    } else {
        NegativeBinomial::with_dispersion(mean, dispersion).quantiles(&within)
    };
    for (count, p) in found.iter_mut().zip(probabilities) {
        if *p <= 0.0 {
            *count = 0.0;
        }
    }
    found
}

/// P(K ≤ `count`) of the negative binomial with this mean and dispersion φ ≥ 0.
pub fn cumulative(mean: f64, dispersion: f64, count: f64) -> f64 {
    NegativeBinomial::with_dispersion(mean, dispersion).cdf(count)
}

/// E|Y − median| of a Poisson count: the error of a forecaster that knows the true rate.
///
/// With `F` the distribution function: `E|Y − c| = c(2F(c) − 1) + m(1 − 2F(c − 1))` for integer c.
pub fn poisson_floor(mean: f64) -> f64 {
    if mean <= 0.0 {
        return 0.0;
    }
    if mean > WALK_MAX {
        return (2.0 * mean / std::f64::consts::PI).sqrt();
    }
    let mut mass = (-mean).exp();
    let (mut k, mut sum, mut below) = (0.0, mass, 0.0);
    while sum < 0.5 {
        k += 1.0;
        mass *= mean / k;
        below = sum;
        sum += mass;
    }
    k * (2.0 * sum - 1.0) + mean * (1.0 - 2.0 * below)
}
