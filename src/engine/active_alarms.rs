//! Active alarms in the form that alerts use.

use crate::alert::ActiveAlarm;
use crate::domain::Timestamp;
use crate::window::{self, AlarmBook};

/// All active alarms in the form that alerts use.
pub fn active_alarms(alarms: &AlarmBook) -> Vec<ActiveAlarm> {
    alarms.active_alarms().map(shown).collect()
}

/// Alarms that are active at `until`, according to the messages so far.
pub fn active_at(alarms: &AlarmBook, until: Timestamp) -> Vec<ActiveAlarm> {
    alarms.active_at(until).iter().map(shown).collect()
}

/// An active alarm in the form that alerts use.
fn shown(alarm: &window::ActiveAlarm) -> ActiveAlarm {
    ActiveAlarm {
        scope: alarm.scope.as_ref().clone(),
        severity: alarm.severity,
        device: alarm.device.as_deref().map(str::to_owned),
        alarm_type: alarm.alarm_type.as_deref().map(str::to_owned),
        raised_at: alarm.raised_at,
        flaps: alarm.flaps,
        is_doubtful: alarm.is_doubtful,
    }
}
