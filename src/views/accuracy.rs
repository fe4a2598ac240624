//! Accuracy of forecasts, from the ledger.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::Key;
use crate::domain::{SeriesKey, Timestamp};
use crate::forecast::surge::{SURGE_LEADS, SurgeCount, SurgeCounts};
use crate::forecast::{self, QUANTILES, TARGET_ACCURACY};
use crate::store::sums::sums;
use crate::store::{AdjustedScore, NowcastScore, Reader, StoreError};

/// Accuracy measures of scored forecasts; null if nothing was scored, or if there were no tickets.
#[derive(Debug, Serialize, ToSchema)]
pub struct Figures {
    /// Scored windows.
    pub n: u32,
    /// Mean number of tickets per window.
    pub mean: Option<f64>,
    pub wape: Option<f64>,
    /// WAPE of last week's count.
    pub wape_naive: Option<f64>,
    /// The noise floor: the WAPE of a forecast that knows the true rate. At this volume a forecast can be better only by luck.
    pub wape_floor: Option<f64>,
    pub wql: Option<f64>,
    pub bias: Option<f64>,
    pub coverage80: Option<f64>,
    pub coverage95: Option<f64>,
    /// Mean absolute error, relative to that of last week's count in the eight weeks before each day.
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

/// Accuracy measures of the forecasts with one lead.
#[derive(Debug, Serialize, ToSchema)]
pub struct LeadFigures {
    pub lead_minutes: u32,
    #[serde(flatten)]
    pub figures: Figures,
}

/// Accuracy in the windows that adjustments changed, with and without the adjustments.
#[derive(Debug, Serialize, ToSchema)]
pub struct AdjustedAccuracy {
    /// The adjusted forecast, which was used.
    pub adjusted: Figures,
    /// The model's own forecast.
    pub model: Figures,
}

impl From<AdjustedScore> for AdjustedAccuracy {
    fn from(score: AdjustedScore) -> Self {
        let (adjusted, model) = (score.adjusted.figures().into(), score.model.figures().into());
        Self { adjusted, model }
    }
}

/// Accuracy in the windows that have a nowcast.
#[derive(Debug, Serialize, ToSchema)]
pub struct NowcastAccuracy {
    pub nowcasts: Figures,
    /// The forecasts that the nowcasts replaced.
    pub scheduled: Figures,
}

impl From<NowcastScore> for NowcastAccuracy {
    fn from(score: NowcastScore) -> Self {
        let scheduled = score.scheduled.figures().into();
        Self { nowcasts: score.nowcast.figures().into(), scheduled }
    }
}

/// Accuracy of the model's own forecasts. Adjusted forecasts are scored separately.
#[derive(Debug, Serialize, ToSchema)]
pub struct Accuracy {
    #[serde(flatten)]
    pub key: Key,
    /// First day of the figures, and the day after the last day.
    pub from: String,
    pub to: String,
    /// The target accuracy (1 − WAPE).
    pub target_accuracy: f64,
    /// Whether the accuracy at the noise floor reaches the target at this volume; null if there were no tickets.
    pub reachable: Option<bool>,
    /// Whether the forecasts reached the target over all leads.
    pub reached: Option<bool>,
    pub overall: Figures,
    pub leads: Vec<LeadFigures>,
    /// Surges and warnings at the leads of 1, 3 and 6 h.
    pub surges: Vec<SurgeFigures>,
    /// Accuracy of nowcasts; null if none was scored. The other figures do not include nowcasts.
    pub nowcasts: Option<NowcastAccuracy>,
    /// Accuracy of adjusted forecasts; null if none was scored.
    pub adjustments: Option<AdjustedAccuracy>,
}

/// Surges and warnings at one lead. Surge: two windows in a row above the 99 % quantile of the forecast without alarms.
#[derive(Debug, Serialize, ToSchema)]
pub struct SurgeFigures {
    pub lead_hours: u32,
    pub surges: u32,
    /// Surges for which alarms or planned work were known at this lead.
    pub alarmed: u32,
    /// Hits: surges of which the forecast at this lead warned.
    pub hits: u32,
    pub hit_rate: Option<f64>,
    /// Warnings at this lead.
    pub calls: u32,
    /// False alarms: warnings that no surge has followed so far.
    pub false_calls: u32,
    /// Surges of which any forecast warned.
    pub warned: u32,
    /// Mean minutes from the first warning of a surge to its start, over the surges with a warning.
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
