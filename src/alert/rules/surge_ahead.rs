//! `surge_ahead`: the forecast of a region and service is far above usual, whether there is a roster or not.

use super::{Rule, RuleInputs, RuleLimits, Sighting};
use crate::domain::MINUTE;
use crate::forecast::{ForecastPoint, Vintage};

/// Index of the median in the quantiles of a forecast point.
const MEDIAN: usize = 3;
/// Shortest surge.
const STRETCH: std::time::Duration = std::time::Duration::from_secs(30 * MINUTE.as_secs());

/// The level is the median of the forecast divided by the usual count: the smallest of the windows of half an hour, in the half hour in
/// which that is largest. The usual count is taken as at least 1. The minimum is the number of tickets above usual in each window.
pub(super) struct SurgeAhead;

impl Rule for SurgeAhead {
    fn name(&self) -> &'static str {
        "surge_ahead"
    }

    fn defaults(&self) -> RuleLimits {
        RuleLimits::of(1.5, 1.25, 5.0).warning()
    }

    fn look(&self, inputs: &RuleInputs<'_>, limits: &RuleLimits) -> Vec<Sighting> {
        let stretch = inputs.windows(STRETCH);
        inputs.forecasts.iter().filter_map(|own| sighting(own, stretch, inputs, limits)).collect()
    }
}

fn ratio(point: &ForecastPoint) -> f64 {
    point.quantiles[MEDIAN] / point.baseline.max(1.0)
}

fn sighting(
    vintage: &Vintage,
    stretch: usize,
    inputs: &RuleInputs<'_>,
    limits: &RuleLimits,
) -> Option<Sighting> {
    let points = &vintage.targets;
    let excess = |point: &ForecastPoint| point.quantiles[MEDIAN] - point.baseline;
    let is_enough = |run: &[ForecastPoint]| run.iter().all(|point| excess(point) >= limits.minimum);
    let level = |run: &[ForecastPoint]| run.iter().map(ratio).fold(f64::INFINITY, f64::min);
    // Prefer a run with enough tickets to a higher run without.
    let runs = points.windows(stretch).map(|run| (is_enough(run), level(run)));
    let (enough, level) = runs.reduce(|a, b| if (b.0, b.1) > (a.0, a.1) { b } else { a })?;
    let above = || points.iter().filter(|point| ratio(point) >= limits.clear_below);
    let peak = above().max_by(|a, b| excess(a).total_cmp(&excess(b)))?;
    let (first, last) = (above().next()?, above().next_back()?);
    let extra: f64 = above().map(excess).sum();
    let seen = Sighting::new(&vintage.series.scope(), level, enough);
    let seen = seen.over(first.start, inputs.end(last.start));
    let seen = seen.fact("at", super::Fact::At(peak.start));
    let seen = seen.count("tickets", peak.quantiles[MEDIAN]).count("usual", peak.baseline);
    Some(seen.count("extra", extra))
}
