//! How an episode may go on, as whole paths: the chance that a surge begins within a span of windows.

use crate::forecast::spread::BAND_80_SDS;
use crate::stats::normal;

/// Courses of one episode over the horizon.
#[derive(Clone, Debug)]
pub(super) struct Paths {
    pub(super) sizes: Vec<f64>,
    /// By onset and end: probabilities by size, and tickets by target of size 1.
    pub(super) ways: Vec<(Vec<f64>, Vec<f64>)>,
}

impl Paths {
    /// By the target that a span of `windows` begins with: chance of two windows in a row above `high`.
    pub(super) fn surge_chances(
        &self,
        base: &[[f64; 7]],
        high: &[f64],
        windows: usize,
    ) -> Vec<f64> {
        let targets = base.len().min(high.len());
        let mut chances = vec![0.0; base.len()];
        for (weights, path) in &self.ways {
            for (weight, size) in weights.iter().zip(&self.sizes) {
                if *weight < 1e-5 || path.len() < targets {
                    continue;
                }
                let above = |i: usize| above(&base[i], path[i] * size, high[i]);
                let each: Vec<f64> = (0..targets).map(above).collect();
                for (from, chance) in chances.iter_mut().enumerate().take(targets) {
                    *chance += weight * two_in_a_row(&each[from..targets.min(from + windows)]);
                }
            }
        }
        chances
    }
}

/// Chance of more than `high` tickets where a base forecast gets `extra`; 0 where nothing comes to it.
fn above(base: &[f64; 7], extra: f64, high: f64) -> f64 {
    if extra < 0.1 {
        return 0.0;
    }
    let sd = (base[5] - base[1]) / BAND_80_SDS;
    let spread = (sd * sd + extra).sqrt().max(0.5);
    normal::tail((high + 0.5 - base[3] - extra) / spread)
}

/// Chance of two hits in a row among independent ones.
fn two_in_a_row(hits: &[f64]) -> f64 {
    // Not yet, the last one no hit; not yet, the last one a hit.
    let (mut missed, mut hit) = (1.0, 0.0);
    for p in hits {
        (missed, hit) = ((missed + hit) * (1.0 - p), missed * p);
    }
    1.0 - missed - hit
}
