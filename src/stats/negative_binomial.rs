//! The negative binomial distribution of counts.
//!
//! Counts are real numbers here, because a history may have effects of alarms subtracted. `statrs` supports whole counts
//! only, so this uses its special functions.

use statrs::function::beta::beta_reg;
use statrs::function::gamma::{gamma_lr, gamma_ur, ln_gamma};

/// Smallest dispersion, and smallest relative excess of the variance over the mean; Poisson's has this value.
const EXCESS_MIN: f64 = 1e-6;
/// Above this size, cumulative probabilities are computed with the Poisson distribution. The error is at most `mean / (6 size)`.
const POISSON_SIZE: f64 = 1e5;
/// Mass at zero below which a sum starts at a larger count, because of underflow.
const UNDERFLOW: f64 = 1e-280;

/// A distribution of counts with mean `m` and variance `m + m² / size` (Johnson, Kemp and Kotz, *Univariate Discrete Distributions*,
/// chapter 5).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NegativeBinomial {
    mean: f64,
    size: f64,
}

impl NegativeBinomial {
    /// The distribution with a dispersion φ ≥ 0: variance `m + φ m²`. With a mean of 0 or less, or NaN, the count is always 0.
    pub fn with_dispersion(mean: f64, dispersion: f64) -> Self {
        Self::of(mean, 1.0 / dispersion.max(EXCESS_MIN))
    }

    /// The distribution with a variance. With a variance below the mean it is a Poisson distribution.
    pub fn with_variance(mean: f64, variance: f64) -> Self {
        Self::of(mean, mean / (variance / mean - 1.0).max(EXCESS_MIN))
    }

    fn of(mean: f64, size: f64) -> Self {
        if mean > 0.0 { Self { mean, size } } else { Self { mean: 0.0, size: 1.0 } }
    }

    /// The expected count.
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// `m + φ m²`.
    pub fn variance(&self) -> f64 {
        self.mean + self.mean * self.mean / self.size
    }

    /// P(K ≤ `count`), by the regularised incomplete beta function, or gamma function for Poisson's distribution.
    pub fn cdf(&self, count: f64) -> f64 {
        if count < 0.0 {
            return 0.0;
        }
        if self.mean <= 0.0 {
            return 1.0;
        }
        if self.size > POISSON_SIZE {
            return gamma_ur(count + 1.0, self.mean);
        }
        beta_reg(self.size, count + 1.0, self.size / (self.size + self.mean))
    }

    /// P(K ≥ `count`), with full relative precision in the tail.
    pub fn tail(&self, count: f64) -> f64 {
        if count <= 0.0 {
            return 1.0;
        }
        if self.mean <= 0.0 {
            return 0.0;
        }
        if self.size > POISSON_SIZE {
            return gamma_lr(count, self.mean);
        }
        beta_reg(count, self.size, self.mean / (self.mean + self.size))
    }

    /// ln P(K = `count`).
    pub fn ln_mass(&self, count: f64) -> f64 {
        let (mean, size) = (self.mean, self.size);
        ln_gamma(count + size) - ln_gamma(size) - ln_gamma(count + 1.0)
            + size * (size / (size + mean)).ln()
            + count * (mean / (size + mean)).ln()
    }

    /// Quantiles: for each of several ascending probabilities p, the smallest whole count k with P(K ≤ k) ≥ p.
    ///
    /// It sums the masses once for all of them, which is faster than inverting [`Self::cdf`] for means up to some hundreds.
    /// Probabilities beyond `1 − 1e-9` exceed the precision of the sum.
    pub fn quantiles<const N: usize>(&self, probabilities: &[f64; N]) -> [f64; N] {
        if self.mean <= 0.0 {
            return [0.0; N];
        }
        let sd = self.variance().sqrt();
        let mut walk = self.walk();
        if walk.mass < UNDERFLOW {
            walk = self.walk_from((self.mean - 12.0 * sd).max(0.0).floor());
        }
        let stop = self.mean + 60.0 * sd + 60.0;
        probabilities.map(|wanted| {
            while walk.sum < wanted && walk.count < stop {
                walk.step();
            }
            walk.count
        })
    }

    /// `(P(K < count), P(K ≤ count))` by one sum of the masses, for small means.
    pub fn below_and_at(&self, count: f64) -> (f64, f64) {
        if self.mean <= 0.0 {
            return if count <= 0.0 { (0.0, 1.0) } else { (1.0, 1.0) };
        }
        let (mut walk, mut below) = (self.walk(), 0.0);
        while walk.count < count && walk.sum < 1.0 - 1e-9 {
            below = walk.sum;
            walk.step();
        }
        if walk.count < count { (1.0, 1.0) } else { (below, walk.sum.min(1.0)) }
    }

    fn walk(&self) -> Walk {
        self.walk_at(0.0, (-self.size * (self.mean / self.size).ln_1p()).exp())
    }

    fn walk_from(&self, count: f64) -> Walk {
        self.walk_at(count, self.ln_mass(count).exp())
    }

    fn walk_at(&self, count: f64, mass: f64) -> Walk {
        let share = self.mean / (self.mean + self.size);
        Walk { size: self.size, share, count, mass, sum: mass }
    }
}

/// Sum of masses, count by count.
struct Walk {
    size: f64,
    /// `mean / (mean + size)`: limit of the ratio of neighbouring masses.
    share: f64,
    count: f64,
    mass: f64,
    /// P(K ≤ count), from the first count on.
    sum: f64,
}

impl Walk {
    fn step(&mut self) {
        self.count += 1.0;
        self.mass *= self.share * (self.count + self.size - 1.0) / self.count;
        self.sum += self.mass;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use statrs::distribution::{Discrete, DiscreteCDF};

    use super::*;

    fn near(found: f64, expected: f64, relative: f64) {
        assert!((found / expected - 1.0).abs() < relative, "{found:e} is not {expected:e}");
    }

    #[test]
    fn probabilities_match_reference_values_in_the_tails() {
        // Sums of masses in 60 decimal digits.
        for (mean, dispersion, count, expected) in [
            (3.0, 0.5, 0.0, 0.16),
            (3.0, 0.5, 4.0, 0.766_72),
            (20.0, 0.05, 10.0, 4.936_857_335_269_451e-2),
            (20.0, 0.05, 35.0, 9.849_855_272_940_538e-1),
            (250.0, 0.02, 150.0, 1.733_110_388_149_085e-3),
            (0.3, 0.25, 2.0, 9.942_159_548_950_785e-1),
        ] {
            near(NegativeBinomial::with_dispersion(mean, dispersion).cdf(count), expected, 1e-10);
        }
        for (mean, dispersion, count, expected) in [
            (3.0, 0.5, 5.0, 0.233_28),
            (20.0, 0.05, 60.0, 2.097_021_204_462_051e-6),
            (20.0, 0.05, 110.0, 4.553_121_741_636_637e-17),
            (0.3, 0.25, 12.0, 4.956_230_269_187_679e-12),
            (250.0, 0.02, 600.0, 6.216_421_481_061_867e-12),
            (250.0, 0.02, 900.0, 1.987_783_346_869_817e-27),
        ] {
            near(NegativeBinomial::with_dispersion(mean, dispersion).tail(count), expected, 1e-8);
        }
        // The smallest dispersion gives Poisson's distribution.
        near(NegativeBinomial::with_dispersion(2.0, 1e-6).tail(20.0), 6.444_72e-14, 1e-3);
        for (mean, dispersion, count, expected) in [
            (20.0, 0.05, 25.0, -3.217_841_386_020_657_6),
            (3.0, 0.5, 0.0, -1.832_581_463_748_31),
            (250.0, 0.02, 400.0, -10.557_125_937_629_236),
        ] {
            near(
                NegativeBinomial::with_dispersion(mean, dispersion).ln_mass(count),
                expected,
                1e-10,
            );
        }
    }

    #[test]
    fn quantiles_match_reference_values() {
        let p = [0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975];
        for (mean, dispersion, expected) in [
            (0.2, 0.06, [0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0]),
            (5.0, 0.06, [1.0, 2.0, 3.0, 5.0, 7.0, 8.0, 11.0]),
            (30.0, 0.1, [12.0, 17.0, 22.0, 29.0, 37.0, 45.0, 55.0]),
            (399.0, 0.03, [270.0, 310.0, 348.0, 395.0, 445.0, 493.0, 551.0]),
            (12.0, 1.5, [0.0, 0.0, 2.0, 7.0, 17.0, 31.0, 54.0]),
            (399.0, 0.0, [360.0, 374.0, 385.0, 399.0, 412.0, 425.0, 439.0]),
        ] {
            let found = NegativeBinomial::with_dispersion(mean, dispersion).quantiles(&p);
            assert_eq!(found, expected, "{mean} {dispersion}");
        }
    }

    #[test]
    fn a_mean_of_zero_is_always_zero() {
        for mean in [0.0, -1.0, f64::NAN] {
            let none = NegativeBinomial::with_dispersion(mean, 0.1);
            assert_eq!((none.cdf(0.0), none.tail(1.0), none.tail(0.0)), (1.0, 0.0, 1.0));
            assert_eq!(none.quantiles(&[0.5, 0.999]), [0.0; 2]);
            assert_eq!(none.below_and_at(0.0), (0.0, 1.0));
        }
    }

    proptest! {
        #[test]
        fn whole_counts_match_the_library(
            mean in 0.05..300.0f64,
            dispersion in 0.001..2.0f64,
            count in 0u64..600,
        ) {
            let ours = NegativeBinomial::with_dispersion(mean, dispersion);
            let size = 1.0 / dispersion;
            let theirs = statrs::distribution::NegativeBinomial::new(size, size / (size + mean));
            let theirs = theirs.expect("in range");
            let real = count as f64;
            prop_assert!((ours.cdf(real) - theirs.cdf(count)).abs() < 1e-9);
            prop_assert!((ours.ln_mass(real) - theirs.ln_pmf(count)).abs() < 1e-6);
            prop_assert!((ours.cdf(real) + ours.tail(real + 1.0) - 1.0).abs() < 1e-9);
            prop_assert!((ours.variance() - (mean + dispersion * mean * mean)).abs() < 1e-6);
        }

        #[test]
        fn quantiles_invert_probabilities_and_ascend(
            mean in 0.01..400.0f64,
            dispersion in 0.0..1.5f64,
            p in 0.001..0.999f64,
        ) {
            let counts = NegativeBinomial::with_dispersion(mean, dispersion);
            let [low, middle, high] = counts.quantiles(&[p / 2.0, p, (1.0 + p) / 2.0]);
            prop_assert!(low <= middle && middle <= high);
            let of_poisson = if counts.size > POISSON_SIZE { mean / (6.0 * counts.size) } else { 0.0 };
            let near = 1e-7 + of_poisson;
            prop_assert!(counts.cdf(middle) >= p - near, "{middle}");
            prop_assert!(counts.cdf(middle - 1.0) < p + near, "{middle}");
            if mean < 30.0 {
                let (below, at) = counts.below_and_at(middle);
                prop_assert!((below - counts.cdf(middle - 1.0)).abs() < near, "{below}");
                prop_assert!((at - counts.cdf(middle)).abs() < near, "{at}");
            }
        }

        #[test]
        fn the_variance_is_as_given(mean in 0.1..100.0f64, ratio in 1.001..20.0f64) {
            let counts = NegativeBinomial::with_variance(mean, mean * ratio);
            prop_assert!((counts.variance() / (mean * ratio) - 1.0).abs() < 1e-9);
            prop_assert!((counts.mean() - mean).abs() < 1e-12);
        }
    }
}
