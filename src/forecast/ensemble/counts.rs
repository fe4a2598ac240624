//! Count distributions by mean and variance: negative binomial, or a gamma where there is less than Poisson's.

use crate::stats::{GammaApproximation, NegativeBinomial, normal};

/// Above this mean the cube-root approximation is closer than any model.
const WALK_MAX: f64 = 30.0;

/// A count's mean and variance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Spread {
    pub mean: f64,
    pub variance: f64,
}

impl Spread {
    /// Whether counts are stepped through, or approximated.
    fn walks(&self) -> bool {
        self.mean <= WALK_MAX && self.variance >= 0.95 * self.mean
    }

    fn stepped(&self) -> NegativeBinomial {
        NegativeBinomial::with_variance(self.mean, self.variance)
    }

    fn approximate(&self) -> GammaApproximation {
        GammaApproximation::new(self.mean, self.variance)
    }

    /// P(Y ≤ y) just below and at a count: `(P(Y < y), P(Y ≤ y))`.
    pub(super) fn cdf(&self, y: f64) -> (f64, f64) {
        if self.mean <= 0.0 || self.walks() {
            return self.stepped().below_and_at(y);
        }
        let close = self.approximate();
        (normal::cdf(close.score(y - 0.5)), normal::cdf(close.score(y + 0.5)))
    }

    /// Counts at ascending probabilities.
    pub(super) fn quantiles(&self, probabilities: &[f64; 7]) -> [f64; 7] {
        if self.mean <= 0.0 || self.walks() {
            return self.stepped().quantiles(probabilities);
        }
        let close = self.approximate();
        probabilities.map(|p| close.at_score(normal::quantile(p)).round())
    }
}
