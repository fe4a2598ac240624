//! Times, shares and people in the words of reports.

use crate::alert::Alert;
use crate::domain::SeriesKey;
use crate::text::{Texts, args};

/// Maximum number of rows of a table.
pub const ROWS_MAX: usize = 20;

/// 1 − error, as a share.
pub fn accuracy(texts: &Texts, error: Option<f64>) -> String {
    texts.percent(error.map(|error| (1.0 - error).max(0.0)))
}

/// A share with its sign: `+4.2 %`, `–` where it is not known.
pub fn signed(texts: &Texts, share: Option<f64>) -> String {
    let sign = if share.is_some_and(|share| share >= 0.0005) { "+" } else { "" };
    format!("{sign}{}", texts.percent(share))
}

/// Hours ahead.
pub fn hours(texts: &Texts, n: u32) -> String {
    texts.text("report-hours", args!["n" => n])
}

/// A series with its channel in words.
pub fn named(texts: &Texts, series: &SeriesKey) -> String {
    format!("{}/{}", series.scope(), texts.channel(series.channel.as_str()))
}

/// Minutes that an alert was open before someone acknowledged it.
pub fn minutes_open(alert: &Alert) -> Option<u64> {
    alert.acknowledged_at.map(|at| at.since(alert.since).as_secs() / 60)
}

/// Who acknowledged an alert, and how long that took.
pub fn acknowledged(texts: &Texts, alert: &Alert) -> Option<String> {
    let name = alert.acknowledged_by.as_deref()?;
    let after = |n| texts.text("report-acknowledged-after", args!["name" => name, "n" => n]);
    Some(minutes_open(alert).map_or_else(|| name.into(), after))
}
