//! `backlog_growing`: a series has more open tickets than usual, and their number grows.

use std::collections::BTreeMap;

use super::{BacklogState, Rule, RuleInputs, RuleLimits, Sighting};
use crate::alert::Fact;
use crate::domain::{MINUTE, Scope};
use crate::stats::median;

/// Minimum number of days from which the usual number is computed.
const DAYS_MIN: usize = 3;

/// The level is the number of open tickets divided by the median of the daily maxima of the last two weeks, taken as at least 1. An alert
/// begins only if the number has grown in each of the last windows. The minimum is the number of tickets above usual.
pub(super) struct BacklogGrowing;

impl Rule for BacklogGrowing {
    fn name(&self) -> &'static str {
        "backlog_growing"
    }

    fn defaults(&self) -> RuleLimits {
        RuleLimits::of(1.5, 1.2, 20.0).hold(30 * MINUTE)
    }

    fn look(&self, inputs: &RuleInputs<'_>, limits: &RuleLimits) -> Vec<Sighting> {
        // The worst channel of a region and service.
        let mut worst: BTreeMap<Scope, Sighting> = BTreeMap::new();
        for own in &inputs.backlogs {
            let Some(seen) = sighting(own, limits) else { continue };
            let rank = |seen: &Sighting| (seen.is_enough, seen.level);
            match worst.get(&seen.scope) {
                Some(known) if rank(known) >= rank(&seen) => {}
                _ => _ = worst.insert(seen.scope.clone(), seen),
            }
        }
        worst.into_values().collect()
    }
}

fn sighting(own: &BacklogState, limits: &RuleLimits) -> Option<Sighting> {
    if own.days.len() < DAYS_MIN {
        return None;
    }
    let usual = median(&mut own.days.clone())?;
    let (first, open) = (*own.recent.first()?, *own.recent.last()?);
    let grows = own.recent.len() > super::super::memory::GROWING_WINDOWS
        && own.recent.is_sorted_by(|a, b| a < b);
    let above = f64::from(open) - usual;
    let is_enough = grows && above >= limits.minimum;
    let seen = Sighting::new(&own.series.scope(), f64::from(open) / usual.max(1.0), is_enough);
    let seen = seen.count("open", f64::from(open)).count("usual", usual);
    let seen = seen.count("grown", f64::from(open.saturating_sub(first)));
    Some(seen.fact("channel", Fact::Channel(own.series.channel.to_string())))
}
