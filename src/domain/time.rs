//! Instants, as milliseconds since the Unix epoch (UTC).

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

use super::rfc3339;

/// An instant, in milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// The error for a text or a number that is not an instant in the accepted range.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TimeError {
    #[error("`{0}` is not an RFC 3339 time such as 2026-01-31T08:00:00Z")]
    Syntax(String),
    #[error("time is outside 1990-01-01 to 2100-01-01")]
    Range,
    #[error("it has no time zone: add Z or an offset such as +08:00")]
    NoZone,
    #[error("it is rounded to 1000 s or more: send all digits, such as 1795898155")]
    Rounded,
    #[error("it is a date without a time of day: use a time such as 2026-01-31T08:00:00Z")]
    NoTimeOfDay,
}

impl Timestamp {
    /// Earliest instant accepted from outside: 1990-01-01.
    pub const MIN: Self = Self(631_152_000_000);
    /// Latest instant accepted from outside: 2100-01-01.
    pub const MAX: Self = Self(4_102_444_800_000);

    /// An instant from milliseconds since the epoch; no range check.
    pub const fn from_millis(ms: i64) -> Self {
        Self(ms)
    }

    /// An instant from whole seconds since the epoch; no range check.
    pub const fn from_secs(s: i64) -> Self {
        Self(s * 1000)
    }

    /// Milliseconds since the epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Midnight (UTC) at the start of its day.
    pub const fn utc_midnight(self) -> Self {
        const DAY_MS: i64 = 86_400_000;
        Self(self.0.div_euclid(DAY_MS) * DAY_MS)
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn secs(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Reads RFC 3339 text with any UTC offset.
    ///
    /// # Errors
    /// [`TimeError::Syntax`] for other text, [`TimeError::Range`] outside [`Self::MIN`]..[`Self::MAX`].
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        if let Some(ms) = rfc3339::read(text) {
            return Self(ms).checked();
        }
        let parsed = DateTime::parse_from_rfc3339(text)
            .map_err(|_| TimeError::Syntax(text.chars().take(40).collect()))?;
        Self(parsed.timestamp_millis()).checked()
    }

    /// Reads an epoch number. Its magnitude decides whether it is in seconds, milliseconds, microseconds or nanoseconds.
    ///
    /// # Errors
    /// [`TimeError::Range`] outside [`Self::MIN`]..[`Self::MAX`].
    pub fn from_epoch(number: f64) -> Result<Self, TimeError> {
        if !number.is_finite() || number < 0.0 {
            return Err(TimeError::Range);
        }
        let ms = if number < 1e10 {
            number * 1e3
        } else if number < 1e13 {
            number
        } else if number < 1e17 {
            number / 1e3
        } else {
            number / 1e6
        };
        // The cast saturates, and the range check refuses saturated values.
        Self(ms as i64).checked()
    }

    pub(super) fn checked(self) -> Result<Self, TimeError> {
        if (Self::MIN..Self::MAX).contains(&self) { Ok(self) } else { Err(TimeError::Range) }
    }

    /// The same instant as a chrono value.
    pub fn utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0).unwrap_or(DateTime::UNIX_EPOCH)
    }

    /// The duration from `earlier` to `self`; zero if `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

fn millis_of(length: Duration) -> i64 {
    i64::try_from(length.as_millis()).unwrap_or(i64::MAX)
}

impl Add<Duration> for Timestamp {
    type Output = Self;
    fn add(self, length: Duration) -> Self {
        Self(self.0.saturating_add(millis_of(length)))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;
    fn sub(self, length: Duration) -> Self {
        Self(self.0.saturating_sub(millis_of(length)))
    }
}

/// RFC 3339 in UTC with `Z`; milliseconds only if they are not zero.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(text) = rfc3339::write(self.0, &mut [0; 24]) {
            return f.write_str(text);
        }
        let format = if self.0 % 1000 == 0 { SecondsFormat::Secs } else { SecondsFormat::Millis };
        f.write_str(&self.utc().to_rfc3339_opts(format, true))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        if s.is_human_readable() { s.collect_str(self) } else { s.serialize_i64(self.0) }
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        if d.is_human_readable() {
            let text = String::deserialize(d)?;
            Self::parse(&text).map_err(serde::de::Error::custom)
        } else {
            i64::deserialize(d).map(Self)
        }
    }
}

/// A clock. The core never reads one: it receives `now` as an argument.
pub trait Clock: Send + Sync {
    /// The present instant.
    fn now(&self) -> Timestamp;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn magnitude_decides_the_unit_of_an_epoch_number() {
        let want = Timestamp::from_secs(1_767_233_000);
        for n in [1_767_233_000.0, 1_767_233_000e3, 1_767_233_000e6, 1_767_233_000e9] {
            assert_eq!(Timestamp::from_epoch(n), Ok(want));
        }
        assert_eq!(Timestamp::from_epoch(-1.0), Err(TimeError::Range));
        assert_eq!(Timestamp::from_epoch(f64::NAN), Err(TimeError::Range));
    }

    #[test]
    fn text_is_utc_with_z() {
        let t = Timestamp::parse("2026-01-01T02:05:00+08:00").expect("valid");
        assert_eq!(t.to_string(), "2025-12-31T18:05:00Z");
        assert_eq!(Timestamp::parse("9999-01-01T00:00:00Z"), Err(TimeError::Range));
        assert!(matches!(Timestamp::parse("yesterday"), Err(TimeError::Syntax(_))));
    }
}
