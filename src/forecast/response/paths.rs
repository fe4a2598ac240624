//! Possible courses of an episode over several windows, for the probability of a surge within a span.

use crate::forecast::spread::BAND_80_SDS;
use crate::stats::normal;

/// Possible courses of one episode over the horizon.
#[derive(Clone, Debug)]
pub(super) struct Paths {
    pub(super) sizes: Vec<f64>,
    /// By onset and end: probabilities by size, and tickets by forecast point for size 1.
    pub(super) courses: Vec<(Vec<f64>, Vec<f64>)>,
}

impl Paths {
    /// Probability of two consecutive windows above `high` within a span of `windows`, by the first forecast point of the span.
    pub(super) fn surge_probabilities(
        &self,
        base: &[[f64; 7]],
        high: &[f64],
        windows: usize,
    ) -> Vec<f64> {
        let targets = base.len().min(high.len());
        let mut probabilities = vec![0.0; base.len()];
        for (weights, path) in &self.courses {
            for (weight, size) in weights.iter().zip(&self.sizes) {
                if *weight < 1e-5 || path.len() < targets {
                    continue;
                }
                let above = |i: usize| above(&base[i], path[i] * size, high[i]);
                let each: Vec<f64> = (0..targets).map(above).collect();
                for (from, probability) in probabilities.iter_mut().enumerate().take(targets) {
                    *probability += weight * two_in_a_row(&each[from..targets.min(from + windows)]);
                }
            }
        }
        probabilities
    }
}

/// Probability of more than `high` tickets if a base forecast gets `extra` tickets; 0 without extra tickets.
fn above(base: &[f64; 7], extra: f64, high: f64) -> f64 {
    if extra < 0.1 {
        return 0.0;
    }
    let sd = (base[5] - base[1]) / BAND_80_SDS;
    let spread = (sd * sd + extra).sqrt().max(0.5);
    normal::tail((high + 0.5 - base[3] - extra) / spread)
}

/// Probability of two consecutive successes in independent trials.
fn two_in_a_row(trials: &[f64]) -> f64 {
    // Probabilities of no two in a row so far, with a last failure and with a last success.
    let (mut failure, mut success) = (1.0, 0.0);
    for p in trials {
        (failure, success) = ((failure + success) * (1.0 - p), failure * p);
    }
    1.0 - failure - success
}
