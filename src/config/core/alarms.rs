//! `[alarms]`: when alarms begin and end.

use std::time::Duration;

use crate::config::Reader;
use crate::domain::{DAY, HOUR};
use crate::window::AlarmRules;

/// Reads the section. The limit on active alarms is one of `[limits]`.
pub fn read(section: Reader<'_>) -> AlarmRules {
    let usual = AlarmRules::default();
    let length = |key, most, usual| section.length(key, Duration::ZERO..=most).unwrap_or(usual);
    let rules = AlarmRules {
        hold_clear: length("hold_clear", HOUR, usual.hold_clear),
        chatter_raises: section.count("chatter_raises", 2..=100).unwrap_or(usual.chatter_raises),
        chatter_within: length("chatter_within", 6 * HOUR, usual.chatter_within),
        resync_within: length("resync_within", DAY, usual.resync_within),
        ..usual
    };
    section.finish();
    rules
}
