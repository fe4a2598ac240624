//! The forecaster that the service runs at present, behind [`Model`].

use std::collections::BTreeMap;

use crate::domain::SeriesKey;
use crate::forecast::{
    Calibration, History, Lookback, MemberPath, Model, Past, Vintage, fit_mstl, forecast,
};

/// Days before the fit on which the bands are learned.
const CALIBRATION_DAYS: i64 = 21;
/// Windows between the vintages that they are learned from, in hours.
const CALIBRATION_STEP_HOURS: i64 = 2;

/// Profile × level, averaged with the slow member where that is wanted and can be fitted.
pub struct Present {
    name: &'static str,
    has_slow_member: bool,
    fits: BTreeMap<SeriesKey, (Calibration, Option<MemberPath>)>,
}

impl Present {
    pub fn with_slow_member() -> Self {
        Self { name: super::DEFAULT, has_slow_member: true, fits: BTreeMap::new() }
    }

    pub fn profile_only() -> Self {
        Self { name: "profile", has_slow_member: false, fits: BTreeMap::new() }
    }

    fn path(&self, history: &History, origin: i64) -> Option<MemberPath> {
        if !self.has_slow_member {
            return None;
        }
        // A fit wants a history that reaches the origin; windows that have not been seen are missing.
        let mut known = history.clone();
        known.counts.resize(usize::try_from(origin - history.first).unwrap_or(0), f32::NAN);
        fit_mstl(&known, origin)
    }
}

impl Model for Present {
    fn name(&self) -> &'static str {
        self.name
    }

    fn fit(&mut self, past: &Past<'_>, origin: i64) {
        let fits = past.series.iter().map(|(series, history)| {
            let path = self.path(history, origin);
            (series.clone(), (learned(past, series, history, origin), path))
        });
        self.fits = fits.collect();
    }

    fn predict(&self, past: &Past<'_>, origin: i64) -> Vec<Vintage> {
        let unfitted = (Calibration::default(), None);
        let one = |(series, history): (&SeriesKey, &History)| {
            let zone = past.place_of(series).zone;
            let (calibration, path) = self.fits.get(series).unwrap_or(&unfitted);
            let lookback = Lookback::new(zone, past.width, origin);
            forecast(history, series, &lookback, calibration, path.as_ref())
        };
        past.series.iter().map(one).collect()
    }
}

/// What vintages of the weeks before `origin` say of the bands.
fn learned(past: &Past<'_>, series: &SeriesKey, history: &History, origin: i64) -> Calibration {
    let mut calibration = Calibration::default();
    let per_hour = i64::from(3600 / past.width.secs());
    let from = (origin - CALIBRATION_DAYS * 24 * per_hour).max(history.first + 24 * per_hour);
    let zone = past.place_of(series).zone;
    for issued in (from..origin).step_by((CALIBRATION_STEP_HOURS * per_hour) as usize) {
        let lookback = Lookback::new(zone, past.width, issued);
        let vintage = forecast(history, series, &lookback, &calibration, None);
        for (step, target) in vintage.targets.iter().enumerate() {
            let index = issued + step as i64;
            if index < origin {
                let lead_minutes = step as u32 * past.width.secs() / 60;
                calibration.learn(lead_minutes, target.mean, f64::from(history.get(index)));
            }
        }
    }
    calibration
}
