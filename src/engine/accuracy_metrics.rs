//! Publishes the ledger's accuracy measures as metrics.

use std::time::Duration;

use crate::domain::{SeriesKey, Timestamp, WEEK};
use crate::forecast::surge::{SURGE_LEADS, lead_minutes};
use crate::store::sums::{sums, surges};
use crate::store::{Filter, Reader, StoreError};
use crate::telemetry::Metrics;

/// Maximum number of roll-ups that have metrics.
const SERIES_MAX: usize = 64;

/// Publishes the accuracy of the seven days before `now`, for roll-ups over at least two of region, service and channel.
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
    let is_published = |key: &&SeriesKey| {
        let all = [&key.region, &key.service, &key.channel].map(|name| name.is_all());
        all.into_iter().filter(|all| *all).count() >= 2
    };
    for key in series.filter(is_published).take(SERIES_MAX) {
        let scored = sums(reader, key, span)?;
        for hours in SURGE_LEADS {
            let score = scored.by_lead.get(&lead_minutes(hours, reader.width()));
            let figures = score.map(|score| score.figures()).unwrap_or_default();
            let counted = counts.of(key, hours);
            let shown = [
                ("surges", Some(f64::from(counted.surges))),
                ("surges_hit", Some(f64::from(counted.hits))),
                ("false_calls", Some(f64::from(counted.false_alarms))),
            ];
            for (figure, value) in figures.by_name().into_iter().chain(shown) {
                metrics.ledger(key, hours, figure, value);
            }
        }
    }
    Ok(())
}
