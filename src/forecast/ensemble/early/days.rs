//! Counts by civil day and time of day.

use crate::forecast::History;
use crate::forecast::ensemble::frame::{Frame, Kind};
use crate::stats::outlier_limits;

/// Most days that are used.
const DAYS: i32 = 28;
/// Fewest days of a kind whose outliers are limited.
const DAYS_MIN: usize = 4;
/// Sunday.
const SUNDAY: usize = 6;

/// A civil day; NaN is unknown.
pub(super) struct Day {
    /// From Monday, 0. A holiday is a Sunday.
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

/// Whether a weekday, from Monday, is one of the weekend.
pub(super) fn is_weekend(weekday: usize) -> bool {
    weekday >= 5
}

/// The days from the first count on, at most [`DAYS`] before the origin, to the end of the frame.
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
    /// From the counts before position `known`; `None` without a count.
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
                if known.len() < DAYS_MIN {
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
