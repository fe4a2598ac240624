//! Usual, expected and actual contacts of planned work, by window.

use std::collections::BTreeMap;

use super::extent::Extent;
use super::intervals::hour;
use super::plot::{Plot, Point};
use super::text::{Part, Report};
use super::wording::ROWS_MAX;
use crate::domain::{HOUR, MaintenanceEvent, Timestamp};
use crate::forecast::{ForecastPoint, HORIZON, Vintage};
use crate::store::{Reader, Served, StoreError};
use crate::text::args;

/// Days between a window without a forecast and the earlier window whose count is used instead.
const WEEK_DAYS: u32 = 7;
/// Quantiles of the 80 % band.
const LOW: usize = 1;
const HIGH: usize = 5;

/// One window of the work, or one hour.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Slot {
    /// Contacts without the work.
    pub(super) usual: f64,
    /// Contacts caused by the work and by alarms; `None` if this is not known.
    pub(super) extra: Option<f64>,
    /// `None` while the count is not final.
    pub(super) actual: Option<f64>,
    pub(super) is_forecast: bool,
}

impl Slot {
    /// Expected contacts; `None` if it is not known how many contacts the work causes.
    pub(super) fn expected(&self) -> Option<f64> {
        self.extra.map(|extra| self.usual + extra)
    }

    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            usual: self.usual + other.usual,
            extra: self.extra.zip(other.extra).map(|(a, b)| a + b),
            actual: self.actual.zip(other.actual).map(|(a, b)| a + b),
            is_forecast: self.is_forecast && other.is_forecast,
        }
    }
}

/// The newest forecast of a window when the work began. For windows beyond its horizon: the forecast that was issued first.
/// Returned with its forecast point for the window.
fn expected(
    served: &[Served],
    start: Timestamp,
    known: Timestamp,
) -> Option<(&Vintage, &ForecastPoint)> {
    let point = |own: &'_ Served| own.vintage.targets.iter().position(|p| p.start == start);
    let mut newest = served.iter().rev().filter(|own| own.vintage.issued_at <= known);
    let found = newest.find_map(|own| point(own).map(|at| (own, at)));
    let (own, at) =
        found.or_else(|| served.iter().find_map(|own| point(own).map(|at| (own, at))))?;
    Some((&own.vintage, own.vintage.targets.get(at)?))
}

/// The extra contacts that a forecast includes. A forecast that does not use alarms and planned work yet includes none.
fn extra(vintage: &Vintage, point: &ForecastPoint) -> Option<f64> {
    let is_known = vintage.uses_alarms() || point.alarm_effect != 0.0;
    is_known.then_some(point.alarm_effect)
}

/// Usual, expected and actual contacts of the work's windows.
pub(super) struct WorkContacts {
    pub(super) slots: BTreeMap<Timestamp, Slot>,
    points: Vec<Point>,
}

impl WorkContacts {
    pub(super) fn read(
        reader: &Reader,
        extent: &Extent,
        work: &MaintenanceEvent,
        now: Timestamp,
        share: Option<f64>,
    ) -> Result<Self, StoreError> {
        let (width, total) = (reader.width(), extent.total());
        let (from, to) = extent.span;
        let served = reader.served_between(&total, from - HORIZON, to.min(now + HOUR))?;
        let actual = settled(reader, extent, (from, to))?;
        let back = |at| extent.zone.days_before(at, WEEK_DAYS);
        let before = settled(reader, extent, (back(from), back(to)))?;
        let mut own = Self { slots: BTreeMap::new(), points: Vec::new() };
        let mut start = from;
        while start < to {
            let point = expected(&served, start, now.min(work.starts_at));
            let actual = actual.get(&start).copied();
            let slot = match point {
                Some((vintage, point)) => Some(Slot {
                    usual: point.mean - point.alarm_effect,
                    extra: extra(vintage, point)
                        .or_else(|| share.map(|share| share * (point.mean - point.alarm_effect))),
                    actual,
                    is_forecast: true,
                }),
                None => before.get(&back(start)).map(|usual| Slot {
                    usual: *usual,
                    extra: share.map(|share| share * usual),
                    actual,
                    is_forecast: false,
                }),
            };
            let expected = point.map(|(_, p)| (p.quantiles[LOW], p.mean, p.quantiles[HIGH]));
            own.points.push(Point { at: start, actual, expected });
            own.slots.extend(slot.map(|slot| (start, slot)));
            start = width.end(start);
        }
        Ok(own)
    }

    /// Adds expected and actual contacts by hour.
    pub(super) fn list(&self, report: &mut Report) {
        let texts = report.texts;
        report.heading("report-brief-contacts");
        let mut hours: BTreeMap<Timestamp, Slot> = BTreeMap::new();
        for (start, slot) in &self.slots {
            let sum = hours.entry(hour(*start, texts.zone()));
            sum.and_modify(|sum| *sum = sum.plus(*slot)).or_insert(*slot);
        }
        let Some(whole) = hours.values().copied().reduce(Slot::plus) else {
            return report.say("report-brief-contacts-none", None);
        };
        if whole.extra.is_none() {
            let args = args!["usual" => texts.number(whole.usual, 0)];
            report.say("report-brief-contacts-unknown", args);
        }
        if let Some(extra) = whole.extra {
            let args =
                args!["n" => texts.number(extra, 0), "usual" => texts.number(whole.usual, 0)];
            let most = hours.iter().filter_map(|(at, own)| Some((*at, own.extra?)));
            let most = super::extent::most(most).map(|(at, n)| {
                let args = args!["at" => texts.day_time(at), "n" => texts.number(n, 0)];
                texts.text("report-brief-contacts-most", args)
            });
            report.sentences(
                [Some(texts.text("report-brief-contacts-sum", args)), most].into_iter().flatten(),
            );
        }
        let unknown = hours.values().filter(|own| !own.is_forecast).count();
        if unknown > 0 {
            report.say("report-brief-contacts-far", args!["n" => unknown]);
        }
        let more = hours.len().saturating_sub(ROWS_MAX);
        let number = |value: Option<f64>| value.map_or("–".into(), |n| texts.number(n, 0));
        let rows = hours.into_iter().take(ROWS_MAX).map(|(at, own)| {
            let numbers = [Some(own.usual), own.extra, own.expected(), own.actual];
            [vec![texts.day_time(at)], numbers.map(number).to_vec()].concat()
        });
        let head = [
            "report-hourly-hour",
            "report-brief-contacts-usual",
            "report-brief-contacts-extra",
            "report-brief-contacts-expected",
            "report-hourly-actual",
        ];
        report.table(&head, rows.collect(), "report-brief-contacts-none");
        if more > 0 {
            report.say("report-brief-contacts-more", args!["n" => more]);
        }
        report.say("report-brief-contacts-help", None);
        if self.points.len() > 1 && self.points.iter().any(|point| point.expected.is_some()) {
            let title = texts.text("report-brief-plot", None);
            report.parts.push(Part::Plot(Plot::new(&title, &self.points, &texts)));
        }
    }
}

/// Final counts by window.
fn settled(
    reader: &Reader,
    extent: &Extent,
    (from, to): (Timestamp, Timestamp),
) -> Result<BTreeMap<Timestamp, f64>, StoreError> {
    let windows = reader.series_windows(&extent.total(), from, to)?.into_iter();
    let known = windows.filter(|own| own.settled && !own.missing);
    Ok(known.map(|own| (own.start, f64::from(own.tickets))).collect())
}
