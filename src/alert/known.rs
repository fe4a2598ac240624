//! Causes besides alarms by region and service: planned work that overruns, planners' entries, customers' complaints.

use std::collections::BTreeMap;

use super::{ActiveAlarm, Cause};
use crate::anomaly::EarlySign;
use crate::domain::{Scope, SeriesKey, Timestamp};
use crate::forecast::{ADJUSTMENT, PlannedWork, Vintage};

/// Causes by scope.
pub type Known = BTreeMap<Scope, Vec<Cause>>;

/// Planned work that overruns: alarms of it are still active at `now`.
pub fn overruns(work: &[PlannedWork], alarms: &[ActiveAlarm], now: Timestamp) -> Known {
    let mut known = Known::new();
    for work in work.iter().filter(|work| work.should_be_over(now)) {
        let mut left: BTreeMap<&Scope, usize> = BTreeMap::new();
        let of_work = |a: &&ActiveAlarm| work.overruns_with(&a.scope, a.severity, a.raised_at, now);
        for alarm in alarms.iter().filter(of_work) {
            *left.entry(&alarm.scope).or_default() += 1;
        }
        for (scope, alarms) in left {
            let cause = Cause::Overrun { from: work.starts_at, to: work.ends_at, alarms };
            known.entry(scope.clone()).or_default().push(cause);
        }
    }
    known
}

/// Tickets that planners' entries add to the leaves of each scope over the horizon.
pub fn adjustments<'v>(
    adjusted: impl Iterator<Item = (&'v SeriesKey, &'v Vintage)>,
    known: &mut Known,
) {
    let mut sums: BTreeMap<(Scope, &str), f64> = BTreeMap::new();
    for (key, vintage) in adjusted.filter(|(key, _)| !key.is_roll_up()) {
        for cause in &vintage.causes {
            if let Some(label) = cause.what.strip_prefix(ADJUSTMENT) {
                *sums.entry((key.scope(), label)).or_default() += cause.tickets;
            }
        }
    }
    for ((scope, label), tickets) in sums {
        let cause = Cause::Adjustment { label: label.to_owned(), tickets };
        known.entry(scope).or_default().push(cause);
    }
}

/// Scopes with more complaints than usual. If no alarm is active, the customers are the first to report the fault.
pub fn complaints(signs: &[EarlySign], known: &mut Known) {
    for sign in signs {
        let EarlySign { scope, from, to, actual, usual, .. } = sign;
        let until = Some(*to);
        let cause = Cause::Complaints { actual: *actual, usual: *usual, since: *from, until };
        known.entry(scope.clone()).or_default().push(cause);
    }
}
