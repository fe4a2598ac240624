//! Anomalies: windows far outside their forecast band, and unusual complaints or phrases of customers.
//!
//! The rules are in `rules`, one file for each. [`Complaints`] holds the history that they compare with.

mod budget;
mod complaints;
mod rules;
mod scope_history;
mod types;
mod usual;

pub use budget::AnomalyRules;
pub use complaints::{Complaints, EarlySign};
pub use types::{AlarmGroup, AlarmSummary, Anomaly, AnomalyKind, Detail};

use std::cmp::Reverse;

pub use self::rules::WindowCase;
use self::rules::surprise;
use crate::domain::WindowWidth;

/// Compares the finalized counts of one window, of all series and roll-ups, with their forecasts. A roll-up whose parts explain
/// at least half of its difference is left out.
pub fn judge(
    cases: impl Iterator<Item = WindowCase>,
    width: WindowWidth,
    rules: &AnomalyRules,
) -> Vec<Anomaly> {
    let mut tests = 0;
    let candidates = cases.inspect(|_| tests += 1).filter_map(|case| surprise::of(&case));
    let mut found: Vec<Anomaly> = candidates.collect();
    let smallest = rules.smallest(width, found.iter().map(|found| found.score), tests);
    found.retain(|found| found.score >= smallest);
    found.sort_by(|a, b| {
        let of = |own: &Anomaly| Reverse(own.series.names_given());
        (of(a), &a.series).cmp(&(of(b), &b.series))
    });
    let mut kept: Vec<Anomaly> = Vec::new();
    for anomaly in found {
        if !is_explained(&anomaly, &kept) {
            kept.push(anomaly);
        }
    }
    kept
}

/// Whether the parts of a roll-up that are flagged themselves make up at least half of its difference.
fn is_explained(roll_up: &Anomaly, parts: &[Anomaly]) -> bool {
    if !roll_up.series.is_roll_up() {
        return false;
    }
    let off = |of: &Anomaly| of.actual - of.expected;
    let parts = || parts.iter().filter(|part| roll_up.series.covers(&part.series));
    let leaves: f64 = parts().filter(|part| !part.series.is_roll_up()).map(off).sum();
    let largest = parts().map(off).fold(leaves, |a, b| if b.abs() > a.abs() { b } else { a });
    // Of the same direction, and large enough.
    largest / off(roll_up) >= 0.5
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{SeriesKey, Timestamp};
    use crate::forecast::{ForecastPoint, quantiles};

    pub(super) fn case(series: &str, mean: f64, actual: f64) -> WindowCase {
        let target = ForecastPoint {
            start: Timestamp::from_secs(0),
            mean,
            quantiles: quantiles(mean, 0.02),
            baseline: mean,
            level: 1.0,
            alarm_effect: 0.0,
        };
        WindowCase { series: SeriesKey::parse(series).expect("a series"), target, actual }
    }

    fn flagged(cases: &[WindowCase]) -> Vec<String> {
        let found = judge(cases.iter().cloned(), WindowWidth::QUARTER, &AnomalyRules::default());
        found.iter().map(|found| found.series.to_string()).collect()
    }

    #[test]
    fn a_roll_up_does_not_repeat_its_parts() {
        let phone = case("north/tv/phone", 20.0, 80.0);
        let (chat, far) = (case("north/tv/chat", 20.0, 80.0), case("north/tv/chat", 20.0, 21.0));
        let channels = case("north/tv/_all", 40.0, 160.0);
        let all = case("_all/_all/_all", 200.0, 330.0);
        let lost = case("_all/_all/_all", 200.0, 20.0);
        assert_eq!(
            flagged(&[all.clone(), channels.clone(), chat.clone(), phone.clone()]),
            ["north/tv/chat", "north/tv/phone"]
        );
        // One of them explains less than half.
        let of_one = case("north/tv/_all", 40.0, 200.0);
        assert_eq!(
            flagged(&[of_one, far.clone(), phone.clone()]),
            ["north/tv/phone", "north/tv/_all"]
        );
        // Nothing of the parts stands out, or they go the other way.
        assert_eq!(flagged(&[channels, far]), ["north/tv/_all"]);
        assert_eq!(flagged(&[lost, phone]), ["north/tv/phone", "_all/_all/_all"]);
    }

    #[test]
    fn more_series_need_a_larger_score() {
        let calm = |n: usize| (0..n).map(|n| case(&format!("r{n}/tv/phone"), 20.0, 20.0));
        let odd = case("north/tv/phone", 20.0, 46.0);
        let count = |n| {
            let cases: Vec<WindowCase> = calm(n).chain([odd.clone()]).collect();
            flagged(&cases).len()
        };
        assert_eq!((count(30), count(50_000)), (1, 0));
    }
}
