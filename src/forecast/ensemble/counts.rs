//! Count distributions by mean and variance: negative binomial, or a gamma approximation if the variance is below the mean.

use crate::stats::{GammaApproximation, NegativeBinomial, normal};

/// Above this mean the cube-root approximation is used.
const WALK_MAX: f64 = 30.0;

/// Mean and variance of a count.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Spread {
    pub mean: f64,
    pub variance: f64,
}

impl Spread {
    /// Whether the distribution is computed exactly.
    fn is_exact(&self) -> bool {
        self.mean <= WALK_MAX && self.variance >= 0.95 * self.mean
    }

    fn exact(&self) -> NegativeBinomial {
        NegativeBinomial::with_variance(self.mean, self.variance)
    }

    fn approximate(&self) -> GammaApproximation {
        GammaApproximation::new(self.mean, self.variance)
    }

    /// Distribution function just below and at a count: `(P(Y < y), P(Y ≤ y))`.
    pub(super) fn cdf(&self, y: f64) -> (f64, f64) {
        if self.mean <= 0.0 || self.is_exact() {
            return self.exact().below_and_at(y);
        }
        let close = self.approximate();
        (normal::cdf(close.score(y - 0.5)), normal::cdf(close.score(y + 0.5)))
    }

    /// Counts at ascending probabilities.
    pub(super) fn quantiles(&self, probabilities: &[f64; 7]) -> [f64; 7] {
        if self.mean <= 0.0 || self.is_exact() {
            return self.exact().quantiles(probabilities);
        }
        let close = self.approximate();
        probabilities.map(|p| close.at_score(normal::quantile(p)).round())
    }
}
