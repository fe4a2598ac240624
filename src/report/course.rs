//! The course of an alert: when its surge began, when it was first forecast, and what came. Forecasts are those of the ledger,
//! as they were issued.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::alert::{Alert, Cause};
use crate::domain::{AlarmAction, HOUR, Name, SeriesKey, Severity, Timestamp};
use crate::forecast::surge::{APART, Surge};
use crate::forecast::{ForecastPoint, HORIZON};
use crate::store::{Filter, Reader, SeriesWindow, Served, StoreError};
use crate::text::Stored;

/// What is shown before the alert or its surge.
pub const BEFORE: Duration = Duration::from_secs(2 * 3600);
/// Longest time after the start that is shown.
pub const AFTER_MAX: Duration = Duration::from_secs(24 * 3600);
/// Longest time by which a surge began before it was judged as one.
const RISE_MAX: Duration = Duration::from_secs(2 * 3600);
/// The 90 % quantile.
const HIGH: usize = 5;

/// A surge that was judged, at any of the leads.
#[derive(Clone, Debug, PartialEq)]
pub struct SurgeSpan {
    /// Where it began: the first window from which on the counts stayed above the 80 % band of the first forecast.
    pub began: Timestamp,
    /// End of its last window above the 99 % quantile.
    pub ended: Timestamp,
    /// When a forecast first warned of it: before it, or while it lasted.
    pub warned_at: Option<Timestamp>,
}

/// The course of an alert.
pub struct Course {
    pub series: SeriesKey,
    /// First and last time that are shown.
    pub span: (Timestamp, Timestamp),
    pub surge: Option<SurgeSpan>,
    /// The first alarm of the scope that belongs to the surge: severe, raised before or during it and not over before it began, or
    /// named by the alert as a cause.
    pub first_alarm: Option<Timestamp>,
    /// Final counts of all channels together.
    pub windows: Vec<SeriesWindow>,
    /// Forecasts of all channels together, oldest first.
    pub served: Vec<Served>,
    /// The window with the most tickets since the beginning.
    pub peak: Option<(Timestamp, u32)>,
}

impl Course {
    /// Reads the course of an alert.
    pub fn read(reader: &Reader, alert: &Alert) -> Result<Self, StoreError> {
        let series = alert.scope.all_channels();
        let width = reader.width();
        let end = alert.to.max(alert.since + HOUR);
        let judged = judged(reader, &series, (alert.since - APART, end + HOUR))?;
        let last = judged.iter().map(|surge| surge.upto + width.length() * 2).max();
        let start = judged.iter().map(|surge| surge.start).min();
        let from = start.map_or(alert.since, |start| start.min(alert.since)) - BEFORE - RISE_MAX;
        let to = last.map_or(end, |last| last.max(end)).min(alert.since + AFTER_MAX);
        let mut windows = reader.series_windows(&series, from, to)?;
        windows.retain(|window| window.settled && !window.missing);
        let served = reader.served_between(&series, from - HORIZON, to)?;
        let surge = start.zip(last).map(|(start, ended)| {
            let began = rise(start, &windows, &served);
            let judged = judged.iter().filter_map(warned_at).min();
            SurgeSpan {
                began,
                ended,
                warned_at: judged.or_else(|| warned_late(&served, (began, ended))),
            }
        });
        let began = surge.as_ref().map_or(alert.since, |surge| surge.began);
        let shown = (began.min(alert.since) - BEFORE, to);
        windows.retain(|window| window.start >= shown.0);
        let since = windows.iter().filter(|window| window.start >= began.min(alert.from));
        let peak = since.map(|window| (window.start, window.tickets));
        let peak = peak.reduce(|best, own| if own.1 > best.1 { own } else { best });
        let first_alarm = first_alarm(reader, alert, shown, began)?;
        Ok(Self { series, span: shown, surge, first_alarm, windows, served, peak })
    }

    /// The forecast of a window that was issued first, up to six hours before.
    pub fn first(&self, start: Timestamp) -> Option<&ForecastPoint> {
        first(&self.served, start)
    }

    /// The newest forecast of a window among those issued up to `known`.
    pub fn known(&self, start: Timestamp, known: Timestamp) -> Option<&ForecastPoint> {
        let served = self.served.iter().rev().filter(|own| own.vintage.issued_at <= known);
        served.flat_map(|own| &own.vintage.targets).find(|point| point.start == start)
    }

    /// Minutes from the first warning to the beginning of the surge: below 0 if the warning came later.
    pub fn warning_minutes(&self) -> Option<i64> {
        let surge = self.surge.as_ref()?;
        surge.warned_at.map(|at| minutes(at, surge.began))
    }

    /// Minutes from the first alarm to the beginning of the surge: below 0 if customers were first.
    pub fn alarm_minutes(&self) -> Option<i64> {
        let surge = self.surge.as_ref()?;
        self.first_alarm.map(|at| minutes(at, surge.began))
    }
}

/// Minutes from `a` to `b`, below 0 if `b` is earlier.
fn minutes(a: Timestamp, b: Timestamp) -> i64 {
    (b.millis() - a.millis()).div_euclid(60_000)
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

/// The first surge in a span, as it was judged at each lead.
fn judged(
    reader: &Reader,
    series: &SeriesKey,
    span: (Timestamp, Timestamp),
) -> Result<Vec<Surge>, StoreError> {
    let filter = Filter {
        region: Some(series.region.clone()),
        service: Some(series.service.clone()),
        channel: Some(Name::all()),
    };
    let mut found = reader.surges(&filter, span, Timestamp::MIN)?;
    let mut last: Option<Timestamp> = None;
    found.retain(|surge| {
        let is_same = last.is_none_or(|last| surge.start <= last + APART);
        if is_same {
            last = Some(last.map_or(surge.upto, |last| last.max(surge.upto)));
        }
        is_same
    });
    Ok(found)
}

/// The window in which the counts rose above the 80 % band of the first forecasts: they stayed above it up to `start`.
fn rise(start: Timestamp, windows: &[SeriesWindow], served: &[Served]) -> Timestamp {
    let earlier = windows.iter().rev().filter(|own| own.start < start);
    let earlier = earlier.take_while(|own| own.start + RISE_MAX >= start);
    let above = |own: &&SeriesWindow| {
        let high = first(served, own.start).map(|point| point.quantiles[HIGH]);
        high.is_some_and(|high| f64::from(own.tickets) > high)
    };
    earlier.take_while(above).last().map_or(start, |own| own.start)
}

fn first(served: &[Served], start: Timestamp) -> Option<&ForecastPoint> {
    served.iter().flat_map(|own| &own.vintage.targets).find(|point| point.start == start)
}

/// The first severe alarm of the scope that was raised in a span and not over before the surge began, or the oldest one that the
/// alert names.
fn first_alarm(
    reader: &Reader,
    alert: &Alert,
    (from, to): (Timestamp, Timestamp),
    began: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    let mut raised: BTreeMap<Box<str>, Timestamp> = BTreeMap::new();
    for (_, event) in reader.alarm_transitions(from, to)? {
        if event.scope != alert.scope {
            continue;
        }
        match event.action {
            AlarmAction::Clear if event.ts < began => _ = raised.remove(&event.alarm_id),
            AlarmAction::Raise if event.severity <= Severity::Major => {
                raised.entry(event.alarm_id).or_insert(event.ts);
            }
            _ => {}
        }
    }
    let worst = alert.at_worst();
    let named = worst.because.iter().filter_map(|cause| match cause {
        Stored::Value(Cause::Alarms { since, severity, .. }) if *severity <= Severity::Major => {
            Some(*since)
        }
        _ => None,
    });
    Ok(raised.into_values().chain(named).min())
}
