//! When alarms begin and end.

use std::time::Duration;

/// An alarm whose last change is older than this is stale (ISA-18.2 requires such a limit) and is dropped.
pub const STALE_AFTER: Duration = Duration::from_secs(7 * 86_400);

/// When alarms begin and end. All durations are in event time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlarmRules {
    /// How long a clear is held. A raise during this time cancels it.
    pub hold_clear: Duration,
    /// An alarm chatters after this many raises within `chatter_within`, each after a clear. At least 2.
    pub chatter_raises: usize,
    /// How long the clear of a chattering alarm is held, and how long it must be quiet to stop chattering.
    pub chatter_within: Duration,
    /// How long after a rebuilt list an alarm may be sent again before it ends.
    pub resync_within: Duration,
    /// Maximum number of alarms that may be active at a time.
    pub active_max: usize,
}

impl Default for AlarmRules {
    /// ISA-18.2 calls an alarm chattering at three raises per minute. This default uses a longer time, for polled systems.
    fn default() -> Self {
        Self {
            hold_clear: Duration::from_secs(60),
            chatter_raises: 3,
            chatter_within: Duration::from_secs(600),
            resync_within: Duration::from_secs(900),
            active_max: 100_000,
        }
    }
}
