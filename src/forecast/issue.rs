//! The simple vintage: profile × level, for series that have no fit.

use super::level::Level;
use super::lookback::Lookback;
use super::profile::profile;
use super::spread::quantiles;
use super::{ForecastPoint, History, Vintage, rounded};
use crate::domain::SeriesKey;

/// Dispersion before anything was seen, and the windows that it weighs as much as.
const DISPERSION: f64 = 0.06;
const PRIOR_WINDOWS: f64 = 24.0;
/// One window counts at most so much.
const TERM_MAX: f64 = 2.0;
/// The only member of such a vintage.
const PROFILE: &str = "profile";

impl Vintage {
    /// Whether it is of a model that looks at alarms and could have called a surge: what serves until there is a fit does not.
    pub fn looked_at_alarms(&self) -> bool {
        self.surges.is_some() || self.members != [PROFILE]
    }
}

/// Forecasts the horizon after the lookback's origin from windows before it.
///
/// A pure function of its arguments: a restart issues the same vintage again.
pub fn forecast(history: &History, series: &SeriesKey, lookback: &Lookback) -> Vintage {
    let (expected, depth) = profile(history, lookback);
    let level = Level::of(history, lookback, &expected);
    let width = history.width;
    let known = (lookback.origin - lookback.first) as usize;
    let dispersion = dispersion(history, lookback, &expected, &level);
    let targets = (0..lookback.targets()).map(|step| {
        let index = lookback.origin + step as i64;
        let lead_minutes = step as u32 * width.secs() / 60;
        let baseline = expected[known + step];
        let factor = level.at(f64::from(lead_minutes) / 60.0);
        let mean = baseline * factor;
        ForecastPoint {
            start: width.start(index),
            mean: rounded(mean),
            quantiles: quantiles(mean, dispersion),
            baseline: rounded(baseline),
            level: rounded(factor),
            alarm_effect: 0.0,
        }
    });
    Vintage {
        series: series.clone(),
        issued_at: width.start(lookback.origin),
        targets: targets.collect(),
        members: vec![PROFILE.to_owned()],
        causes: Vec::new(),
        surges: None,
        fallback: depth.explain(history.counts.len()),
    }
}

/// φ of `V = m + φ m²` by moments over the last day, pulled towards [`DISPERSION`].
fn dispersion(history: &History, lookback: &Lookback, expected: &[f64], level: &Level) -> f64 {
    let (mut sum, mut weight) = (DISPERSION * PRIOR_WINDOWS, PRIOR_WINDOWS);
    for index in lookback.first..lookback.origin {
        let count = f64::from(history.get(index));
        let mean = expected[(index - lookback.first) as usize] * level.slow;
        if count.is_nan() || mean <= 0.0 {
            continue;
        }
        let term = ((count - mean).powi(2) - mean) / (mean * mean);
        // Small means say little of φ: their noise is Poisson's.
        let share = mean / (mean + 10.0);
        sum += share * term.clamp(-TERM_MAX, TERM_MAX);
        weight += share;
    }
    (sum / weight).clamp(0.002, 1.5)
}
