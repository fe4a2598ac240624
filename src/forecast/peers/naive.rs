//! Last week's count at the same civil time; bands from its past errors at this time of day.

use std::collections::BTreeMap;

use super::{target_starts, vintages};
use crate::domain::{SeriesKey, Timestamp, Zone};
use crate::forecast::backtest::week_before;
use crate::forecast::{History, Model, Past, QUANTILES, Vintage, quantiles};

/// Number of weeks of errors for the bands.
const ERROR_WEEKS: i64 = 8;
/// Maximum number of weeks to look back for a known count.
const REACH_WEEKS: u32 = 4;
/// Minimum number of errors for a 2.5 % quantile.
const ERRORS_MIN: usize = 20;

/// Errors by hour of the day. They are centred so that the median of the forecast is last week's count.
#[derive(Default)]
pub struct SeasonalNaive {
    errors: BTreeMap<SeriesKey, [Option<[f64; 7]>; 24]>,
}

impl Model for SeasonalNaive {
    fn name(&self) -> &'static str {
        "seasonal-naive"
    }

    fn fit(&mut self, past: &Past<'_>, origin: i64) {
        let one = |(series, history): (&SeriesKey, &History)| {
            (series.clone(), error_bands(history, past.place_of(series).zone, origin))
        };
        self.errors = past.series.iter().map(one).collect();
    }

    fn predict(&self, past: &Past<'_>, origin: i64) -> Vec<Vintage> {
        vintages(self.name(), past, origin, |series, history| {
            let zone = past.place_of(series).zone;
            let bands = self.errors.get(series);
            let target = |start: Timestamp| {
                let count = last_known(history, zone, start)?;
                let band = bands.and_then(|bands| bands[hour(zone, start)]);
                Some(match band {
                    Some(errors) => (count, errors.map(|error| count + error)),
                    None => (count, quantiles(count, 0.1)),
                })
            };
            target_starts(past, origin).map(target).collect()
        })
    }
}

fn hour(zone: Zone, at: Timestamp) -> usize {
    zone.minute_of_week(at) as usize / 60 % 24
}

/// The newest known count at this civil time in the last [`REACH_WEEKS`]; zero if none is known, because the call centre is
/// closed then. `None` with less than a week of history.
fn last_known(history: &History, zone: Zone, start: Timestamp) -> Option<f64> {
    let width = history.width;
    if width.index(zone.days_before(start, 7)) < history.first {
        return None;
    }
    let weeks = (1..=REACH_WEEKS)
        .map(|week| f64::from(history.get(width.index(zone.days_before(start, 7 * week)))));
    Some(weeks.into_iter().find(|count| !count.is_nan()).unwrap_or(0.0))
}

/// Quantiles of errors around each hour of the day, relative to their median.
fn error_bands(history: &History, zone: Zone, origin: i64) -> [Option<[f64; 7]>; 24] {
    let mut by_hour: [Vec<f64>; 24] = Default::default();
    let per_week = history.width.per_week() as i64;
    let from = (origin - ERROR_WEEKS * per_week).max(history.first);
    for index in from..origin.min(history.end()) {
        let error = f64::from(history.get(index)) - week_before(history, zone, index);
        if !error.is_nan() {
            by_hour[hour(zone, history.width.start(index))].push(error);
        }
    }
    std::array::from_fn(|hour| {
        let near = [hour, (hour + 1) % 24, (hour + 23) % 24];
        let mut errors: Vec<f64> = near.iter().flat_map(|h| by_hour[*h].iter().copied()).collect();
        if errors.len() < ERRORS_MIN {
            return None;
        }
        errors.sort_by(f64::total_cmp);
        let at = |share: f64| {
            let place = share * (errors.len() - 1) as f64;
            let (low, part) = (place.floor() as usize, place.fract());
            let high = (low + 1).min(errors.len() - 1);
            errors[low] + part * (errors[high] - errors[low])
        };
        Some(QUANTILES.map(|share| at(share) - at(0.5)))
    })
}
