//! `[alarms]`: the rules by which alarms begin and end.

use std::time::Duration;

use crate::config::Reader;
use crate::domain::{DAY, HOUR};
use crate::window::AlarmRules;

/// Reads the section. The limit on active alarms is in `[limits]`.
pub fn read(section: Reader<'_>) -> AlarmRules {
    let defaults = AlarmRules::default();
    let length = |key, most, default| section.length(key, Duration::ZERO..=most).unwrap_or(default);
    let rules = AlarmRules {
        hold_clear: length("hold_clear", HOUR, defaults.hold_clear),
        chatter_raises: section.count("chatter_raises", 2..=100).unwrap_or(defaults.chatter_raises),
        chatter_within: length("chatter_within", 6 * HOUR, defaults.chatter_within),
        resync_within: length("resync_within", DAY, defaults.resync_within),
        ..defaults
    };
    section.finish();
    rules
}
