//! `sla_at_risk`: the people on the roster will miss the service target for a while.

use std::collections::BTreeMap;

use super::{Rule, RuleInputs, RuleLimits, ServicePlan, Sighting};
use crate::alert::Fact;
use crate::alert::worth::is_deferred;
use crate::domain::{HOUR, Scope};
use crate::staffing::PlanTarget;

/// The level is how far the expected service level is below the target, as a share: the smallest of the windows of an hour, in the hour
/// in which that is largest. A mismatch of a quarter of an hour between roster and need is no risk. The minimum is the number of
/// contacts in that hour. Without a roster there is no alert.
pub(super) struct SlaAtRisk;

impl Rule for SlaAtRisk {
    fn name(&self) -> &'static str {
        "sla_at_risk"
    }

    fn defaults(&self) -> RuleLimits {
        RuleLimits::of(0.15, 0.08, 5.0).warning()
    }

    fn look(&self, inputs: &RuleInputs<'_>, limits: &RuleLimits) -> Vec<Sighting> {
        let stretch = inputs.windows(HOUR);
        let mut worst: BTreeMap<Scope, Sighting> = BTreeMap::new();
        for own in &inputs.plans {
            let Some(seen) = sighting(own, stretch, inputs, limits) else { continue };
            let rank = |seen: &Sighting| (seen.is_enough, seen.level);
            match worst.get(&seen.scope) {
                Some(known) if rank(known) >= rank(&seen) => {}
                _ => _ = worst.insert(seen.scope.clone(), seen),
            }
        }
        worst.into_values().collect()
    }
}

fn sighting(
    own: &ServicePlan<'_>,
    stretch: usize,
    inputs: &RuleInputs<'_>,
    limits: &RuleLimits,
) -> Option<Sighting> {
    let missed = |target: &PlanTarget| match target.scheduled {
        Some(_) if inputs.end(target.start) > inputs.now => own.target - target.service_level,
        _ => 0.0,
    };
    let contacts = |run: &[PlanTarget]| run.iter().map(|target| target.arrivals).sum::<f64>();
    let level = |run: &[PlanTarget]| run.iter().map(missed).fold(f64::INFINITY, f64::min);
    let runs = own.plan.targets.windows(stretch);
    let runs = runs.map(|run| (contacts(run) >= limits.minimum, level(run), run));
    let (enough, level, run) = runs.reduce(|a, b| if (b.0, b.1) > (a.0, a.1) { b } else { a })?;
    let (first, last) = (run.first()?, run.last()?);
    let expected = run.iter().map(|target| target.arrivals * target.service_level).sum::<f64>()
        / contacts(run).max(f64::MIN_POSITIVE);
    let fewest = run.iter().max_by_key(|target| target.gap)?;
    let mut seen = Sighting::new(&own.plan.series.scope(), level.max(0.0), enough);
    // For deferred work, the level is the share of a window's work that is done within the window, not before its deadline.
    seen.variant = is_deferred(own.plan).then_some("deferred");
    let seen = seen.over(first.start, inputs.end(last.start));
    let seen = seen.fact("expected", Fact::Share(expected)).fact("target", Fact::Share(own.target));
    let seen = seen.count("scheduled", fewest.scheduled.map_or(0.0, f64::from));
    let seen =
        seen.count("needed", f64::from(fewest.agents)).count("more", f64::from(fewest.gap.max(1)));
    Some(seen.fact("channel", Fact::Channel(own.plan.series.channel.to_string())))
}
