//! ISO weeks in a time zone.

use std::str::FromStr;

use chrono::{Datelike, NaiveDate, Weekday};

use crate::domain::{Timestamp, Zone};
use crate::store::{Reader, StoreError};

/// Days of a week.
pub const DAYS: u32 = 7;

/// An ISO week, Monday to Sunday.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Week(NaiveDate);

impl Week {
    /// The last week that was over at `now` in a zone.
    pub fn before(now: Timestamp, zone: Zone) -> Self {
        Self::of(zone.days_before(now, DAYS), zone)
    }

    /// The week that contains `at`.
    fn of(at: Timestamp, zone: Zone) -> Self {
        let day = zone.local(at).date();
        let back = chrono::Days::new(u64::from(day.weekday().num_days_from_monday()));
        Self(day.checked_sub_days(back).unwrap_or(day))
    }

    /// The last week whose windows are all finalized, or the first week with windows if none is over; `None` before the
    /// first finalized window.
    pub(super) fn last(reader: &Reader, zone: Zone) -> Result<Option<Self>, StoreError> {
        let Some(upto) = reader.state::<i64>("next_window")?.map(Timestamp::from_millis) else {
            return Ok(None);
        };
        let first = reader.series()?.into_iter().map(|info| info.first).min();
        let Some(first) = first.filter(|first| *first < upto) else { return Ok(None) };
        let week = Self::before(upto, zone);
        Ok(Some(if week.span(zone).1 <= first { Self::of(first, zone) } else { week }))
    }

    /// Its start and end: midnights between Sunday and Monday in a zone.
    pub fn span(self, zone: Zone) -> (Timestamp, Timestamp) {
        let end = self.0.checked_add_days(chrono::Days::new(DAYS.into())).unwrap_or(self.0);
        let midnight = |day: NaiveDate| zone.instant(day.and_time(chrono::NaiveTime::MIN));
        (midnight(self.0), midnight(end))
    }

    /// The UTC days with its dates. The ledger sums scores by UTC day.
    pub fn utc_days(self) -> (Timestamp, Timestamp) {
        self.span(Zone::UTC)
    }

    /// The day of an instant: 0 is Monday.
    pub(super) fn day(self, at: Timestamp, zone: Zone) -> Option<usize> {
        let days = (zone.local(at).date() - self.0).num_days();
        usize::try_from(days).ok().filter(|day| *day < DAYS as usize)
    }
}

impl FromStr for Week {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text}: use a week such as 2026-W46");
        let (year, week) = text.split_once("-W").ok_or_else(wrong)?;
        let (year, week) = (year.parse().map_err(|_| wrong())?, week.parse().map_err(|_| wrong())?);
        // Years that timestamps reach.
        let known = (1991..2099).contains(&year);
        let monday = NaiveDate::from_isoywd_opt(year, week, Weekday::Mon).filter(|_| known);
        monday.map(Self).ok_or_else(wrong)
    }
}

impl std::fmt::Display for Week {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0.format("%G-W%V"))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).expect("a time")
    }

    #[test]
    fn weeks_are_iso_weeks() {
        let week: Week = "2026-W46".parse().expect("a week");
        assert_eq!(week.to_string(), "2026-W46");
        assert_eq!(week.span(Zone::UTC).0.to_string(), "2026-11-09T00:00:00Z");
        let monday = at("2026-11-16T00:00:00Z");
        assert_eq!(Week::before(monday, Zone::UTC), week);
        let sunday = monday - Duration::from_secs(1);
        assert_eq!(Week::before(sunday, Zone::UTC).to_string(), "2026-W45");
        for wrong in ["2026-46", "2026-W54", "2026-W00", "-W1", "9999-W01"] {
            assert!(wrong.parse::<Week>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn weeks_begin_and_end_at_local_midnight() {
        let cases = [
            ("Asia/Shanghai", "2026-W46", "2026-11-08T16:00:00Z", "2026-11-15T16:00:00Z"),
            // Clocks go forward on 29 March: the week is an hour shorter.
            ("Europe/London", "2026-W13", "2026-03-23T00:00:00Z", "2026-03-29T23:00:00Z"),
            ("Asia/Kolkata", "2026-W46", "2026-11-08T18:30:00Z", "2026-11-15T18:30:00Z"),
        ];
        for (zone, week, from, to) in cases {
            let zone: Zone = zone.parse().expect("a zone");
            let week: Week = week.parse().expect("a week");
            assert_eq!(week.span(zone), (at(from), at(to)), "{zone}");
            assert_eq!(Week::before(at(to), zone), week, "{zone}");
            let last = at(to) - Duration::from_secs(1);
            assert_eq!((week.day(at(from), zone), week.day(last, zone)), (Some(0), Some(6)));
            assert_eq!(week.day(at(to), zone), None);
        }
    }
}
