//! The rows of the file of counts, from their order in the file to their order in time.

use std::time::Duration;

use super::moments;
use super::steps::Rows;
use crate::domain::{DAY, Moment, Timestamp, Zone};

/// A row of the file.
#[derive(Clone, Copy, Debug)]
pub struct Written {
    pub at: Moment,
    pub count: f64,
    pub line: u64,
}

/// Least distance from both neighbours at which a time is odd.
const ODD: Duration = Duration::from_secs(180 * 86_400);
/// Maximum distance of two neighbours that belong together.
const NEAR: Duration = Duration::from_secs(31 * 86_400);
/// Maximum number of odd rows of one file. If there are more, they are not mistakes.
const ODD_MAX: usize = 3;

/// The rows of a series in order of time. Files may begin with the newest row.
///
/// # Errors
/// The line and a text, for a time outside the accepted range.
pub fn in_order(mut written: Vec<Written>, zone: Zone) -> Result<(Rows, Vec<Odd>), (u64, String)> {
    let pairs =
        written.windows(2).map(|pair| (moments::civil(pair[0].at), moments::civil(pair[1].at)));
    let (up, down) = pairs.fold((0_usize, 0_usize), |(up, down), (a, b)| {
        (up + usize::from(a < b), down + usize::from(a > b))
    });
    if down > up {
        written.reverse();
    }
    let mut rows: Rows = Vec::with_capacity(written.len());
    for row in &written {
        let last = rows.last().map(|(at, _)| *at);
        let at = moments::instant(row.at, zone, last)
            .map_err(|text| (row.line, format!("its time {text}")))?;
        rows.push((at, row.count));
    }
    let odd = odd(&rows, &written);
    rows.sort_by_key(|(at, _)| *at);
    Ok((rows, odd))
}

/// A row whose time is far from the times of the rows around it, although those are close together.
#[derive(Clone, Copy, Debug)]
pub struct Odd {
    pub line: u64,
    at: Timestamp,
    beside: Timestamp,
}

fn odd(rows: &Rows, written: &[Written]) -> Vec<Odd> {
    let count = rows.len();
    if count < 4 {
        return Vec::new();
    }
    let apart = |a: Timestamp, b: Timestamp| a.since(b).max(b.since(a));
    let mut found = Vec::new();
    for (nth, (at, _)) in rows.iter().enumerate() {
        // The first and the last row have two neighbours on one side.
        let (one, other) = match nth {
            0 => (1, 2),
            last if last == count - 1 => (count - 2, count - 3),
            _ => (nth - 1, nth + 1),
        };
        let (one, other) = (rows[one].0, rows[other].0);
        if apart(one, other) <= NEAR && apart(*at, one) > ODD && apart(*at, other) > ODD {
            found.push(Odd { line: written[nth].line, at: *at, beside: one });
        }
    }
    found
}

/// A description of the odd rows, if they are few.
pub fn mistyped(odd: &[Odd]) -> Option<(u64, String)> {
    let first = odd.first().filter(|_| odd.len() <= ODD_MAX)?;
    let days =
        first.at.since(first.beside).max(first.beside.since(first.at)).as_secs() / DAY.as_secs();
    let more = match odd.len() {
        1 => String::new(),
        count => format!(" (and {} more rows)", count - 1),
    };
    Some((
        first.line,
        format!(
            "its time {} lies {days} days from the rows around it: is the year wrong?{more}",
            first.at
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(times: &[&str]) -> Vec<Written> {
        let row = |(nth, text): (usize, &&str)| Written {
            at: moments::read(text).expect(text),
            count: nth as f64,
            line: nth as u64 + 2,
        };
        times.iter().enumerate().map(row).collect()
    }

    fn london() -> Zone {
        "Europe/London".parse().expect("zone")
    }

    /// The times of rows across the hour that occurs twice, in order.
    const AUTUMN: [&str; 6] = [
        "2026-10-25 00:30",
        "2026-10-25 01:00",
        "2026-10-25 01:30",
        "2026-10-25 01:00",
        "2026-10-25 01:30",
        "2026-10-25 02:00",
    ];

    #[test]
    fn both_hours_are_read_whichever_row_is_first() {
        let mut newest_first = AUTUMN;
        newest_first.reverse();
        let [one, other] = [AUTUMN, newest_first].map(|times| {
            let (rows, odd) = in_order(written(&times), london()).expect("times");
            assert!(odd.is_empty(), "{odd:?}");
            rows.iter().map(|(at, _)| at.to_string()).collect::<Vec<_>>()
        });
        assert_eq!(one, other);
        let hours = ["23:30", "00:00", "00:30", "01:00", "01:30", "02:00"];
        assert!(one.iter().zip(hours).all(|(at, hour)| at.contains(hour)), "{one:?}");
    }

    #[test]
    fn one_mistyped_year_is_named() {
        let days: Vec<String> = (1..28).map(|day| format!("2026-02-{day:02} 12:00")).collect();
        for (nth, year) in
            [(0, "2016"), (5, "2062"), (13, "2025"), (26, "2027"), (26, "2006"), (0, "2027")]
        {
            let mut times = days.clone();
            times[nth] = times[nth].replacen("2026", year, 1);
            for reversed in [false, true] {
                let mut rows = written(&times.iter().map(String::as_str).collect::<Vec<_>>());
                if reversed {
                    rows.reverse();
                }
                let (_, odd) = in_order(rows, Zone::UTC).expect("times");
                let (line, text) = mistyped(&odd).expect("one is odd");
                assert_eq!(line, nth as u64 + 2, "{year} {reversed}");
                assert!(text.contains(year) && text.contains("is the year wrong?"), "{text}");
            }
        }
        // A gap of a year is not odd, and rows may be in any order.
        let mut gap: Vec<String> = days.iter().map(|day| day.replacen("2026", "2024", 1)).collect();
        gap.extend(days.clone());
        let mixed: Vec<String> =
            gap.iter().zip(gap.iter().rev()).flat_map(|(a, b)| [a.clone(), b.clone()]).collect();
        for times in [gap, mixed] {
            let rows = written(&times.iter().map(String::as_str).collect::<Vec<_>>());
            let (_, odd) = in_order(rows, Zone::UTC).expect("times");
            assert!(mistyped(&odd).is_none(), "{odd:?}");
        }
    }

    #[test]
    fn a_date_alone_is_its_midnight() {
        for (text, want) in [
            ("2026-07-01", "2026-06-30T23:00:00Z"),
            ("20260701", "2026-06-30T23:00:00Z"),
            ("2026/07/01", "2026-06-30T23:00:00Z"),
            ("1795898155", "2026-11-28T20:35:55Z"),
            ("2026-11-28 20:35:55+0000", "2026-11-28T20:35:55Z"),
        ] {
            assert_eq!(
                moments::parse(text, london()).map(|at| at.to_string()),
                Ok(want.into()),
                "{text}"
            );
        }
        assert!(moments::parse("01/07/2026", london()).is_err());
    }
}
