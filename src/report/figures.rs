//! The five figures of a span, and the status of a week by a stated rule.

use std::collections::{BTreeMap, BTreeSet};

use super::extent::{Counted, Extent, tickets};
use super::surges::{SurgeSpan, surge_spans};
use super::text::{Part, Report};
use crate::alert::{Alert, Shortfall};
use crate::domain::{HOUR, SeriesKey, Timestamp};
use crate::forecast::surge::Surge;
use crate::forecast::{self, TARGET_ACCURACY};
use crate::store::sums::sums;
use crate::store::{Reader, StoreError};
use crate::text::{Texts, args};

/// Red: the accuracy is this far below a target that can be reached.
const ACCURACY_RED: f64 = 0.05;
/// Limits of the share of planned minutes below the target: above the first the week is amber, above the second red.
const BELOW_AMBER: f64 = 0.03;
const BELOW_RED: f64 = 0.10;
/// Red: more than this share of the pages was not acknowledged.
const UNANSWERED_RED: f64 = 0.5;

/// Agents needed against scheduled over a span, from the plans with which the windows began.
#[derive(Debug, Default)]
pub struct Staffed {
    /// Agent hours short and spare by series.
    pub series: BTreeMap<SeriesKey, (f64, f64)>,
    /// Minutes in which a series had fewer agents than its target needs, and all planned minutes; both summed over series.
    pub below: u64,
    pub planned: u64,
    /// Number of windows that have a plan.
    pub windows: usize,
}

/// Pages of a span: how many could be judged, and how many of these were right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pages {
    pub sent: usize,
    pub acknowledged: usize,
    pub right: usize,
    pub judged: usize,
}

/// Surges by region and service.
#[derive(Debug, Default)]
pub struct Warned {
    /// Surges that were judged by the forecasts of an hour before, oldest first.
    pub surges: Vec<SurgeSpan>,
    /// Number of surges with a warning before their beginning, and the sum of the minutes between warning and beginning.
    pub warned: u32,
    pub minutes: u64,
}

/// The five figures of a span.
pub struct Figures {
    pub tickets: Option<u64>,
    pub accuracy: forecast::Figures,
    /// `None` without plans.
    pub staffed: Option<Staffed>,
    pub pages: Pages,
    pub warned: Warned,
    pub missing: u32,
}

/// The status of a week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    Green,
    Amber,
    Red,
}

impl Staffed {
    fn read(
        reader: &Reader,
        extent: &Extent,
        (from, to): (Timestamp, Timestamp),
    ) -> Result<Self, StoreError> {
        let width = reader.width();
        let hours = f64::from(width.secs()) / HOUR.as_secs_f64();
        let minutes = u64::from(width.secs() / 60);
        let mut all = Self::default();
        let mut start = width.floor(from);
        while start < to {
            let mut staffed = reader.staffed(start)?;
            staffed.retain(|(series, _)| extent.admits(series));
            all.windows += usize::from(!staffed.is_empty());
            for (series, target) in staffed {
                let gap = f64::from(target.gap) * hours;
                let (short, spare) = all.series.entry(series).or_default();
                *short += gap.max(0.0);
                *spare += (-gap).max(0.0);
                all.planned += minutes;
                all.below += if target.gap > 0 { minutes } else { 0 };
            }
            start = width.end(start);
        }
        Ok(all)
    }

    /// Share of the planned minutes below the target.
    pub fn share(&self) -> f64 {
        if self.planned == 0 { 0.0 } else { self.below as f64 / self.planned as f64 }
    }
}

impl Pages {
    fn of(reader: &Reader, alerts: &[Alert]) -> Result<Self, StoreError> {
        let mut pages = Self::default();
        for alert in alerts.iter().filter(|alert| alert.notified_at.is_some()) {
            pages.sent += 1;
            pages.acknowledged += usize::from(alert.acknowledged_by.is_some());
            if let Some(right) = was_right(reader, alert)? {
                pages.judged += 1;
                pages.right += usize::from(right);
            }
        }
        Ok(pages)
    }

    /// Number of pages that were sent and not acknowledged.
    pub fn unanswered(&self) -> usize {
        self.sent - self.acknowledged
    }

    /// Share of right pages among the judged ones.
    pub fn precision(&self) -> Option<f64> {
        (self.judged > 0).then(|| self.right as f64 / self.judged as f64)
    }
}

/// Whether a page was right. A person's verdict counts first. Otherwise it was right if more tickets arrived in its worst
/// window than the agents on duty could handle. `None` while the counts are not final.
fn was_right(reader: &Reader, alert: &Alert) -> Result<Option<bool>, StoreError> {
    if let Some(feedback) = &alert.feedback {
        let verdict = feedback.split_once(": ").map_or(feedback.as_str(), |(verdict, _)| verdict);
        match verdict {
            "useful" => return Ok(Some(true)),
            "not useful" => return Ok(Some(false)),
            _ => {}
        }
    }
    let mut known = None;
    for short in alert.at_worst().shortfalls {
        let window = reader.width().floor(short.at);
        let found = reader.series_windows(&short.series, window, reader.width().end(window))?;
        let found = found.first().filter(|window| window.settled && !window.missing);
        if let Some(count) = found.map(|window| f64::from(window.tickets)) {
            known = Some(known.unwrap_or(false) || count > affordable(&short));
        }
    }
    Ok(known)
}

/// The number of tickets that the scheduled agents can handle, in proportion to the number that the needed agents can handle.
fn affordable(short: &Shortfall) -> f64 {
    short.arrivals * f64::from(short.scheduled) / f64::from(short.agents.max(1))
}

impl Warned {
    fn read(reader: &Reader, extent: &Extent) -> Result<Self, StoreError> {
        let mut surges = surge_spans(reader, &extent.places(), extent.days)?;
        let days = extent.days.0..extent.days.1;
        surges.retain(|span| span.near().is_some_and(|surge| days.contains(&surge.start)));
        let warned = surges.iter().filter_map(SurgeSpan::warning_minutes);
        let warned: Vec<u64> = warned.filter_map(|minutes| u64::try_from(minutes).ok()).collect();
        Ok(Self { surges, warned: warned.len() as u32, minutes: warned.iter().sum() })
    }

    /// Surges of which the forecast of an hour before did not warn, although it knew of alarms or planned work.
    pub fn missed(&self) -> Vec<&Surge> {
        let near = self.surges.iter().filter_map(SurgeSpan::near);
        near.filter(|surge| surge.alarmed && !surge.hit).collect()
    }

    /// Number of surges without any alarm or planned work an hour before.
    pub fn unannounced(&self) -> usize {
        self.surges.iter().filter_map(SurgeSpan::near).filter(|surge| !surge.alarmed).count()
    }

    /// Mean warning time in minutes of the surges with a warning.
    pub fn mean(&self) -> Option<f64> {
        (self.warned > 0).then(|| self.minutes as f64 / f64::from(self.warned))
    }
}

impl Figures {
    /// The figures of a span with these counts and alerts.
    pub fn of_span(
        reader: &Reader,
        counted: &Counted,
        alerts: &[Alert],
    ) -> Result<Self, StoreError> {
        let tickets = (!counted.windows.is_empty()).then(|| tickets(&counted.windows));
        let missing = counted.missing();
        Self::read(reader, &counted.extent, counted.span, alerts, (tickets, missing))
    }

    /// The figures of the previous span, up to the same part of it.
    pub fn of_span_before(
        reader: &Reader,
        counted: &Counted,
        alerts: &[Alert],
    ) -> Result<Self, StoreError> {
        let tickets = (!counted.before.is_empty()).then(|| tickets(&counted.before));
        let before = counted.extent.before();
        Self::read(reader, &before, counted.span_before, alerts, (tickets, 0))
    }

    fn read(
        reader: &Reader,
        extent: &Extent,
        span: (Timestamp, Timestamp),
        alerts: &[Alert],
        (tickets, missing): (Option<u64>, u32),
    ) -> Result<Self, StoreError> {
        let staffed = Staffed::read(reader, extent, span)?;
        Ok(Self {
            tickets,
            accuracy: sums(reader, &extent.total(), extent.days)?.overall.figures(),
            staffed: (staffed.windows > 0).then_some(staffed),
            pages: Pages::of(reader, alerts)?,
            warned: Warned::read(reader, extent)?,
            missing,
        })
    }

    /// The status, and the figure that decided it.
    pub fn status(&self, texts: &Texts) -> (Status, Vec<String>) {
        let mut found: Vec<(Status, String)> = Vec::new();
        let mut add = |status, text| found.push((status, text));
        let value = self.accuracy.wape.map(|error| 1.0 - error);
        if let Some(value) = value.filter(|value| *value < TARGET_ACCURACY)
            && self.accuracy.reachable() == Some(true)
        {
            let is_red = value < TARGET_ACCURACY - ACCURACY_RED;
            let value = texts.percent(Some(value));
            let text = texts.text("report-status-accuracy", args!["value" => value]);
            add(if is_red { Status::Red } else { Status::Amber }, text);
        }
        if let Some(share) = self.staffed.as_ref().map(Staffed::share).filter(|s| *s > BELOW_AMBER)
        {
            let is_red = share > BELOW_RED;
            let share = texts.percent(Some(share));
            let text = texts.text("report-status-below", args!["share" => share]);
            add(if is_red { Status::Red } else { Status::Amber }, text);
        }
        let (unanswered, sent) = (self.pages.unanswered(), self.pages.sent);
        if unanswered > 0 {
            let is_red = unanswered as f64 > UNANSWERED_RED * sent as f64;
            let text = texts.text("report-status-pages", args!["n" => unanswered, "sent" => sent]);
            add(if is_red { Status::Red } else { Status::Amber }, text);
        }
        let missed = self.warned.missed().len();
        if missed > 0 {
            add(Status::Amber, texts.text("report-status-surges", args!["n" => missed]));
        }
        if self.missing > 0 {
            add(Status::Amber, texts.text("report-status-missing", args!["n" => self.missing]));
        }
        let status = found.iter().map(|(status, _)| *status).max().unwrap_or(Status::Green);
        found.sort_by_key(|(status, _)| std::cmp::Reverse(*status));
        (status, found.into_iter().map(|(_, text)| text).collect())
    }
}

/// Adds the status, the figure that decided it, and the rule.
pub fn status(figures: &Figures, report: &mut Report) {
    let texts = report.texts;
    let (status, reasons) = figures.status(&texts);
    let word = match status {
        Status::Green => "report-status-green",
        Status::Amber => "report-status-amber",
        Status::Red => "report-status-red",
    };
    report.heading("report-status");
    report.say("report-status-is", args!["status" => texts.text(word, None)]);
    if !reasons.is_empty() {
        report.parts.push(Part::List(reasons));
    }
    let whole = |share: f64| texts.text("percent", args!["value" => texts.number(share, 0)]);
    let args = args![
        "target" => whole(TARGET_ACCURACY * 100.0),
        "red" => whole((TARGET_ACCURACY - ACCURACY_RED) * 100.0),
        "below" => whole(BELOW_AMBER * 100.0),
        "belowred" => whole(BELOW_RED * 100.0),
        "unanswered" => whole(UNANSWERED_RED * 100.0),
    ];
    report.say("report-status-rule", args);
}

/// Series of the figures, the one with the most agent hours short first.
pub fn shortest(staffed: &Staffed) -> Vec<(&SeriesKey, f64)> {
    let mut all: Vec<_> =
        staffed.series.iter().map(|(series, (short, _))| (series, *short)).collect();
    all.retain(|(_, short)| *short > 0.0);
    all.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    all
}

/// Regions and services of surges, each once.
pub fn places(surges: &[&Surge]) -> BTreeSet<String> {
    surges.iter().map(|surge| surge.series.scope().to_string()).collect()
}
