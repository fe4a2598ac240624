//! A peer model for benchmarks: augurs' MSTL with AutoETS on the trend, on `ln(1 + y)`.

use augurs::ets::AutoETS;
use augurs::mstl::MSTLModel;
use augurs::{Fit, Predict};

use super::History;

/// How far a fit forecasts beyond its origin, in hours: until the next fit is in use.
const REACH_HOURS: usize = 30;
/// Largest share of missing windows.
const GAPS_MAX: f64 = 0.2;

/// Expected counts of a fit, one per window.
#[derive(Clone, Debug, PartialEq)]
pub struct MemberPath {
    /// Index of the first window of `means`.
    pub first: i64,
    pub means: Vec<f32>,
}

impl MemberPath {
    /// The expected count of a window; `None` outside the path.
    pub fn at(&self, index: i64) -> Option<f64> {
        let slot = usize::try_from(index - self.first).ok()?;
        self.means.get(slot).map(|mean| f64::from(*mean))
    }
}

/// Fits the windows before `origin`. Returns `None` with less than two weeks of history, too many gaps, a constant series, or
/// if augurs finds no model.
pub fn fit_mstl(history: &History, origin: i64) -> Option<MemberPath> {
    let per_hour = history.width.per_hour();
    let (day, week) = (history.width.per_day(), history.width.per_week());
    let from = origin - 4 * week as i64;
    let counts: Vec<f64> = (from.max(history.first)..origin.min(history.end()))
        .map(|index| f64::from(history.get(index)))
        .collect();
    // A history that ends before the origin would be forecast with the wrong phase.
    if counts.len() < 2 * week || history.end() < origin {
        return None;
    }
    let logs = interpolated(&counts)?;
    let reach = REACH_HOURS * per_hour;
    let model = MSTLModel::new(vec![day, week], AutoETS::non_seasonal().into_trend_model());
    let fitted = model.fit(&logs).ok()?;
    let ahead = fitted.predict(reach, None).ok()?;
    let highest = counts.iter().copied().filter(|c| !c.is_nan()).fold(1.0, f64::max);
    let means: Vec<f32> = ahead
        .point
        .iter()
        .map(|log| (f64::from(*log as f32).exp() - 1.0).clamp(0.0, 3.0 * highest) as f32)
        .collect();
    // A path must be complete.
    (means.len() == reach && means.iter().all(|m| m.is_finite()))
        .then_some(MemberPath { first: origin, means })
}

/// `ln(1 + y)` with linearly interpolated gaps; `None` with too many gaps or a constant series.
fn interpolated(counts: &[f64]) -> Option<Vec<f64>> {
    let gaps = counts.iter().filter(|c| c.is_nan()).count();
    if gaps as f64 > GAPS_MAX * counts.len() as f64 {
        return None;
    }
    let mut logs: Vec<f64> = counts.iter().map(|c| c.ln_1p()).collect();
    bridge(&mut logs)?;
    logs.iter().any(|log| (log - logs[0]).abs() >= 1e-12).then_some(logs)
}

/// Interpolates gaps (NaN) linearly. Values before the first and after the last known one repeat that one. `None` if no
/// value is known.
pub fn bridge(values: &mut [f64]) -> Option<()> {
    let known: Vec<usize> = (0..values.len()).filter(|i| !values[*i].is_nan()).collect();
    let (first, last) = (*known.first()?, *known.last()?);
    let (head, tail) = (values[first], values[last]);
    values[..first].fill(head);
    values[last + 1..].fill(tail);
    for pair in known.windows(2) {
        let (a, b) = (pair[0], pair[1]);
        let (from, to) = (values[a], values[b]);
        let step = (to - from) / (b - a) as f64;
        for (i, gap) in values[a + 1..b].iter_mut().enumerate() {
            *gap = from + step * (i + 1) as f64;
        }
    }
    Some(())
}
