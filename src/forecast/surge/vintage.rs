//! Whether a vintage calls a surge, and whether one came.

use super::{high, span};
use crate::domain::WindowWidth;
use crate::forecast::types::{History, Vintage};

/// Share of the likeliest span's chance at which another one is called too.
pub const LIKELY: f64 = 0.5;

impl Vintage {
    /// The 99 % quantile without alarms of a target, tickets.
    pub fn high(&self, step: usize) -> Option<f64> {
        match &self.surges {
            Some(surges) => surges.high.get(step).copied(),
            None => self.targets.get(step).map(|target| high(&target.quantiles)),
        }
    }

    /// Whether `counts` of the windows `step` and the next are a surge's.
    pub fn surges_at(&self, step: usize, counts: [f64; 2]) -> bool {
        let above = |step, count: f64| self.high(step).is_some_and(|high| count > high);
        above(step, counts[0]) && above(step + 1, counts[1])
    }

    /// Whether any two windows in a row of its horizon, all of it known, are a surge's.
    pub fn surged(&self, history: &History) -> bool {
        let first = history.width.index(self.issued_at);
        let count = |step: usize| f64::from(history.get(first + step as i64));
        let mut pairs = 0..self.targets.len().saturating_sub(1);
        pairs.any(|i| self.surges_at(i, [count(i), count(i + 1)]))
    }

    /// Whether it calls a surge that begins with target `step`.
    pub fn calls(&self, step: usize, width: WindowWidth) -> bool {
        let from = step.saturating_sub(span(width) / 2);
        let Some(surges) = self.surges.as_ref().filter(|surges| surges.is_out) else {
            return false;
        };
        let most = surges.chances.iter().copied().fold(0.0, f64::max);
        let chance = surges.chances.get(from);
        chance.is_some_and(|chance| *chance > 0.0 && *chance >= LIKELY * most)
    }
}
