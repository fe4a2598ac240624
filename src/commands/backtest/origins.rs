//! The origins (times to forecast from): chosen, or read from a file.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::args::BacktestArgs;
use super::moments;
use super::options::Options;
use crate::commands::usage::UsageError;
use crate::domain::format_duration;
use crate::forecast::backtest::{candidates, spread};
use crate::forecast::{History, Past};

/// By default, origins lie in the last part of the file: one part in this many, and at most this long.
const LAST_SHARE: i64 = 4;
const LAST_MAX: Duration = Duration::from_secs(26 * 7 * 86_400);
/// Maximum number of origins in a file.
const ORIGINS_MAX: usize = 100_000;

/// Window indices of the origins, ascending, at least one.
///
/// # Errors [`UsageError`] if no window can be an origin.
pub fn choose(
    args: &BacktestArgs,
    options: &Options,
    past: &Past<'_>,
    shift: Duration,
    steps: usize,
    notes: &mut Vec<String>,
) -> Result<Vec<i64>, UsageError> {
    let first = past.series.values().map(|history| history.first).min().unwrap_or(0);
    let end = past.series.values().map(History::end).max().unwrap_or(0);
    if let Some(path) = &args.origins_at {
        return read(path, options, past, (first, end), shift);
    }
    let count = args.origins as usize;
    let mut last = match options.last {
        Some(last) => past.width.per(last) as i64,
        None => ((end - first) / LAST_SHARE).min(past.width.per(LAST_MAX) as i64),
    };
    let mut found = candidates(past, steps, end - last);
    if found.len() < count && options.last.is_none() {
        // A short file: half of it is for learning.
        last = (end - first) / 2;
        found = candidates(past, steps, end - last);
    }
    let horizon = format_duration(past.width.length() * steps as u32);
    if found.is_empty() {
        return Err(UsageError(format!(
            "{}: in its last {}, no window has {horizon} of complete counts after it: use a longer file, a longer \
             --last or a shorter --horizon",
            args.input.display(),
            format_duration(past.width.length() * u32::try_from(last.max(1)).unwrap_or(u32::MAX))
        )));
    }
    if found.len() < count {
        let n = found.len();
        notes.push(format!(
            "only {n} windows have {horizon} of counts after them: {n} origins, not {count}"
        ));
    }
    Ok(spread(&found, count))
}

fn read(
    path: &Path,
    options: &Options,
    past: &Past<'_>,
    (first, end): (i64, i64),
    shift: Duration,
) -> Result<Vec<i64>, UsageError> {
    let file = path.display();
    let text =
        fs::read_to_string(path).map_err(|e| UsageError(format!("cannot read {file}: {e}")))?;
    let mut found = Vec::new();
    for (line, text) in std::iter::zip(1.., text.lines()) {
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let error = |text: String| UsageError(format!("{file}:{line}: {text}"));
        let at = moments::parse(text, options.zone).map_err(error)? + shift;
        let index = past.width.index(at);
        if past.width.start(index) != at {
            return Err(error(format!("{text} is not the end of a window of {}", past.width)));
        }
        if index <= first || index > end {
            let (from, to) = (past.width.start(first + 1) - shift, past.width.start(end) - shift);
            return Err(error(format!("{text} lies outside the data: use {from} to {to}")));
        }
        found.push(index);
        if found.len() > ORIGINS_MAX {
            return Err(error(format!("more than {ORIGINS_MAX} origins")));
        }
    }
    if found.is_empty() {
        return Err(UsageError(format!("{file}: contains no time")));
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}
