//! The review of an incident: one alert, its surge, its alarms, actual counts compared with the forecast, and what to change.

use std::collections::{BTreeMap, BTreeSet};

use super::alert_history::AlertHistory;
use super::review::{self, Actions};
use super::text::{Part, Report};
use super::wording::{ROWS_MAX, acknowledged};
use crate::alert::Alert;
use crate::domain::{AlarmAction, AlarmEvent, HOUR, Severity, Timestamp};
use crate::store::{Filter, Reader, StoreError};
use crate::text::{Texts, args};

/// The review of an alert, with times of the zone of its region; `None` if there is no such alert.
///
/// # Errors
/// [`StoreError`] if the store cannot be read.
pub fn incident(reader: &Reader, id: &str, texts: &Texts) -> Result<Option<Report>, StoreError> {
    let Some(alert) = reader.alert(id)? else { return Ok(None) };
    let texts = &texts.local(alert.zone).in_year_of(alert.since);
    let mut report = Report::new(*texts, alert.title(texts));
    let mut args = args![
        "scope" => alert.scope.to_string(),
        "from" => texts.year_time(alert.since),
        "zone" => alert.zone.to_string(),
    ];
    let span = match (alert.ended_at, &mut args) {
        (Some(at), Some(args)) => {
            args.set("to", texts.year_time(at));
            "report-incident-over"
        }
        _ => "report-incident-open",
    };
    let acknowledged = match acknowledged(texts, &alert) {
        Some(name) => texts.text("report-incident-acknowledged", args!["name" => name]),
        None => texts.text("report-incident-not-acknowledged", None),
    };
    let id = texts.text("report-incident-id", args!["id" => alert.id.as_str()]);
    report.sentences([texts.text(span, args), acknowledged, id]);
    let lines = alert.body(texts).lines().map(str::to_owned).collect();
    report.parts.push(Part::List(lines));
    if let Some(feedback) = &alert.feedback {
        report.say("report-incident-feedback", args!["text" => verdict(texts, feedback)]);
    }
    let history = AlertHistory::read(reader, &alert)?;
    let actions = Actions::read(reader, &alert, &history, texts)?;
    let goes_on = alert.ended_at.is_none();
    if let Some(last) = history.windows.last().filter(|_| goes_on) {
        let upto = texts.day_time(reader.width().end(last.start));
        report.say("report-incident-goes-on", args!["upto" => upto]);
    }
    review::summary(&history, goes_on, &mut report);
    report.parts.extend(review::plot(&history, texts));
    review::known(&history, goes_on, &mut report);
    arrivals(reader, &alert, &history, &mut report)?;
    if alert.finding.is_none() {
        needs(&alert, &mut report);
    }
    review::staffing(reader, &alert, &history, &mut report)?;
    alarms(reader, &alert, history.span, &mut report)?;
    actions.list(&mut report);
    review::changes(&alert, &history, &actions, &mut report);
    Ok(Some(report))
}

/// A stored feedback, such as `useful` or `not useful: its note`.
fn verdict(texts: &Texts, feedback: &str) -> String {
    let (verdict, note) = match feedback.split_once(": ") {
        Some((verdict, note)) => (verdict, Some(note)),
        None => (feedback, None),
    };
    let verdict = match verdict {
        "useful" => texts.text("report-incident-useful", None),
        "not useful" => texts.text("report-incident-not-useful", None),
        _ => return feedback.to_owned(),
    };
    match note {
        Some(note) => {
            texts.text("report-incident-note", args!["verdict" => verdict, "note" => note])
        }
        None => verdict,
    }
}

fn needs(alert: &Alert, report: &mut Report) {
    let texts = report.texts;
    report.heading("report-agents");
    report.say("report-agents-worst", None);
    let worst = alert.at_worst();
    let rows = worst.shortfalls.iter().take(ROWS_MAX).map(|s| {
        let args = args![
            "n" => texts.number(s.arrivals, 1),
            "low" => texts.number(s.arrivals_low, 0),
            "high" => texts.number(s.arrivals_high, 0),
        ];
        vec![
            texts.channel(s.series.channel.as_str()),
            texts.day_time(s.at),
            texts.text("report-agents-range", args),
            s.agents.to_string(),
            s.scheduled.to_string(),
            s.gap.to_string(),
        ]
    });
    let head = [
        "report-channel",
        "report-agents-window",
        "report-agents-forecast",
        "report-agents-needed",
        "report-agents-scheduled",
        "report-agents-gap",
    ];
    report.table(&head, rows.collect(), "report-agents-none");
}

fn alarms(
    reader: &Reader,
    alert: &Alert,
    (from, to): (Timestamp, Timestamp),
    report: &mut Report,
) -> Result<(), StoreError> {
    let texts = report.texts;
    report.heading("report-alarms");
    let mut groups: BTreeMap<(String, Severity), (u32, Timestamp)> = BTreeMap::new();
    let of = |event: &AlarmEvent| {
        let no_type = || texts.text("report-alarms-no-type", None);
        (event.alarm_type.as_deref().map_or_else(no_type, str::to_owned), event.severity)
    };
    let scope = Filter {
        region: Some(alert.scope.region.clone()),
        service: Some(alert.scope.service.clone()),
        channel: None,
    };
    let mut counted = BTreeSet::new();
    for active in reader.active_alarms(&scope, from, 1000)? {
        counted.insert(active.event.alarm_id.clone());
        let group = groups.entry(of(&active.event)).or_insert((0, active.raised_at));
        *group = (group.0 + 1, group.1.min(active.raised_at));
    }
    for (_, event) in reader.alarm_transitions(from, to)? {
        // An alarm that is raised again, as a reminder or because it chatters, is not another one.
        let is_raise = event.scope == alert.scope && event.action == AlarmAction::Raise;
        if !is_raise || !counted.insert(event.alarm_id.clone()) {
            continue;
        }
        let group = groups.entry(of(&event)).or_insert((0, event.ts));
        *group = (group.0 + 1, group.1.min(event.ts));
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|(_, (n, first))| (std::cmp::Reverse(*n), *first));
    let rows = groups.into_iter().take(ROWS_MAX).map(|((kind, severity), (n, first))| {
        vec![kind, texts.severity(severity), n.to_string(), texts.day_time(first)]
    });
    let head = ["report-alarms-type", "report-severity", "report-alarms-n", "report-alarms-first"];
    report.table(&head, rows.collect(), "report-alarms-none");
    Ok(())
}

/// One hour, all channels together.
struct Hour {
    actual: u32,
    /// The forecasts that were issued first; `None` if one of the windows has none.
    first: Option<f64>,
    /// The forecast at the start of the alert; `None` if one of the windows is beyond its horizon.
    at_start: Option<f64>,
}

impl Default for Hour {
    fn default() -> Self {
        Self { actual: 0, first: Some(0.0), at_start: Some(0.0) }
    }
}

fn arrivals(
    reader: &Reader,
    alert: &Alert,
    history: &AlertHistory,
    report: &mut Report,
) -> Result<(), StoreError> {
    let texts = report.texts;
    report.heading("report-hourly");
    let series = &history.series;
    let mut hours: BTreeMap<Timestamp, Hour> = BTreeMap::new();
    // An alert that began within a window came from a nowcast; otherwise from the forecast at the start of the window.
    let of = |at: Timestamp| reader.served(series, Some(at));
    let vintage = match of(alert.since)? {
        Some(served) => Some(served.vintage),
        None => of(reader.width().floor(alert.since))?.map(|served| served.vintage),
    };
    let targets = vintage.iter().flat_map(|vintage| &vintage.targets);
    let at_start: BTreeMap<Timestamp, f64> =
        targets.map(|point| (point.start, point.mean)).collect();
    let add = |sum: Option<f64>, mean: Option<f64>| sum.zip(mean).map(|(sum, mean)| sum + mean);
    for window in &history.windows {
        let hour = super::intervals::hour(window.start, texts.zone());
        let own = hours.entry(hour).or_default();
        own.actual += window.tickets;
        own.first = add(own.first, history.first(window.start).map(|point| point.mean));
        own.at_start = add(own.at_start, at_start.get(&window.start).copied());
    }
    let known = vintage.map_or(Timestamp::MAX, |vintage| vintage.issued_at);
    let last = history.windows.last().filter(|_| alert.ended_at.is_none());
    let upto = last.map_or(Timestamp::MAX, |last| reader.width().end(last.start));
    let rows = hours.into_iter().map(|(at, own)| {
        let or_dash =
            |mean: Option<f64>| mean.map_or_else(|| "–".to_owned(), |mean| texts.number(mean, 0));
        let at_start = or_dash(own.at_start.filter(|_| at >= known));
        let actual = texts.number(f64::from(own.actual), 0);
        let hour = texts.day_time(at);
        let hour = match upto < at + HOUR {
            true => texts.text("report-hourly-so-far", args!["hour" => hour]),
            false => hour,
        };
        vec![hour, actual, or_dash(own.first), at_start]
    });
    let head = [
        "report-hourly-hour",
        "report-hourly-actual",
        "report-hourly-first",
        "report-hourly-forecast",
    ];
    report.table(&head, rows.collect(), "report-hourly-none");
    Ok(())
}
