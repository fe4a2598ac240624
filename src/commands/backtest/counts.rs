//! The file of counts: rows → windows of one width.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use super::moments;
use super::names::{Names, ONLY};
use super::options::Options;
use super::rows::{self, Written};
use super::steps::{Regular, Rows};
use super::table::{Row, Table};
use crate::commands::usage::UsageError;
use crate::commands::words::plural;
use crate::domain::{DAY, SeriesKey, Timestamp, WindowWidth, Zone};
use crate::forecast::History;

/// Limits that prevent a wrong file from filling the memory.
const ROWS_MAX: usize = 5_000_000;
const SERIES_MAX: usize = 2_000;
const WINDOWS_MAX: i64 = 50_000_000;

/// Columns in the order in which [`Row::get`] numbers them.
const REQUIRED: [&str; 2] = ["ts", "y"];
const OPTIONAL: [&str; 1] = ["series"];

/// Counts by series and window.
pub struct Counts {
    pub width: WindowWidth,
    /// Added to all times, so that windows begin at local midnight even in zones whose offset is not a multiple of the width.
    pub shift: Duration,
    pub names: Names,
    pub series: BTreeMap<SeriesKey, History>,
}

/// Reads the rows and sums them by window.
///
/// If rows have a regular finer step, a window that lacks some of its rows counts as missing. If they do not (single
/// events, or steps without a count left out), the rows of a window are summed.
/// With `--missing zero` no window is missing from a series' first row to the file's last.
///
/// # Errors
/// [`UsageError`] with file and line.
pub fn read(path: &Path, options: &Options, notes: &mut Vec<String>) -> Result<Counts, UsageError> {
    let file = path.display();
    let mut names = Names::default();
    let mut rows = read_rows(path, options.zone, &mut names, notes)?;
    let Some((first, last)) = span(&rows) else {
        return Err(UsageError(format!("{file}: no row has a count")));
    };
    let regular = Regular::of(rows.values());
    let width = match options.width {
        Some(width) => width,
        None => regular.width().map_err(|text| UsageError(format!("{file}: {text}")))?,
    };
    regular.fits(width).map_err(|text| UsageError(format!("{file}: {text}")))?;
    let windows = (width.index(last) - width.index(first) + 1) * rows.len() as i64;
    if windows > WINDOWS_MAX {
        return Err(UsageError(format!(
            "{file}: {first} to {last} is {windows} windows of {width} over all series, more than \
             {WINDOWS_MAX}: is a date wrong? If not, use a wider --interval or fewer series"
        )));
    }
    let shift = shift(&rows, width, &regular, options.zone, notes);
    for (at, _) in rows.values_mut().flatten() {
        *at = *at + shift;
    }
    let last = last + shift;
    let again = |rows: &Rows| rows.windows(2).filter(|pair| pair[0].0 == pair[1].0).count();
    let twice: usize = rows.values().map(again).sum();
    if twice > 0 && !regular.is_irregular() {
        let rows = plural(twice, "row has", "rows have");
        notes.push(format!(
            "{rows} the time of another row of the same series: summed. Is anything in the file twice?"
        ));
    }
    let mut incomplete = 0;
    let series = rows.into_iter().map(|(key, rows)| {
        let end = options.is_missing_zero.then(|| width.index(last) + 1);
        let (history, left_out) = regular.sum(&rows, width, end);
        incomplete += left_out;
        (key, history)
    });
    let series = series.collect();
    if incomplete > 0 {
        let step = regular.shown();
        let windows = plural(incomplete, "window lacks", "windows lack");
        let text = format!(
            "{windows} some of the {step} rows: counted as missing, because its sum is incomplete"
        );
        notes.push(text);
    }
    if regular.is_irregular() && !options.is_missing_zero {
        notes.push(
            "rows have no regular step, like a list of single events: a window without a row counts \
                    as missing. If it means zero tickets, add --missing zero"
                .into(),
        );
    }
    Ok(Counts { width, shift, names, series })
}

impl Counts {
    /// The start of a window, without the shift.
    pub fn start(&self, index: i64) -> Timestamp {
        self.width.start(index) - self.shift
    }
}

/// The shift of times that makes windows begin at local midnight; zero if the rows do not begin there.
fn shift(
    rows: &BTreeMap<SeriesKey, Rows>,
    width: WindowWidth,
    regular: &Regular,
    zone: Zone,
    notes: &mut Vec<String>,
) -> Duration {
    let Some((first, last)) = span(rows) else { return Duration::ZERO };
    let width_ms = width.length().as_millis() as i64;
    let of = |at: Timestamp| {
        let offset = zone.local(at).and_utc().timestamp_millis() - at.millis();
        offset.rem_euclid(width_ms)
    };
    let shift = of(first);
    // Two days a month are enough to see every offset of a zone.
    let days = last.since(first).as_secs() / DAY.as_secs();
    let offsets = (0..=days).step_by(15).map(|day| of(first + DAY * day as u32));
    if offsets.chain([of(last)]).any(|other| other != shift) {
        notes.push(format!(
            "windows of {width} do not begin at the same minute of the hour all year in {zone}: use --interval 30m or less"
        ));
    }
    let fits = |(at, _): &&(Timestamp, f64)| (at.millis() + shift).rem_euclid(width_ms) == 0;
    let all: usize = rows.values().map(Vec::len).sum();
    let fitting = rows.values().flatten().filter(fits).count();
    if regular.is(width) && 2 * fitting < all {
        return Duration::ZERO;
    }
    Duration::from_millis(shift.unsigned_abs())
}

fn read_rows(
    path: &Path,
    zone: Zone,
    names: &mut Names,
    notes: &mut Vec<String>,
) -> Result<BTreeMap<SeriesKey, Rows>, UsageError> {
    let mut table = Table::open(path, &REQUIRED, &OPTIONAL)?;
    if !table.ignored.is_empty() {
        notes.push(format!("{}: columns not used: {}", path.display(), table.ignored.join(", ")));
    }
    let mut series: BTreeMap<SeriesKey, Vec<Written>> = BTreeMap::new();
    let mut seen = 0;
    while let Some(row) = table.next()? {
        seen += 1;
        if seen > ROWS_MAX {
            return Err(row.error(format!(
                "more than {ROWS_MAX} rows: sum them before, or use fewer series"
            )));
        }
        let name = Some(row.get(2)).filter(|name| !name.is_empty()).unwrap_or(ONLY);
        let key = names.key(name);
        if names.len() > SERIES_MAX {
            return Err(row.error(format!("more than {SERIES_MAX} series: use a part of them")));
        }
        let at = moments::read(row.get(0)).map_err(|text| row.error(text))?;
        let written = Written { at, count: count(&row)?, line: row.line() };
        series.entry(key).or_default().push(written);
    }
    let at_line =
        |(line, text): (u64, String)| UsageError(format!("{}:{line}: {text}", path.display()));
    let (mut all, mut odd) = (BTreeMap::new(), Vec::new());
    for (key, written) in series {
        let (rows, more) = rows::in_order(written, zone).map_err(at_line)?;
        all.insert(key, rows);
        odd.extend(more);
    }
    rows::mistyped(&odd).map_or(Ok(all), |mistake| Err(at_line(mistake)))
}

/// Words that programs write for a missing count.
const MISSING: [&str; 9] = ["na", "n/a", "#n/a", "nan", "null", "none", "nil", "-", "?"];

/// The row's count; NaN for an empty field and for words such as `NA`.
fn count(row: &Row<'_>) -> Result<f64, UsageError> {
    let text = row.get(1);
    if text.is_empty() || MISSING.iter().any(|word| word.eq_ignore_ascii_case(text)) {
        return Ok(f64::NAN);
    }
    match text.parse::<f64>() {
        Ok(count) if (0.0..=1e9).contains(&count) => Ok(count),
        _ => {
            let shown: String = text.chars().take(40).collect();
            Err(row.error(format!(
                "y `{shown}`: use a number from 0 to 1e9, or leave it empty if the count is missing"
            )))
        }
    }
}

/// First and last instant with a count.
fn span(rows: &BTreeMap<SeriesKey, Rows>) -> Option<(Timestamp, Timestamp)> {
    let known = || rows.values().flatten().filter(|(_, count)| !count.is_nan()).map(|(at, _)| *at);
    Some((known().min()?, known().max()?))
}
