//! Counts with a large mean, as a gamma distribution with the same mean and variance.

/// A gamma distribution whose cube root is approximately normal (Wilson and Hilferty 1931), for means from about 30 on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GammaApproximation {
    mean: f64,
    shape: f64,
}

impl GammaApproximation {
    /// Score of zero and negative values.
    const LOWEST: f64 = -9.0;

    /// The distribution with a positive mean and variance.
    pub fn new(mean: f64, variance: f64) -> Self {
        Self { mean, shape: mean * mean / variance }
    }

    /// The value at a standard normal score, not below zero.
    pub fn at_score(&self, z: f64) -> f64 {
        let root = 1.0 - 1.0 / (9.0 * self.shape) + z / (3.0 * self.shape.sqrt());
        self.mean * root.max(0.0).powi(3)
    }

    /// The standard normal score of a value: the inverse of [`Self::at_score`].
    pub fn score(&self, value: f64) -> f64 {
        if value <= 0.0 {
            return Self::LOWEST;
        }
        ((value / self.mean).cbrt() - 1.0 + 1.0 / (9.0 * self.shape)) * 3.0 * self.shape.sqrt()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use statrs::distribution::{ContinuousCDF, Gamma};

    use super::super::normal;
    use super::*;

    #[test]
    fn it_is_close_to_a_gamma_distribution() {
        for (mean, variance) in [(30.0, 60.0), (400.0, 5000.0), (900.0, 900.0)] {
            let exact = Gamma::new(mean * mean / variance, mean / variance).expect("positive");
            let close = GammaApproximation::new(mean, variance);
            for p in [0.025, 0.1, 0.5, 0.9, 0.975] {
                let (found, expected) = (close.at_score(normal::quantile(p)), exact.inverse_cdf(p));
                assert!((found / expected - 1.0).abs() < 2e-3, "{mean} {p}: {found} {expected}");
            }
        }
    }

    proptest! {
        #[test]
        fn scores_invert_values(mean in 5.0..5000.0f64, ratio in 0.5..3.0f64, z in -1.5..6.0f64) {
            let close = GammaApproximation::new(mean, mean * ratio);
            let value = close.at_score(z);
            prop_assert!(value <= 0.0 || (close.score(value) - z).abs() < 1e-6, "{value}");
        }
    }
}
