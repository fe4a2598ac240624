//! The warning threshold: the lowest surge probability at which false alarms stay within their budget.
//!
//! The false-alarm rate at a threshold depends on an operator's faults: at 0.05 it is between 2.2 and 2.9 per week and region
//! for the four families of simulated operators (`models/forecaster.md`). So every forecast is judged at several candidate
//! thresholds. The lowest one that would have kept within [`BUDGET`] over the last [`DAYS`] is used. The prior rate
//! ([`PRIOR_RATE`]) weighs as much as [`WEIGHT`] weeks × regions.

use std::cell::LazyCell;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{APART, warns};
use crate::domain::{Name, SeriesKey, Timestamp};

/// Budget of false alarms per week and region: one, minus a margin for random variation within a month.
const BUDGET: f64 = 0.95;
/// Candidate thresholds.
const CANDIDATES: [f64; 11] = [0.05, 0.07, 0.1, 0.12, 0.15, 0.18, 0.22, 0.27, 0.33, 0.4, 0.5];
/// False alarms per week and region at each candidate, for four regions with three services: the mean of four families of
/// simulated operators (`cargo bench --bench outages`).
const PRIOR_RATE: [f64; CANDIDATES.len()] =
    [2.0, 1.65, 1.35, 1.2, 1.0, 0.87, 0.7, 0.57, 0.45, 0.35, 0.25];
/// Weight of the prior rate, weeks × regions.
const WEIGHT: f64 = 2.0;
/// Days over which false alarms are counted.
const DAYS: i64 = 56;
const DAY_MS: i64 = 86_400_000;

/// Counts false alarms at each candidate threshold. Takes forecasts in the order of issue.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Threshold {
    /// By day of the warnings, days since the epoch: false alarms at each candidate.
    days: BTreeMap<i64, [u32; CANDIDATES.len()]>,
    /// By region: the last day on which alarms or work affected a forecast of the region.
    regions: BTreeMap<Name, i64>,
    /// By series: recent warnings at each candidate, which later warnings may still join.
    open: BTreeMap<SeriesKey, [Option<Open>; CANDIDATES.len()]>,
}

/// Consecutive warnings of one series that count as one warning.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Open {
    /// Day of the first warning, and issue time of the last one.
    day: i64,
    upto: Timestamp,
    good: bool,
}

impl Threshold {
    /// The threshold: the minimum surge probability of a warning.
    pub fn least(&self) -> f64 {
        let weeks = self.days.len() as f64 / 7.0 * self.regions.len() as f64;
        let kept = |(number, prior): (usize, &f64)| {
            let false_alarms: u32 = self.days.values().map(|day| day[number]).sum();
            (f64::from(false_alarms) + WEIGHT * prior) / (weeks + WEIGHT) <= BUDGET
        };
        let last = CANDIDATES.len() - 1;
        CANDIDATES[PRIOR_RATE.iter().enumerate().position(kept).unwrap_or(last)]
    }

    /// Judges a forecast whose whole horizon is finalized. Series other than a region's service are ignored. `any` is its
    /// surge probability; `surged` tells whether a surge followed.
    pub fn judge(
        &mut self,
        series: &SeriesKey,
        issued_at: Timestamp,
        any: f64,
        surged: impl FnOnce() -> bool,
    ) {
        if !series.is_scope() {
            return;
        }
        let day = issued_at.millis().div_euclid(DAY_MS);
        self.forget(day, issued_at);
        self.days.entry(day).or_default();
        self.regions.insert(series.region.clone(), day);
        let mut open = self.open.remove(series).unwrap_or_default();
        for open in &mut open {
            open.take_if(|open| open.upto + APART < issued_at);
        }
        let surged = LazyCell::new(surged);
        for (number, open) in open.iter_mut().enumerate() {
            if !warns(any, CANDIDATES[number], open.is_some()) {
                continue;
            }
            let surged = *surged;
            let mut count = |day: i64, change: i32| {
                if let Some(day) = self.days.get_mut(&day) {
                    day[number] = day[number].saturating_add_signed(change);
                }
            };
            match open {
                None => {
                    count(day, i32::from(!surged));
                    *open = Some(Open { day, upto: issued_at, good: surged });
                }
                Some(open) => {
                    if surged && !open.good {
                        count(open.day, -1);
                    }
                    open.upto = issued_at;
                    open.good |= surged;
                }
            }
        }
        if open.iter().any(Option::is_some) {
            self.open.insert(series.clone(), open);
        }
    }

    /// Drops days outside the period, at the start of a day.
    fn forget(&mut self, day: i64, now: Timestamp) {
        if self.days.contains_key(&day) {
            return;
        }
        let first = day - DAYS;
        self.days = self.days.split_off(&(first + 1));
        self.regions.retain(|_, last| *last > first);
        let is_recent = |open: &Option<Open>| open.is_some_and(|open| open.upto + APART >= now);
        self.open.retain(|_, open| open.iter().any(is_recent));
    }
}

#[cfg(test)]
mod tests {
    use super::super::PROBABILITY;
    use super::*;

    const HOUR: i64 = 3600;

    fn series(region: &str) -> SeriesKey {
        SeriesKey::parse(&format!("{region}/tv/_all")).expect("a series")
    }

    /// Eight weeks of four regions without surges. Forecasts have this probability for three hours of every `every`th day.
    fn after(probability: f64, every: i64) -> Threshold {
        let mut threshold = Threshold::default();
        for hour in 0..56 * 24 {
            for region in ["east", "north", "south", "west"] {
                let is_high = hour / 24 % every == 0 && hour % 24 < 3;
                let any = if is_high { probability } else { 0.001 };
                threshold.judge(&series(region), Timestamp::from_secs(hour * HOUR), any, || false);
            }
        }
        threshold
    }

    #[test]
    fn begins_with_the_prior_and_follows_false_alarms() {
        assert_eq!(Threshold::default().least(), PROBABILITY);
        assert_eq!(after(0.001, 1).least(), CANDIDATES[0], "no false alarms: the lowest threshold");
        let cautious = after(0.3, 3).least();
        assert!(cautious > 0.3, "{cautious}: two false alarms a week are too many");
        let relaxed = after(0.3, 14).least();
        assert!(relaxed < 0.1, "{relaxed}: one in two weeks leaves room");
    }

    #[test]
    fn warnings_within_hours_count_as_one_and_are_false_only_if_all_are() {
        let mut threshold = Threshold::default();
        let mut judge = |hour: i64, any: f64, surged: bool| {
            threshold.judge(&series("north"), Timestamp::from_secs(hour * HOUR), any, || surged);
            threshold.days.values().map(|day| day[6]).sum::<u32>()
        };
        assert_eq!(judge(0, 0.3, false), 1);
        assert_eq!(judge(5, 0.06, false), 1, "it stays active at a quarter of the threshold");
        assert_eq!(judge(9, 0.3, true), 0, "one of them was good");
        assert_eq!(judge(10, 0.3, false), 0);
        assert_eq!(judge(17, 0.06, false), 0, "too low for a new warning");
        assert_eq!(judge(18, 0.22, false), 1);
        assert_eq!(judge(24 * 60, 0.0, false), 0, "forgotten after eight weeks");
    }

    #[test]
    fn only_services_of_regions_count() {
        let mut threshold = Threshold::default();
        for other in ["_all/tv/_all", "north/tv/phone", "north/_all/_all"] {
            let key = SeriesKey::parse(other).expect("a series");
            threshold.judge(&key, Timestamp::from_secs(0), 0.9, || false);
        }
        assert_eq!(threshold, Threshold::default());
    }

    #[test]
    fn storing_keeps_the_threshold() {
        let threshold = after(0.3, 3);
        let bytes = postcard::to_stdvec(&threshold).expect("packs");
        assert_eq!(postcard::from_bytes::<Threshold>(&bytes).expect("unpacks"), threshold);
    }
}
