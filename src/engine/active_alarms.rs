//! Active alarms, as alerts name them.

use crate::alert::StandingAlarm;
use crate::window::{AlarmBook, Standing};

/// Active alarms, as alerts name them.
pub fn standing(alarms: &AlarmBook) -> Vec<StandingAlarm> {
    alarms.standing().map(shown).collect()
}

/// An alarm as alerts name it.
pub fn shown(alarm: &Standing) -> StandingAlarm {
    StandingAlarm {
        scope: alarm.scope.as_ref().clone(),
        severity: alarm.severity,
        device: alarm.device.as_deref().map(str::to_owned),
        alarm_type: alarm.alarm_type.as_deref().map(str::to_owned),
        raised_at: alarm.raised_at,
        flaps: alarm.flaps,
        is_doubtful: alarm.is_doubtful,
    }
}
