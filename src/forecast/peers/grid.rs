//! Civil time without closed hours, for seasonal models of call centres that close at night.
//!
//! Open slots of the civil week are numbered consecutively from a Monday in 1970 (their *rank*). In ranks every week has the
//! same length, also at clock changes, and closed hours are not gaps.

use chrono::{NaiveDate, NaiveDateTime, TimeDelta};

use crate::domain::{Timestamp, WindowWidth, Zone};
use crate::forecast::{History, OpenHours};

/// Weeks used to find open slots.
const LOOK_WEEKS: i64 = 8;
/// Minimum share of occurrences of an open slot that have a count.
const KNOWN_SHARE: f64 = 0.25;
/// Largest share of missing ranks.
const GAPS_MAX: f64 = 0.3;

/// The open slots of one series' civil week.
#[derive(Clone, Debug, PartialEq)]
pub struct Grid {
    zone: Zone,
    width: WindowWidth,
    /// Open slots of the week, ascending.
    slots: Vec<usize>,
    /// By slot of the week: number of open slots before it.
    before: Vec<usize>,
}

impl Grid {
    /// Finds the open slots from the weeks before `origin`; `None` if no slot is open.
    pub fn of(history: &History, zone: Zone, origin: i64) -> Option<Self> {
        let width = history.width;
        let per_week = width.per_week();
        let from = (origin - LOOK_WEEKS * per_week as i64).max(history.first);
        let hours = OpenHours::of(history, zone, from, origin);
        let (mut seen, mut known) = (vec![0u32; per_week], vec![0u32; per_week]);
        for index in from..origin {
            let start = width.start(index);
            let slot = zone.minute_of_week(start) as usize * 60 / width.secs() as usize;
            seen[slot] += u32::from(hours.is_open(start));
            known[slot] += u32::from(hours.is_open(start) && !history.get(index).is_nan());
        }
        let is_open = |slot: usize| {
            known[slot] > 0 && f64::from(known[slot]) >= KNOWN_SHARE * f64::from(seen[slot])
        };
        let slots: Vec<usize> = (0..per_week).filter(|slot| is_open(*slot)).collect();
        let before = (0..per_week).map(|slot| slots.partition_point(|open| *open < slot));
        let before = before.collect();
        (!slots.is_empty()).then_some(Self { zone, width, slots, before })
    }

    /// Number of open slots per week.
    pub fn per_week(&self) -> usize {
        self.slots.len()
    }

    /// Number of open slots per day; `None` if open days differ.
    pub fn per_day(&self) -> Option<usize> {
        let slots_a_day = self.before.len() / 7;
        let mut days = [0; 7];
        for slot in &self.slots {
            days[slot / slots_a_day] += 1;
        }
        let most = days.into_iter().max()?;
        days.iter().all(|day| *day == 0 || *day == most).then_some(most)
    }

    /// The rank of the window that starts at `at`, or of the next open window if that one is closed.
    pub fn rank(&self, at: Timestamp) -> i64 {
        let (week, slot) = self.slot(at);
        week * self.per_week() as i64 + self.before[slot] as i64
    }

    /// Whether the window that starts at `at` is open.
    pub fn is_open(&self, at: Timestamp) -> bool {
        self.slots.binary_search(&self.slot(at).1).is_ok()
    }

    /// Start of the window with this rank.
    pub fn start(&self, rank: i64) -> Timestamp {
        let per_week = self.per_week() as i64;
        let slot = self.slots[rank.rem_euclid(per_week) as usize] as i64;
        let slots = rank.div_euclid(per_week) * self.before.len() as i64 + slot;
        let civil = monday() + TimeDelta::seconds(slots * i64::from(self.width.secs()));
        self.zone.instant(civil)
    }

    /// Slot of the day of a rank.
    pub fn slot_of_day(&self, rank: i64) -> usize {
        let slot = self.slots[rank.rem_euclid(self.per_week() as i64) as usize];
        slot % (self.before.len() / 7)
    }

    /// Up to `most` counts before `origin`, by rank, with linearly interpolated gaps, and the rank of the first count. `None`
    /// with less than two weeks or too many gaps.
    pub fn lay(&self, history: &History, origin: i64, most: usize) -> Option<(i64, Vec<f64>)> {
        let end = self.rank(self.width.start(origin));
        let first = self.rank(self.width.start(history.first)).max(end - most as i64);
        let count = |rank: i64| {
            let index = self.width.index(self.start(rank));
            if index < origin { f64::from(history.get(index)) } else { f64::NAN }
        };
        let counts: Vec<f64> = (first..end).map(count).collect();
        if counts.len() < 2 * self.per_week() {
            return None;
        }
        Some((first, bridged(counts)?))
    }

    /// Number of the civil week, and the slot within it.
    fn slot(&self, at: Timestamp) -> (i64, usize) {
        let civil = self.zone.local(at) - monday();
        let slots = civil.num_seconds().div_euclid(i64::from(self.width.secs()));
        let per_week = self.before.len() as i64;
        (slots.div_euclid(per_week), slots.rem_euclid(per_week) as usize)
    }
}

/// Monday 5 January 1970, the first Monday after the epoch.
fn monday() -> NaiveDateTime {
    NaiveDate::from_ymd_opt(1970, 1, 5).unwrap_or_default().and_time(chrono::NaiveTime::MIN)
}

/// Interpolates gaps linearly; `None` with too many gaps.
fn bridged(mut counts: Vec<f64>) -> Option<Vec<f64>> {
    let gaps = counts.iter().filter(|count| count.is_nan()).count();
    if gaps as f64 > GAPS_MAX * counts.len() as f64 {
        return None;
    }
    super::super::mstl::bridge(&mut counts)?;
    Some(counts)
}
