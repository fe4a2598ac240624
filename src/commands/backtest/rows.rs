//! The rows of the file of counts, from their order in the file to their order in time.

use std::time::Duration;

use super::moments;
use super::steps::Rows;
use crate::domain::{DAY, Moment, Timestamp, Zone};

/// A row as it stands in the file.
#[derive(Clone, Copy, Debug)]
pub struct Written {
    pub at: Moment,
    pub count: f64,
    pub line: u64,
}

/// Distance from both neighbours from which on a time is odd.
const ODD: Duration = Duration::from_secs(180 * 86_400);
/// Distance of two neighbours that belong together.
const NEAR: Duration = Duration::from_secs(31 * 86_400);
/// Most odd rows of one file. More are a habit of the file, not a mistake.
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

/// A row whose time lies far from those of the rows around it, although these are close together.
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

/// What is odd about a file, if a few of its rows are.
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
