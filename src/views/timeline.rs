//! A span of one series: actual counts, first and newest forecasts, and the staffing.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::forecast::by_probability;
use super::{AlarmCounts, Key, Window};
use crate::domain::{SeriesKey, Timestamp, Zone};
use crate::forecast::{ForecastPoint, HORIZON};
use crate::staffing::PlanTarget;
use crate::store::{Reader, StoreError};

/// Days between a window and the earlier window with which it is compared.
const WEEK_DAYS: u32 = 7;

/// A forecast of one window.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TimelineForecast {
    pub issued_at: String,
    pub mean: f64,
    /// By probability: 0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975.
    pub quantiles: BTreeMap<String, f64>,
}

/// The plan of one window: as it was when the window began; the newest one for windows that have not begun.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TimelineStaffing {
    pub agents: u32,
    /// Agents at the 10 % and the 90 % quantile of arrivals.
    pub agents_low: u32,
    pub agents_high: u32,
    pub scheduled: Option<u32>,
    pub gap: i32,
    pub service_level: f64,
}

/// One window of a timeline.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TimelineWindow {
    pub start: String,
    /// Tickets so far; null before the window has a count.
    pub tickets: Option<u32>,
    /// Whether the count is final.
    pub settled: bool,
    /// Whether the count is unknown, because a source was silent.
    pub missing: bool,
    /// Tickets of the same window a week before, at the same local time; null if it has no final count.
    pub week_before: Option<u32>,
    /// Alarm messages by severity; null before the window has a count.
    pub alarms: Option<AlarmCounts>,
    /// The forecast that was issued first, up to six hours before.
    pub first: Option<TimelineForecast>,
    /// The newest forecast issued up to `issued`.
    pub forecast: Option<TimelineForecast>,
    pub staffing: Option<TimelineStaffing>,
}

/// A span of one series, one entry for each window.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Timeline {
    #[serde(flatten)]
    pub key: Key,
    pub time_zone: String,
    /// Forecasts issued later are left out.
    pub issued: String,
    pub windows: Vec<TimelineWindow>,
}

impl TimelineForecast {
    fn new(issued_at: Timestamp, point: &ForecastPoint) -> Self {
        let (mean, quantiles) = (point.mean, by_probability(&point.quantiles));
        Self { issued_at: issued_at.to_string(), mean, quantiles }
    }
}

impl From<&PlanTarget> for TimelineStaffing {
    fn from(target: &PlanTarget) -> Self {
        Self {
            agents: target.agents,
            agents_low: target.agents_low,
            agents_high: target.agents_high,
            scheduled: target.scheduled,
            gap: target.gap,
            service_level: target.service_level,
        }
    }
}

/// First and newest forecast of each window.
type Forecasts = BTreeMap<Timestamp, [TimelineForecast; 2]>;

/// The windows of a series that start in `from..to`, with forecasts issued up to `issued`.
///
/// # Errors
/// [`StoreError`] if the store cannot be read.
pub fn timeline(
    reader: &Reader,
    series: &SeriesKey,
    (from, to): (Timestamp, Timestamp),
    issued: Timestamp,
    zone: Zone,
) -> Result<Timeline, StoreError> {
    let width = reader.width();
    let mut forecasts = forecasts(reader, series, (from, to), issued)?;
    let staffing = staffing(reader, series, (from, to))?;
    let rows = reader.series_windows(series, from, to)?;
    let mut counted: BTreeMap<Timestamp, Window> =
        rows.iter().map(|row| (row.start, Window::from(row))).collect();
    let before = |at| zone.days_before(at, WEEK_DAYS);
    let past = reader.series_windows(series, before(from), before(to))?;
    let past = past.iter().filter(|row| row.settled && !row.missing);
    let past: BTreeMap<Timestamp, u32> = past.map(|row| (row.start, row.tickets)).collect();
    let mut windows = Vec::new();
    let mut start = width.floor(from);
    if start < from {
        start = width.end(start);
    }
    while start < to {
        let count = counted.remove(&start);
        let known = forecasts.remove(&start);
        let (first, forecast) = known.map_or((None, None), |[a, b]| (Some(a), Some(b)));
        windows.push(TimelineWindow {
            start: start.to_string(),
            tickets: count.as_ref().filter(|w| !w.missing).map(|w| w.tickets),
            settled: count.as_ref().is_some_and(|w| w.settled),
            missing: count.as_ref().is_some_and(|w| w.missing),
            week_before: past.get(&before(start)).copied(),
            alarms: count.map(|w| w.alarms),
            first,
            forecast,
            staffing: staffing.get(&start).cloned(),
        });
        start = width.end(start);
    }
    let (time_zone, issued) = (zone.to_string(), issued.to_string());
    Ok(Timeline { key: Key::from(series), time_zone, issued, windows })
}

fn forecasts(
    reader: &Reader,
    series: &SeriesKey,
    (from, to): (Timestamp, Timestamp),
    issued: Timestamp,
) -> Result<Forecasts, StoreError> {
    let mut known = Forecasts::new();
    for served in reader.served_between(series, from - HORIZON, to.min(issued))? {
        let vintage = served.vintage;
        for point in vintage.targets.iter().filter(|point| (from..to).contains(&point.start)) {
            let forecast = TimelineForecast::new(vintage.issued_at, point);
            match known.get_mut(&point.start) {
                Some([_, newest]) => *newest = forecast,
                None => {
                    known.insert(point.start, [forecast.clone(), forecast]);
                }
            }
        }
    }
    Ok(known)
}

fn staffing(
    reader: &Reader,
    series: &SeriesKey,
    (from, to): (Timestamp, Timestamp),
) -> Result<BTreeMap<Timestamp, TimelineStaffing>, StoreError> {
    let past = reader.staffed_between(Some(series), from, to)?.into_iter();
    let mut known: BTreeMap<Timestamp, TimelineStaffing> =
        past.map(|(_, target)| (target.start, TimelineStaffing::from(&target))).collect();
    let plan = reader.plan(series)?;
    for target in plan.iter().flat_map(|plan| &plan.targets) {
        if (from..to).contains(&target.start) {
            known.insert(target.start, TimelineStaffing::from(target));
        }
    }
    Ok(known)
}
