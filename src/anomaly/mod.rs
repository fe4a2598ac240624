//! Surprise: a window far outside the band that was forecast for it, and customers who say what they do not usually say.

mod complaints;
mod past;
mod said;
mod types;
mod usual;

pub use complaints::{Complaints, EarlySign};
pub use types::{Anomaly, AnomalyKind};

use crate::domain::SeriesKey;
use crate::forecast::Target;

/// Surprise from which a window is flagged: one in ten thousand.
const SCORE_MIN: f64 = 4.0;
/// Tickets that a window must be off by: nobody acts on two instead of none.
const OFF_BY_MIN: f64 = 5.0;
/// No score says more than this.
const SCORE_MAX: f64 = 20.0;

/// Holds a settled count against what was forecast for its window.
///
/// The score is −log10 of the probability of a count at least this far off, under a normal tail with
/// the spread of the forecast's own outer quantiles, separately above and below.
pub fn judge(series: &SeriesKey, target: &Target, actual: f64) -> Option<Anomaly> {
    let q = &target.quantiles;
    let (kind, edge, reach) = if actual > q[6] {
        (AnomalyKind::High, q[6], q[6] - q[3])
    } else if actual < q[0] {
        (AnomalyKind::Low, q[0], q[3] - q[0])
    } else {
        return None;
    };
    if (actual - edge).abs() < 1.0 || (actual - q[3]).abs() < OFF_BY_MIN {
        return None;
    }
    // The outer quantiles lie 1.96 standard deviations from the median.
    let sd = (reach / 1.96).max(target.mean.max(1.0).sqrt());
    let score = surprise((actual - q[3]).abs() / sd).min(SCORE_MAX);
    (score >= SCORE_MIN).then(|| Anomaly {
        series: series.clone(),
        window: target.start,
        kind,
        score: (score * 100.0).round() / 100.0,
        actual,
        expected: target.mean,
        text: format!(
            "{actual:.0} tickets where {:.0} were expected (95 % band {:.0} to {:.0})",
            target.mean, q[0], q[6]
        ),
    })
}

/// −log10 of the upper tail of the standard normal; by Mills' ratio where the tail underflows.
fn surprise(z: f64) -> f64 {
    if z < 5.0 {
        return -(0.5 * statrs::function::erf::erfc(z / std::f64::consts::SQRT_2)).log10();
    }
    let ln_density = -0.5 * z * z - 0.5 * (2.0 * std::f64::consts::PI).ln();
    -(ln_density - z.ln()) / std::f64::consts::LN_10
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;
    use crate::forecast::quantiles;

    fn check(mean: f64, actual: f64) -> Option<(AnomalyKind, f64)> {
        let target = Target {
            start: Timestamp::from_secs(0),
            mean,
            quantiles: quantiles(mean, 0.02),
            baseline: mean,
            level: 1.0,
            alarm_effect: 0.0,
        };
        let series = SeriesKey::parse("north/tv/phone").expect("series");
        judge(&series, &target, actual).map(|a| (a.kind, a.score))
    }

    #[test]
    fn only_what_is_far_off_is_flagged() {
        assert_eq!(check(20.0, 24.0), None, "inside the band");
        assert_eq!(check(0.2, 3.0), None, "too few to matter");
        let (kind, score) = check(20.0, 60.0).expect("three times as many");
        assert!(kind == AnomalyKind::High && score > 6.0, "{score}");
        assert_eq!(check(100.0, 5.0).expect("a feed fell silent").0, AnomalyKind::Low);
        assert_eq!(check(10.0, 1e6), Some((AnomalyKind::High, SCORE_MAX)));
    }

    #[test]
    fn surprise_is_smooth_where_its_two_forms_meet() {
        assert!((surprise(0.0) - std::f64::consts::LOG10_2).abs() < 1e-4);
        assert!((surprise(4.9999) - surprise(5.0001)).abs() < 0.03);
    }
}
