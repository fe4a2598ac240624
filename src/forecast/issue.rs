//! The fallback forecast for series without a fit: profile × level.

use super::level::Level;
use super::lookback::Lookback;
use super::profile::profile;
use super::spread::quantiles;
use super::{ForecastPoint, History, Vintage, rounded};
use crate::domain::SeriesKey;
use crate::text::Stored;

/// Prior dispersion, and its weight in windows.
const DISPERSION: f64 = 0.06;
const PRIOR_WINDOWS: f64 = 24.0;
/// Limit of one window's term.
const TERM_MAX: f64 = 2.0;
/// The only member of such a vintage.
const PROFILE: &str = "profile";

impl Vintage {
    /// Whether its model uses alarms and can warn of a surge. The fallback without a fit does not.
    pub fn uses_alarms(&self) -> bool {
        self.surges.is_some() || self.members != [PROFILE]
    }
}

/// Forecasts the horizon from the lookback's origin on, from windows before it.
///
/// A pure function of its arguments, so a restart issues the same vintage again.
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
        fallback: depth.explain(history.counts.len()).map(Stored::Value),
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
        // Small means carry little information about φ: Poisson noise dominates.
        let share = mean / (mean + 10.0);
        sum += share * term.clamp(-TERM_MAX, TERM_MAX);
        weight += share;
    }
    (sum / weight).clamp(0.002, 1.5)
}
