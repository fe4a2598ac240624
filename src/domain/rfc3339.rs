//! The usual form of RFC 3339, such as `2026-01-31T08:00:00Z`. Nearly all times of events have it, and the general reader and
//! writer of chrono take several times as long.

use chrono::{Datelike as _, NaiveDate};

/// The days from 0000-12-31 to 1970-01-01.
const EPOCH_DAYS: i32 = 719_163;
const DAY_MS: i64 = 86_400_000;

/// Milliseconds since the epoch. `None` for other texts: chrono may still be able to read them.
pub(super) fn read(text: &str) -> Option<i64> {
    let (head, rest) = text.as_bytes().split_first_chunk::<19>()?;
    if [head[4], head[7], head[10], head[13], head[16]] != *b"--T::" {
        return None;
    }
    let two = |at: usize| number(&head[at..at + 2]);
    let (year, month, day) = (two(0)? * 100 + two(2)?, two(5)?, two(8)?);
    let (hour, minute, second) = (two(11)?, two(14)?, two(17)?);
    // A leap second is left to chrono.
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let date = NaiveDate::from_ymd_opt(year as i32, month, day)?;
    let (millis, rest) = fraction(rest)?;
    let minutes = i64::from(hour * 60 + minute) - offset(rest)?;
    let days = i64::from(date.num_days_from_ce() - EPOCH_DAYS);
    Some(days * DAY_MS + (minutes * 60 + i64::from(second)) * 1000 + i64::from(millis))
}

/// A number of digits only.
fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |number, byte| {
        byte.is_ascii_digit().then(|| number * 10 + u32::from(byte - b'0'))
    })
}

/// Milliseconds of the fraction of a second, rounded down, and what follows it.
fn fraction(rest: &[u8]) -> Option<(u32, &[u8])> {
    let Some(rest) = rest.strip_prefix(b".") else { return Some((0, rest)) };
    let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = rest.split_at(count);
    let digit = |at: usize| digits.get(at).map_or(0, |byte| u32::from(byte - b'0'));
    (count > 0).then(|| (digit(0) * 100 + digit(1) * 10 + digit(2), rest))
}

/// Minutes of the offset from UTC, with which the text ends.
fn offset(rest: &[u8]) -> Option<i64> {
    match rest {
        b"Z" => Some(0),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (number(&[*h1, *h2])?, number(&[*m1, *m2])?);
            let all = i64::from(hours * 60 + minutes);
            let is_valid = hours < 24 && minutes < 60;
            is_valid.then_some(if *sign == b'-' { -all } else { all })
        }
        _ => None,
    }
}

/// The text of a time in UTC with `Z`; milliseconds only if they are not zero. `None` outside the years 0 to 9999.
pub(super) fn write(ms: i64, buffer: &mut [u8; 24]) -> Option<&str> {
    let days = i32::try_from(ms.div_euclid(DAY_MS)).ok()?.checked_add(EPOCH_DAYS)?;
    let date = NaiveDate::from_num_days_from_ce_opt(days)?;
    let year = u32::try_from(date.year()).ok().filter(|year| *year < 10_000)?;
    let of_day = ms.rem_euclid(DAY_MS) as u32;
    let (second, millis) = (of_day / 1000, of_day % 1000);
    buffer.copy_from_slice(b"0000-00-00T00:00:00.000Z");
    let parts = [
        (0, year / 100),
        (2, year % 100),
        (5, date.month()),
        (8, date.day()),
        (11, second / 3600),
        (14, second / 60 % 60),
        (17, second % 60),
        (20, millis / 10),
    ];
    for (at, part) in parts {
        buffer[at] += (part / 10) as u8;
        buffer[at + 1] += (part % 10) as u8;
    }
    let length = match millis {
        0 => {
            buffer[19] = b'Z';
            20
        }
        _ => {
            buffer[22] += (millis % 10) as u8;
            24
        }
    };
    std::str::from_utf8(&buffer[..length]).ok()
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, SecondsFormat};
    use proptest::prelude::*;

    use super::*;

    fn chrono(text: &str) -> Option<i64> {
        DateTime::parse_from_rfc3339(text).ok().map(|at| at.timestamp_millis())
    }

    #[test]
    fn the_usual_form_is_read_and_others_are_left_to_chrono() {
        for text in [
            "2026-11-28T20:35:55Z",
            "2026-11-28T20:35:55.1Z",
            "2026-11-28T20:35:55.123456789012+00:00",
            "2024-02-29T23:59:59.999-23:59",
            "0000-01-01T00:00:00Z",
            "9999-12-31T23:59:59+05:30",
        ] {
            assert!(read(text).is_some(), "{text}");
            assert_eq!(read(text), chrono(text), "{text}");
        }
        for text in [
            "2026-11-28t20:35:55Z",
            "2026-11-28 20:35:55Z",
            "2026-11-28T20:35:60Z",
            "2026-11-28T20:35:55",
            "2026-11-28T20:35:55.Z",
            "2026-02-29T20:35:55Z",
            "2026-11-28T24:00:00Z",
            "2026-11-28T20:35:55+0800",
            "2026-11-28T20:35:55+24:00",
            "2026-11-28T20:35:55Z ",
            "é026-11-28T20:35:55Z",
            "2026-11-28T20:35:5",
            "",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_what_chrono_reads(
            text in "[0-9]{4}-[01][0-9]-[0-3][0-9][Tt ][0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{0,12})?(Z|[+-][0-2][0-9]:[0-6][0-9])?",
        ) {
            if let Some(ms) = read(&text) {
                prop_assert_eq!(chrono(&text), Some(ms));
            }
        }

        #[test]
        fn what_is_written_is_what_chrono_writes(ms in prop_oneof![
            0..4_102_444_800_000_i64,
            (0..4_102_444_800_i64).prop_map(|s| s * 1000),
            any::<i64>(),
        ]) {
            let mut buffer = [0; 24];
            if let Some(text) = write(ms, &mut buffer) {
                let format = if ms % 1000 == 0 { SecondsFormat::Secs } else { SecondsFormat::Millis };
                let at = DateTime::from_timestamp_millis(ms).expect("in the range of chrono");
                prop_assert_eq!(text, at.to_rfc3339_opts(format, true));
                prop_assert_eq!(read(text), Some(ms));
            } else {
                prop_assert!(!(0..4_102_444_800_000).contains(&ms));
            }
        }
    }
}
