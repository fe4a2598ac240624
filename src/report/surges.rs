//! Surges in the form that all reports share: where each began, when it was over, and when a forecast first warned of it.
//! Forecasts are those of the ledger, as they were issued.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::domain::{SeriesKey, Timestamp};
use crate::forecast::surge::{APART, Surge};
use crate::forecast::{ForecastPoint, HORIZON};
use crate::store::{Filter, Reader, SeriesWindow, Served, StoreError};

/// Maximum time between the beginning of a surge and the windows by which it was judged.
pub const RISE_MAX: Duration = Duration::from_secs(2 * 3600);
/// The 90 % quantile.
const HIGH: usize = 5;

/// A surge of a region and service, all channels together.
#[derive(Clone, Debug, PartialEq)]
pub struct SurgeSpan {
    /// The judgements at all leads: at least one entry.
    pub judged: Vec<Surge>,
    /// Start of its first window. From there on, all counts were above the 80 % bands of the first forecasts.
    pub began: Timestamp,
    /// End of its last window above the 99 % quantile.
    pub ended: Timestamp,
    /// When a forecast first warned of the surge: before it began or while it lasted.
    pub warned_at: Option<Timestamp>,
}

impl SurgeSpan {
    /// The judgement by the forecast of an hour before.
    pub fn near(&self) -> Option<&Surge> {
        self.judged.iter().find(|surge| surge.lead_hours == 1)
    }

    /// Minutes from the first warning to the beginning of the surge: below 0 if the warning came later.
    pub fn warning_minutes(&self) -> Option<i64> {
        let minutes = |at: Timestamp| (self.began.millis() - at.millis()).div_euclid(60_000);
        self.warned_at.map(minutes)
    }
}

/// The surges of regions and services of which a pair of windows was judged in a span, oldest first.
///
/// # Errors
/// [`StoreError`] if the store cannot be read.
pub fn surge_spans(
    reader: &Reader,
    filter: &Filter,
    (from, to): (Timestamp, Timestamp),
) -> Result<Vec<SurgeSpan>, StoreError> {
    // A surge that begins before the span is read as a whole.
    let judged = reader.surges(filter, (from - APART * 2, to + APART), Timestamp::MIN)?;
    let mut runs: BTreeMap<SeriesKey, Vec<Vec<Surge>>> = BTreeMap::new();
    for surge in judged {
        let series = &surge.series;
        if series.region.is_all() || series.service.is_all() || !series.channel.is_all() {
            continue;
        }
        let own = runs.entry(series.clone()).or_default();
        let upto = |run: &Vec<Surge>| run.iter().map(|one| one.upto).max();
        match own.last_mut().filter(|run| upto(run).is_some_and(|at| surge.start <= at + APART)) {
            Some(run) => run.push(surge),
            None => own.push(vec![surge]),
        }
    }
    let is_in = |run: &Vec<Surge>| run.iter().any(|one| (from..to).contains(&one.start));
    let mut found = Vec::new();
    for (series, runs) in runs {
        for run in runs.into_iter().filter(is_in) {
            found.extend(span(reader, &series, run)?);
        }
    }
    found.sort_by_key(|span| span.began);
    Ok(found)
}

fn span(
    reader: &Reader,
    series: &SeriesKey,
    judged: Vec<Surge>,
) -> Result<Option<SurgeSpan>, StoreError> {
    let Some(start) = judged.iter().map(|surge| surge.start).min() else { return Ok(None) };
    let upto = judged.iter().map(|surge| surge.upto).max().unwrap_or(start);
    let ended = upto + reader.width().length() * 2;
    let mut windows = reader.series_windows(series, start - RISE_MAX, start)?;
    windows.retain(|window| window.settled && !window.missing);
    let served = reader.served_between(series, start - RISE_MAX - HORIZON, ended)?;
    let began = rise(start, &windows, &served);
    let warned = judged.iter().filter_map(warned_at).min();
    let warned_at = warned.or_else(|| warned_late(&served, (began, ended)));
    Ok(Some(SurgeSpan { judged, began, ended, warned_at }))
}

fn warned_at(surge: &Surge) -> Option<Timestamp> {
    let minutes = surge.warned_minutes?;
    Some(surge.start - Duration::from_secs(u64::from(minutes) * 60))
}

/// The first forecast that warned while the surge lasted.
fn warned_late(served: &[Served], (began, ended): (Timestamp, Timestamp)) -> Option<Timestamp> {
    let during = served.iter().map(|own| &own.vintage);
    let mut during = during.filter(|own| (began..ended).contains(&own.issued_at));
    let found = during.find(|own| own.surges.as_ref().is_some_and(|surges| surges.warns));
    found.map(|own| own.issued_at)
}

/// The window in which the counts rose above the 80 % band of the first forecasts; they stayed above it until `start`.
fn rise(start: Timestamp, windows: &[SeriesWindow], served: &[Served]) -> Timestamp {
    let earlier = windows.iter().rev().filter(|own| own.start < start);
    let earlier = earlier.take_while(|own| own.start + RISE_MAX >= start);
    let above = |own: &&SeriesWindow| {
        let high = first(served, own.start).map(|point| point.quantiles[HIGH]);
        high.is_some_and(|high| f64::from(own.tickets) > high)
    };
    earlier.take_while(above).last().map_or(start, |own| own.start)
}

/// The forecast of a window that was issued first.
pub fn first(served: &[Served], start: Timestamp) -> Option<&ForecastPoint> {
    served.iter().flat_map(|own| &own.vintage.targets).find(|point| point.start == start)
}
