//! A count far outside the forecast band of its window.

use super::{OFF_BY_MIN, SCORE_MIN, WindowCase};
use crate::anomaly::types::{Anomaly, AnomalyKind, Detail, SCORE_MAX, hundredths};
use crate::stats::NegativeBinomial;

/// Standard deviations from the median to an outer quantile. It is not the exact 1.95996, so that scores stay comparable
/// with earlier ones.
const OUTER_SDS: f64 = 1.96;

/// The anomaly of a window by itself. The score is −log10 of the probability of a count at least this far off, under a negative
/// binomial distribution about the forecast's median with the spread of its own outer quantiles, separately above and below.
pub(in crate::anomaly) fn of(case: &WindowCase) -> Option<Anomaly> {
    let WindowCase { series, target, actual } = case;
    let (q, actual) = (&target.quantiles, *actual);
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
    let centre = q[3].max(0.5);
    let counts = NegativeBinomial::with_variance(centre, (reach / OUTER_SDS).powi(2).max(centre));
    let probability = match kind {
        AnomalyKind::Low => counts.cdf(actual),
        _ => counts.tail(actual),
    };
    let score = (-probability.log10()).min(SCORE_MAX);
    (score >= SCORE_MIN).then(|| Anomaly {
        series: series.clone(),
        window: target.start,
        kind,
        score: hundredths(score),
        actual,
        expected: target.mean,
        detail: Detail::Outside { low: q[0], high: q[6] }.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::anomaly::tests::case;

    fn check(mean: f64, actual: f64) -> Option<(AnomalyKind, f64)> {
        of(&case("north/tv/phone", mean, actual)).map(|a| (a.kind, a.score))
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
}
