//! The hours of a span: what came beside what was forecast an hour before, and why the two differ.

use std::collections::BTreeMap;

use chrono::Timelike;

use super::extent::{Counted, Extent};
use super::plot::{Plot, Point};
use super::text::{Part, Report};
use super::wording::signed;
use crate::domain::{HOUR, MaintenanceEvent, Timestamp, Zone};
use crate::forecast::surge::{APART, Surge};
use crate::forecast::{Adjustment, ForecastPoint};
use crate::store::{Reader, StoreError};
use crate::text::{Texts, args};

/// Hours that differ from their forecast by more than this share are listed.
const APART_MAX: f64 = 0.10;
/// Maximum number of rows.
const ROWS_MAX: usize = 10;
/// Quantiles of the 80 % band.
const LOW: usize = 1;
const HIGH: usize = 5;

/// One hour of all series together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Interval {
    pub start: Timestamp,
    pub actual: f64,
    /// The forecasts of an hour before: their mean and their 80 % band, summed over the windows.
    pub expected: f64,
    pub low: f64,
    pub high: f64,
    /// Whether a window has no count.
    pub is_missing: bool,
}

impl Interval {
    /// What came, relative to the forecast.
    fn change(&self) -> f64 {
        self.actual / self.expected - 1.0
    }

    fn is_apart(&self) -> bool {
        (self.actual - self.expected).abs() > APART_MAX * self.expected
    }

    fn is_in_band(&self) -> bool {
        (self.low..=self.high).contains(&self.actual)
    }
}

/// The start of the local hour that contains an instant.
pub fn hour(at: Timestamp, zone: Zone) -> Timestamp {
    let local = zone.local(at);
    at - std::time::Duration::from_secs(u64::from(local.minute() * 60 + local.second()))
}

/// The hours of a span that have forecasts, in order.
pub fn intervals(reader: &Reader, counted: &Counted) -> Result<Vec<Interval>, StoreError> {
    let (from, to) = counted.span;
    let mut forecasts: BTreeMap<Timestamp, ForecastPoint> = BTreeMap::new();
    for served in reader.served_between(&counted.extent.total(), from - HOUR, to)? {
        let start = served.vintage.issued_at + HOUR;
        let point = served.vintage.targets.into_iter().find(|point| point.start == start);
        forecasts.extend(point.map(|point| (start, point)));
    }
    let mut hours: BTreeMap<Timestamp, Interval> = BTreeMap::new();
    for window in counted.windows.iter().filter(|window| window.settled) {
        let Some(point) = forecasts.get(&window.start) else { continue };
        let start = hour(window.start, counted.zone());
        let own = hours.entry(start).or_insert_with(|| Interval { start, ..Interval::default() });
        own.actual += f64::from(window.tickets);
        own.expected += point.mean;
        own.low += point.quantiles[LOW];
        own.high += point.quantiles[HIGH];
        own.is_missing |= window.missing;
    }
    Ok(hours.into_values().filter(|own| own.expected > 0.0).collect())
}

/// What may have caused a difference, as far as it is on record.
struct Record {
    surges: Vec<Surge>,
    works: Vec<MaintenanceEvent>,
    entries: Vec<Adjustment>,
}

impl Record {
    fn read(
        reader: &Reader,
        extent: &Extent,
        (from, to): (Timestamp, Timestamp),
    ) -> Result<Self, StoreError> {
        let mut surges = reader.surges(&extent.filter(), (from - APART, to), Timestamp::MIN)?;
        surges.retain(|surge| {
            let series = &surge.series;
            series.channel.is_all() && !series.region.is_all() && !series.service.is_all()
        });
        let mut works = reader.maintenance(from, to)?;
        works.retain(|work| extent.touches(work));
        let mut entries = reader.adjustments(from, to)?;
        entries.retain(|entry| extent.meets(entry.region.as_ref(), entry.service.as_ref()));
        Ok(Self { surges, works, entries })
    }

    /// The first cause that applies: a source that did not report, chance, a surge, planned work, a planner's entry.
    fn cause(&self, own: &Interval, end_of_pair: std::time::Duration, texts: &Texts) -> String {
        let (from, to) = (own.start, own.start + HOUR);
        if own.is_missing {
            return texts.text("report-apart-missing", None);
        }
        if own.is_in_band() {
            return texts.text("report-apart-chance", None);
        }
        let is_more = own.actual > own.expected;
        let in_hour = |surge: &&Surge| surge.start < to && surge.upto + end_of_pair > from;
        let mut places: Vec<String> =
            self.surges.iter().filter(in_hour).map(|s| s.series.scope().to_string()).collect();
        places.sort();
        places.dedup();
        if is_more && !places.is_empty() {
            let args = args!["scopes" => texts.list(places)];
            return texts.text("report-apart-surge", args);
        }
        if let Some(work) =
            self.works.iter().find(|work| work.starts_at < to && work.ends_at > from)
        {
            return texts.text("report-apart-work", args!["id" => &*work.event_id]);
        }
        let entry = self.entries.iter().find(|own| own.starts_at < to && own.ends_at > from);
        match entry {
            Some(entry) => texts.text("report-apart-entry", args!["label" => entry.label.as_str()]),
            None => texts.text("report-apart-unknown", None),
        }
    }
}

/// Adds the plot of the span and the hours that differ by more than 10 %, each with its cause.
pub fn list(
    reader: &Reader,
    counted: &Counted,
    found: &[Interval],
    report: &mut Report,
) -> Result<(), StoreError> {
    let texts = report.texts;
    list_with(reader, counted, found, |found| plot(found, &texts), report)
}

/// As [`list`], with another plot.
pub fn list_with(
    reader: &Reader,
    counted: &Counted,
    found: &[Interval],
    plot: impl Fn(&[Interval]) -> Plot,
    report: &mut Report,
) -> Result<(), StoreError> {
    let texts = report.texts;
    report.heading("report-apart");
    if found.is_empty() {
        report.say("report-apart-no-forecasts", None);
        return Ok(());
    }
    report.parts.push(Part::Plot(plot(found)));
    let mut apart: Vec<&Interval> = found.iter().filter(|own| own.is_apart()).collect();
    let args = args!["n" => found.len() - apart.len(), "of" => found.len()];
    report.say("report-apart-sum", args);
    let distance = |own: &Interval| (own.actual - own.expected).abs();
    apart.sort_by(|a, b| distance(b).total_cmp(&distance(a)).then(a.start.cmp(&b.start)));
    let record = Record::read(reader, &counted.extent, counted.span)?;
    let pair = reader.width().length() * 2;
    let rows = apart.iter().take(ROWS_MAX).map(|own| {
        vec![
            texts.day_time(own.start),
            texts.number(own.actual, 0),
            texts.number(own.expected, 0),
            signed(&texts, Some(own.change())),
            record.cause(own, pair, &texts),
        ]
    });
    let head = [
        "report-apart-hour",
        "report-apart-actual",
        "report-apart-forecast",
        "report-apart-change",
        "report-cause",
    ];
    report.table(&head, rows.collect(), "report-apart-none");
    if apart.len() > ROWS_MAX {
        report.say("report-apart-more", args!["n" => apart.len() - ROWS_MAX]);
    }
    report.say("report-apart-help", None);
    Ok(())
}

/// The plot by hour.
pub fn plot(found: &[Interval], texts: &Texts) -> Plot {
    let points = found.iter().map(|own| Point {
        at: own.start,
        actual: (!own.is_missing).then_some(own.actual),
        expected: Some((own.low, own.expected, own.high)),
    });
    Plot::new(&texts.text("report-plot-week", None), &points.collect::<Vec<_>>(), texts)
}
