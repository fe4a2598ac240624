//! A rule of thumb: the mean at the time of day, adjusted by seven tenths of the busyness of the last two hours.

use super::{target_starts, vintages};
use crate::domain::{Timestamp, Zone};
use crate::forecast::{History, Model, Past, Vintage, quantiles};

/// Number of days of the mean.
const DAYS: i64 = 56;
/// Share of the busyness that persists.
const STAYS: f64 = 0.7;
/// Prior tickets, and the hours from which the busyness is computed.
const PRIOR_TICKETS: f64 = 5.0;
const RECENT_HOURS: usize = 2;
/// Dispersion of its bands.
const DISPERSION: f64 = 0.06;

/// A model without state.
pub struct RuleOfThumb;

/// Mean at each time of day over the days before the origin's local midnight; NaN without a count.
struct TimeOfDay {
    zone: Zone,
    minutes: u32,
    means: Vec<f64>,
}

impl TimeOfDay {
    fn new(history: &History, zone: Zone, origin: i64) -> Self {
        let (width, minutes) = (history.width, history.width.secs() / 60);
        let slot = |start: Timestamp| (zone.minute_of_week(start) % 1440 / minutes) as usize;
        let midnight = origin - slot(width.start(origin)) as i64;
        let mut sums = vec![(0.0, 0.0); width.per_day()];
        for index in history.first.max(midnight - DAYS * width.per_day() as i64)..midnight {
            let count = f64::from(history.get(index));
            if !count.is_nan() {
                let sum = &mut sums[slot(width.start(index))];
                *sum = (sum.0 + count, sum.1 + 1.0);
            }
        }
        Self { zone, minutes, means: sums.into_iter().map(|(sum, n)| sum / n).collect() }
    }

    fn at(&self, start: Timestamp) -> Option<f64> {
        let slot = (self.zone.minute_of_week(start) % 1440 / self.minutes) as usize;
        Some(self.means[slot]).filter(|mean| !mean.is_nan())
    }
}

impl Model for RuleOfThumb {
    fn name(&self) -> &'static str {
        "rule-of-thumb"
    }

    fn fit(&mut self, _: &Past<'_>, _: i64) {}

    fn predict(&self, past: &Past<'_>, origin: i64) -> Vec<Vintage> {
        vintages(self.name(), past, origin, |series, history| {
            let width = history.width;
            let usual = TimeOfDay::new(history, past.place_of(series).zone, origin);
            let (mut recent, mut expected) = (PRIOR_TICKETS, PRIOR_TICKETS);
            for index in origin - (RECENT_HOURS * width.per_hour()) as i64..origin {
                let count = f64::from(history.get(index));
                if let Some(mean) = usual.at(width.start(index)).filter(|_| !count.is_nan()) {
                    recent += count;
                    expected += mean;
                }
            }
            let factor = 1.0 + STAYS * (recent / expected - 1.0);
            // A centre without a count at this time of day is closed.
            let target = |start: Timestamp| {
                let mean = usual.at(start).unwrap_or(0.0) * factor;
                let mut quantiles = quantiles(mean, DISPERSION);
                quantiles[3] = mean;
                (mean, quantiles)
            };
            let any = usual.means.iter().any(|mean| !mean.is_nan());
            any.then(|| target_starts(past, origin).map(target).collect())
        })
    }
}
