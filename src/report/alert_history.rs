//! The course of an alert: when its surge began, when it was first forecast, and the actual counts. Forecasts are those of the
//! ledger, as they were issued.

use std::collections::BTreeMap;
use std::time::Duration;

use super::surges::{SurgeSpan, first, surge_spans};
use crate::alert::{Alert, Cause};
use crate::domain::{AlarmAction, HOUR, Name, SeriesKey, Severity, Timestamp};
use crate::forecast::surge::APART;
use crate::forecast::{ForecastPoint, HORIZON};
use crate::store::{Filter, Reader, SeriesWindow, Served, StoreError};
use crate::text::Stored;

/// How much is shown before the alert or its surge.
pub const BEFORE: Duration = Duration::from_secs(2 * 3600);
/// Maximum time after the start that is shown.
pub const AFTER_MAX: Duration = Duration::from_secs(24 * 3600);
/// The course of an alert.
pub struct AlertHistory {
    pub series: SeriesKey,
    /// First and last time that are shown.
    pub span: (Timestamp, Timestamp),
    pub surge: Option<SurgeSpan>,
    /// The first alarm of the scope that belongs to the surge. Either it is severe, was raised before or during the surge and
    /// was not over before the surge began; or the alert names it as a cause.
    pub first_alarm: Option<Timestamp>,
    /// Final counts of all channels together.
    pub windows: Vec<SeriesWindow>,
    /// Forecasts of all channels together, oldest first.
    pub served: Vec<Served>,
    /// The window with the most tickets since the beginning of the surge.
    pub peak: Option<(Timestamp, u32)>,
}

impl AlertHistory {
    /// Reads the course of an alert.
    pub fn read(reader: &Reader, alert: &Alert) -> Result<Self, StoreError> {
        let series = alert.scope.all_channels();
        let end = alert.to.max(alert.since + HOUR);
        let places = Filter {
            region: Some(series.region.clone()),
            service: Some(series.service.clone()),
            channel: Some(Name::all()),
        };
        let judged = surge_spans(reader, &places, (alert.since - APART, end + HOUR))?;
        let surge = judged.into_iter().next();
        let to = surge.as_ref().map_or(end, |surge| surge.ended.max(end));
        let to = to.min(alert.since + AFTER_MAX);
        let began = surge.as_ref().map_or(alert.since, |surge| surge.began);
        let shown = (began.min(alert.since) - BEFORE, to);
        let mut windows = reader.series_windows(&series, shown.0, to)?;
        windows.retain(|window| window.settled && !window.missing);
        let served = reader.served_between(&series, shown.0 - HORIZON, to)?;
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
        self.surge.as_ref()?.warning_minutes()
    }

    /// Minutes from the first alarm to the beginning of the surge: below 0 if customers noticed it first.
    pub fn alarm_minutes(&self) -> Option<i64> {
        let surge = self.surge.as_ref()?;
        self.first_alarm.map(|at| minutes(at, surge.began))
    }
}

/// Minutes from `a` to `b`, below 0 if `b` is earlier.
fn minutes(a: Timestamp, b: Timestamp) -> i64 {
    (b.millis() - a.millis()).div_euclid(60_000)
}

/// The first severe alarm of the scope that was raised in a span and was not over before the surge began, or else the oldest
/// alarm that the alert names.
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
