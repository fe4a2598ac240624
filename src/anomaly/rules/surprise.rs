//! A count far outside the forecast band of its window.

use super::{OFF_BY_MIN, SCORE_MIN, SeriesCase, SeriesRule, WINDOW_WEIGHT, WindowCase};
use crate::anomaly::types::{Anomaly, AnomalyKind, Detail, SCORE_MAX, hundredths};
use crate::stats::NegativeBinomial;

/// Standard deviations from the median to an outer quantile. It is not the exact 1.95996, so that scores stay comparable
/// with earlier ones.
const OUTER_SDS: f64 = 1.96;

/// Compares the count of a window with its last forecast.
pub(super) struct Surprise;

impl SeriesRule for Surprise {
    fn weight(&self) -> u32 {
        WINDOW_WEIGHT
    }

    fn tests(&self) -> usize {
        1
    }

    fn off_by(&self, case: &SeriesCase<'_>) -> f64 {
        case.window.actual - case.window.target.mean
    }

    fn explained_by(&self, is_more: bool) -> &'static [AnomalyKind] {
        match is_more {
            true => &[AnomalyKind::High],
            false => &[AnomalyKind::Low, AnomalyKind::Vanished],
        }
    }

    fn check(&self, case: &SeriesCase<'_>) -> Option<Anomaly> {
        of(case.window)
    }
}

/// The anomaly of a window by itself. The score is −log10 of the probability of a count at least this far off, under a negative
/// binomial distribution: above, about the forecast's median with the distance to its upper quantile as spread; below, about its
/// mean with the spread of the whole band. The distance to the lower quantile alone would make low counts look too improbable: the lower
/// half of a band is the narrower one, and a negative binomial distribution of that variance has hardly a lower tail.
pub(in crate::anomaly) fn of(case: &WindowCase) -> Option<Anomaly> {
    let WindowCase { series, target, actual } = case;
    let (q, actual) = (&target.quantiles, *actual);
    let (kind, edge, spread, centre) = if actual > q[6] {
        (AnomalyKind::High, q[6], (q[6] - q[3]) / OUTER_SDS, q[3])
    } else if actual < q[0] {
        (AnomalyKind::Low, q[0], (q[6] - q[0]) / (2.0 * OUTER_SDS), target.mean)
    } else {
        return None;
    };
    if (actual - edge).abs() < 1.0 || (actual - q[3]).abs() < OFF_BY_MIN {
        return None;
    }
    let centre = centre.max(0.5);
    let counts = NegativeBinomial::with_variance(centre, spread.powi(2).max(centre));
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
    use crate::domain::SeriesKey;
    use crate::forecast::{ForecastPoint, quantiles};

    fn check(mean: f64, actual: f64) -> Option<(AnomalyKind, f64)> {
        of(&case("north/tv/phone", mean, actual)).map(|a| (a.kind, a.score))
    }

    /// For counts that vary as forecast, the exact probability of a flag, out to what 10,000 series need (5.3) and beyond.
    #[test]
    fn a_score_is_no_less_probable_than_it_says() {
        let mut worst = f64::NEG_INFINITY;
        for mean in [1.0, 3.0, 8.0, 20.0, 60.0, 150.0] {
            for dispersion in [0.005, 0.02, 0.05, 0.1, 0.3, 0.6] {
                let truth = NegativeBinomial::with_dispersion(mean, dispersion);
                let target = ForecastPoint {
                    quantiles: quantiles(mean, dispersion),
                    ..case("north/tv/phone", mean, 0.0).target
                };
                let series = SeriesKey::parse("north/tv/phone").expect("a series");
                let found = |count: u32| {
                    let actual = f64::from(count);
                    of(&WindowCase { series: series.clone(), target: target.clone(), actual })
                };
                let most = (mean * 8.0 + 60.0) as u32;
                for score in [4.0, 5.3, 6.3] {
                    let is_enough = |n: &u32| found(*n).is_some_and(|own| own.score >= score);
                    let high = (mean as u32..most).find(is_enough);
                    let low = (0..mean as u32).rev().find(is_enough);
                    let tails = [
                        high.map(|n| truth.tail(f64::from(n))),
                        low.map(|n| truth.cdf(f64::from(n))),
                    ];
                    for tail in tails.into_iter().flatten() {
                        worst = worst.max(tail.log10() + score);
                    }
                }
            }
        }
        // A band of whole tickets does not say its width exactly: at one ticket, a factor of three.
        assert!(worst < 0.55, "{worst}");
        assert!(worst > -0.5, "the check reaches what it checks");
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
