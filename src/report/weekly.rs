//! The weekly report: tickets, alerts, surges, the accuracy of forecasts, staffing, and points to check.

use std::collections::BTreeMap;

use super::extent::{Counted, Extent, alerts, tickets};
use super::figures::{self, Figures};
use super::findings::{self, Targets, forecasts, list_alerts, staffing, surges};
use super::five;
use super::intervals::{self, intervals};
use super::priorities::{self, DAYS};
use super::text::Report;
use super::week::Week;
use super::wording::signed;
use crate::store::{Filter, Reader, StoreError};
use crate::text::{Texts, args};

/// The report of a week in the zone of the texts; default: the last complete week. A week without counts has no figures.
///
/// # Errors
/// [`StoreError`] if the store cannot be read.
pub fn weekly(reader: &Reader, week: Option<Week>, texts: &Texts) -> Result<Report, StoreError> {
    let zone = texts.zone();
    let week = match week {
        Some(week) => Some(week),
        None => Week::last(reader, zone)?,
    };
    let Some(week) = week else {
        let mut report = Report::new(*texts, texts.text("report-week", None));
        report.say("report-no-windows", None);
        return Ok(report);
    };
    let span = week.span(zone);
    let title = texts.text("report-week-of", args!["week" => week.to_string()]);
    let mut report = Report::new(texts.in_year_of(span.0), title);
    let (from, to) = (texts.year_time(span.0), texts.year_time(span.1));
    let args = args!["from" => from, "to" => to, "zone" => zone.to_string()];
    report.say("report-week-span", args);
    let counted = Counted::read(reader, Extent::of_week(week, zone))?;
    if counted.windows.is_empty() {
        report.say("report-week-no-data", None);
        return Ok(report);
    }
    write(reader, week, &counted, &mut report)?;
    Ok(report)
}

fn write(
    reader: &Reader,
    week: Week,
    counted: &Counted,
    report: &mut Report,
) -> Result<(), StoreError> {
    let every = Filter::default();
    let sent = alerts(reader, &every, counted.span)?;
    let figures = Figures::of_span(reader, counted, &sent)?;
    let earlier = alerts(reader, &every, counted.span_before)?;
    let before = Figures::of_span_before(reader, counted, &earlier)?;
    let targets = Targets::read(reader, &counted.extent)?;
    if counted.is_partial {
        let at = report.texts.day_time(counted.span.1);
        report.say("report-volume-partial", args!["at" => at]);
    }
    figures::status(&figures, report);
    five::table(&figures, &before, report);
    intervals::list(reader, counted, &intervals(reader, counted)?, report)?;
    priorities::list(reader, counted, &figures, targets.missed.first(), report)?;
    let mut checks = Vec::new();
    arrivals(week, counted, report);
    list_alerts(&sent, report, &mut checks);
    surges(reader, &counted.extent, &figures.warned, report, &mut checks)?;
    forecasts(reader, &targets, &counted.extent, report, &mut checks)?;
    staffing(figures.staffed.as_ref(), report, &mut checks);
    findings::to_check(checks, report);
    Ok(())
}

fn arrivals(week: Week, counted: &Counted, report: &mut Report) {
    let texts = report.texts;
    report.heading("report-volume");
    let (mut days, mut alarms) = (BTreeMap::<usize, Option<u64>>::new(), 0u64);
    for window in &counted.windows {
        if let Some(day) = week.day(window.start, counted.zone()) {
            let sum = days.entry(day).or_default();
            if !window.missing {
                *sum = Some(sum.unwrap_or(0) + u64::from(window.tickets));
            }
        }
        alarms += window.raised.iter().map(|n| u64::from(*n)).sum::<u64>();
    }
    let (sum, before) = (tickets(&counted.windows), tickets(&counted.before));
    let change = (before > 0).then(|| {
        let change = signed(&texts, Some(sum as f64 / before as f64 - 1.0));
        let id = if counted.is_partial {
            "report-volume-change-partial"
        } else {
            "report-volume-change"
        };
        texts.text(id, args!["change" => change])
    });
    let sum = texts.text("report-volume-tickets", args!["n" => sum]);
    let alarms = texts.text("report-volume-alarms", args!["n" => alarms]);
    report.sentences([Some(sum), change, Some(alarms)].into_iter().flatten());
    if counted.missing() > 0 {
        report.say("report-volume-missing", args!["n" => counted.missing()]);
    }
    // Days before the first event have no window and no row. A day of missing windows only has a row without a count.
    let rows = days.into_iter().map(|(day, sum)| {
        let sum = sum.map_or_else(|| "–".to_owned(), |sum| texts.number(sum as f64, 0));
        vec![texts.text(DAYS[day], None), sum]
    });
    report.table(&["report-day", "report-tickets"], rows.collect(), "report-volume-none");
}
