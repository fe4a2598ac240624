//! Whether a vintage warns of a surge, and whether a surge followed.

use super::{high, span};
use crate::domain::WindowWidth;
use crate::forecast::types::{History, Vintage};

/// The warning also applies to spans whose probability is at least this share of that of the most probable span.
pub const LIKELY: f64 = 0.5;

impl Vintage {
    /// The 99 % quantile without alarms of a forecast point, tickets.
    pub fn high(&self, step: usize) -> Option<f64> {
        match &self.surges {
            Some(surges) => surges.high.get(step).copied(),
            None => self.targets.get(step).map(|target| high(&target.quantiles)),
        }
    }

    /// Whether `counts` of the windows `step` and `step + 1` lie above the quantile.
    pub fn surges_at(&self, step: usize, counts: [f64; 2]) -> bool {
        let above = |step, count: f64| self.high(step).is_some_and(|high| count > high);
        above(step, counts[0]) && above(step + 1, counts[1])
    }

    /// Whether any two consecutive windows of its horizon are above the quantile.
    pub fn surged(&self, history: &History) -> bool {
        let first = history.width.index(self.issued_at);
        let count = |step: usize| f64::from(history.get(first + step as i64));
        let mut pairs = 0..self.targets.len().saturating_sub(1);
        pairs.any(|i| self.surges_at(i, [count(i), count(i + 1)]))
    }

    /// Whether it warns of a surge that begins with forecast point `step`.
    pub fn warns(&self, step: usize, width: WindowWidth) -> bool {
        let from = step.saturating_sub(span(width) / 2);
        let Some(surges) = self.surges.as_ref().filter(|surges| surges.warns) else {
            return false;
        };
        let most = surges.probabilities.iter().copied().fold(0.0, f64::max);
        let probability = surges.probabilities.get(from);
        probability.is_some_and(|p| *p > 0.0 && *p >= LIKELY * most)
    }
}
