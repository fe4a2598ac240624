//! Points of attained service.

use std::collections::BTreeMap;

use super::fields::{Fields, Line, nanos, series_tags};
use crate::domain::{SeriesKey, Timestamp};
use crate::store::{Reader, StoreError};
use crate::tickets::SentimentCounts;
use crate::window::Attained;

/// `service` of the contacts that were created in the window that begins at `start`: of series, and of their roll-ups.
///
/// # Errors
/// [`StoreError`] if the store cannot be read.
pub fn service(reader: &Reader, start: Timestamp) -> Result<Vec<Line>, StoreError> {
    let mut sums: BTreeMap<SeriesKey, (Attained, SentimentCounts)> = BTreeMap::new();
    for (series, attained) in reader.attained_at(start)? {
        // A stream without the events that the target needs has no service level.
        let backlog = reader.backlog(&series)?;
        let tells = |goal| backlog.as_ref().is_some_and(|own| own.has_events_for(goal));
        let is_judged = attained.goal.is_some_and(|goal| tells(goal.by));
        let attained = if is_judged { attained } else { attained.unjudged() };
        for key in series.roll_ups().chain([series.clone()]) {
            sums.entry(key).or_default().0.plus(&attained);
        }
    }
    for (series, counts) in reader.sentiments_between(start, reader.width().end(start))? {
        for key in series.roll_ups().chain([series.clone()]) {
            sums.entry(key).or_default().1.plus(&counts);
        }
    }
    let lines = sums.iter().filter_map(|(series, (own, texts))| line(series, start, own, texts));
    Ok(lines.collect())
}

fn line(
    series: &SeriesKey,
    start: Timestamp,
    own: &Attained,
    texts: &SentimentCounts,
) -> Option<Line> {
    let mut fields = Fields::new()
        .integer("offered", own.offered)
        .integer("answered", own.answered)
        .integer("abandoned", own.abandoned)
        .integer("targeted", own.targeted)
        .integer("in_time", own.in_time);
    let shares = [("service_level", own.service_level()), ("abandonment", own.abandonment())];
    let seconds = |share| own.waits.quantile(share).map(|seconds| seconds as f64);
    let waits = [("first_response_p50", seconds(0.5)), ("first_response_p90", seconds(0.9))];
    if texts.texts() > 0 {
        fields = fields
            .integer("positive", texts.positive)
            .integer("neutral", texts.neutral)
            .integer("negative", texts.negative);
    }
    for (key, value) in shares.into_iter().chain(waits) {
        if let Some(value) = value {
            fields = fields.float(key, value);
        }
    }
    fields.at(series_tags("service", series), nanos(start))
}
