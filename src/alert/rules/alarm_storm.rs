//! `alarm_storm`: a region and service has far more new alarms than usual.

use super::{Rule, RuleInputs, RuleLimits, Sighting};
use crate::alert::Fact;
use crate::stats::median;

/// Fewest days that say what is usual.
const DAYS_MIN: usize = 3;

/// The level is the number of alarms of the last hour, divided by the median of the same hour of the last four weeks. The median is
/// taken as at least 1. The minimum is a number of alarms.
pub(super) struct AlarmStorm;

impl Rule for AlarmStorm {
    fn name(&self) -> &'static str {
        "alarm_storm"
    }

    fn defaults(&self) -> RuleLimits {
        RuleLimits::of(5.0, 2.5, 20.0).hold(std::time::Duration::ZERO)
    }

    fn look(&self, inputs: &RuleInputs<'_>, limits: &RuleLimits) -> Vec<Sighting> {
        let known = inputs.alarms.iter().filter(|alarms| alarms.days.len() >= DAYS_MIN);
        let sighting = |alarms: &super::AlarmActivity| {
            let usual = median(&mut alarms.days.clone())?;
            let raised = f64::from(alarms.raised);
            let seen =
                Sighting::new(&alarms.scope, raised / usual.max(1.0), raised >= limits.minimum);
            let seen = seen.count("raised", raised).fact("usual", Fact::Number(usual));
            Some(seen.fact("since", Fact::At(alarms.since)))
        };
        known.filter_map(sighting).collect()
    }
}
