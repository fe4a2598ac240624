//! The standard normal distribution.

use std::f64::consts::{LN_10, PI};

use statrs::distribution::{ContinuousCDF, Normal};

/// From this z on [`surprise`] uses the leading term of Mills' ratio.
const TAIL: f64 = 5.0;

/// P(Z ≤ z).
pub fn cdf(z: f64) -> f64 {
    Normal::standard().cdf(z)
}

/// P(Z > z), with full relative precision until it underflows beyond 37.
pub fn tail(z: f64) -> f64 {
    Normal::standard().sf(z)
}

/// The z with P(Z ≤ z) = `p`; infinite for 0 and 1.
///
/// # Panics
/// If `p` is not a probability.
pub fn quantile(p: f64) -> f64 {
    Normal::standard().inverse_cdf(p)
}

/// −log10 P(Z > z): 3 is one in a thousand. Never underflows.
///
/// From z = 5 on it uses the leading term of Mills' ratio, `P(Z > z) ≈ density(z) / z`. That is too large by a factor of up
/// to `1 + 1/z²`, so the result is too low by at most 0.017.
pub fn surprise(z: f64) -> f64 {
    if z < TAIL {
        return -tail(z).log10();
    }
    let ln_density = -0.5 * z * z - 0.5 * (2.0 * PI).ln();
    -(ln_density - z.ln()) / LN_10
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn near(found: f64, expected: f64, relative: f64) {
        assert!((found / expected - 1.0).abs() < relative, "{found:e} is not {expected:e}");
    }

    #[test]
    fn tails_match_reference_values() {
        // By a continued fraction in 60 decimal digits.
        for (z, expected) in [
            (0.5, 3.085_375_387_259_869e-1),
            (1.0, 1.586_552_539_314_570_5e-1),
            (1.96, 2.499_789_514_822_043_5e-2),
            (3.0, 1.349_898_031_630_094_6e-3),
            (5.0, 2.866_515_718_791_939e-7),
            (7.034_484, 9.999_987_471_648_753e-13),
            (8.0, 6.220_960_574_271_784e-16),
            (9.0, 1.128_588_405_953_840_5e-19),
            (20.0, 2.753_624_118_606_233_7e-89),
            (37.0, 5.725_571_222_524_577e-300),
        ] {
            near(tail(z), expected, 1e-10);
            near(cdf(-z), expected, 1e-10);
            assert!((surprise(z) + f64::log10(expected)).abs() < 0.017, "{z}");
        }
    }

    #[test]
    fn quantiles_match_reference_values() {
        for (p, expected) in [
            (0.025, -1.959_963_984_540_054),
            (0.1, -1.281_551_565_544_600_4),
            (0.25, -0.674_489_750_196_081_7),
            (0.975, 1.959_963_984_540_054),
            (0.99, 2.326_347_874_040_841),
            (1e-12, -7.034_483_825_301_132),
        ] {
            near(quantile(p), expected, 1e-9);
        }
        assert!(quantile(0.5).abs() < 1e-15);
    }

    #[test]
    fn the_two_forms_of_surprise_agree_where_they_meet() {
        assert!((surprise(0.0) - std::f64::consts::LOG10_2).abs() < 1e-12);
        assert!((surprise(TAIL - 1e-9) - surprise(TAIL)).abs() < 0.017);
    }

    proptest! {
        #[test]
        fn quantiles_invert_probabilities_and_ascend(p in 1e-12..0.999_999f64, more in 1e-9..0.1f64) {
            let z = quantile(p);
            prop_assert!((cdf(z) / p - 1.0).abs() < 1e-9, "{p} {z}");
            prop_assert!((cdf(z) + tail(z) - 1.0).abs() < 1e-12);
            let higher = (p + more).min(1.0 - 1e-9);
            prop_assert!(higher <= p || quantile(higher) > z);
        }

        #[test]
        fn surprise_grows(z in -8.0..60.0f64, more in 1e-6..5.0f64) {
            // Except for the small step where its two forms meet.
            prop_assert!(surprise(z + more) > surprise(z) - 0.017);
        }
    }
}
