//! One vintage: profile × level, averaged with the slow member, spread by the calibration.

use super::level::Level;
use super::lookback::Lookback;
use super::profile::profile;
use super::spread::quantiles;
use super::{Calibration, History, MemberPath, Target, Vintage};
use crate::domain::SeriesKey;

/// Three decimals: what is shown is what is stored.
fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// Forecasts the horizon after the lookback's origin from windows before it.
///
/// A pure function of its arguments: a restart issues the same vintage again.
pub fn forecast(
    history: &History,
    series: &SeriesKey,
    lookback: &Lookback,
    calibration: &Calibration,
    member: Option<&MemberPath>,
) -> Vintage {
    let (expected, depth) = profile(history, lookback);
    let level = Level::of(history, lookback, &expected);
    let width = history.width;
    let known = (lookback.origin - lookback.first) as usize;
    let mut members = vec!["profile".to_owned()];
    if member.is_some() {
        members.push("mstl-ets".to_owned());
    }
    let targets = (0..lookback.targets()).map(|step| {
        let index = lookback.origin + step as i64;
        let lead_minutes = step as u32 * width.secs() / 60;
        let baseline = expected[known + step];
        let factor = level.at(f64::from(lead_minutes) / 60.0);
        let own = baseline * factor;
        let mean = member.and_then(|path| path.at(index)).map_or(own, |other| (own + other) / 2.0);
        Target {
            start: width.start(index),
            mean: rounded(mean),
            quantiles: quantiles(mean, calibration.dispersion(lead_minutes)),
            baseline: rounded(baseline),
            level: rounded(factor),
            alarm_effect: 0.0,
        }
    });
    Vintage {
        series: series.clone(),
        issued_at: width.start(lookback.origin),
        targets: targets.collect(),
        members,
        fallback: depth.explain(history.counts.len()),
    }
}
