//! Holds false flags within a budget, however many series there are.
//!
//! Each rule tests everything that a window counted at once. By Benjamini and Hochberg (1995), the k smallest of m probabilities
//! are flagged if the k-th is at most `k α / m`. Where nothing is abnormal, the probability that a window has a flag is at most
//! α; where much is, at most a share α of the flags is false. Each rule has a part of the budget, by its weight. This also holds for roll-ups beside their parts, which rise and
//! fall with them (Benjamini and Yekutieli, 2001).

use super::rules::{SCORE_MIN, weights};
use crate::domain::{DAY, WindowWidth};

/// `[anomalies]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AnomalyRules {
    /// False flags to expect in a day without anything abnormal, of all rules together.
    pub false_flags_a_day: f64,
}

impl Default for AnomalyRules {
    fn default() -> Self {
        Self { false_flags_a_day: 5.0 }
    }
}

impl AnomalyRules {
    /// The level α of the tests of a rule with this weight in one window.
    fn level(&self, width: WindowWidth, weight: u32) -> f64 {
        self.false_flags_a_day * f64::from(weight) / f64::from(weights()) / width.per(DAY) as f64
    }

    /// The smallest score to flag, out of the scores that a rule would flag by themselves among so many tests. Infinite if none.
    pub(super) fn smallest(
        &self,
        (width, weight): (WindowWidth, u32),
        scores: impl Iterator<Item = f64>,
        tests: usize,
    ) -> f64 {
        let mut scores: Vec<f64> = scores.filter(|score| *score >= SCORE_MIN).collect();
        scores.sort_by(|a, b| b.total_cmp(a));
        // −log10(α / m): what one flag alone needs.
        let alone = (tests as f64 / self.level(width, weight)).log10();
        let passes = |(nth, score): (usize, &f64)| *score >= alone - ((nth + 1) as f64).log10();
        let last = scores.iter().enumerate().rposition(passes);
        last.map_or(f64::INFINITY, |last| scores[last])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_grows_with_the_tests_and_falls_with_the_flags() {
        let smallest = |scores: &[f64], tests| {
            let scores = scores.iter().copied();
            AnomalyRules::default().smallest((WindowWidth::QUARTER, 3), scores, tests)
        };
        // α is 3 of 14 parts of 5 in 96 windows. Few series: the score of one in ten thousand decides.
        assert_eq!(smallest(&[4.0, 3.9], 30), 4.0);
        // One of 10,000 needs 5.95; each of ten 4.95.
        assert_eq!(smallest(&[5.9], 10_000), f64::INFINITY);
        assert_eq!(smallest(&[6.0, 5.6], 10_000), 6.0);
        assert_eq!(smallest(&[5.0; 10], 10_000), 5.0);
        // The last that passes counts, even behind one that does not.
        assert_eq!(smallest(&[5.9, 5.7, 5.5], 10_000), 5.5);
        assert_eq!(smallest(&[], 0), f64::INFINITY);
    }
}
