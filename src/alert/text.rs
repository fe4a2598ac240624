//! What a shift lead reads: what, where, when, how many people, because of what, what to do.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::known::Known;
use super::{ActiveAlarm, Alert, AlertSeverity, AlertState};
use crate::domain::{Scope, Severity, Timestamp, Zone};

/// Alarm types named one by one; the rest are summed up.
const TYPES_NAMED: usize = 3;

/// Texts in the local time of a region.
pub struct Words {
    pub zone: Zone,
}

impl Words {
    fn time(&self, at: Timestamp) -> String {
        self.zone.local(at).format("%H:%M").to_string()
    }

    /// One line, as on a phone's lock screen.
    pub fn title(&self, alert: &Alert) -> String {
        if alert.state == AlertState::Resolved {
            return format!("{}: over, staffing is as planned again", alert.scope);
        }
        let channels: Vec<String> =
            alert.shortfalls.iter().map(|s| format!("{} {}", s.series.channel, s.gap)).collect();
        let mark = if alert.severity == AlertSeverity::Critical { "CRITICAL " } else { "" };
        format!(
            "{mark}{}: {} agents short {}–{} ({})",
            alert.scope,
            alert.agents_short,
            self.time(alert.from),
            self.time(alert.to),
            channels.join(", ")
        )
    }

    /// The whole page.
    pub fn body(&self, alert: &Alert) -> String {
        let mut text = String::new();
        if alert.state == AlertState::Resolved {
            let _ = write!(
                text,
                "The forecast no longer calls for more people in {}. It did from {} to {} ({}).",
                alert.scope,
                self.time(alert.since),
                self.time(alert.updated_at),
                self.zone
            );
            return text;
        }
        for short in &alert.shortfalls {
            let plan = if short.rostered { "scheduled" } else { "usual at this time" };
            let _ = writeln!(
                text,
                "{}: {} agents needed at {}, {} {plan}: {} more. {:.0} contacts in that window \
                 (80 % sure: {:.0} to {:.0}).",
                short.series.channel,
                short.agents,
                self.time(short.at),
                short.scheduled,
                short.gap,
                short.arrivals,
                short.arrivals_low,
                short.arrivals_high
            );
        }
        for cause in &alert.because {
            let _ = writeln!(text, "Because: {cause}.");
        }
        let _ = write!(
            text,
            "Do: find {} more {} from {} to {} ({}), or acknowledge if this is known.",
            alert.agents_short,
            if alert.agents_short == 1 { "agent" } else { "agents" },
            self.time(alert.from),
            self.time(alert.to),
            self.zone
        );
        text
    }
}

/// What stands of one severity and type.
struct Group<'a> {
    n: usize,
    since: Timestamp,
    device: Option<&'a str>,
    flaps: u32,
    doubtful: usize,
}

/// Standing alarms of a scope in words, most severe first, then what else is known; says so where nothing is.
pub fn because(scope: &Scope, alarms: &[ActiveAlarm], known: &Known, zone: Zone) -> Vec<String> {
    let known = known.get(scope).cloned().unwrap_or_default();
    let mut types: BTreeMap<(Severity, &str), Group<'_>> = BTreeMap::new();
    for alarm in alarms.iter().filter(|alarm| alarm.scope == *scope) {
        // Warnings stand all day long: they explain nothing.
        if alarm.severity > Severity::Minor {
            continue;
        }
        let kind = alarm.alarm_type.as_deref().unwrap_or("alarm");
        let since = alarm.raised_at;
        let group = types.entry((alarm.severity, kind)).or_insert(Group {
            n: 0,
            since,
            device: None,
            flaps: 0,
            doubtful: 0,
        });
        group.n += 1;
        group.since = group.since.min(since);
        group.device = group.device.or(alarm.device.as_deref());
        group.flaps = group.flaps.max(alarm.flaps);
        group.doubtful += usize::from(alarm.is_doubtful);
    }
    if types.is_empty() && !known.is_empty() {
        return known;
    }
    if types.is_empty() {
        return vec!["contacts are above plan; no alarm of consequence stands here".into()];
    }
    let mut causes: Vec<String> = types
        .iter()
        .take(TYPES_NAMED)
        .map(|((severity, kind), group)| {
            let Group { n, since, device, flaps, doubtful } = group;
            let device = device.map(|d| format!(", first seen on {d}")).unwrap_or_default();
            let since = zone.local(*since).format("%H:%M");
            let mut text =
                format!("{n} {} {kind} standing since {since}{device}", severity.as_str());
            if *flaps > 0 {
                let _ = write!(text, ", flapping ×{flaps}");
            }
            if *doubtful > 0 {
                let _ = write!(text, ", {doubtful} in doubt since their list was rebuilt");
            }
            text
        })
        .collect();
    let rest: usize = types.values().skip(TYPES_NAMED).map(|group| group.n).sum();
    if rest > 0 {
        causes.push(format!("{rest} more alarms of other types"));
    }
    causes.extend(known);
    causes
}
