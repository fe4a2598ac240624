//! The outlook: the next six hours as single numbers.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use utoipa::ToSchema;

use super::{Key, MANY, OpenRecommendations, Recommendation};
use crate::domain::{SeriesKey, Timestamp};
use crate::staffing;
use crate::store::{Reader, StoreError};
use crate::text::Texts;

/// Number of counts in a sparkline.
const SPARK_WINDOWS: u32 = 48;

/// The next six hours of a series in a few numbers.
#[derive(Debug, Serialize, ToSchema)]
pub struct Outlook {
    #[serde(flatten)]
    pub key: Key,
    pub issued_at: String,
    pub peak: f64,
    pub peak_at: String,
    pub over_baseline: f64,
    pub gap_max: Option<i32>,
    pub gap_at: Option<String>,
    pub minutes_to_breach: Option<u32>,
    pub width_minutes: u32,
    /// The last 48 counts up to `issued_at`, oldest first; null where missing.
    pub past: Vec<Option<u32>>,
    /// Medians of the forecast.
    pub next: Vec<f64>,
    /// Open recommendations for its team.
    pub recommendations: Vec<Recommendation>,
}

/// Outlooks with the last counts and the medians of the forecasts.
pub fn outlooks(
    reader: &Reader,
    outlooks: &[&staffing::Outlook],
    texts: &Texts,
) -> Result<Vec<Outlook>, StoreError> {
    let width = reader.width();
    // A nowcast is issued within a window.
    let upto = |outlook: &staffing::Outlook| width.floor(outlook.issued_at);
    let mut wanted: BTreeMap<Timestamp, BTreeSet<SeriesKey>> = BTreeMap::new();
    for outlook in outlooks {
        wanted.entry(upto(outlook)).or_default().insert(outlook.series.clone());
    }
    let mut past: BTreeMap<(Timestamp, SeriesKey), Vec<Option<u32>>> = BTreeMap::new();
    for (upto, series) in wanted {
        let found = reader.past(&series, upto, SPARK_WINDOWS)?;
        past.extend(found.into_iter().map(|(series, counts)| ((upto, series), counts)));
    }
    let mut next = medians(reader, outlooks)?;
    let open = OpenRecommendations::read(reader)?;
    let shown = outlooks.iter().map(|outlook| Outlook {
        key: Key::from(&outlook.series),
        issued_at: outlook.issued_at.to_string(),
        peak: outlook.peak,
        peak_at: outlook.peak_at.to_string(),
        over_baseline: outlook.over_baseline,
        gap_max: outlook.gap_max,
        gap_at: outlook.gap_at.map(|at| at.to_string()),
        minutes_to_breach: outlook.minutes_to_breach,
        width_minutes: width.secs() / 60,
        past: past
            .remove(&(upto(outlook), outlook.series.clone()))
            .unwrap_or_else(|| vec![None; SPARK_WINDOWS as usize]),
        next: next.remove(&outlook.series).unwrap_or_default(),
        recommendations: open.of(&outlook.series, texts),
    });
    Ok(shown.collect())
}

/// Medians of the forecasts that outlooks were made from.
pub(super) fn medians(
    reader: &Reader,
    outlooks: &[&staffing::Outlook],
) -> Result<BTreeMap<SeriesKey, Vec<f64>>, StoreError> {
    let mut known = match outlooks.len() {
        MANY.. => reader.served_now()?,
        _ => BTreeMap::new(),
    };
    let mut medians = BTreeMap::new();
    for staffing::Outlook { series, issued_at, .. } in outlooks {
        let served = match known.remove(series) {
            Some(served) if served.vintage.issued_at == *issued_at => Some(served),
            _ => reader.served(series, Some(*issued_at))?,
        };
        let Some(served) = served else { continue };
        let targets = served.vintage.targets.iter();
        medians.insert(series.clone(), targets.map(|target| target.quantiles[3]).collect());
    }
    Ok(medians)
}
