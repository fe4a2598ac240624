//! Event-time windows `[start, start + width)`. They start at UTC multiples of the width.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::Timestamp;

/// The width of all windows of one deployment: 5, 10, 15, 30 or 60 minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct WindowWidth(u32);

/// The error for any other width.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("window width of {0} s: use 5, 10, 15, 30 or 60 minutes")]
pub struct WidthError(u64);

impl WindowWidth {
    /// A quarter of an hour, the default.
    pub const QUARTER: Self = Self(900);
    /// An hour, the largest width.
    pub const HOUR: Self = Self(3600);

    /// A width of this length.
    ///
    /// # Errors
    /// [`WidthError`] unless the length is 5, 10, 15, 30 or 60 minutes.
    pub fn new(length: Duration) -> Result<Self, WidthError> {
        match length.as_secs() {
            s @ (300 | 600 | 900 | 1800 | 3600) if length.subsec_nanos() == 0 => Ok(Self(s as u32)),
            s => Err(WidthError(s)),
        }
    }

    /// The width as a duration.
    pub const fn length(self) -> Duration {
        Duration::from_secs(self.0 as u64)
    }

    /// The width in seconds.
    pub const fn secs(self) -> u32 {
        self.0
    }

    /// Start of the window that contains `at`.
    pub const fn floor(self, at: Timestamp) -> Timestamp {
        self.start(self.index(at))
    }

    /// End of the window that starts at `start`.
    pub fn end(self, start: Timestamp) -> Timestamp {
        start + self.length()
    }

    /// Index of the window that contains `at`, counted from the epoch.
    pub const fn index(self, at: Timestamp) -> i64 {
        at.millis().div_euclid(self.0 as i64 * 1000)
    }

    /// Start of the window with this index.
    pub const fn start(self, index: i64) -> Timestamp {
        Timestamp::from_millis(index * self.0 as i64 * 1000)
    }

    /// Windows per hour.
    pub const fn per_hour(self) -> usize {
        self.per(Duration::from_secs(3600))
    }

    /// Windows per 24 hours.
    pub const fn per_day(self) -> usize {
        24 * self.per_hour()
    }

    /// Windows per seven times 24 hours.
    pub const fn per_week(self) -> usize {
        7 * self.per_day()
    }

    /// Windows in `length`, rounded down.
    pub const fn per(self, length: Duration) -> usize {
        (length.as_secs() / self.0 as u64) as usize
    }
}

impl fmt::Display for WindowWidth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}m", self.0 / 60)
    }
}
