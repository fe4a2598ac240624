//! The full report of a span: a summary, findings by category, recommendations, and risks.

use super::attained::AttainedService;
use super::demand;
use super::extent::{Counted, Extent, alerts};
use super::figures::Figures;
use super::findings::{self, Targets, forecasts, list_alerts, staffing, surges};
use super::intervals::{self, Interval, intervals};
use super::measures::{self, Measure};
use super::quality::Quality;
use super::text::Report;
use super::wording::accuracy;
use crate::alert::Alert;
use crate::domain::Zone;
use crate::forecast;
use crate::staffing::Rules;
use crate::store::sums::sums;
use crate::store::{Reader, StoreError};
use crate::text::{Texts, args};

/// The findings from which a full report is written.
pub struct Findings<'a> {
    pub reader: &'a Reader,
    pub rules: &'a Rules,
    pub counted: Counted,
    pub figures: Figures,
    /// Accuracy of the forecasts of all series together, all leads.
    pub accuracy: forecast::Figures,
    pub targets: Targets,
    pub service: AttainedService,
    pub quality: Quality,
    alerts: Vec<Alert>,
    hours: Vec<Interval>,
}

/// The report of a span in the zone of the extent. `None`: no window is finalized yet. `rules` name the teams.
///
/// # Errors
/// [`StoreError`] if the store cannot be read.
pub fn full(
    reader: &Reader,
    extent: Option<Extent>,
    rules: &Rules,
    texts: &Texts,
) -> Result<Report, StoreError> {
    let Some(extent) = extent else {
        let mut report = Report::new(*texts, texts.text("report-full", None));
        report.say("report-no-windows", None);
        return Ok(report);
    };
    let (from, to) = extent.span;
    let texts = texts.local(extent.zone).in_year_of(to);
    let scope = extent.words(&texts);
    let title = texts.text("report-full-of", args!["scope" => scope.as_str()]);
    let mut report = Report::new(texts, title);
    let args = args![
        "from" => texts.year_time(from),
        "to" => texts.year_time(to),
        "scope" => scope,
        "zone" => extent.zone.to_string(),
    ];
    report.say("report-full-span", args);
    let counted = Counted::read(reader, extent)?;
    if counted.windows.is_empty() {
        report.say("report-full-no-data", None);
        return Ok(report);
    }
    if counted.is_partial {
        let at = texts.day_time(counted.span.1);
        report.say("report-full-partial", args!["at" => at]);
    }
    Findings::read(reader, rules, counted)?.write(&mut report)?;
    Ok(report)
}

impl<'a> Findings<'a> {
    fn read(reader: &'a Reader, rules: &'a Rules, counted: Counted) -> Result<Self, StoreError> {
        let alerts = alerts(reader, &counted.extent.filter(), counted.span)?;
        Ok(Self {
            reader,
            rules,
            figures: Figures::of_span(reader, &counted, &alerts)?,
            accuracy: sums(reader, &counted.extent.total(), counted.extent.days)?.overall.figures(),
            targets: Targets::read(reader, &counted.extent)?,
            service: AttainedService::read(reader, &counted, rules)?,
            quality: Quality::read(reader, &counted)?,
            hours: intervals(reader, &counted)?,
            alerts,
            counted,
        })
    }

    fn write(&self, report: &mut Report) -> Result<(), StoreError> {
        let texts = report.texts;
        let measures = measures::measures(self, &texts)?;
        self.summary(measures.first(), report);
        let mut checks = Vec::new();
        demand::list(self.reader, &self.counted, report)?;
        let plot = |found: &[Interval]| demand::plot(found, self.counted.zone(), &texts);
        intervals::list_with(self.reader, &self.counted, &self.hours, plot, report)?;
        forecasts(self.reader, &self.targets, &self.counted.extent, report, &mut checks)?;
        if texts.zone() != Zone::UTC {
            report.say("report-figures-utc", None);
        }
        self.staffing(report, &mut checks);
        self.service.list(report);
        demand::alarms(self.reader, &self.counted, report)?;
        surges(self.reader, &self.counted.extent, &self.figures.warned, report, &mut checks)?;
        list_alerts(&self.alerts, report, &mut checks);
        if let Some(text) = self.precision(&texts) {
            report.paragraph(text);
        }
        self.quality.list(report);
        findings::to_check(checks, report);
        measures::list(measures, report);
        measures::risks(self, report)
    }

    fn staffing(&self, report: &mut Report, checks: &mut Vec<String>) {
        staffing(self.figures.staffed.as_ref(), report, checks);
        let Some(staffed) = &self.figures.staffed else { return };
        let texts = report.texts;
        let args = args!["n" => staffed.below, "share" => texts.percent(Some(staffed.share()))];
        report.say("report-full-below", args);
        if staffed.windows < self.counted.windows.len() {
            let args = args!["n" => staffed.windows, "of" => self.counted.windows.len()];
            report.say("report-full-plans", args);
        }
    }

    /// Two or three paragraphs: demand and its forecasts; staff and service; pages and the first recommendation.
    fn summary(&self, first: Option<&Measure>, report: &mut Report) {
        let texts = report.texts;
        report.heading("report-summary");
        let mut arrivals = demand::volume(&self.counted, &texts);
        arrivals.extend(demand::busiest(&self.counted, &texts));
        if let Some(value) = self.accuracy.wape {
            let args = args![
                "value" => accuracy(&texts, Some(value)),
                "floor" => accuracy(&texts, self.accuracy.wape_floor),
                "naive" => accuracy(&texts, self.accuracy.wape_naive),
            ];
            arrivals.push(texts.text("report-full-accuracy", args));
        }
        arrivals.push(self.warnings(&texts));
        report.sentences(arrivals);
        let mut staff = Vec::new();
        if let Some(staffed) = &self.figures.staffed {
            let args = args!["n" => staffed.below, "share" => texts.percent(Some(staffed.share()))];
            staff.push(texts.text("report-full-below", args));
        }
        staff.extend(self.service.sentence(&texts));
        if !staff.is_empty() {
            report.sentences(staff);
        }
        let pages = &self.figures.pages;
        let args = args!["n" => pages.sent, "acknowledged" => pages.acknowledged];
        let mut last = vec![texts.text("report-full-pages", args)];
        last.extend(self.precision(&texts));
        if self.quality.missing > 0 {
            let args = args!["n" => self.quality.missing, "of" => self.quality.windows];
            last.push(texts.text("report-quality-missing", args));
        }
        if let Some(measure) = first {
            last.push(texts.text("report-full-first", args!["what" => measure.what.as_str()]));
        }
        report.sentences(last);
    }

    fn warnings(&self, texts: &Texts) -> String {
        let warned = &self.figures.warned;
        let args = args!["surges" => warned.surges.len(), "warned" => warned.warned];
        match (warned.mean(), args) {
            (Some(mean), Some(mut args)) => {
                args.set("n", mean.round());
                texts.text("report-full-surges", Some(args))
            }
            _ if !warned.surges.is_empty() => {
                texts.text("report-full-unwarned", args!["surges" => warned.surges.len()])
            }
            _ => texts.text("report-surges-none", None),
        }
    }

    fn precision(&self, texts: &Texts) -> Option<String> {
        let pages = &self.figures.pages;
        let share = texts.percent(Some(pages.precision()?));
        let args = args!["right" => pages.right, "judged" => pages.judged, "share" => share];
        Some(texts.text("report-full-precision", args))
    }
}
