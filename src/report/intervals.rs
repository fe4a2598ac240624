//! The hours of a span: actual counts, the forecasts of an hour before, and why they differ.

use std::collections::{BTreeMap, BTreeSet};

use chrono::Timelike;

use super::extent::{Counted, Extent};
use super::plot::{Plot, Point};
use super::surges::{RISE_MAX, SurgeSpan, surge_spans};
use super::text::{Part, Report};
use super::wording::signed;
use crate::anomaly::{Anomaly, AnomalyKind, Detail};
use crate::domain::{HOUR, MaintenanceEvent, Timestamp, Topic, Zone};
use crate::forecast::surge::APART;
use crate::forecast::{Adjustment, ForecastPoint};
use crate::store::{Filter, Reader, StoreError};
use crate::text::{Stored, Texts, args};

/// Hours that differ from their forecast by more than this share are listed.
const APART_MAX: f64 = 0.10;
/// Maximum number of rows.
const ROWS_MAX: usize = 10;
/// Maximum number of anomalies of one hour that are examined, and of scopes that a cause names.
const ANOMALIES_MAX: usize = 1_000;
const SCOPES_MAX: usize = 3;
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
    /// The relative difference of the actual count to the forecast.
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

/// Possible causes of a difference that are on record.
struct Record<'a> {
    reader: &'a Reader,
    places: Filter,
    surges: Vec<SurgeSpan>,
    works: Vec<MaintenanceEvent>,
    entries: Vec<Adjustment>,
}

impl<'a> Record<'a> {
    fn read(
        reader: &'a Reader,
        extent: &Extent,
        (from, to): (Timestamp, Timestamp),
    ) -> Result<Self, StoreError> {
        let places = extent.filter();
        let surges = surge_spans(reader, &extent.places(), (from - APART, to + RISE_MAX))?;
        let mut works = reader.maintenance(from, to)?;
        works.retain(|work| extent.touches(work));
        let mut entries = reader.adjustments(from, to)?;
        entries.retain(|entry| extent.meets(entry.region.as_ref(), entry.service.as_ref()));
        Ok(Self { reader, places, surges, works, entries })
    }

    /// The first cause that applies: a source that did not report, chance, a surge, planned work, a planner's entry, complaints or
    /// an unusual count.
    fn cause(&self, own: &Interval, texts: &Texts) -> Result<String, StoreError> {
        let (from, to) = (own.start, own.start + HOUR);
        if own.is_missing {
            return Ok(texts.text("report-apart-missing", None));
        }
        if own.is_in_band() {
            return Ok(texts.text("report-apart-chance", None));
        }
        let is_more = own.actual > own.expected;
        let in_hour = self.surges.iter().filter(|surge| surge.began < to && surge.ended > from);
        let places = in_hour.filter_map(|surge| surge.judged.first());
        let places = scopes(places.map(|surge| surge.series.scope().to_string()));
        if is_more && !places.is_empty() {
            return Ok(texts.text("report-apart-surge", args!["scopes" => texts.list(places)]));
        }
        if let Some(work) =
            self.works.iter().find(|work| work.starts_at < to && work.ends_at > from)
        {
            return Ok(texts.text("report-apart-work", args!["id" => &*work.event_id]));
        }
        if let Some(entry) =
            self.entries.iter().find(|own| own.starts_at < to && own.ends_at > from)
        {
            let args = args!["label" => entry.label.as_str()];
            return Ok(texts.text("report-apart-entry", args));
        }
        let found = self.reader.anomalies(&self.places, from, to, ANOMALIES_MAX, None)?.into_iter();
        let found: Vec<Anomaly> = found.map(|(_, anomaly)| anomaly).collect();
        let noticed = anomalous(&found, is_more, texts);
        Ok(noticed.unwrap_or_else(|| texts.text("report-apart-unknown", None)))
    }
}

/// Complaints, or else unusual counts in the same direction as the difference.
fn anomalous(found: &[Anomaly], is_more: bool, texts: &Texts) -> Option<String> {
    let of = |kind: AnomalyKind| found.iter().filter(move |own| own.kind == kind);
    let places = |kind| {
        let places = scopes(of(kind).map(|own| own.series.scope().to_string()));
        (!places.is_empty()).then(|| texts.list(places.into_iter().take(SCOPES_MAX)))
    };
    if let Some(places) = is_more.then(|| places(AnomalyKind::Complaints)).flatten() {
        let topics = of(AnomalyKind::Complaints).filter_map(|own| match &own.detail {
            Stored::Value(Detail::Complaints { topics, .. }) => Some(topics),
            _ => None,
        });
        let topics: BTreeSet<Topic> = topics.flatten().copied().collect();
        let topics = texts.list(topics.into_iter().map(|topic| texts.topic(topic)));
        let args = args!["topics" => topics, "scopes" => places];
        return Some(texts.text("report-apart-complaints", args));
    }
    let kind = if is_more { AnomalyKind::High } else { AnomalyKind::Low };
    let places = places(kind)?;
    Some(texts.text("report-apart-anomaly", args!["scopes" => places]))
}

/// Each name once, in order.
fn scopes(names: impl Iterator<Item = String>) -> Vec<String> {
    names.collect::<BTreeSet<String>>().into_iter().collect()
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

/// Like [`list`], with a given plot.
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
    let mut rows = Vec::new();
    for own in apart.iter().take(ROWS_MAX) {
        rows.push(vec![
            texts.day_time(own.start),
            texts.number(own.actual, 0),
            texts.number(own.expected, 0),
            signed(&texts, Some(own.change())),
            record.cause(own, &texts)?,
        ]);
    }
    let head = [
        "report-apart-hour",
        "report-apart-actual",
        "report-apart-forecast",
        "report-apart-change",
        "report-cause",
    ];
    report.table(&head, rows, "report-apart-none");
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
