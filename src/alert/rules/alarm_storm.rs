//! `alarm_storm`: a region and service has far more new alarms than usual.

use super::{Rule, RuleInputs, RuleLimits, Sighting};
use crate::alert::Fact;
use crate::anomaly::{STORM_ALARMS, STORM_TIMES};

/// The level is the number of alarms of the last hour, divided by the median of the same hour of the last four weeks. The median is
/// taken as at least 1. The minimum is a number of alarms.
pub(super) struct AlarmStorm;

impl Rule for AlarmStorm {
    fn name(&self) -> &'static str {
        "alarm_storm"
    }

    fn defaults(&self) -> RuleLimits {
        RuleLimits::of(STORM_TIMES, STORM_TIMES / 2.0, STORM_ALARMS).hold(std::time::Duration::ZERO)
    }

    fn look(&self, inputs: &RuleInputs<'_>, limits: &RuleLimits) -> Vec<Sighting> {
        let sighting = |alarms: &super::AlarmActivity| {
            let (usual, raised) = (alarms.usual()?, f64::from(alarms.raised));
            let seen =
                Sighting::new(&alarms.scope, alarms.times_usual()?, raised >= limits.minimum);
            let seen = seen.count("raised", raised).fact("usual", Fact::Number(usual));
            Some(seen.fact("since", Fact::At(alarms.since)))
        };
        inputs.alarms.iter().filter_map(sighting).collect()
    }
}
