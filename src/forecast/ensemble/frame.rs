//! Civil time of consecutive windows, computed once per place and shared by its series.

use chrono::{Datelike, Days, NaiveDate, Timelike};

use crate::domain::WindowWidth;
use crate::forecast::{Calendar, DayKind, Place};

/// The kind of a date, which determines its profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Ordinary,
    /// A public holiday. At first its profile is between that of its weekday and that of a Sunday.
    Holiday,
    /// The day before or after a holiday.
    Eve,
    Morrow,
    Event,
    School,
}

impl Kind {
    /// Number of kinds.
    pub(super) const COUNT: usize = 6;
}

/// Slots and dates of the windows `first..first + len`.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    pub first: i64,
    /// Number of windows in 24 h.
    pub day: usize,
    /// Slot of the week in civil time, from Monday 00:00, below `7 · day`.
    pub slot: Vec<u16>,
    /// Slot of the day in civil time, below `day`.
    pub time_of_day: Vec<u16>,
    /// Civil date, days since the common era.
    pub date: Vec<i32>,
    pub kind: Vec<Kind>,
    /// Day of the month, from 1.
    pub month_day: Vec<u8>,
}

impl Frame {
    pub(super) fn new(place: &Place, width: WindowWidth, first: i64, len: usize) -> Self {
        let day = width.per_day();
        let mut frame = Self {
            first,
            day,
            slot: Vec::with_capacity(len),
            time_of_day: Vec::with_capacity(len),
            date: Vec::with_capacity(len),
            kind: Vec::with_capacity(len),
            month_day: Vec::with_capacity(len),
        };
        let minutes = width.secs() / 60;
        let mut today = (NaiveDate::MIN, Kind::Ordinary, 0);
        for index in first..first + len as i64 {
            let local = place.zone.local(width.start(index));
            if local.date() != today.0 {
                today = (local.date(), kind(&place.calendar, local.date()), 0);
                today.2 = weekday(&place.calendar, local.date());
            }
            let minute = local.hour() * 60 + local.minute();
            frame.slot.push((today.2 * day as u32 + minute / minutes) as u16);
            frame.time_of_day.push((minute / minutes) as u16);
            frame.date.push(today.0.num_days_from_ce());
            frame.kind.push(today.1);
            frame.month_day.push(today.0.day() as u8);
        }
        frame
    }

    pub(super) fn week(&self) -> usize {
        7 * self.day
    }

    pub(super) fn len(&self) -> usize {
        self.slot.len()
    }

    /// A step that selects about `most` of `n` windows, so that all times of day occur.
    pub(super) fn stride(&self, n: usize, most: usize) -> usize {
        let mut stride = n.div_ceil(most).max(1);
        while gcd(stride, self.day) > 1 {
            stride += 1;
        }
        stride
    }
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// The weekday whose profile applies to a date. A weekend day on which people work has the profile of the neighbouring weekday.
fn weekday(calendar: &Calendar, date: NaiveDate) -> u32 {
    let day = date.weekday().num_days_from_monday();
    match day {
        5 if calendar.is(date, DayKind::WorkingDay) => 4,
        6 if calendar.is(date, DayKind::WorkingDay) => 0,
        _ => day,
    }
}

fn kind(calendar: &Calendar, date: NaiveDate) -> Kind {
    if calendar.is_empty() {
        return Kind::Ordinary;
    }
    let is = |date: Option<NaiveDate>, kind| date.is_some_and(|date| calendar.is(date, kind));
    let (before, after) =
        (date.checked_sub_days(Days::new(1)), date.checked_add_days(Days::new(1)));
    if calendar.is(date, DayKind::Holiday) {
        Kind::Holiday
    } else if is(after, DayKind::Holiday) {
        Kind::Eve
    } else if is(before, DayKind::Holiday) {
        Kind::Morrow
    } else if calendar.is(date, DayKind::Event) {
        Kind::Event
    } else if calendar.is(date, DayKind::SchoolHoliday) {
        Kind::School
    } else {
        Kind::Ordinary
    }
}
