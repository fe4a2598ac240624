//! An unreliable forecast: the counts of the last hours are outside its band far too often.

use super::{SCORE_MIN, StateCase, StateRule};
use crate::anomaly::types::{Anomaly, AnomalyKind, Detail, SCORE_MAX, hundredths};
use crate::stats::NegativeBinomial;

/// Least share of counts outside the 80 % band at which a forecast is unreliable.
pub const UNRELIABLE_SHARE: f64 = 0.5;
/// Minimum number of windows, over all channels.
pub const UNRELIABLE_WINDOWS: f64 = 20.0;
/// Expected share of counts outside the band.
const EXPECTED_SHARE: f64 = 0.2;
/// Dispersion of the number of counts outside the band: counts of several channels and of consecutive windows are correlated.
const DISPERSION: f64 = 0.05;

/// Compares the number of counts outside the band with the expected one. Scopes with unusual counts are left out, because
/// unusual counts are the reason why they are outside the band.
pub(super) struct ForecastUnreliable;

impl StateRule for ForecastUnreliable {
    fn tests(&self, case: &StateCase<'_>) -> usize {
        case.scores.len()
    }

    fn check(&self, case: &StateCase<'_>) -> Vec<Anomaly> {
        let found = case.scores.iter().filter_map(|scores| {
            let (windows, outside) = (f64::from(scores.windows), f64::from(scores.outside));
            let is_enough = windows >= UNRELIABLE_WINDOWS && scores.share()? >= UNRELIABLE_SHARE;
            if !is_enough || case.ongoing.touches(&scores.scope) {
                return None;
            }
            let expected = EXPECTED_SHARE * windows;
            let tail = NegativeBinomial::with_dispersion(expected, DISPERSION).tail(outside);
            let score = (-tail.max(f64::MIN_POSITIVE).log10()).min(SCORE_MAX);
            (score >= SCORE_MIN).then(|| Anomaly {
                series: scores.scope.all_channels(),
                window: case.window,
                kind: AnomalyKind::ForecastUnreliable,
                score: hundredths(score),
                actual: outside,
                expected: hundredths(expected),
                detail: Detail::ForecastUnreliable { windows: scores.windows }.into(),
            })
        });
        found.collect()
    }
}
