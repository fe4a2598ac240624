//! The last windows of each series, with their forecasts.

use std::collections::VecDeque;

use super::rules::WindowCase;
use crate::domain::WindowWidth;
use crate::forecast::HORIZON;

/// Standard deviations from one outer quantile to the other.
const BAND_SDS: f64 = 2.0 * 1.96;

/// Number of windows that are remembered: as many as a restart reads from the store.
pub(super) fn reach(width: WindowWidth) -> usize {
    width.per(HORIZON).saturating_sub(1).max(1)
}

/// A window and its last forecast. Many are kept, so numbers have single precision.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Outcome {
    pub(super) index: i64,
    actual: f32,
    mean: f32,
    /// Width of the 95 % band.
    band: f32,
    baseline: f32,
    /// Whether the window is an anomaly by itself.
    pub(super) is_odd: bool,
}

impl Outcome {
    pub(super) fn of(case: &WindowCase, index: i64, is_odd: bool) -> Self {
        let target = &case.target;
        Self {
            index,
            actual: case.actual as f32,
            mean: target.mean as f32,
            band: (target.quantiles[6] - target.quantiles[0]) as f32,
            baseline: target.baseline as f32,
            is_odd,
        }
    }

    pub(super) fn actual(&self) -> f64 {
        f64::from(self.actual)
    }

    pub(super) fn mean(&self) -> f64 {
        f64::from(self.mean)
    }

    /// Whether tickets can arrive: the forecast of closed hours is zero.
    pub(super) fn is_open(&self) -> bool {
        self.mean > 0.0
    }

    /// The usual count. Unlike the forecast, it does not fall while tickets are absent; 0 in closed hours.
    pub(super) fn usual(&self) -> f64 {
        if self.is_open() { f64::from(self.baseline).max(0.0) } else { 0.0 }
    }

    /// The variance of the count, at least that of a Poisson distribution. Limits of a band are rounded to whole tickets, so
    /// the band may be almost one ticket narrower than the distribution. Therefore one ticket is added to its width.
    pub(super) fn variance_most(&self) -> f64 {
        ((f64::from(self.band) + 1.0) / BAND_SDS).powi(2).max(self.mean())
    }

    /// The dispersion φ of the variance `m + φ m²`, computed from the width of the band.
    pub(super) fn dispersion(&self) -> f64 {
        let variance = (f64::from(self.band) / BAND_SDS).powi(2);
        (variance - self.mean()) / self.mean().powi(2).max(1e-9)
    }
}

/// The last windows of a series, without a gap, oldest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Run(VecDeque<Outcome>);

impl Run {
    pub(super) fn push(&mut self, outcome: Outcome, reach: usize) {
        if self.newest() != Some(outcome.index - 1) {
            self.0.clear();
        }
        self.0.push_back(outcome);
        while self.0.len() > reach {
            self.0.pop_front();
        }
    }

    /// Index of the newest window.
    pub(super) fn newest(&self) -> Option<i64> {
        self.0.back().map(|last| last.index)
    }

    /// The last `n` windows, or all if there are fewer.
    pub(super) fn last(&self, n: usize) -> impl Iterator<Item = &Outcome> + Clone {
        self.0.iter().skip(self.0.len().saturating_sub(n))
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Number of windows without a ticket at the end of the run.
    pub(super) fn empty_windows(&self) -> usize {
        self.0.iter().rev().take_while(|own| own.actual < 0.5).count()
    }
}
