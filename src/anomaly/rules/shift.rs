//! A small difference that lasts: many windows in a row on one side of their forecasts, and none of them an anomaly by itself.

use std::time::Duration;

use super::{OFF_BY_MIN, SCORE_MIN, SeriesCase, SeriesRule};
use crate::anomaly::run::{Outcome, reach};
use crate::anomaly::types::{Anomaly, AnomalyKind, Detail, SCORE_MAX, hundredths};
use crate::domain::{HOUR, WindowWidth};
use crate::stats::NegativeBinomial;

/// Lengths of the spans whose sums are compared.
const SPANS: [Duration; 2] =
    [Duration::from_secs(2 * HOUR.as_secs()), Duration::from_secs(5 * HOUR.as_secs())];
/// Minimum number of windows of a span.
const WINDOWS_MIN: usize = 4;
/// Minimum share of windows on the same side of the forecast as the sum.
const SIDE_MIN: f64 = 0.75;
/// Smallest difference of the sums in tickets, and as a share of the forecasts.
const SUM_OFF_BY_MIN: f64 = 2.0 * OFF_BY_MIN;
const SHARE_MIN: f64 = 0.1;
/// Variance of a sum of windows, divided by the sum of their variances: the errors of successive forecasts are correlated.
const CORRELATION: f64 = 1.5;

/// Compares sums over the last hours with the sums of their last forecasts.
pub(super) struct Shift;

/// Sums of consecutive windows.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    windows: usize,
    actual: f64,
    mean: f64,
    variance: f64,
    above: usize,
    below: usize,
}

impl Sums {
    fn of<'o>(outcomes: impl Iterator<Item = &'o Outcome>) -> Self {
        let mut own = Self::default();
        for outcome in outcomes.filter(|outcome| outcome.is_open()) {
            let (actual, mean) = (outcome.actual(), outcome.mean());
            own.windows += 1;
            own.actual += actual;
            own.mean += mean;
            own.variance += outcome.variance_most();
            own.above += usize::from(actual > mean);
            own.below += usize::from(actual < mean);
        }
        own
    }

    fn off_by(&self) -> f64 {
        self.actual - self.mean
    }

    /// Number of windows on the same side of the forecast as the sum.
    fn side(&self) -> usize {
        if self.off_by() > 0.0 { self.above } else { self.below }
    }

    /// −log10 of the probability of a sum at least this far off, by a negative binomial distribution.
    fn score(&self) -> f64 {
        let mean = self.mean.max(0.5);
        let sums = NegativeBinomial::with_variance(mean, self.variance * CORRELATION);
        let is_more = self.off_by() > 0.0;
        let tail = if is_more { sums.tail(self.actual) } else { sums.cdf(self.actual) };
        (-tail.max(f64::MIN_POSITIVE).log10()).min(SCORE_MAX)
    }
}

/// Windows of a span.
fn windows(span: Duration, width: WindowWidth) -> usize {
    width.per(span).max(WINDOWS_MIN).min(reach(width))
}

impl SeriesRule for Shift {
    fn tests(&self) -> usize {
        // More and fewer.
        2 * SPANS.len()
    }

    fn off_by(&self, case: &SeriesCase<'_>) -> f64 {
        let sums = Sums::of(case.run.last(windows(SPANS[0], case.width)));
        sums.off_by() / sums.windows.max(1) as f64
    }

    fn explained_by(&self, is_more: bool) -> &'static [AnomalyKind] {
        match is_more {
            true => &[AnomalyKind::ShiftUp, AnomalyKind::High],
            false => &[AnomalyKind::ShiftDown, AnomalyKind::Low, AnomalyKind::Vanished],
        }
    }

    fn check(&self, case: &SeriesCase<'_>) -> Option<Anomaly> {
        let found =
            SPANS.into_iter().filter_map(|span| check_span(case, windows(span, case.width)));
        found.max_by(|a, b| a.score.total_cmp(&b.score))
    }
}

/// The anomaly of the last `n` windows together.
fn check_span(case: &SeriesCase<'_>, n: usize) -> Option<Anomaly> {
    let outcomes = case.run.last(n);
    let is_odd = outcomes.clone().any(|outcome| outcome.is_odd);
    // If no tickets arrive at all, `vanished` reports it.
    if is_odd || case.run.len() < n || case.run.empty_windows() * 2 >= n {
        return None;
    }
    let sums = Sums::of(outcomes);
    let off_by = sums.off_by();
    let is_far = off_by.abs() >= (SHARE_MIN * sums.mean).max(SUM_OFF_BY_MIN);
    let is_enough = sums.windows >= WINDOWS_MIN && sums.side() as f64 >= SIDE_MIN * n as f64;
    if !is_far || !is_enough {
        return None;
    }
    let score = sums.score();
    (score >= SCORE_MIN).then(|| Anomaly {
        series: case.window.series.clone(),
        window: case.window.target.start,
        kind: if off_by > 0.0 { AnomalyKind::ShiftUp } else { AnomalyKind::ShiftDown },
        score: hundredths(score),
        actual: sums.actual,
        expected: hundredths(sums.mean),
        detail: Detail::Shift {
            minutes: minutes(case.width, n),
            windows: sums.windows as u32,
            same_side: sums.side() as u32,
        }
        .into(),
    })
}

/// Minutes of `n` windows.
pub(super) fn minutes(width: WindowWidth, n: usize) -> u32 {
    (width.length().as_secs() / 60) as u32 * n as u32
}
