//! `forecast_unreliable`: the counts of the last hours are outside the forecast's band too often.

use super::{RecentScores, Rule, RuleInputs, RuleLimits, Sighting};
use crate::alert::Fact;
use crate::anomaly::{UNRELIABLE_SHARE, UNRELIABLE_WINDOWS};
use crate::domain::MINUTE;

/// The level is the share of the last hours' windows whose count was outside the 80 % band of their last forecast; 0.2 is to be
/// expected. The minimum is a number of windows, over all channels.
pub(super) struct ForecastUnreliable;

impl Rule for ForecastUnreliable {
    fn name(&self) -> &'static str {
        "forecast_unreliable"
    }

    fn defaults(&self) -> RuleLimits {
        RuleLimits::of(UNRELIABLE_SHARE, 0.35, UNRELIABLE_WINDOWS).hold(30 * MINUTE)
    }

    fn look(&self, inputs: &RuleInputs<'_>, limits: &RuleLimits) -> Vec<Sighting> {
        let sighting = |own: &RecentScores| {
            let (windows, outside) = (f64::from(own.windows), f64::from(own.outside));
            let share = own.share()?;
            let seen = Sighting::new(&own.scope, share, windows >= limits.minimum);
            let seen = seen.count("windows", windows).count("outside", outside);
            let seen = seen.fact("share", Fact::Share(share));
            Some(seen.fact("since", Fact::At(own.since)))
        };
        inputs.scores.iter().filter_map(sighting).collect()
    }
}
