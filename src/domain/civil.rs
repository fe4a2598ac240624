//! Local civil time of a region: "a week ago" is seven civil days, also across daylight saving changes.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, NaiveDateTime, TimeZone, Timelike};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::Timestamp;

/// An IANA time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone(chrono_tz::Tz);

/// The error for a text that is not a time zone.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{0}` is not an IANA time zone: use one such as Asia/Shanghai or Europe/London")]
pub struct ZoneError(String);

impl Zone {
    /// Coordinated universal time.
    pub const UTC: Self = Self(chrono_tz::Tz::UTC);

    /// Civil date and time of an instant.
    pub fn local(self, at: Timestamp) -> NaiveDateTime {
        self.0.from_utc_datetime(&at.utc().naive_utc()).naive_local()
    }

    /// The instant of a civil time. For an ambiguous time (clocks go back) it is the earlier instant. A time that does
    /// not exist (clocks go forward) is moved forward by the skipped hour.
    pub fn instant(self, local: NaiveDateTime) -> Timestamp {
        let found = self.0.from_local_datetime(&local).earliest().or_else(|| {
            self.0.from_local_datetime(&(local + chrono::TimeDelta::hours(1))).earliest()
        });
        match found {
            Some(t) => Timestamp::from_millis(t.timestamp_millis()),
            None => Timestamp::from_millis(local.and_utc().timestamp_millis()),
        }
    }

    /// The earlier and the later instant of a civil time. They differ only for an ambiguous time.
    pub fn instants(self, local: NaiveDateTime) -> (Timestamp, Timestamp) {
        let earlier = self.instant(local);
        let later = self.0.from_local_datetime(&local).latest();
        (earlier, later.map_or(earlier, |at| Timestamp::from_millis(at.timestamp_millis())))
    }

    /// The same wall-clock time `days` civil days earlier.
    pub fn days_before(self, at: Timestamp, days: u32) -> Timestamp {
        self.instant(self.local(at) - chrono::TimeDelta::days(i64::from(days)))
    }

    /// Minutes since local Monday 00:00, 0–10,079.
    pub fn minute_of_week(self, at: Timestamp) -> u32 {
        let local = self.local(at);
        local.weekday().num_days_from_monday() * 1440 + local.hour() * 60 + local.minute()
    }
}

impl Default for Zone {
    fn default() -> Self {
        Self::UTC
    }
}

impl FromStr for Zone {
    type Err = ZoneError;
    fn from_str(text: &str) -> Result<Self, ZoneError> {
        text.parse().map(Self).map_err(|_| ZoneError(text.into()))
    }
}

impl TryFrom<String> for Zone {
    type Error = ZoneError;
    fn try_from(text: String) -> Result<Self, ZoneError> {
        text.parse()
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.0.name().to_owned()
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_week_ago_survives_both_clock_changes() {
        let zone: Zone = "Europe/London".parse().expect("zone");
        for (now, then) in [
            ("2026-04-01T07:00:00Z", "2026-03-25T08:00:00Z"),
            ("2026-10-28T08:00:00Z", "2026-10-21T07:00:00Z"),
        ] {
            let now = Timestamp::parse(now).expect("time");
            assert_eq!(zone.days_before(now, 7).to_string(), then);
        }
    }

    #[test]
    fn a_time_that_does_not_exist_is_moved_forward() {
        let zone: Zone = "Europe/London".parse().expect("zone");
        let at = Timestamp::parse("2026-04-05T00:30:00Z").expect("time"); // 01:30 BST
        // A week before, 01:30 did not exist.
        assert_eq!(zone.days_before(at, 7).to_string(), "2026-03-29T01:30:00Z");
    }
}
