//! One alert: what it said, the alarms behind it, and what came.

use std::collections::BTreeMap;
use std::time::Duration;

use super::text::Report;
use super::wording::{ROWS_MAX, acknowledged, moment};
use crate::alert::Alert;
use crate::domain::{HOUR, Name, Timestamp};
use crate::store::{Filter, Reader, StoreError};

/// Alarms, and windows, so long before the alert belong to it.
const BEFORE: Duration = Duration::from_secs(2 * 3600);
/// Longest stretch after it that is shown.
const AFTER_MAX: Duration = Duration::from_secs(24 * 3600);

/// The report of an alert; `None` where there is no such one.
///
/// # Errors
/// [`StoreError`] if the store cannot be read.
pub fn incident(reader: &Reader, id: &str) -> Result<Option<Report>, StoreError> {
    let Some(alert) = reader.alert(id)? else { return Ok(None) };
    let mut report = Report::new(alert.title.clone());
    let ended = alert.ended_at.map_or_else(|| "not over".into(), moment);
    let who = acknowledged(&alert);
    report.say(format!(
        "{}, {} to {ended} in UTC; acknowledged by {who}; id {}.",
        alert.scope,
        moment(alert.since),
        alert.id
    ));
    report.say(alert.text.clone());
    report.say("Times of day in the text above are the region's own.");
    if let Some(feedback) = &alert.feedback {
        report.say(format!("Feedback: {feedback}"));
    }
    let span =
        (alert.since - BEFORE, alert.to.max(alert.since + HOUR).min(alert.since + AFTER_MAX));
    needs(&alert, &mut report);
    alarms(reader, &alert, span, &mut report)?;
    arrivals(reader, &alert, span, &mut report)?;
    Ok(Some(report))
}

fn needs(alert: &Alert, report: &mut Report) {
    report.heading("Who was needed");
    report.say("When most were missing:");
    let worst = alert.at_worst();
    let rows = worst.shortfalls.iter().take(ROWS_MAX).map(|s| {
        vec![
            s.series.channel.to_string(),
            moment(s.at),
            format!("{:.1} ({:.0} to {:.0})", s.arrivals, s.arrivals_low, s.arrivals_high),
            s.agents.to_string(),
            s.scheduled.to_string(),
            s.gap.to_string(),
        ]
    });
    let head = ["Channel", "Worst at", "Tickets forecast", "Needed", "Scheduled", "Short"];
    report.table(&head, rows.collect(), "Nobody was short.");
}

fn alarms(
    reader: &Reader,
    alert: &Alert,
    (from, to): (Timestamp, Timestamp),
    report: &mut Report,
) -> Result<(), StoreError> {
    report.heading("Alarms behind it");
    let mut groups: BTreeMap<(String, String), (u32, Timestamp)> = BTreeMap::new();
    let scope = Filter {
        region: Some(alert.scope.region.clone()),
        service: Some(alert.scope.service.clone()),
        channel: None,
    };
    for standing in reader.active_alarms(&scope, from, 1000)? {
        let kind = standing.event.alarm_type.as_deref().unwrap_or("no type").to_owned();
        let severity = standing.event.severity.as_str().to_owned();
        let group = groups.entry((kind, severity)).or_insert((0, standing.raised_at));
        *group = (group.0 + 1, group.1.min(standing.raised_at));
    }
    for (_, event) in reader.alarm_transitions(from, to)? {
        if event.scope != alert.scope || event.action != crate::domain::AlarmAction::Raise {
            continue;
        }
        let kind = event.alarm_type.as_deref().unwrap_or("no type").to_owned();
        let severity = event.severity.as_str().to_owned();
        let group = groups.entry((kind, severity)).or_insert((0, event.ts));
        *group = (group.0 + 1, group.1.min(event.ts));
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|(_, (n, first))| (std::cmp::Reverse(*n), *first));
    let rows = groups
        .into_iter()
        .take(ROWS_MAX)
        .map(|((kind, severity), (n, first))| vec![kind, severity, n.to_string(), moment(first)]);
    report.table(&["Type", "Severity", "Alarms", "First"], rows.collect(), "None are kept.");
    Ok(())
}

fn arrivals(
    reader: &Reader,
    alert: &Alert,
    (from, to): (Timestamp, Timestamp),
    report: &mut Report,
) -> Result<(), StoreError> {
    report.heading("What came, by hour");
    let series = alert.scope.all_channels();
    let from = Timestamp::from_millis(from.millis().div_euclid(3_600_000) * 3_600_000);
    let mut hours: BTreeMap<Timestamp, (u32, f64)> = BTreeMap::new();
    let hour = |at: Timestamp| from + HOUR * (at.since(from).as_secs() / 3600) as u32;
    for window in reader.series_windows(&series, from, to)? {
        hours.entry(hour(window.start)).or_default().0 += window.tickets;
    }
    // Where it began within a window, the nowcast of then, or else the forecast that the window began with.
    let of = |at: Timestamp| reader.served(&series, Some(at));
    let vintage = match of(alert.since)? {
        Some(served) => Some(served.vintage),
        None => of(reader.width().floor(alert.since))?.map(|served| served.vintage),
    };
    for target in vintage.iter().flat_map(|vintage| &vintage.targets) {
        if let Some((_, forecast)) = hours.get_mut(&hour(target.start)) {
            *forecast += target.mean;
        }
    }
    let known = vintage.map_or(Timestamp::MAX, |vintage| vintage.issued_at);
    let rows = hours.into_iter().map(|(at, (came, forecast))| {
        let said = if at >= known { format!("{forecast:.0}") } else { "–".into() };
        vec![moment(at), came.to_string(), said]
    });
    report.table(&["Hour", "Tickets", "Forecast when it began"], rows.collect(), "Nothing came.");
    let end = to + HOUR;
    let filter = Filter {
        region: Some(series.region.clone()),
        service: Some(series.service.clone()),
        channel: Some(Name::all()),
    };
    for surge in reader.surges(&filter, (from, end), Timestamp::MIN)? {
        if surge.lead_hours == 1 {
            let warned = surge.warned_minutes.map_or_else(
                || "no forecast called it".into(),
                |minutes| format!("first called {minutes} minutes before"),
            );
            report.say(format!("A surge began {}; {warned}.", moment(surge.start)));
        }
    }
    Ok(())
}
