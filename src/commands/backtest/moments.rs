//! Times in input files: all forms of [`Moment`], where a time without an offset is civil time in one zone.

use std::time::Duration;

use chrono::{NaiveDateTime, NaiveTime};

use crate::domain::{Moment, Timestamp, Zone};

/// Two equal civil times (when the clocks go back) are distinguished by their distance: rows up to this far after the first one
/// come before the second one.
const TWICE_WITHIN: Duration = Duration::from_secs(2 * 3600);

/// Reads a time. A date alone is its midnight.
///
/// # Errors
/// A text with the accepted formats.
pub fn parse(text: &str, zone: Zone) -> Result<Timestamp, String> {
    instant(read(text)?, zone, None).map_err(|rest| format!("`{text}` {rest}"))
}

/// Reads a time, without its zone.
///
/// # Errors
/// A text with the accepted formats.
pub fn read(text: &str) -> Result<Moment, String> {
    Moment::read(text).map_err(|_| {
        let shown: String = text.chars().take(40).collect();
        format!(
            "`{shown}` is not a time such as 2026-01-31T08:00:00Z or 2026-01-31 08:00:00, from 1990 to 2100"
        )
    })
}

/// The instant. A civil time that does not exist (the clocks go forward) moves on by the skipped hour. A civil time that occurs
/// twice (the clocks go back) is the earlier instant, unless the previous row (`last`) is at or after that instant: then it is
/// the later one, because a series has both.
///
/// # Errors
/// A text if it lies outside the accepted range.
pub fn instant(moment: Moment, zone: Zone, last: Option<Timestamp>) -> Result<Timestamp, String> {
    let civil = match moment {
        Moment::Instant(at) => return Ok(at),
        moment => civil(moment),
    };
    let (earlier, later) = zone.instants(civil);
    let is_second = last.is_some_and(|last| earlier <= last && last.since(earlier) <= TWICE_WITHIN);
    let at = if is_second { later } else { earlier };
    if (Timestamp::MIN..Timestamp::MAX).contains(&at) {
        Ok(at)
    } else {
        Err("lies outside 1990 to 2100".into())
    }
}

/// The civil time, for comparisons; for an instant, that in UTC.
pub fn civil(moment: Moment) -> NaiveDateTime {
    match moment {
        Moment::Instant(at) => at.utc().naive_utc(),
        Moment::Civil(civil) => civil,
        Moment::Date(date) => date.and_time(NaiveTime::MIN),
    }
}
