//! Anomalies: windows far outside their forecast band, and unusual complaints or phrases of customers.
//!
//! The rules are in `rules`, one file for each. [`Complaints`] holds the history that they compare with.

mod budget;
mod complaints;
mod episodes;
mod rules;
mod scope_history;
mod types;
mod usual;

pub use budget::AnomalyRules;
pub use complaints::{Complaints, EarlySign};
pub use episodes::{APART, Episode, Ongoing, episodes};
pub use types::{AlarmGroup, AlarmSummary, Anomaly, AnomalyKind, Detail};

use std::cmp::Reverse;

pub use self::rules::WindowCase;
use self::rules::surprise;
use crate::domain::{SeriesKey, WindowWidth};

/// Compares the finalized counts of one window, of all series and roll-ups, with their forecasts. A roll-up whose parts explain
/// at least half of its difference is left out. Parts are those that are flagged, and those whose episode is `ongoing`.
pub fn judge(
    cases: impl Iterator<Item = WindowCase>,
    width: WindowWidth,
    rules: &AnomalyRules,
    ongoing: &Ongoing,
) -> Vec<Anomaly> {
    let mut tests = 0;
    let mut parts: Vec<Part> = Vec::new();
    let looked_at = cases.inspect(|case| {
        tests += 1;
        let off_by = case.actual - case.target.mean;
        if ongoing.covers(&case.series, off_by > 0.0) {
            parts.push(Part { series: case.series.clone(), off_by });
        }
    });
    let mut found: Vec<Anomaly> = looked_at.filter_map(|case| surprise::of(&case)).collect();
    let smallest = rules.smallest(width, found.iter().map(|found| found.score), tests);
    found.retain(|found| found.score >= smallest);
    found.sort_by(|a, b| {
        let of = |own: &Anomaly| Reverse(own.series.names_given());
        (of(a), &a.series).cmp(&(of(b), &b.series))
    });
    let mut kept: Vec<Anomaly> = Vec::new();
    for anomaly in found {
        let off_by = anomaly.actual - anomaly.expected;
        let part = Part { series: anomaly.series.clone(), off_by };
        if !part.is_explained(&parts) {
            if parts.iter().all(|known| known.series != part.series) {
                parts.push(part);
            }
            kept.push(anomaly);
        }
    }
    kept
}

/// A series that may explain what its roll-ups show.
struct Part {
    series: SeriesKey,
    /// Tickets above the forecast.
    off_by: f64,
}

impl Part {
    /// Whether the parts of a roll-up make up at least half of its difference.
    fn is_explained(&self, parts: &[Self]) -> bool {
        if !self.series.is_roll_up() {
            return false;
        }
        let is_part = |part: &&Self| part.series != self.series && self.series.covers(&part.series);
        let parts = || parts.iter().filter(is_part);
        let leaves: f64 =
            parts().filter(|part| !part.series.is_roll_up()).map(|part| part.off_by).sum();
        let largest = parts()
            .map(|part| part.off_by)
            .fold(leaves, |a, b| if b.abs() > a.abs() { b } else { a });
        // Of the same direction, and large enough.
        largest / self.off_by >= 0.5
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use rand_chacha::ChaCha8Rng;
    use rand_distr::{Distribution as _, Gamma, Poisson};

    use super::*;
    use crate::domain::Timestamp;
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
        flagged_after(cases, &Ongoing::default())
    }

    fn flagged_after(cases: &[WindowCase], ongoing: &Ongoing) -> Vec<String> {
        let rules = AnomalyRules::default();
        let found = judge(cases.iter().cloned(), WindowWidth::QUARTER, &rules, ongoing);
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
    fn a_roll_up_does_not_repeat_a_part_that_was_flagged_before() {
        let phone = case("north/tv/phone", 20.0, 80.0);
        let rules = AnomalyRules::default();
        let first = judge([phone].into_iter(), WindowWidth::QUARTER, &rules, &Ongoing::default());
        let mut ongoing = Ongoing::restore(&first, Timestamp::from_secs(0));
        // The forecast of the part has become wide: it is not flagged itself, and its roll-up still is.
        let part = |actual| {
            let mut part = case("north/tv/phone", 20.0, actual);
            part.target.quantiles = quantiles(20.0, 0.3);
            part
        };
        let all = case("north/tv/_all", 40.0, 90.0);
        let of_phone = [part(47.0), all.clone()];
        assert_eq!(flagged_after(&of_phone, &Ongoing::default()), ["north/tv/_all"]);
        assert!(flagged_after(&of_phone, &ongoing).is_empty());
        // A part of it only, or the other direction.
        assert_eq!(flagged_after(&[part(30.0), all.clone()], &ongoing), ["north/tv/_all"]);
        assert_eq!(flagged_after(&[part(15.0), all], &ongoing), ["north/tv/_all"]);
        // An hour later the episode is over.
        ongoing.take(Timestamp::from_secs(4 * 900 + 1), &[]);
        assert_eq!(flagged_after(&of_phone, &ongoing), ["north/tv/_all"]);
    }

    /// Days of the test below. `SURGECAST_CALM_DAYS` makes it longer.
    fn calm_days() -> usize {
        // This sets the length of a test. It is not configuration of the program.
        #[allow(clippy::disallowed_methods)]
        let text = std::env::var("SURGECAST_CALM_DAYS");
        text.map_or(1, |text| text.parse().expect("SURGECAST_CALM_DAYS is a number"))
    }

    /// 10,000 series whose counts vary as forecast. Of the five false flags a day, this rule has a third.
    #[test]
    fn ten_thousand_calm_series_stay_within_the_budget() {
        let (width, rules) = (WindowWidth::QUARTER, AnomalyRules::default());
        let mut rng = ChaCha8Rng::seed_from_u64(21);
        let kinds = [(0.4, 0.3), (2.0, 0.1), (6.0, 0.05), (15.0, 0.3), (40.0, 0.02), (120.0, 0.1)];
        let mut cases: Vec<WindowCase> = Vec::new();
        let mut rates = Vec::new();
        for n in 0..10_000 {
            let (mean, dispersion): (f64, f64) = kinds[n % kinds.len()];
            let mut case = case(&format!("r{}/s{}/phone", n % 100, n / 100), mean, 0.0);
            case.target.quantiles = quantiles(mean, dispersion);
            cases.push(case);
            rates.push(Gamma::new(1.0 / dispersion, mean * dispersion).expect("a distribution"));
        }
        let days = calm_days();
        let mut flags = 0;
        for _ in 0..days * width.per(crate::domain::DAY) {
            for (case, rates) in cases.iter_mut().zip(&rates) {
                let rate: f64 = rates.sample(&mut rng);
                case.actual = Poisson::new(rate.max(1e-9)).expect("a rate").sample(&mut rng);
            }
            flags += judge(cases.iter().cloned(), width, &rules, &Ongoing::default()).len();
        }
        let a_day = flags as f64 / days as f64;
        eprintln!("{a_day} false flags a day on 10,000 calm series, {days} days");
        assert!(a_day <= 5.0, "{a_day}");
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
