//! The ensemble: regressions of the level on a weekly profile, combined and calibrated.
//!
//! - A weekly profile in civil time gives the usual count of each window.
//! - Ridge regressions by lead predict how much of today's level persists: one on ratios to the profile, one on differences.
//! - Persistence adds the newest difference to the profile, constant or with a damped trend.
//! - Weights of these members come from out-of-sample forecasts of held-out weeks. Their weighted sum is the mean.
//! - The variance of the count distribution follows past errors, recent errors and the time of day. Quantiles are read at
//!   calibrated probabilities.
//! - While history is short, the forecast from little history ([`early`]) replaces the members. Then both are combined, with a
//!   falling share of the former.
//!
//! A fit depends only on the windows before it, and a forecast only on the fit and the windows before its origin.

mod calibrate;
mod counts;
mod design;
mod early;
mod fit;
mod frame;
mod levels;
mod limits;
mod regress;
mod season;
mod shift;
mod smooth;
#[cfg(test)]
mod tests;
mod young;

use std::collections::BTreeMap;

use self::fit::Fitted;
use self::frame::Frame;
use self::young::Young;
use super::{ForecastPoint, HORIZON, History, Model, Past, Vintage, rounded};
use crate::domain::{Name, SeriesKey, WindowWidth};

/// Length of the history of a fit: weeks, or windows if those are longer.
const WEEKS: usize = 9;
const WINDOWS: usize = 8_760;

/// The ensemble's fits by series.
#[derive(Clone, Debug, Default)]
pub struct Ensemble {
    /// First window of the fitted frames. Forecasts use the same first window.
    first: i64,
    fits: BTreeMap<SeriesKey, Fitted>,
}

fn span(width: WindowWidth) -> i64 {
    (WEEKS * width.per_week()).max(WINDOWS) as i64
}

/// Frames by region; `None` for regions with the default place.
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
        frames: &mut Frames<'_>,
        origin: i64,
    ) -> Option<Vintage> {
        let fitted = self.fits.get(series)?;
        let frame = frames.of(series);
        let width = history.width;
        let known = (origin - frame.first) as usize;
        let expected = fitted.expect(frame, history, known)?;
        let targets = expected.iter().enumerate().map(|(step, expected)| ForecastPoint {
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
            members: vec!["ratio".into(), "difference".into(), "carried".into()],
            causes: Vec::new(),
            surges: None,
            fallback: fitted.shift.and_then(|shift| shift.note(width.start(origin))),
        })
    }
}

/// One of several equal parts of the series, in order, for one thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    pub number: usize,
    pub of: usize,
}

impl Part {
    /// All series.
    pub const WHOLE: Self = Self { number: 0, of: 1 };

    fn series<'a>(
        self,
        past: &Past<'a>,
    ) -> impl Iterator<Item = (&'a SeriesKey, &'a History)> + use<'a> {
        let n = past.series.len();
        let (from, to) = (self.number * n / self.of, (self.number + 1) * n / self.of);
        past.series.iter().skip(from).take(to - from)
    }
}

impl Ensemble {
    /// Fits a part of the series to the windows before `origin`.
    pub fn fitted(past: &Past<'_>, origin: i64, part: Part) -> Self {
        let oldest = past.series.values().map(|h| h.first).min().unwrap_or(origin);
        let first = oldest.max(origin - span(past.width)).min(origin);
        let targets = past.width.per(HORIZON);
        let mut frames = Frames::new(past, first, origin);
        let fits = part.series(past).filter_map(|(series, history)| {
            let fitted = Fitted::new(frames.of(series), history, targets)?;
            Some((series.clone(), fitted))
        });
        let fits = fits.collect();
        Self { first, fits }
    }

    /// Adds the fits of another part.
    pub fn absorb(&mut self, other: Self) {
        self.fits.extend(other.fits);
    }

    /// Number of series with a fit. Other series are forecast only from the shape of the day and the busyness.
    pub fn len(&self) -> usize {
        self.fits.len()
    }

    /// Whether no series has a fit.
    pub fn is_empty(&self) -> bool {
        self.fits.is_empty()
    }

    /// One vintage per series of a part.
    pub fn vintages(&self, past: &Past<'_>, origin: i64, part: Part) -> Vec<Vintage> {
        let end = origin + past.width.per(HORIZON) as i64;
        // An old fit still works, but reads no more than two spans.
        let reach =
            if self.fits.is_empty() { young::span(past.width) } else { 2 * span(past.width) };
        let first = self.first.max(origin - reach).min(origin);
        let mut frames = Frames::new(past, first, end);
        let mut young = Young::new(past, origin);
        let vintages = part.series(past).map(|(series, history)| {
            let own = self.vintage(series, history, &mut frames, origin);
            young.vintage(series, history, frames.of(series), own)
        });
        vintages.collect()
    }
}

impl Model for Ensemble {
    fn name(&self) -> &'static str {
        "surgecast"
    }

    fn fit(&mut self, past: &Past<'_>, origin: i64) {
        *self = Self::fitted(past, origin, Part::WHOLE);
    }

    fn predict(&self, past: &Past<'_>, origin: i64) -> Vec<Vintage> {
        self.vintages(past, origin, Part::WHOLE)
    }
}
