//! From which chance on surges are called: from the lowest at which false calls keep to their budget.
//!
//! How often a call at some chance is false depends on an operator's faults: with faults that are felt at once and mostly strong
//! it is twice what it is with faults that come in two waves. So every forecast is judged as if calls had been made at each of
//! some candidates, and the lowest counts that would have kept to [`BUDGET`] over the last [`DAYS`]. What was seen
//! elsewhere ([`USUAL`]) counts for [`WEIGHT`] weeks and regions beside it.

use std::cell::LazyCell;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{APART, is_out};
use crate::domain::{Name, SeriesKey, Timestamp};

/// False calls a week and region that are aimed at: one, less what luck may add in a month.
const BUDGET: f64 = 0.95;
/// Chances from which on surges may be called.
const CANDIDATES: [f64; 11] = [0.05, 0.07, 0.1, 0.12, 0.15, 0.18, 0.22, 0.27, 0.33, 0.4, 0.5];
/// False calls a week and region at each, of four regions of three services: the mean of four families of simulated
/// operators (`cargo bench --bench outages`).
const USUAL: [f64; CANDIDATES.len()] =
    [2.0, 1.65, 1.35, 1.2, 1.0, 0.87, 0.7, 0.57, 0.45, 0.35, 0.25];
/// Weeks × regions that the usual weighs.
const WEIGHT: f64 = 2.0;
/// Days that are looked back on.
const DAYS: i64 = 56;
const DAY_MS: i64 = 86_400_000;

/// What calls at each candidate would have come to. Fed with forecasts in the order in which they were issued.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Threshold {
    /// By day of the calls, days since the epoch: false ones at each candidate.
    days: BTreeMap<i64, [u32; CANDIDATES.len()]>,
    /// By region: the last day on which alarms or work touched a forecast of it.
    regions: BTreeMap<Name, i64>,
    /// By series: calls at each candidate to which another may still belong.
    open: BTreeMap<SeriesKey, [Option<Open>; CANDIDATES.len()]>,
}

/// Calls of one series that count as one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Open {
    /// Day of the first, and when the last was made.
    day: i64,
    upto: Timestamp,
    good: bool,
}

impl Threshold {
    /// Chance from which on a surge is called.
    pub fn least(&self) -> f64 {
        let weeks = self.days.len() as f64 / 7.0 * self.regions.len() as f64;
        let kept = |(number, usual): (usize, &f64)| {
            let came: u32 = self.days.values().map(|day| day[number]).sum();
            (f64::from(came) + WEIGHT * usual) / (weeks + WEIGHT) <= BUDGET
        };
        let last = CANDIDATES.len() - 1;
        CANDIDATES[USUAL.iter().enumerate().position(kept).unwrap_or(last)]
    }

    /// Takes a forecast whose whole horizon is known, if it is one that calls are counted of: of a service in a region.
    /// `any`: the chance of a surge that it gave; `came`: whether there was one.
    pub fn judge(
        &mut self,
        series: &SeriesKey,
        issued_at: Timestamp,
        any: f64,
        came: impl FnOnce() -> bool,
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
        let came = LazyCell::new(came);
        for (number, open) in open.iter_mut().enumerate() {
            if !is_out(any, CANDIDATES[number], open.is_some()) {
                continue;
            }
            let came = *came;
            let mut count = |day: i64, change: i32| {
                if let Some(day) = self.days.get_mut(&day) {
                    day[number] = day[number].saturating_add_signed(change);
                }
            };
            match open {
                None => {
                    count(day, i32::from(!came));
                    *open = Some(Open { day, upto: issued_at, good: came });
                }
                Some(open) => {
                    if came && !open.good {
                        count(open.day, -1);
                    }
                    open.upto = issued_at;
                    open.good |= came;
                }
            }
        }
        if open.iter().any(Option::is_some) {
            self.open.insert(series.clone(), open);
        }
    }

    /// Lets go of what no longer counts, at the start of a day.
    fn forget(&mut self, day: i64, now: Timestamp) {
        if self.days.contains_key(&day) {
            return;
        }
        let first = day - DAYS;
        self.days = self.days.split_off(&(first + 1));
        self.regions.retain(|_, last| *last > first);
        let goes_on = |open: &Option<Open>| open.is_some_and(|open| open.upto + APART >= now);
        self.open.retain(|_, open| open.iter().any(goes_on));
    }
}

#[cfg(test)]
mod tests {
    use super::super::CHANCE;
    use super::*;

    const HOUR: i64 = 3600;

    fn series(region: &str) -> SeriesKey {
        SeriesKey::parse(&format!("{region}/tv/_all")).expect("a series")
    }

    /// Eight weeks of four regions: each has this chance for three hours of every `every`th day, and nothing comes of it.
    fn after(chance: f64, every: i64) -> Threshold {
        let mut threshold = Threshold::default();
        for hour in 0..56 * 24 {
            for region in ["east", "north", "south", "west"] {
                let is_out = hour / 24 % every == 0 && hour % 24 < 3;
                let any = if is_out { chance } else { 0.001 };
                threshold.judge(&series(region), Timestamp::from_secs(hour * HOUR), any, || false);
            }
        }
        threshold
    }

    #[test]
    fn begins_with_what_is_usual_and_follows_false_calls() {
        assert_eq!(Threshold::default().least(), CHANCE);
        assert_eq!(after(0.001, 1).least(), CANDIDATES[0], "quiet alarms: any chance is called");
        let cautious = after(0.3, 3).least();
        assert!(cautious > 0.3, "{cautious}: two false calls a week are too many");
        let relaxed = after(0.3, 14).least();
        assert!(relaxed < 0.1, "{relaxed}: one in two weeks leaves room");
    }

    #[test]
    fn calls_within_hours_are_one_and_false_only_if_all_are() {
        let mut threshold = Threshold::default();
        let mut judge = |hour: i64, any: f64, came: bool| {
            threshold.judge(&series("north"), Timestamp::from_secs(hour * HOUR), any, || came);
            threshold.days.values().map(|day| day[6]).sum::<u32>()
        };
        assert_eq!(judge(0, 0.3, false), 1);
        assert_eq!(judge(5, 0.06, false), 1, "it stays out at a quarter of the chance");
        assert_eq!(judge(9, 0.3, true), 0, "one of them was good");
        assert_eq!(judge(10, 0.3, false), 0);
        assert_eq!(judge(17, 0.06, false), 0, "too little to call anew");
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
    fn is_the_same_after_being_stored() {
        let threshold = after(0.3, 3);
        let bytes = postcard::to_stdvec(&threshold).expect("packs");
        assert_eq!(postcard::from_bytes::<Threshold>(&bytes).expect("unpacks"), threshold);
    }
}
