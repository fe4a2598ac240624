//! How good the forecasts were, from the ledger.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::Key;
use crate::domain::{SeriesKey, Timestamp};
use crate::forecast::surge::{SURGE_LEADS, SurgeCount, SurgeCounts};
use crate::forecast::{self, QUANTILES, TARGET_ACCURACY};
use crate::store::sums::sums;
use crate::store::{AdjustedScore, NowcastScore, Reader, StoreError};

/// Figures of the ledger; null where nothing was scored or nothing came.
#[derive(Debug, Serialize, ToSchema)]
pub struct Figures {
    /// Scored windows.
    pub n: u32,
    /// Tickets a window.
    pub mean: Option<f64>,
    pub wape: Option<f64>,
    /// The same for last week's count.
    pub wape_naive: Option<f64>,
    /// The noise floor: the error of a forecaster that knows the true rate. At this volume only luck does better.
    pub wape_floor: Option<f64>,
    pub wql: Option<f64>,
    pub bias: Option<f64>,
    pub coverage80: Option<f64>,
    pub coverage95: Option<f64>,
    /// Mean miss relative to that of last week's count in the eight weeks before each day.
    pub mase: Option<f64>,
    /// Loss by quantile, in the unit of `wql`, which is their mean.
    pub quantile_loss: Option<BTreeMap<String, f64>>,
}

impl From<forecast::Figures> for Figures {
    fn from(f: forecast::Figures) -> Self {
        Self {
            n: f.n,
            mean: f.mean,
            wape: f.wape,
            wape_naive: f.wape_naive,
            wape_floor: f.wape_floor,
            wql: f.wql,
            bias: f.bias,
            coverage80: f.coverage80,
            coverage95: f.coverage95,
            mase: f.mase,
            quantile_loss: f
                .quantile_loss
                .map(|losses| QUANTILES.iter().map(ToString::to_string).zip(losses).collect()),
        }
    }
}

/// Figures of the forecasts of one lead.
#[derive(Debug, Serialize, ToSchema)]
pub struct LeadFigures {
    pub lead_minutes: u32,
    #[serde(flatten)]
    pub figures: Figures,
}

/// Forecasts of the same windows, those that planners' adjustments changed.
#[derive(Debug, Serialize, ToSchema)]
pub struct AdjustedAccuracy {
    /// As planners had it, and it was served.
    pub adjusted: Figures,
    /// As the model had it.
    pub model: Figures,
}

impl From<AdjustedScore> for AdjustedAccuracy {
    fn from(score: AdjustedScore) -> Self {
        let (adjusted, model) = (score.adjusted.figures().into(), score.model.figures().into());
        Self { adjusted, model }
    }
}

/// Forecasts of the same windows, those that nowcasts spoke of.
#[derive(Debug, Serialize, ToSchema)]
pub struct NowcastAccuracy {
    pub nowcasts: Figures,
    /// Of the vintages that they replaced.
    pub scheduled: Figures,
}

impl From<NowcastScore> for NowcastAccuracy {
    fn from(score: NowcastScore) -> Self {
        let scheduled = score.scheduled.figures().into();
        Self { nowcasts: score.nowcast.figures().into(), scheduled }
    }
}

/// Of the model's own forecasts; what planners made of them is scored apart.
#[derive(Debug, Serialize, ToSchema)]
pub struct Accuracy {
    #[serde(flatten)]
    pub key: Key,
    /// First day of the figures, and the day after the last one.
    pub from: String,
    pub to: String,
    /// The accuracy, 1 − WAPE, that is aimed at.
    pub target_accuracy: f64,
    /// Whether it could be reached at this volume by someone who knew the true rate; null where nothing came.
    pub reachable: Option<bool>,
    /// Whether it was reached over all leads.
    pub reached: Option<bool>,
    pub overall: Figures,
    pub leads: Vec<LeadFigures>,
    /// By lead of 1, 3 and 6 h.
    pub surges: Vec<SurgeFigures>,
    /// Whether forecasts within windows helped; null where none was scored. They are not among the others.
    pub nowcasts: Option<NowcastAccuracy>,
    /// Whether adjustments helped; null where none was scored.
    pub adjustments: Option<AdjustedAccuracy>,
}

/// Surges, two windows in a row above the 99 % quantile of the forecast without alarms, as seen at one lead.
#[derive(Debug, Serialize, ToSchema)]
pub struct SurgeFigures {
    pub lead_hours: u32,
    pub surges: u32,
    /// Of which alarms or planned work were known by then.
    pub alarmed: u32,
    /// Of which the forecast of that lead called.
    pub hits: u32,
    pub hit_rate: Option<f64>,
    /// Calls at that lead, and those after which nothing has come so far.
    pub calls: u32,
    pub false_calls: u32,
    /// Surges that any forecast called.
    pub warned: u32,
    /// Mean minutes from the first forecast that called a surge to its start, over those that any called.
    pub warning_minutes: Option<f64>,
}

impl From<(u32, SurgeCount)> for SurgeFigures {
    fn from((lead_hours, c): (u32, SurgeCount)) -> Self {
        let share = |sum: f64, of: u32| (of > 0).then(|| sum / f64::from(of));
        Self {
            lead_hours,
            surges: c.surges,
            alarmed: c.alarmed,
            hits: c.hits,
            hit_rate: share(f64::from(c.hits), c.surges),
            calls: c.warnings,
            false_calls: c.false_alarms,
            warned: c.warned,
            warning_minutes: share(c.warned_minutes as f64, c.warned),
        }
    }
}

/// The accuracy of `series` in the whole UTC days of `span`; `counts` are the surges and warnings of that span.
///
/// # Errors
/// [`StoreError`] if the store cannot be read.
pub fn accuracy(
    reader: &Reader,
    series: &SeriesKey,
    span: (Timestamp, Timestamp),
    counts: &SurgeCounts,
) -> Result<Accuracy, StoreError> {
    let (from, to) = span;
    let sums = sums(reader, series, span)?;
    let nowcasts = reader.nowcast_score(series, from, to)?;
    let mut adjusted = AdjustedScore::default();
    for (_, _, score) in reader.adjusted_scores(series, from, to)? {
        adjusted.merge(&score);
    }
    let overall = sums.overall.figures();
    let leads = sums.by_lead.iter().map(|(lead_minutes, score)| LeadFigures {
        lead_minutes: *lead_minutes,
        figures: score.figures().into(),
    });
    let surges = SURGE_LEADS.into_iter().map(|lead| (lead, counts.of(series, lead)).into());
    Ok(Accuracy {
        key: Key::from(series),
        from: from.to_string(),
        to: to.to_string(),
        target_accuracy: TARGET_ACCURACY,
        reachable: overall.reachable(),
        reached: overall.reached(),
        overall: overall.into(),
        leads: leads.collect(),
        surges: surges.collect(),
        nowcasts: (nowcasts.nowcast.n > 0).then(|| nowcasts.into()),
        adjustments: (adjusted.model.n > 0).then(|| adjusted.into()),
    })
}
