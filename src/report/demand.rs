//! Actual tickets and alarms of a span: by day or week, by region and service, and alarms by severity.

use std::collections::BTreeMap;

use chrono::Datelike;

use super::extent::{Counted, tickets};
use super::intervals::Interval;
use super::plot::{Plot, Point};
use super::text::Report;
use super::wording::{ROWS_MAX, signed};
use crate::domain::{Severity, Timestamp, Zone};
use crate::store::{Reader, StoreError};
use crate::text::{Texts, args};

/// Maximum length in days of a span that is shown by day. Longer spans are shown by week, and plotted by day.
const BY_DAY_MAX: usize = 14;
/// Maximum length of a span that is plotted by hour.
const HOURLY_MAX: usize = BY_DAY_MAX * 24;

/// The local midnight before an instant.
fn midnight(at: Timestamp, zone: Zone) -> Timestamp {
    zone.instant(zone.local(at).date().and_time(chrono::NaiveTime::MIN))
}

/// The local midnight at the start of the week of an instant.
fn monday(at: Timestamp, zone: Zone) -> Timestamp {
    let back = zone.local(at).weekday().num_days_from_monday();
    midnight(zone.days_before(at, back), zone)
}

/// The number of tickets, and the change from the span before.
pub fn volume(counted: &Counted, texts: &Texts) -> Vec<String> {
    let (sum, before) = (tickets(&counted.windows), tickets(&counted.before));
    let mut found = vec![texts.text("report-volume-tickets", args!["n" => sum])];
    if before > 0 {
        let change = signed(texts, Some(sum as f64 / before as f64 - 1.0));
        let args = args!["n" => counted.extent.back / super::week::DAYS, "change" => change];
        found.push(texts.text("report-full-change", args));
    }
    found
}

/// The sentence about the busiest hour.
pub fn busiest(counted: &Counted, texts: &Texts) -> Option<String> {
    let (at, n) = counted.busiest()?;
    let args = args!["at" => texts.day_time(at), "n" => texts.number(n, 0)];
    Some(texts.text("report-full-busiest", args))
}

/// Adds tickets by day or week, and by region and service.
pub fn list(reader: &Reader, counted: &Counted, report: &mut Report) -> Result<(), StoreError> {
    let texts = report.texts;
    report.heading("report-full-demand");
    let mut sentences = volume(counted, &texts);
    sentences.extend(busiest(counted, &texts));
    report.sentences(sentences);
    by_time(counted, report);
    by_place(reader, counted, report)
}

fn by_time(counted: &Counted, report: &mut Report) {
    let (texts, zone) = (report.texts, counted.zone());
    let mut days: BTreeMap<Timestamp, u64> = BTreeMap::new();
    for window in &counted.windows {
        *days.entry(midnight(window.start, zone)).or_default() += u64::from(window.tickets);
    }
    let (mut sums, mut id) = (BTreeMap::new(), "report-day");
    if days.len() > BY_DAY_MAX {
        id = "report-full-week";
        for (day, n) in days {
            *sums.entry(monday(day, zone)).or_default() += n;
        }
    } else {
        sums = days;
    }
    let skipped = sums.len().saturating_sub(ROWS_MAX);
    let rows = sums.into_iter().skip(skipped);
    let rows = rows.map(|(at, n)| vec![texts.day(at), texts.number(n as f64, 0)]);
    report.table(&[id, "report-tickets"], rows.collect(), "report-volume-none");
    if skipped > 0 {
        report.say("report-full-weeks-more", args!["n" => skipped]);
    }
}

fn by_place(reader: &Reader, counted: &Counted, report: &mut Report) -> Result<(), StoreError> {
    let texts = report.texts;
    let mut places = Vec::new();
    for series in reader.series_keys()? {
        let is_place =
            series.channel.is_all() && !series.region.is_all() && !series.service.is_all();
        if is_place && counted.extent.admits(&series) {
            let windows = reader.series_windows(&series, counted.span.0, counted.span.1)?;
            places.push((series.scope().to_string(), tickets(&windows)));
        }
    }
    if places.len() < 2 {
        return Ok(());
    }
    let all = tickets(&counted.windows).max(1) as f64;
    places.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let rows = places.into_iter().take(ROWS_MAX).map(|(place, n)| {
        vec![place, texts.number(n as f64, 0), texts.percent(Some(n as f64 / all))]
    });
    let head = ["report-scope", "report-tickets", "report-full-share"];
    report.table(&head, rows.collect(), "report-volume-none");
    Ok(())
}

/// Alarms raised in the windows of a span, in the order of [`Severity::EVERY`].
pub fn raised(counted: &Counted) -> [u64; 5] {
    let mut sums = [0; 5];
    for window in &counted.windows {
        for (sum, n) in sums.iter_mut().zip(window.raised) {
            *sum += u64::from(n);
        }
    }
    sums
}

/// Adds alarms by severity, and planned work of the span.
pub fn alarms(reader: &Reader, counted: &Counted, report: &mut Report) -> Result<(), StoreError> {
    let texts = report.texts;
    report.heading("report-alarms");
    let rows = Severity::EVERY.into_iter().zip(raised(counted)).filter(|(_, n)| *n > 0);
    let rows = rows.map(|(severity, n)| vec![texts.severity(severity), texts.number(n as f64, 0)]);
    let head = ["report-severity", "report-alarms-n"];
    report.table(&head, rows.collect(), "report-full-no-alarms");
    let works = reader.maintenance(counted.span.0, counted.span.1)?;
    let works = works.iter().filter(|work| counted.extent.touches(work)).take(ROWS_MAX);
    let rows = works.map(|work| {
        let (region, service) = (work.region.as_ref(), work.service.as_ref());
        vec![
            work.event_id.to_string(),
            super::extent::scope_words(&texts, region, service),
            texts.day_time(work.starts_at),
            texts.day_time(work.ends_at),
        ]
    });
    let head = ["report-work", "report-scope", "report-from", "report-until"];
    report.table(&head, rows.collect(), "report-full-no-work");
    Ok(())
}

/// The plot of a span: by hour, or by day if there are too many hours.
pub fn plot(found: &[Interval], zone: Zone, texts: &Texts) -> Plot {
    let title = |id: &str| texts.text(id, None);
    if found.len() <= HOURLY_MAX {
        return super::intervals::plot(found, texts);
    }
    let mut days: BTreeMap<Timestamp, (Option<f64>, f64)> = BTreeMap::new();
    for own in found {
        let day = days.entry(midnight(own.start, zone)).or_insert((Some(0.0), 0.0));
        day.0 = day.0.filter(|_| !own.is_missing).map(|sum| sum + own.actual);
        day.1 += own.expected;
    }
    let points = days.into_iter().map(|(at, (actual, mean))| Point {
        at,
        actual,
        // Bands of hours do not add up to a band of the day.
        expected: Some((mean, mean, mean)),
    });
    let mut plot = Plot::new(&title("report-plot-days"), &points.collect::<Vec<_>>(), texts);
    plot.key = texts.text("report-plot-key-lines", args!["title" => title("report-plot-days")]);
    plot
}
