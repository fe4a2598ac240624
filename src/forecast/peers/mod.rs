//! Models by name: the product's own, its parts, and peers for comparison.

mod ets_daily;
mod grid;
mod intervals;
mod mstl_ets;
mod naive;
mod profile;
mod rule;

use super::{ForecastPoint, History, Model, Past, Product, Vintage};
use crate::domain::{SeriesKey, Timestamp};

/// Name of the product's own model.
pub const DEFAULT: &str = "surgecast";

/// Names for [`by_name`], each with a description.
pub const CHOICES: [(&str, &str); 7] = [
    (DEFAULT, "the model of the service"),
    (
        "profile",
        "the daily profile of the history before the origin, scaled to the volume of the day of the origin; the service uses it for series without a fitted model",
    ),
    ("seasonal-naive", "last week's count; bands from its past errors"),
    ("mstl-ets", "MSTL with day and week, then AutoETS on the remainder (library augurs)"),
    ("mstl-ets-log", "mstl-ets on ln(1 + y)"),
    (
        "rule-of-thumb",
        "the mean count at this time of day, times 1 + 0.7 (r - 1); r is the count of the last two hours divided by its mean at this time of day",
    ),
    ("ets-daily", "the daily profile, then AutoETS on the remainder (library augurs)"),
];

/// A model by its name in [`CHOICES`].
pub fn by_name(name: &str) -> Option<Box<dyn Model>> {
    let model: Box<dyn Model> = match name {
        DEFAULT => Box::new(Product::default()),
        "profile" => Box::new(profile::ProfileOnly::default()),
        "seasonal-naive" => Box::new(naive::SeasonalNaive::default()),
        "mstl-ets" => Box::new(mstl_ets::MstlEts::raw()),
        "mstl-ets-log" => Box::new(mstl_ets::MstlEts::log()),
        "rule-of-thumb" => Box::new(rule::RuleOfThumb),
        "ets-daily" => Box::new(ets_daily::EtsDaily),
        _ => return None,
    };
    Some(model)
}

/// One vintage for each series that `predict` forecasts: mean and quantiles by forecast point.
fn vintages(
    name: &str,
    past: &Past<'_>,
    origin: i64,
    predict: impl Fn(&SeriesKey, &History) -> Option<Vec<(f64, [f64; 7])>>,
) -> Vec<Vintage> {
    let one = |(series, history): (&SeriesKey, &History)| {
        let targets = predict(series, history)?;
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

/// Makes quantiles non-negative and ascending.
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
