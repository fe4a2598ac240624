//! `--format json`: for scripts.

use std::io::Write;

use serde::Serialize;

use super::evaluate::Evaluated;
use super::setting::Setting;
use crate::forecast::backtest::{Entry, Summary};

/// Measures of one series or of all series; `null` where the divisor is zero.
#[derive(Serialize)]
struct Figures {
    #[serde(skip_serializing_if = "Option::is_none")]
    series: Option<String>,
    origins: usize,
    mase: Option<f64>,
    wape: Option<f64>,
    wql: Option<f64>,
    coverage80: Option<f64>,
    coverage95: Option<f64>,
    /// For one series, an equal share of the total, because all series are fitted together.
    fit_seconds: f64,
    predict_seconds: f64,
    #[serde(flatten)]
    more: More,
    leads: Vec<Lead>,
}

/// Further measures.
#[derive(Serialize)]
struct More {
    windows: u32,
    mean: Option<f64>,
    bias: Option<f64>,
    wape_naive: Option<f64>,
    wape_floor: Option<f64>,
    pit80: Option<f64>,
    pit95: Option<f64>,
}

#[derive(Serialize)]
struct Lead {
    lead: &'static str,
    mase: Option<f64>,
    wape: Option<f64>,
    wql: Option<f64>,
    coverage80: Option<f64>,
    coverage95: Option<f64>,
    #[serde(flatten)]
    more: More,
}

#[derive(Serialize)]
struct Result {
    series: Vec<Figures>,
    overall: Figures,
    model: String,
    unanswered: u32,
}

#[derive(Serialize)]
struct Output {
    #[serde(flatten)]
    first: Result,
    interval_minutes: u32,
    time_zone: String,
    /// Results of the other models.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    others: Vec<Result>,
}

impl More {
    fn of(summary: &Summary) -> Self {
        Self {
            windows: summary.figures.n,
            mean: summary.mean,
            bias: summary.figures.bias,
            wape_naive: summary.figures.wape_naive,
            wape_floor: summary.figures.wape_floor,
            pit80: summary.pit80,
            pit95: summary.pit95,
        }
    }
}

/// Names of the lead buckets.
pub const LEADS: [&str; 3] = ["0-1h", "1-3h", "3-6h"];

fn figures(series: Option<String>, entry: &Entry, done: &Evaluated<'_>, share: f64) -> Figures {
    let summary = entry.all.summary();
    let lead = |(lead, tally): (&'static str, &crate::forecast::backtest::Tally)| {
        let summary = tally.summary();
        Lead {
            lead,
            mase: summary.mase,
            wape: summary.figures.wape,
            wql: summary.figures.wql,
            coverage80: summary.figures.coverage80,
            coverage95: summary.figures.coverage95,
            more: More::of(&summary),
        }
    };
    Figures {
        series,
        origins: entry.origins.len(),
        mase: summary.mase,
        wape: summary.figures.wape,
        wql: summary.figures.wql,
        coverage80: summary.figures.coverage80,
        coverage95: summary.figures.coverage95,
        fit_seconds: done.fit_seconds * share,
        predict_seconds: done.predict_seconds * share,
        more: More::of(&summary),
        leads: LEADS.into_iter().zip(&entry.leads).map(lead).collect(),
    }
}

fn result(setting: &Setting, done: &Evaluated<'_>) -> Result {
    let share = 1.0 / setting.counts.series.len().max(1) as f64;
    let series = done
        .board
        .series()
        .map(|(key, entry)| figures(Some(setting.counts.names.shown(key)), entry, done, share));
    Result {
        series: series.collect(),
        overall: figures(None, done.board.overall(), done, 1.0),
        model: done.model.clone(),
        unanswered: done.board.unanswered(),
    }
}

/// Writes one line of JSON.
///
/// # Errors
/// If `out` cannot be written.
pub fn write(
    setting: &Setting,
    done: &[Evaluated<'_>],
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let mut results = done.iter().map(|done| result(setting, done));
    let Some(first) = results.next() else { return Ok(()) };
    let output = Output {
        first,
        interval_minutes: setting.counts.width.secs() / 60,
        time_zone: setting.options.zone.to_string(),
        others: results.collect(),
    };
    writeln!(out, "{}", serde_json::to_string(&output)?)?;
    Ok(())
}
