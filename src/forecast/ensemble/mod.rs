//! surgecast's own forecaster: regressions on busyness over a weekly profile, combined and calibrated.
//!
//! A weekly profile in civil time says what a window usually brings. For leads between now and six hours,
//! ridge regressions say how much of today's busyness carries on: one on ratios to the profile, one on
//! differences. A share of each, found by what weeks that were left out would have been forecast, makes the
//! mean. A count distribution around it is as wide as misses were, wider after surprises and at hours that
//! are seldom as usual; its quantiles are read where they would have covered.
//!
//! A fit is a function of the windows before it, and a prediction of the fit and the windows before its
//! origin: nothing else is kept.

mod calibrate;
mod counts;
mod design;
mod fit;
mod frame;
mod levels;
mod limits;
mod regress;
mod ridge;
mod season;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use self::fit::Fitted;
use self::frame::Frame;
use super::{HORIZON, History, Lookback, Model, Past, Target, Vintage};
use crate::domain::{Name, SeriesKey, WindowWidth};

/// Weeks that a fit reads; windows, where those are more.
const WEEKS: usize = 9;
const WINDOWS: usize = 8_760;

/// The product's own model.
#[derive(Clone, Debug, Default)]
pub struct Ensemble {
    /// First window of the frames that were fitted, and that predictions read from.
    first: i64,
    fits: BTreeMap<SeriesKey, Fitted>,
}

fn span(width: WindowWidth) -> i64 {
    let week = 7 * 86_400 / width.secs() as usize;
    (WEEKS * week).max(WINDOWS) as i64
}

fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// Frames by region, `None` for those that share a place.
struct Frames<'a> {
    past: &'a Past<'a>,
    first: i64,
    len: usize,
    known: BTreeMap<Option<Name>, Frame>,
}

impl<'a> Frames<'a> {
    fn new(past: &'a Past<'a>, first: i64, end: i64) -> Self {
        let len = usize::try_from(end - first).unwrap_or(0);
        Self { past, first, len, known: BTreeMap::new() }
    }

    fn of(&mut self, series: &SeriesKey) -> &Frame {
        let (past, first, len) = (self.past, self.first, self.len);
        let key = past.places.contains_key(&series.region).then(|| series.region.clone());
        self.known
            .entry(key)
            .or_insert_with(|| Frame::new(past.place_of(series), past.width, first, len))
    }
}

impl Ensemble {
    fn vintage(
        &self,
        series: &SeriesKey,
        history: &History,
        frame: &Frame,
        origin: i64,
    ) -> Option<Vintage> {
        let fitted = self.fits.get(series)?;
        let width = history.width;
        let known = (origin - frame.first) as usize;
        let expected = fitted.expect(frame, history, known)?;
        let targets = expected.iter().enumerate().map(|(step, expected)| Target {
            start: width.start(origin + step as i64),
            mean: rounded(expected.mean),
            quantiles: fitted.quantiles(frame, step, expected),
            baseline: rounded(expected.baseline),
            level: match expected.baseline {
                baseline if baseline > 0.0 => rounded(expected.mean / baseline),
                _ => 1.0,
            },
            alarm_effect: 0.0,
        });
        Some(Vintage {
            series: series.clone(),
            issued_at: width.start(origin),
            targets: targets.collect(),
            members: vec!["ratio".into(), "difference".into()],
            fallback: None,
        })
    }
}

impl Model for Ensemble {
    fn name(&self) -> &'static str {
        "surgecast"
    }

    fn fit(&mut self, past: &Past<'_>, origin: i64) {
        let oldest = past.series.values().map(|h| h.first).min().unwrap_or(origin);
        self.first = oldest.max(origin - span(past.width)).min(origin);
        let targets = past.width.per(HORIZON);
        let mut frames = Frames::new(past, self.first, origin);
        self.fits = past
            .series
            .iter()
            .filter_map(|(series, history)| {
                let fitted = Fitted::new(frames.of(series), history, targets)?;
                Some((series.clone(), fitted))
            })
            .collect();
    }

    fn predict(&self, past: &Past<'_>, origin: i64) -> Vec<Vintage> {
        let end = origin + past.width.per(HORIZON) as i64;
        let first = self.first.max(origin - 2 * span(past.width)).min(origin);
        let mut frames = Frames::new(past, first, end);
        let mut lookbacks = BTreeMap::new();
        past.series
            .iter()
            .map(|(series, history)| {
                let own = self.vintage(series, history, frames.of(series), origin);
                own.unwrap_or_else(|| {
                    let zone = past.place_of(series).zone;
                    let lookback = lookbacks
                        .entry(zone.to_string())
                        .or_insert_with(|| Lookback::new(zone, past.width, origin));
                    super::forecast(history, series, lookback)
                })
            })
            .collect()
    }
}
