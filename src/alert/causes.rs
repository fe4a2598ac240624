//! Why agents are short in a scope: its active alarms, then other known causes.

use std::collections::BTreeMap;

use super::known::Known;
use super::{ActiveAlarm, Cause};
use crate::domain::{Scope, Severity, Timestamp};
use crate::text::Stored;

/// Alarm types that are named one by one; the rest are summed.
const TYPES_NAMED: usize = 3;

/// Active alarms of one severity and type.
struct Group<'a> {
    n: usize,
    /// Start and device of the alarm that began first.
    since: Timestamp,
    device: Option<&'a str>,
    flaps: u32,
    doubtful: usize,
}

/// Causes in a scope: its active alarms, most severe first, then other known causes. Never empty: where nothing is known,
/// the cause is [`Cause::NoAlarm`].
pub(super) fn causes(scope: &Scope, alarms: &[ActiveAlarm], known: &Known) -> Vec<Stored<Cause>> {
    let known = known.get(scope).cloned().unwrap_or_default();
    let mut types: BTreeMap<(Severity, Option<&str>), Group<'_>> = BTreeMap::new();
    for alarm in alarms.iter().filter(|alarm| alarm.scope == *scope) {
        // Warnings are active all day long and so do not explain a surge.
        if alarm.severity > Severity::Minor {
            continue;
        }
        let since = alarm.raised_at;
        let group = types.entry((alarm.severity, alarm.alarm_type.as_deref())).or_insert(Group {
            n: 0,
            since,
            device: alarm.device.as_deref(),
            flaps: 0,
            doubtful: 0,
        });
        group.n += 1;
        if since < group.since {
            (group.since, group.device) = (since, alarm.device.as_deref());
        }
        group.flaps = group.flaps.max(alarm.flaps);
        group.doubtful += usize::from(alarm.is_doubtful);
    }
    if types.is_empty() {
        let causes = if known.is_empty() { vec![Cause::NoAlarm] } else { known };
        return causes.into_iter().map(Stored::Value).collect();
    }
    let named =
        types.iter().take(TYPES_NAMED).map(|((severity, alarm_type), group)| Cause::Alarms {
            n: group.n,
            severity: *severity,
            alarm_type: alarm_type.map(str::to_owned),
            since: group.since,
            device: group.device.map(str::to_owned),
            flaps: group.flaps,
            doubtful: group.doubtful,
        });
    let mut causes: Vec<Cause> = named.collect();
    let n: usize = types.values().skip(TYPES_NAMED).map(|group| group.n).sum();
    if n > 0 {
        causes.push(Cause::MoreAlarms { n });
    }
    causes.extend(known);
    causes.into_iter().map(Stored::Value).collect()
}
