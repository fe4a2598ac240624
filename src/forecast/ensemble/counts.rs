//! Count distributions by mean and variance: negative binomial, or a gamma where there is less than Poisson's.

use statrs::function::erf::{erfc, erfc_inv};
use std::f64::consts::SQRT_2;

/// Above this mean the cube-root approximation is closer than any model.
const WALK_MAX: f64 = 30.0;

/// A count's mean and variance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Spread {
    pub mean: f64,
    pub variance: f64,
}

fn normal_cdf(z: f64) -> f64 {
    0.5 * erfc(-z / SQRT_2)
}

pub(super) fn normal_quantile(p: f64) -> f64 {
    -SQRT_2 * erfc_inv(2.0 * p)
}

impl Spread {
    /// Whether counts are stepped through, or approximated.
    fn walks(&self) -> bool {
        self.mean <= WALK_MAX && self.variance >= 0.95 * self.mean
    }

    fn start(&self) -> (f64, f64, f64) {
        let excess = (self.variance / self.mean - 1.0).max(1e-6);
        let size = self.mean / excess;
        (size, excess / (1.0 + excess), (-size * excess.ln_1p()).exp())
    }

    /// P(Y ≤ y) just below and at a count: `(P(Y < y), P(Y ≤ y))`.
    pub(super) fn cdf(&self, y: f64) -> (f64, f64) {
        if self.mean <= 0.0 {
            return if y <= 0.0 { (0.0, 1.0) } else { (1.0, 1.0) };
        }
        if !self.walks() {
            return (normal_cdf(self.score(y - 0.5)), normal_cdf(self.score(y + 0.5)));
        }
        let (size, p, mut mass) = self.start();
        let (mut below, mut sum, mut k) = (0.0, mass, 0.0);
        while k < y && sum < 1.0 - 1e-9 {
            k += 1.0;
            mass *= p * (k + size - 1.0) / k;
            below = sum;
            sum += mass;
        }
        if k < y { (1.0, 1.0) } else { (below, sum.min(1.0)) }
    }

    /// Normal score of a value, by Wilson and Hilferty's cube root of a gamma (1931).
    fn score(&self, y: f64) -> f64 {
        if y <= 0.0 {
            return -9.0;
        }
        let shape = self.mean * self.mean / self.variance;
        ((y / self.mean).cbrt() - 1.0 + 1.0 / (9.0 * shape)) * 3.0 * shape.sqrt()
    }

    /// Counts at ascending probabilities.
    pub(super) fn quantiles(&self, probabilities: &[f64; 7]) -> [f64; 7] {
        let mut found = [0.0; 7];
        if self.mean <= 0.0 {
            return found;
        }
        if !self.walks() {
            let shape = self.mean * self.mean / self.variance;
            for (slot, p) in found.iter_mut().zip(probabilities) {
                let root = 1.0 - 1.0 / (9.0 * shape) + normal_quantile(*p) / (3.0 * shape.sqrt());
                *slot = (self.mean * root.max(0.0).powi(3)).round();
            }
            return found;
        }
        let (size, p, mut mass) = self.start();
        let (mut sum, mut k) = (mass, 0.0);
        let stop = self.mean + 60.0 * self.variance.sqrt() + 60.0;
        for (slot, wanted) in found.iter_mut().zip(probabilities) {
            while sum < *wanted && k < stop {
                k += 1.0;
                mass *= p * (k + size - 1.0) / k;
                sum += mass;
            }
            *slot = k;
        }
        found
    }
}
