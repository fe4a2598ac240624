//! Days and hours of a week: `Mo-Fr 07:00-23:00`.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike as _, Timelike as _};

use super::{Timestamp, Zone};

const DAYS: [&str; 7] = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"];
const MINUTES_A_DAY: u32 = 24 * 60;
const SPANS_MAX: usize = 50;

/// Hours of a week in civil time, such as the hours of a team or of a duty. A span may end after midnight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hours {
    /// The hours as they were configured.
    text: String,
    spans: Vec<Span>,
}

/// Hours that are the same on several days of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    /// One bit for each day on which the span begins, from Monday.
    days: u8,
    /// Minutes after midnight. An end that is not after the start is on the next day.
    from: u32,
    to: u32,
}

/// The error for a text that is not [`Hours`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}: use days and hours such as \"Mo-Fr 07:00-23:00, Sa 09:00-13:00\", or \"24/7\"")]
pub struct HoursError(String);

impl Hours {
    /// Whether an instant is within these hours, in the time zone `zone`. The end itself is not included.
    pub fn covers(&self, at: Timestamp, zone: Zone) -> bool {
        let local = zone.local(at);
        let today = local.weekday().num_days_from_monday();
        let minute = local.hour() * 60 + local.minute();
        let is_on = |span: &Span, day: u32| span.days & (1 << (day % 7)) != 0;
        self.spans.iter().any(|span| {
            if span.from < span.to {
                return is_on(span, today) && (span.from..span.to).contains(&minute);
            }
            let began_today = is_on(span, today) && minute >= span.from;
            began_today || (is_on(span, today + 6) && minute < span.to)
        })
    }

    /// The end of the hours that include an instant. `None` if they have no end.
    pub fn end(&self, at: Timestamp, zone: Zone) -> Option<Timestamp> {
        let first = at.secs().div_euclid(60) + 1;
        let mut minutes =
            (0..=i64::from(MINUTES_A_DAY) * 8).map(|n| Timestamp::from_secs((first + n) * 60));
        minutes.find(|at| !self.covers(*at, zone))
    }
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Hours {
    type Err = HoursError;

    /// Reads spans that are separated by commas or semicolons: days (`Mo`, `Mo-Fr`, `Sa,Su`; none for all days), then hours.
    /// `24/7` means always.
    fn from_str(text: &str) -> Result<Self, HoursError> {
        let mut spans = Vec::new();
        let mut days = 0;
        if text.trim() == "24/7" {
            spans.push(Span { days: 0x7f, from: 0, to: MINUTES_A_DAY });
        } else {
            for part in text.split([',', ';', ' ']).filter(|part| !part.is_empty()) {
                if part.starts_with(|first: char| first.is_ascii_digit()) {
                    let (from, to) = hours_of(part)?;
                    let all = if spans.is_empty() { 0x7f } else { 0 };
                    let known =
                        if days == 0 { spans.last().map_or(all, |s: &Span| s.days) } else { days };
                    spans.push(Span { days: known, from, to });
                    days = 0;
                } else {
                    days |= days_of(part)?;
                }
            }
        }
        if days != 0 {
            return Err(HoursError("the last days have no hours".into()));
        }
        match spans.len() {
            0 => Err(HoursError("is empty".into())),
            1..=SPANS_MAX => Ok(Self { text: text.trim().to_owned(), spans }),
            n => Err(HoursError(format!("there are {n} spans, at most {SPANS_MAX} are possible"))),
        }
    }
}

fn day_of(text: &str) -> Result<usize, HoursError> {
    let day = DAYS.iter().position(|day| day.eq_ignore_ascii_case(text));
    day.ok_or_else(|| HoursError(format!("`{text}` is not a day (Mo, Tu, We, Th, Fr, Sa, Su)")))
}

fn days_of(text: &str) -> Result<u8, HoursError> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (day_of(first)?, day_of(last)?);
    // A range may wrap around the week: `Sa-Mo`.
    let n = (last + 7 - first) % 7;
    Ok((0..=n).fold(0, |days, next| days | 1 << ((first + next) % 7)))
}

fn hours_of(text: &str) -> Result<(u32, u32), HoursError> {
    let wrong = || HoursError(format!("`{text}` is not a span of hours"));
    let (from, to) = text.split_once('-').ok_or_else(wrong)?;
    let minute = |text: &str| {
        let (hour, minute) = text.split_once(':')?;
        let (hour, minute) = (hour.parse::<u32>().ok()?, minute.parse::<u32>().ok()?);
        let at = hour * 60 + minute;
        (minute < 60 && at <= MINUTES_A_DAY).then_some(at)
    };
    let (from, to) = (minute(from).ok_or_else(wrong)?, minute(to).ok_or_else(wrong)?);
    if from == MINUTES_A_DAY || from == to {
        return Err(wrong());
    }
    Ok((from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Monday 5 January 2026, 00:00 UTC, and so many minutes.
    fn at(day: i64, hour: i64, minute: i64) -> Timestamp {
        Timestamp::from_secs(1_767_571_200 + day * 86_400 + hour * 3600 + minute * 60)
    }

    #[test]
    fn hours_cover_what_they_say() {
        let covers = |hours: &str, at: Timestamp| {
            hours.parse::<Hours>().map(|hours| hours.covers(at, Zone::UTC)).expect("hours")
        };
        assert!(covers("Mo-Fr 07:00-23:00", at(0, 7, 0)));
        assert!(!covers("Mo-Fr 07:00-23:00", at(0, 6, 59)));
        assert!(!covers("Mo-Fr 07:00-23:00", at(0, 23, 0)));
        assert!(!covers("Mo-Fr 07:00-23:00", at(5, 12, 0)));
        assert!(covers("Mo-Su 22:00-06:00", at(3, 5, 59)));
        assert!(covers("Fr 22:00-06:00", at(5, 3, 0)) && !covers("Fr 22:00-06:00", at(4, 3, 0)));
        assert!(
            covers("Sa-Mo 08:00-10:00", at(6, 9, 0)) && !covers("Sa-Mo 08:00-10:00", at(1, 9, 0))
        );
        assert!(covers("Mo-Fr 07:00-12:00,13:00-18:00", at(2, 14, 0)));
        assert!(covers("Mo-Fr 07:00-18:00; Sa,Su 09:00-13:00", at(6, 9, 0)));
        assert!(covers("24/7", at(6, 23, 59)) && covers("00:00-24:00", at(2, 23, 59)));
        let shanghai = "Asia/Shanghai".parse::<Zone>().expect("a zone");
        assert!("Mo 07:00-08:00".parse::<Hours>().expect("hours").covers(at(-1, 23, 30), shanghai));
    }

    #[test]
    fn hours_end_when_they_say() {
        let end = |hours: &str, at: Timestamp| {
            hours.parse::<Hours>().map(|hours| hours.end(at, Zone::UTC)).expect("hours")
        };
        assert_eq!(end("Mo-Su 22:00-06:00", at(0, 23, 30)), Some(at(1, 6, 0)));
        assert_eq!(end("Sa,Su 00:00-24:00; Mo-Fr 20:00-24:00", at(4, 21, 0)), Some(at(7, 0, 0)));
        assert_eq!(end("24/7", at(0, 0, 0)), None);
    }

    #[test]
    fn other_texts_say_what_is_wrong() {
        for text in
            ["", "Mo-Fr", "Mo-Fr 7-23", "Xx 07:00-08:00", "Mo 25:00-26:00", "Mo 07:00-07:00"]
        {
            let error = text.parse::<Hours>().expect_err(text).to_string();
            assert!(error.contains("Mo-Fr 07:00-23:00"), "{error}");
        }
    }
}
