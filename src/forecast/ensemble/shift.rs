//! A lasting change of the level, for example because half of the customers moved away, or because a new menu sends more calls
//! here.
//!
//! The days after the change are compared with the same weekdays of the weeks before it. Counts before the change are scaled
//! to the new level, so that profile, regressions and bands follow within two days instead of weeks.

use std::time::Duration;

use super::frame::Frame;
use crate::domain::Timestamp;
use crate::forecast::Fallback;
use crate::stats::{MAD_TO_SD, median};
use crate::text::Stored;

/// Number of days before a change that are compared with the days after it, and the minimum number of known ones.
const BEFORE: usize = 28;
const BEFORE_MIN: usize = 14;
/// Minimum number of known days since a change.
const SINCE_MIN: usize = 2;
/// A day is known if it has at least this share of the usual number of windows.
const KNOWN_SHARE: f64 = 0.8;
/// Minimum number of tickets of a usual day.
const TICKETS_MIN: f64 = 60.0;
/// Smallest change: the logarithm of the factor, and the change in standard deviations of a day (at least [`SPREAD_MIN`]).
const LOG_MIN: f64 = 0.3;
const SPREADS: f64 = 6.0;
const SPREAD_MIN: f64 = 0.04;
/// Each day must show at least this share of the change, and at least this share of the days since then must do so.
const SHOWN: f64 = 0.55;
const DAYS_SHOWN: f64 = 0.8;

/// How long forecasts mention the change.
const MENTIONED_FOR: Duration = Duration::from_secs(28 * 86_400);

/// A lasting change.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Shift {
    /// First window at the new level.
    pub index: i64,
    pub since: Timestamp,
    /// New level relative to the old one.
    pub factor: f64,
}

/// Tickets of a civil day.
#[derive(Clone, Copy)]
struct Day {
    first: usize,
    weekday: usize,
    tickets: f64,
    windows: f64,
}

impl Shift {
    /// The clearest change in counts by position in the frame, NaN where missing.
    pub(super) fn find(frame: &Frame, y: &[f32]) -> Option<(usize, f64)> {
        let days = days(frame, y);
        let candidates = (0..days.len()).filter_map(|at| {
            let (log, clearness) = change(&days, at)?;
            Some((at, log, clearness))
        });
        let (at, log, _) = candidates.max_by(|a, b| a.2.total_cmp(&b.2))?;
        Some((days[at].first, log.exp()))
    }

    /// The note in forecasts during the weeks after the change.
    pub(super) fn note(&self, now: Timestamp) -> Option<Stored<Fallback>> {
        let percent = (self.factor * 100.0).round() as u32;
        let note = Fallback::Shifted { since: self.since, percent };
        (now < self.since + MENTIONED_FOR).then(|| note.into())
    }

    /// Scales counts before the change to the new level. `first` is the index of the first count.
    pub(super) fn scale(&self, first: i64, counts: &mut [f32]) {
        let before = usize::try_from(self.index - first).unwrap_or(0).min(counts.len());
        counts[..before].iter_mut().for_each(|count| *count *= self.factor as f32);
    }
}

/// Whole days with at least the usual share of known windows.
fn days(frame: &Frame, y: &[f32]) -> Vec<Day> {
    let mut days: Vec<Day> = Vec::new();
    for (t, count) in y.iter().enumerate() {
        if t == 0 || frame.date[t] != frame.date[t - 1] {
            let weekday = usize::from(frame.slot[t]) / frame.day;
            days.push(Day { first: t, weekday, tickets: 0.0, windows: 0.0 });
        }
        if let Some(day) = days.last_mut().filter(|_| !count.is_nan()) {
            day.tickets += f64::from(*count);
            day.windows += 1.0;
        }
    }
    let most = days.iter().map(|day| day.windows).fold(0.0, f64::max);
    days.retain(|day| day.windows >= KNOWN_SHARE * most);
    days
}

/// Logarithm of the change at a day, and how clear the change is; `None` if there is none.
fn change(days: &[Day], at: usize) -> Option<(f64, f64)> {
    let (before, since) = (&days[at.saturating_sub(BEFORE)..at], &days[at..]);
    if before.len() < BEFORE_MIN || since.len() < SINCE_MIN {
        return None;
    }
    let usual = usual(before)?;
    let log = |day: &Day| ((day.tickets + 1.0) / (usual[day.weekday] + 1.0)).ln();
    let mut known: Vec<f64> = before.iter().map(log).collect();
    let middle = median(&mut known)?;
    let mut off: Vec<f64> = known.iter().map(|log| (log - middle).abs()).collect();
    let spread = (MAD_TO_SD * median(&mut off)?).max(SPREAD_MIN);
    let logs: Vec<f64> = since.iter().map(log).collect();
    let change = median(&mut logs.clone())?;
    if change.abs() < LOG_MIN.max(SPREADS * spread) {
        return None;
    }
    let shows = |log: &&f64| **log * change.signum() >= SHOWN * change.abs();
    let first = logs[..SINCE_MIN].iter().filter(shows).count();
    let share = logs.iter().filter(shows).count() as f64 / logs.len() as f64;
    (first == SINCE_MIN && share >= DAYS_SHOWN)
        .then(|| (change, change.abs() / spread * (logs.len() as f64).sqrt()))
}

/// Median tickets by weekday; the median of all days for a weekday without one. `None` with few tickets.
fn usual(days: &[Day]) -> Option<[f64; 7]> {
    let mut all: Vec<f64> = days.iter().map(|day| day.tickets).collect();
    let of_all = median(&mut all).filter(|tickets| *tickets >= TICKETS_MIN)?;
    Some(std::array::from_fn(|weekday| {
        let of_day = days.iter().filter(|day| day.weekday == weekday).map(|day| day.tickets);
        median(&mut of_day.collect::<Vec<f64>>()).unwrap_or(of_all)
    }))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::domain::{WindowWidth, Zone};
    use crate::forecast::Place;

    /// The change found in `days` days of a calm series whose counts are multiplied by a factor for each day.
    fn found(days: usize, factor: impl Fn(usize) -> f64) -> Option<(usize, f64)> {
        let place = Place { zone: Zone::UTC, calendar: Arc::default() };
        let frame = Frame::new(&place, WindowWidth::HOUR, 0, 24 * days);
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let count = |t: usize| {
            let weekend = if frame.slot[t] >= 5 * 24 { 0.4 } else { 1.0 };
            (factor(t / 24) * weekend * (30.0 + 8.0 * rng.random::<f64>())) as f32
        };
        let counts: Vec<f32> = (0..24 * days).map(count).collect();
        Shift::find(&frame, &counts)
    }

    #[test]
    fn a_lasting_change_is_found_after_two_days_and_a_short_one_is_not() {
        type Case = (&'static str, fn(usize) -> f64, Option<(usize, f64)>);
        let cases: [Case; 7] = [
            ("calm", |_| 1.0, None),
            ("half for two days", |day| if day < 38 { 1.0 } else { 0.5 }, Some((38, 0.5))),
            ("half for two weeks", |day| if day < 26 { 1.0 } else { 0.5 }, Some((26, 0.5))),
            ("double for three days", |day| if day < 37 { 1.0 } else { 2.0 }, Some((37, 2.0))),
            ("half for one day", |day| if day < 39 { 1.0 } else { 0.5 }, None),
            (
                "four days, then as before",
                |day| if (30..34).contains(&day) { 0.4 } else { 1.0 },
                None,
            ),
            ("slow growth", |day| 1.0 + 0.01 * day as f64, None),
        ];
        for (name, factor, expected) in cases {
            let of = found(40, factor).map(|(t, factor)| (t / 24, factor));
            match (of, expected) {
                (Some((day, factor)), Some((then, wanted))) => {
                    assert!(day == then && (factor / wanted - 1.0).abs() < 0.1, "{name}: {of:?}");
                }
                (of, expected) => assert_eq!(of, expected, "{name}"),
            }
        }
        assert_eq!(found(12, |day| if day < 10 { 1.0 } else { 0.3 }), None);
    }
}
