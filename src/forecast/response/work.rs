//! Planned work: it is known in advance, and its usual effect is learned.

use super::context::{Leaf, SiteContext};
use super::prior::WorkPrior;
use crate::domain::Timestamp;
use crate::forecast::PlannedWork;

/// Number of hours of the work that have their own share; the last one covers all later hours.
const HOURS: usize = 8;
/// Number of hours after the planned end with an effect.
const AFTER: usize = 2;

/// Tickets in multiples of the series' average window, by hour into the work and after it.
#[derive(Clone, Debug)]
pub(super) struct WorkEffect {
    during: [f64; HOURS],
    after: [f64; AFTER],
}

enum Phase {
    During(usize),
    After(usize),
}

fn phase(work: &PlannedWork, at: Timestamp) -> Option<Phase> {
    // Work with a known cancellation is left out before; a later one is not known.
    if at < work.starts_at {
        return None;
    }
    let hours = |from| (at.since(from).as_secs() / 3600) as usize;
    if at < work.ends_at {
        return Some(Phase::During(hours(work.starts_at).min(HOURS - 1)));
    }
    let after = hours(work.ends_at);
    (after < AFTER).then_some(Phase::After(after))
}

impl WorkEffect {
    pub(super) fn of_prior(prior: &WorkPrior) -> Self {
        Self { during: [prior.share; HOURS], after: [prior.share * 0.5; AFTER] }
    }

    /// Expected tickets of planned work in a window of a series.
    pub(super) fn effect(&self, work: &[&PlannedWork], leaf: &Leaf<'_>, middle: Timestamp) -> f64 {
        let share = work.iter().filter_map(|w| match phase(w, middle)? {
            Phase::During(hour) => Some(self.during[hour]),
            Phase::After(hour) => Some(self.after[hour]),
        });
        // Simultaneous works have the effect of the largest.
        leaf.mean * share.fold(0.0, f64::max)
    }

    /// Mean excess by hour, shrunk towards the prior, not negative.
    pub(super) fn learn(
        context: &SiteContext<'_>,
        work: &[Vec<&PlannedWork>],
        from: i64,
        prior: &WorkPrior,
    ) -> Self {
        let mut model = Self::of_prior(prior);
        let mut sums = [(0.0, 0.0); HOURS + AFTER];
        for (site, works) in context.sites.iter().zip(work) {
            for work in works {
                let first = context.width.index(work.starts_at).max(from);
                let last = context.width.index(work.ends_at) + 1;
                let last = last + (AFTER * context.width.per_hour()) as i64;
                for index in first..last.min(context.origin) {
                    let middle = context.width.start(index) + context.width.length() / 2;
                    let slot = match phase(work, middle) {
                        Some(Phase::During(hour)) => hour,
                        Some(Phase::After(hour)) => HOURS + hour,
                        None => continue,
                    };
                    for leaf in &site.leaves {
                        let Some(count) = leaf.count(index, context.origin) else { continue };
                        // Limit the excess: overruns and outages are not the usual effect of work.
                        let excess = (count - leaf.expected(index)).min(leaf.mean.max(3.0));
                        sums[slot].0 += excess;
                        sums[slot].1 += leaf.mean;
                    }
                }
            }
        }
        for (i, (excess, unit)) in sums.into_iter().enumerate() {
            let share = if i < HOURS { &mut model.during[i] } else { &mut model.after[i - HOURS] };
            *share = ((excess + prior.weight * *share) / (unit + prior.weight)).clamp(0.0, 5.0);
        }
        model
    }
}
