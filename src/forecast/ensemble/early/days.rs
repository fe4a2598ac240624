//! Counts by civil day and time of day.

use super::prior::Prior;
use crate::forecast::History;
use crate::forecast::ensemble::frame::{Frame, Kind};
use crate::stats::outlier_limits;

/// Maximum number of days that are used.
const DAYS: i32 = 28;
/// Minimum number of days of a kind whose outliers are limited.
const DAYS_MIN: usize = 4;
/// Limits of the roughness relative to the usual one.
const UNREST: (f64, f64) = (0.2, 60.0);
const UNREST_POWER: f64 = 0.94;
/// Largest count, relative to the mean, that is not an outlier.
const SUSPECT: f64 = 1.5;
/// Sunday.
const SUNDAY: usize = 6;

/// A civil day; NaN is unknown.
pub(super) struct Day {
    /// Weekday from 0 for Monday. A holiday counts as a Sunday.
    pub weekday: usize,
    /// By time of day: counts, and counts without outliers.
    pub counts: Vec<f64>,
    pub clean: Vec<f64>,
}

impl Day {
    pub(super) fn is_weekend(&self) -> bool {
        is_weekend(self.weekday)
    }
}

/// Whether a weekday (0 for Monday) belongs to the weekend.
pub(super) fn is_weekend(weekday: usize) -> bool {
    weekday >= 5
}

/// The days from the first count to the end of the frame, at most [`DAYS`] before the origin.
pub(super) struct Days {
    first_date: i32,
    pub rows: Vec<Day>,
    /// Number of times of day.
    pub slots: usize,
    /// Position of the first known count.
    pub from: usize,
    /// Mean known count.
    pub mean: f64,
}

impl Days {
    /// Reads the counts before position `known`; `None` without a count.
    pub(super) fn new(frame: &Frame, history: &History, known: usize) -> Option<Self> {
        let last = *frame.date.last()?;
        // A donor's frame may end at the origin.
        let today = frame.date.get(known).copied().unwrap_or(last);
        let count = |t: usize| f64::from(history.get(frame.first + t as i64));
        let oldest = frame.date.partition_point(|date| *date < today - DAYS);
        let from = (oldest..known).find(|t| !count(*t).is_nan())?;
        let first_date = frame.date[from];
        let empty = vec![f64::NAN; frame.day];
        let day = |_| Day { weekday: 0, counts: empty.clone(), clean: Vec::new() };
        let mut rows: Vec<Day> = (first_date..=last).map(day).collect();
        let (mut sum, mut n) = (0.0, 0.0);
        for t in from..frame.len() {
            let row = &mut rows[(frame.date[t] - first_date) as usize];
            let weekday = usize::from(frame.slot[t]) / frame.day;
            row.weekday = if frame.kind[t] == Kind::Holiday { SUNDAY } else { weekday };
            let y = if t < known { count(t) } else { f64::NAN };
            if !y.is_nan() {
                row.counts[usize::from(frame.time_of_day[t])] = y.max(0.0);
                (sum, n) = (sum + y.max(0.0), n + 1.0);
            }
        }
        let mut days = Self { first_date, rows, slots: frame.day, from, mean: sum / n };
        days.clean();
        Some(days)
    }

    /// Row and time of day of a position.
    pub(super) fn at(&self, frame: &Frame, t: usize) -> (usize, usize) {
        ((frame.date[t] - self.first_date) as usize, usize::from(frame.time_of_day[t]))
    }

    /// By day: the factor on the dispersion, as long as few days of that kind are known.
    pub(super) fn novelties(&self) -> Vec<f64> {
        let width = &Prior::shipped().width;
        let mut seen = [0.0; 7];
        let of_day = self.rows.iter().enumerate().map(|(age, row)| {
            let of_kind = (0..7).filter(|other| is_weekend(*other) == row.is_weekend());
            let other_kind = of_kind.map(|other| seen[other]).sum::<f64>() == 0.0;
            let young = width.young / (age as f64).max(1.0);
            let more = match (other_kind, seen[row.weekday] == 0.0) {
                (true, _) => width.other_kind,
                (false, true) => width.other_weekday,
                (false, false) => 0.0,
            };
            if row.counts.iter().any(|y| !y.is_nan()) {
                seen[row.weekday] += 1.0;
            }
            1.0 + young + more
        });
        of_day.collect()
    }

    /// Factor on the prior dispersion, from the roughness.
    pub(super) fn unrest(&self) -> f64 {
        let usual = Prior::shipped().width.roughness;
        self.roughness()
            .map_or(1.0, |rough| (rough / usual).clamp(UNREST.0, UNREST.1).powf(UNREST_POWER))
    }

    /// Dispersion of counts from window to window, beyond chance.
    pub(super) fn roughness(&self) -> Option<f64> {
        let (mut sum, mut weight) = (0.0, 0.0);
        let windows = self.rows.iter().flat_map(|row| row.counts.windows(3));
        for near in windows.filter(|near| near.iter().all(|y| !y.is_nan())) {
            let mean = (near[0] + near[1] + near[2]) / 3.0;
            let bend = near[1] - f64::midpoint(near[0], near[2]);
            // The variance of the bend of independent counts is one and a half times theirs.
            let term = (bend * bend / 1.5 - mean) / (mean * mean).max(1.0);
            let share = mean / (mean + 10.0);
            (sum, weight) = (sum + share * term.clamp(-1.0, 1.0), weight + share);
        }
        (weight > 0.0).then(|| sum / weight)
    }

    /// Limits outliers among days of one kind.
    fn clean(&mut self) {
        for row in &mut self.rows {
            row.clean = row.counts.clone();
        }
        for slot in 0..self.slots {
            for weekend in [false, true] {
                let of_kind = |row: &&Day| row.is_weekend() == weekend;
                let known = self.rows.iter().filter(of_kind).map(|row| row.counts[slot]);
                let mut known: Vec<f64> = known.filter(|y| !y.is_nan()).collect();
                let (sum, most) = known.iter().fold((0.0, 0.0f64), |s, y| (s.0 + y, s.1.max(*y)));
                // Without a count far above the mean, there is no outlier to look for.
                if known.len() < DAYS_MIN || most * known.len() as f64 <= SUSPECT * sum {
                    continue;
                }
                let Some((low, high)) = outlier_limits(&mut known) else { continue };
                let reach = high - low;
                for row in self.rows.iter_mut().filter(|row| row.is_weekend() == weekend) {
                    let y = &mut row.clean[slot];
                    *y = y.clamp((low - reach).max(0.0), high + reach);
                }
            }
        }
    }
}
