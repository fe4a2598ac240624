//! The ledger's figures as metrics.

use std::time::Duration;

use crate::domain::{SeriesKey, Timestamp, WEEK};
use crate::forecast::surge::{SURGE_LEADS, lead_minutes};
use crate::store::sums::{sums, surges};
use crate::store::{Filter, Reader, StoreError};
use crate::telemetry::Metrics;

/// Roll-ups that are shown, at most.
const SERIES_MAX: usize = 64;

/// Tells the metrics how good forecasts of the seven days before `now` were, for roll-ups over all but one name.
///
/// # Errors
/// [`StoreError`] if the store cannot be read.
pub fn publish<'a>(
    reader: &Reader,
    metrics: &Metrics,
    series: impl Iterator<Item = &'a SeriesKey>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let span = (now - WEEK, now + Duration::from_secs(86_400));
    let counts = surges(reader, &Filter::default(), span)?;
    let is_wide = |key: &&SeriesKey| {
        let all = [&key.region, &key.service, &key.channel].map(|name| name.is_all());
        all.into_iter().filter(|all| *all).count() >= 2
    };
    for key in series.filter(is_wide).take(SERIES_MAX) {
        let scored = sums(reader, key, span)?;
        for hours in SURGE_LEADS {
            let score = scored.by_lead.get(&lead_minutes(hours, reader.width()));
            let figures = score.map(|score| score.figures()).unwrap_or_default();
            let counted = counts.of(key, hours);
            let shown = [
                ("surges", Some(f64::from(counted.surges))),
                ("surges_hit", Some(f64::from(counted.hits))),
                ("false_calls", Some(f64::from(counted.false_calls))),
            ];
            for (figure, value) in figures.by_name().into_iter().chain(shown) {
                metrics.ledger(key, hours, figure, value);
            }
        }
    }
    Ok(())
}
