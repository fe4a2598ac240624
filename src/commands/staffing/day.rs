//! A day from a file, planned by modified offered load.

use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, NaiveTime};
use serde::Serialize;

use super::args::Positions;
use super::{staffing, usage};
use crate::commands::usage::UsageError;
use crate::staffing::{Profile, equivalent_arrivals};

const DAY_SECONDS: i64 = 86_400;
/// Maximum number of rows: a year of windows of five minutes.
const ROWS_MAX: usize = 105_408;

#[derive(Debug)]
struct Row {
    start: String,
    arrivals: f64,
}

/// The staffing of one window.
#[derive(Debug, Serialize)]
pub(super) struct Window {
    /// Start of the window, as written in the file.
    pub(super) start: String,
    /// Arrivals in the window, as written in the file.
    pub(super) arrivals: f64,
    /// The window's largest load, Erlang.
    pub(super) offered_load: f64,
    pub(super) positions: u32,
    pub(super) agents: u32,
    /// Service level at the window's largest load.
    pub(super) service_level: f64,
    /// Probability of waiting at the window's largest load.
    pub(super) p_wait: f64,
}

/// A row for each window of a file.
///
/// # Errors [`UsageError`] for a file that cannot be read, or in which an interval is missing, and for a load out of range.
pub(super) fn plan(
    file: &Path,
    interval: Duration,
    profile: &Profile,
    positions: Option<Positions>,
) -> Result<Vec<Window>, UsageError> {
    if let Some(Positions::Range(..)) = positions {
        return Err(usage("--input takes one number of --agents, not a range"));
    }
    let rows = read(file, interval)?;
    let arrivals: Vec<f64> = rows.iter().map(|row| row.arrivals).collect();
    let width = interval.as_secs_f64();
    let steady = equivalent_arrivals(&arrivals, width, profile.seconds_in_progress());
    let window = |(row, steady): (Row, f64)| {
        let found = staffing(steady * 3600.0 / width, positions, profile)?;
        Ok(Window {
            start: row.start,
            arrivals: row.arrivals,
            offered_load: found.offered_load,
            positions: found.positions,
            agents: found.agents,
            service_level: found.service_level,
            p_wait: found.p_wait,
        })
    };
    rows.into_iter().zip(steady).map(window).collect()
}

fn read(file: &Path, interval: Duration) -> Result<Vec<Row>, UsageError> {
    let name = file.display();
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .flexible(true)
        .from_path(file)
        .map_err(|error| usage(format!("cannot read {name}: {error}")))?;
    let at = |line: u64, text: &str| usage(format!("{name}, line {line}: {text}"));
    let header = reader.headers().map_err(|error| at(1, &error.to_string()))?.clone();
    let columns = columns(&header).map_err(|text| at(1, &text))?;
    let mut rows: Vec<Row> = Vec::new();
    let mut before: Option<Start> = None;
    for record in reader.records() {
        let record = record.map_err(|error| {
            let line = error.position().map_or(0, csv::Position::line);
            at(line, "the text is not UTF-8: save the file as UTF-8")
        })?;
        let line = record.position().map_or(0, csv::Position::line);
        let row = row(&record, header.len(), columns).map_err(|text| at(line, &text))?;
        let start = Start::read(&row.start).ok_or_else(|| {
            let start = &row.start;
            at(line, &format!("start: `{start}`: use a time such as 2026-11-20T08:00Z or 08:00"))
        })?;
        let width = interval.as_secs_f64();
        if before.is_some_and(|before| before.seconds_to(&start).is_none_or(|s| s as f64 != width))
        {
            let text = format!(
                "{} does not follow the row before by {width} s: use one row for each interval, in \
                 order, and --interval as in the file",
                row.start
            );
            return Err(at(line, &text));
        }
        before = Some(start);
        rows.push(row);
        if rows.len() > ROWS_MAX {
            return Err(usage(format!("{name}: more than {ROWS_MAX} rows; use a shorter period")));
        }
    }
    if rows.is_empty() {
        return Err(usage(format!("{name} has no rows: use one for each interval")));
    }
    Ok(rows)
}

/// Positions of the columns `start` and `arrivals` in a header.
fn columns(header: &csv::StringRecord) -> Result<[usize; 2], String> {
    const USE: &str = "use the columns start and arrivals, with a comma between them";
    let names: Vec<&str> = header.iter().map(|name| name.trim_start_matches('\u{feff}')).collect();
    if let Some(unknown) = names.iter().find(|name| !["start", "arrivals"].contains(name)) {
        return Err(format!("unknown column `{unknown}`: {USE}"));
    }
    let find = |wanted: &str| {
        let found = names.iter().position(|name| *name == wanted);
        found.ok_or_else(|| format!("there is no column {wanted}: {USE}"))
    };
    Ok([find("start")?, find("arrivals")?])
}

fn row(
    record: &csv::StringRecord,
    width: usize,
    [start, arrivals]: [usize; 2],
) -> Result<Row, String> {
    if record.len() != width {
        return Err(format!(
            "{} values for {width} columns: use such as 2026-11-20T08:00,120, and write 1000 for a thousand",
            record.len()
        ));
    }
    let cell = |at: usize| record.get(at).unwrap_or_default();
    let text = cell(arrivals);
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite() && *number >= 0.0);
    let wrong = || {
        format!("arrivals: `{text}`: use a number from 0 up, such as 120, or 1000 for a thousand")
    };
    Ok(Row { start: cell(start).to_owned(), arrivals: number.ok_or_else(wrong)? })
}

/// When a window begins.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Start {
    /// Seconds since 1970.
    Instant(i64),
    /// Seconds since midnight.
    TimeOfDay(i64),
}

impl Start {
    fn read(text: &str) -> Option<Self> {
        if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
            return Some(Self::Instant(instant.timestamp()));
        }
        let plain = text.trim_end_matches('Z').replacen(' ', "T", 1);
        for format in ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"] {
            if let Ok(civil) = NaiveDateTime::parse_from_str(&plain, format) {
                return Some(Self::Instant(civil.and_utc().timestamp()));
            }
        }
        let midnight = NaiveTime::MIN;
        let time =
            ["%H:%M", "%H:%M:%S"].iter().find_map(|f| NaiveTime::parse_from_str(text, f).ok());
        time.map(|time| Self::TimeOfDay((time - midnight).num_seconds()))
    }

    /// Seconds to the next start; `None` if the two starts have different formats.
    fn seconds_to(&self, next: &Self) -> Option<i64> {
        match (self, next) {
            (Self::Instant(from), Self::Instant(to)) => Some(to - from),
            (Self::TimeOfDay(from), Self::TimeOfDay(to)) => {
                Some((to - from).rem_euclid(DAY_SECONDS))
            }
            _ => None,
        }
    }
}
