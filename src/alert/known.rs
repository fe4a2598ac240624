//! Causes besides alarms, in words, by region and service: work that overruns, what planners entered, what customers say.

use std::collections::BTreeMap;

use super::ActiveAlarm;
use crate::anomaly::EarlySign;
use crate::domain::{Scope, SeriesKey, Timestamp, Zone};
use crate::forecast::{ADJUSTMENT, PlannedWork, Vintage};

/// Words by scope.
pub type Known = BTreeMap<Scope, Vec<String>>;

/// Planned work that should be over, but of which alarms still stand at `now`.
pub fn overruns(
    work: &[PlannedWork],
    alarms: &[ActiveAlarm],
    now: Timestamp,
    zone_of: impl Fn(&Scope) -> Zone,
) -> Known {
    let mut known = Known::new();
    for work in work.iter().filter(|work| work.should_be_over(now)) {
        let mut left: BTreeMap<&Scope, usize> = BTreeMap::new();
        let of_work = |a: &&ActiveAlarm| work.left(&a.scope, a.severity, a.raised_at, now);
        for alarm in alarms.iter().filter(of_work) {
            *left.entry(&alarm.scope).or_default() += 1;
        }
        for (scope, n) in left {
            let zone = zone_of(scope);
            let time = |at| zone.local(at).format("%H:%M").to_string();
            let (from, to) = (time(work.starts_at), time(work.ends_at));
            let alarms = if n == 1 { "alarm" } else { "alarms" };
            let words =
                format!("planned work of {from}–{to} overruns, {n} {alarms} of it still standing");
            known.entry(scope.clone()).or_default().push(words);
        }
    }
    known
}

/// What planners add to the leaves of each scope over the horizon.
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
        let words = format!("planners entered {label}, {tickets:+.0} tickets over six hours");
        known.entry(scope).or_default().push(words);
    }
}

/// Customers who complain of trouble more than is usual: where no alarm stands they are the first to know.
pub fn complaints(signs: &[EarlySign], zone_of: impl Fn(&Scope) -> Zone, known: &mut Known) {
    for sign in signs {
        let EarlySign { scope, from, actual, usual, .. } = sign;
        let from = zone_of(scope).local(*from).format("%H:%M");
        let words = format!(
            "{actual:.0} customers complained of outage, coverage or slowness since {from}, {usual:.0} are usual"
        );
        known.entry(scope.clone()).or_default().push(words);
    }
}
