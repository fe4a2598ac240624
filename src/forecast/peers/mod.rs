//! What can be chosen by name: the product's own forecaster, its parts, and the peers it is measured beside.

mod ets_daily;
mod grid;
mod intervals;
mod mstl_ets;
mod naive;
mod profile;

use super::{ForecastPoint, History, Model, Past, Product, Vintage};
use crate::domain::{SeriesKey, Timestamp};

/// The product's own.
pub const DEFAULT: &str = "surgecast";

/// Names that [`by_name`] knows, each with what it is.
pub const CHOICES: [(&str, &str); 6] = [
    (DEFAULT, "what the service forecasts with"),
    ("profile", "the usual week times today's level: what serves until there is a fit"),
    ("seasonal-naive", "last week's count; bands from how far that was off"),
    ("mstl-ets", "augurs' MSTL (day and week) with AutoETS on the rest"),
    ("mstl-ets-log", "the same on ln(1 + y)"),
    ("ets-daily", "the usual day taken off, augurs' AutoETS on the rest"),
];

/// A model by its name in [`CHOICES`].
pub fn by_name(name: &str) -> Option<Box<dyn Model>> {
    let model: Box<dyn Model> = match name {
        DEFAULT => Box::new(Product::default()),
        "profile" => Box::new(profile::ProfileOnly::default()),
        "seasonal-naive" => Box::new(naive::SeasonalNaive::default()),
        "mstl-ets" => Box::new(mstl_ets::MstlEts::raw()),
        "mstl-ets-log" => Box::new(mstl_ets::MstlEts::log()),
        "ets-daily" => Box::new(ets_daily::EtsDaily),
        _ => return None,
    };
    Some(model)
}

/// One vintage a series, of those that `said` gives targets for: mean and quantiles by start of window.
fn vintages(
    name: &str,
    past: &Past<'_>,
    origin: i64,
    said: impl Fn(&SeriesKey, &History) -> Option<Vec<(f64, [f64; 7])>>,
) -> Vec<Vintage> {
    let one = |(series, history): (&SeriesKey, &History)| {
        let targets = said(series, history)?;
        let target = |(step, (mean, quantiles)): (usize, (f64, [f64; 7]))| ForecastPoint {
            start: past.width.start(origin + step as i64),
            mean,
            quantiles: tidy(quantiles),
            baseline: mean,
            level: 1.0,
            alarm_effect: 0.0,
        };
        Some(Vintage {
            series: series.clone(),
            issued_at: past.width.start(origin),
            targets: targets.into_iter().enumerate().map(target).collect(),
            members: vec![name.to_owned()],
            causes: Vec::new(),
            surges: None,
            fallback: None,
        })
    };
    past.series.iter().filter_map(one).collect()
}

/// Never below zero, never crossing.
fn tidy(quantiles: [f64; 7]) -> [f64; 7] {
    let mut highest = 0.0f64;
    quantiles.map(|quantile| {
        highest = highest.max(quantile);
        highest
    })
}

/// Starts of the windows that a vintage of `origin` forecasts.
fn target_starts(past: &Past<'_>, origin: i64) -> impl Iterator<Item = Timestamp> + use<> {
    let width = past.width;
    let steps = width.per(super::HORIZON) as i64;
    (origin..origin + steps).map(move |index| width.start(index))
}
