//! The usual number of complaints, and the score of a count compared with it.

use super::types::SCORE_MAX;
use crate::stats::{NegativeBinomial, upper_median};

/// Smallest dispersion of complaints: complaints of one window are correlated.
const DISPERSION_MIN: f64 = 0.05;
const DISPERSION_MAX: f64 = 1.0;

/// Negative binomial distribution of the usual count. Its dispersion includes the variance of the samples beyond chance,
/// and the uncertainty of a mean from few samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Usual {
    /// The usual count that people read: the mean of the samples, each limited as in [`Self::of`].
    pub count: f64,
    /// The mean of the distribution.
    pub mean: f64,
    pub variance: f64,
}

impl Usual {
    /// Computes it from counts of comparable windows, at least one. A count far above the others, such as that of an earlier
    /// outage, is limited to three standard deviations above the median.
    pub fn of(samples: &mut [f64]) -> Option<Self> {
        let median = upper_median(samples)?;
        let most = median + 3.0 * median.max(1.0).sqrt();
        let n = samples.len() as f64;
        let sum: f64 = samples.iter().map(|count| count.min(most)).sum();
        let plain = sum / n;
        let spread: f64 = samples.iter().map(|count| (count.min(most) - plain).powi(2)).sum();
        // The dispersion of small means cannot be estimated.
        let beyond = match plain > 1.0 && n > 3.0 {
            true => (spread / (n - 1.0) - plain) / (plain * plain),
            false => 0.25,
        };
        Some(Self::learned(sum, n, beyond.clamp(DISPERSION_MIN, DISPERSION_MAX)))
    }

    /// Computes it from a sum over `n` windows. The uncertainty of the mean follows from Jeffreys' prior; `dispersion` is added
    /// to it.
    pub fn learned(sum: f64, n: f64, dispersion: f64) -> Self {
        let mean = (sum + 0.5) / n;
        let variance = mean + mean * mean * (dispersion + 1.0 / (sum + 0.5));
        Self { count: sum / n, mean, variance }
    }

    /// The sum of independent windows.
    pub fn plus(self, more: Self) -> Self {
        Self {
            count: self.count + more.count,
            mean: self.mean + more.mean,
            variance: self.variance + more.variance,
        }
    }

    /// −log10 of the probability of a count at least this large, 0 to 20.
    pub fn surprise(&self, count: f64) -> f64 {
        if count < 1.0 || self.mean <= 0.0 {
            return 0.0;
        }
        let tail = NegativeBinomial::with_variance(self.mean, self.variance).tail(count);
        (-tail.max(f64::MIN_POSITIVE).log10()).clamp(0.0, SCORE_MAX)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_old_outage_does_not_make_complaints_usual() {
        let mut quiet = [1.0, 0.0, 2.0, 1.0, 0.0, 1.0, 1.0, 0.0, 2.0, 1.0, 1.0, 0.0];
        let mut marred = quiet;
        marred[4] = 60.0;
        let (quiet, marred) = (Usual::of(&mut quiet), Usual::of(&mut marred));
        let (quiet, marred) = (quiet.expect("samples"), marred.expect("samples"));
        assert!(marred.mean < quiet.mean + 0.5, "{marred:?} {quiet:?}");
        assert!(quiet.surprise(3.0) < 2.0 && marred.surprise(14.0) > 4.0, "{marred:?}");
        assert_eq!(Usual::of(&mut []), None);
    }

    #[test]
    fn the_tail_is_that_of_a_poisson_where_there_is_no_dispersion() {
        let poisson = Usual { count: 2.0, mean: 2.0, variance: 2.0 + 1e-6 };
        // P(X ≥ 6) of a Poisson with mean 2 is 0.016564.
        assert!((poisson.surprise(6.0) + 0.016_564_f64.log10()).abs() < 1e-3);
    }

    proptest! {
        #[test]
        fn surprise_grows_with_the_count_and_falls_with_what_is_usual(
            samples in prop::collection::vec(0u16..500, 1..20),
            count in 0u16..2000,
        ) {
            let mut samples: Vec<f64> = samples.into_iter().map(f64::from).collect();
            let usual = Usual::of(&mut samples).expect("samples");
            let count = f64::from(count);
            let (less, more) = (usual.surprise(count), usual.surprise(count + 1.0));
            prop_assert!((0.0..=SCORE_MAX).contains(&less) && more >= less - 1e-9, "{less} {more}");
            let twice = usual.plus(usual);
            prop_assert!(twice.surprise(count) <= less + 1e-6);
        }
    }
}
