//! When alarms begin and end.

use std::time::Duration;

/// An alarm whose last change is older than this is stale (ISA-18.2 calls for such a limit) and no
/// longer counts as standing.
pub const STALE_AFTER: Duration = Duration::from_secs(7 * 86_400);

/// When alarms begin and end. All in event time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlarmRules {
    /// How long a clear is held: a raise within it takes it back.
    pub hold_clear: Duration,
    /// Raises, each after a clear, within `chatter_within` that make an alarm a chattering one. At least 2.
    pub chatter_raises: usize,
    /// How long the clear of a chattering alarm is held, and how long it must be quiet to be one no longer.
    pub chatter_within: Duration,
    /// How long after its list was rebuilt an alarm may be heard of again.
    pub resync_within: Duration,
    /// Alarms that may stand at a time.
    pub standing_max: usize,
}

impl Default for AlarmRules {
    /// ISA-18.2 calls an alarm chattering at three in a minute; ours is over a longer time, for polled systems.
    fn default() -> Self {
        Self {
            hold_clear: Duration::from_secs(60),
            chatter_raises: 3,
            chatter_within: Duration::from_secs(600),
            resync_within: Duration::from_secs(900),
            standing_max: 100_000,
        }
    }
}
