//! The weekly report: tickets, alerts, surges, the accuracy of forecasts, staffing, and points to check.

use super::figures::{self, Figures, Staffed, shortest};
use super::five;
use super::intervals::{self, intervals};
use super::priorities::{self, DAYS};
use super::text::{Part, Report};
use super::week::{Counted, Week, tickets, total};
use super::wording::{ROWS_MAX, accuracy, acknowledged, hours, minutes_open, named, signed};
use crate::alert::{Alert, Worst};
use crate::domain::{Name, SeriesKey, Timestamp};
use crate::forecast::surge::{SURGE_LEADS, Surge, lead_minutes};
use crate::forecast::{self, TARGET_ACCURACY};
use crate::store::sums::sums;
use crate::store::{Filter, Reader, StoreError};
use crate::text::{Say, Texts, args};

/// Maximum number of alerts that are read.
const ALERTS_MAX: usize = 10_000;
/// Points to check: a bias above this, and an 80 % band that contains less than this.
const BIAS_MAX: f64 = 0.05;
const COVERAGE_MIN: f64 = 0.7;

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
    let mut report = Report::new(*texts, title);
    let (from, to) = (texts.day_time(span.0), texts.day_time(span.1));
    let args = args!["from" => from, "to" => to, "zone" => zone.to_string()];
    report.say("report-week-span", args);
    let counted = Counted::read(reader, week, zone)?;
    if counted.windows.is_empty() {
        report.say("report-week-no-data", None);
        return Ok(report);
    }
    write(reader, &counted, &mut report)?;
    Ok(report)
}

fn write(reader: &Reader, counted: &Counted, report: &mut Report) -> Result<(), StoreError> {
    let sent = alerts(reader, counted.span)?;
    let figures = Figures::of_week(reader, counted, &sent)?;
    let before = Figures::of_week_before(reader, counted, &alerts(reader, counted.span_before)?)?;
    let targets = Targets::read(reader, counted.week.utc_days())?;
    if counted.is_partial {
        let at = report.texts.day_time(counted.span.1);
        report.say("report-volume-partial", args!["at" => at]);
    }
    figures::status(&figures, report);
    five::table(&figures, &before, report);
    intervals::list(reader, counted, &intervals(reader, counted)?, report)?;
    priorities::list(reader, counted, &figures, targets.missed.first(), report)?;
    let mut checks = Vec::new();
    arrivals(counted, report);
    list_alerts(&sent, report, &mut checks);
    surges(reader, counted.week.utc_days(), report, &mut checks)?;
    forecasts(reader, &targets, counted.week.utc_days(), report, &mut checks)?;
    staffing(figures.staffed.as_ref(), report, &mut checks);
    report.heading("report-check");
    if checks.is_empty() {
        report.say("report-check-none", None);
    } else {
        checks.truncate(ROWS_MAX);
        report.parts.push(Part::List(checks));
    }
    Ok(())
}

fn arrivals(counted: &Counted, report: &mut Report) {
    let texts = report.texts;
    report.heading("report-volume");
    let (mut days, mut alarms) = ([0u64; 7], 0u64);
    for window in &counted.windows {
        if let Some(day) = counted.week.day(window.start, counted.zone) {
            days[day] += u64::from(window.tickets);
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
    let last = counted.windows.last();
    let begun = last.and_then(|last| counted.week.day(last.start, counted.zone));
    let rows = DAYS.iter().zip(days).take(begun.map_or(0, |day| day + 1));
    let rows = rows.map(|(day, sum)| vec![texts.text(day, None), texts.number(sum as f64, 0)]);
    report.table(&["report-day", "report-tickets"], rows.collect(), "report-volume-none");
}

/// Shown if nobody acknowledged an alert.
const NOBODY: &str = "report-acknowledged-by-nobody";

/// Alerts of missing agents that began in the week, oldest first.
fn alerts(reader: &Reader, (from, to): (Timestamp, Timestamp)) -> Result<Vec<Alert>, StoreError> {
    let (every, mut found, mut after) = (Filter::default(), Vec::new(), None::<String>);
    loop {
        let page = reader.alerts(&every, false, 500, after.as_deref())?;
        let Some(last) = page.last() else { break };
        let done = last.since < from || found.len() >= ALERTS_MAX;
        after = Some(last.id.clone());
        let is_meant = |alert: &Alert| alert.finding.is_none() && (from..to).contains(&alert.since);
        found.extend(page.into_iter().filter(is_meant));
        if done {
            break;
        }
    }
    found.reverse();
    Ok(found)
}

fn list_alerts(alerts: &[Alert], report: &mut Report, checks: &mut Vec<String>) {
    let texts = report.texts;
    report.heading("report-alerts");
    // An alert that was resolved before it was sent is not listed.
    let sent: Vec<&Alert> = alerts.iter().filter(|alert| alert.notified_at.is_some()).collect();
    let taken = sent.iter().filter(|alert| alert.acknowledged_by.is_some()).count();
    let mut minutes: Vec<u64> = sent.iter().filter_map(|alert| minutes_open(alert)).collect();
    minutes.sort_unstable();
    let median = minutes.get(minutes.len() / 2);
    let median = median.map(|n| texts.text("report-alerts-median", args!["n" => *n]));
    let sum = texts.text("report-alerts-sum", args!["n" => sent.len(), "acknowledged" => taken]);
    report.sentences([Some(sum), median].into_iter().flatten());
    let mut by_gap: Vec<_> = sent.iter().map(|alert| (alert, alert.at_worst())).collect();
    by_gap.sort_by_key(|(alert, worst)| (std::cmp::Reverse(worst.agents_short), alert.since));
    let row = |(alert, worst): &(&&Alert, Worst)| {
        vec![
            texts.day_time(alert.since),
            alert.scope.to_string(),
            worst.agents_short.to_string(),
            acknowledged(&texts, alert).unwrap_or_else(|| texts.text(NOBODY, None)),
            texts.clauses(worst.because.iter().map(|cause| cause.say(&texts.as_of(alert.since)))),
            alert.id.clone(),
        ]
    };
    let rows = by_gap.iter().take(ROWS_MAX).map(row).collect();
    let head = [
        "report-since",
        "report-scope",
        "report-agents-short",
        "report-acknowledged-by",
        "report-cause",
        "report-id",
    ];
    report.table(&head, rows, "report-alerts-none");
    if sent.len() > taken {
        let args = args!["n" => sent.len() - taken];
        checks.push(texts.text("report-alerts-unacknowledged", args));
    }
}

fn surges(
    reader: &Reader,
    span: (Timestamp, Timestamp),
    report: &mut Report,
    checks: &mut Vec<String>,
) -> Result<(), StoreError> {
    let texts = report.texts;
    report.heading("report-surges");
    report.say("report-surges-help", None);
    let every = Filter { channel: Some(Name::all()), ..Filter::default() };
    let is_place = |series: &SeriesKey| !series.region.is_all() && !series.service.is_all();
    let mut found = reader.surges(&every, span, Timestamp::MIN)?;
    found.retain(|surge| is_place(&surge.series));
    let mut calls = reader.calls(&every, span, Timestamp::MIN)?;
    calls.retain(|call| is_place(&call.series));
    let mut rows = Vec::new();
    for lead in SURGE_LEADS {
        let at_lead: Vec<&Surge> = found.iter().filter(|s| s.lead_hours == lead).collect();
        let count = |which: fn(&Surge) -> bool| at_lead.iter().filter(|s| which(s)).count();
        let is_false = calls.iter().filter(|c| c.lead_hours == lead && !c.good).count();
        let (alarmed, called) = (count(|s| s.alarmed), count(|s| s.hit));
        let unwarned = count(|s| s.alarmed && !s.hit);
        if lead == 1 && unwarned > 0 {
            checks.push(texts.text("report-surges-unwarned", args!["n" => unwarned]));
        }
        let numbers = [at_lead.len(), alarmed, called, is_false].map(|n| n.to_string());
        rows.push([vec![hours(&texts, lead)], numbers.to_vec()].concat());
    }
    let head = [
        "report-lead",
        "report-surges",
        "report-surges-alarmed",
        "report-surges-hits",
        "report-surges-false",
    ];
    report.table(&head, rows, "report-surges-none");
    let near = found.iter().filter(|surge| surge.lead_hours == 1);
    let rows = near.take(ROWS_MAX).map(|surge| {
        let warned = match surge.warned_minutes {
            Some(n) => texts.text("report-minutes", args!["n" => n]),
            None => texts.text("report-surges-no-warning", None),
        };
        vec![texts.day_time(surge.start), surge.series.scope().to_string(), warned]
    });
    let head = ["report-surges-start", "report-scope", "report-surges-warning"];
    report.table(&head, rows.collect(), "report-surges-none");
    Ok(())
}

fn forecasts(
    reader: &Reader,
    targets: &Targets,
    span: (Timestamp, Timestamp),
    report: &mut Report,
    checks: &mut Vec<String>,
) -> Result<(), StoreError> {
    let texts = report.texts;
    report.heading("report-accuracy");
    let whole = sums(reader, &total(), span)?;
    let line = |label: String, figures: forecast::Figures| {
        let shares = [
            accuracy(&texts, figures.wape),
            accuracy(&texts, figures.wape_naive),
            accuracy(&texts, figures.wape_floor),
            texts.percent(figures.coverage80),
            signed(&texts, figures.bias),
        ];
        [vec![label], shares.to_vec()].concat()
    };
    let leads = SURGE_LEADS.into_iter().filter_map(|lead| {
        let score = whole.by_lead.get(&lead_minutes(lead, reader.width()))?;
        Some(line(hours(&texts, lead), score.figures()))
    });
    let mut rows: Vec<_> = leads.collect();
    if whole.overall.n > 0 {
        rows.push(line(texts.text("report-accuracy-all-leads", None), whole.overall.figures()));
    }
    if rows.is_empty() {
        report.say("report-accuracy-none", None);
        return Ok(());
    }
    report.say("report-accuracy-leads", None);
    let head = [
        "report-lead",
        "report-accuracy-value",
        "report-accuracy-persistence",
        "report-accuracy-floor",
        "report-accuracy-band",
        "report-accuracy-bias",
    ];
    report.table(&head, rows, "report-accuracy-none");
    report.say("report-accuracy-help", None);
    targets.list(report, checks);
    Ok(())
}

/// Accuracy of the series of one region, service and channel, beside the target.
struct Targets {
    reached: usize,
    /// Those with enough tickets to reach the target that do not, the one with the most tickets first.
    missed: Vec<(SeriesKey, forecast::Figures)>,
    /// Number of those with too few tickets.
    beyond: usize,
    /// Those with a bias or an 80 % band to check.
    doubtful: Vec<(SeriesKey, forecast::Figures)>,
}

impl Targets {
    fn read(reader: &Reader, span: (Timestamp, Timestamp)) -> Result<Self, StoreError> {
        let mut all = Self { reached: 0, missed: Vec::new(), beyond: 0, doubtful: Vec::new() };
        for info in reader.series()? {
            if info.series.is_roll_up() {
                continue;
            }
            let figures = sums(reader, &info.series, span)?.overall.figures();
            if bias(&figures).is_some() || coverage(&figures).is_some() {
                all.doubtful.push((info.series.clone(), figures));
            }
            match (figures.reached(), figures.reachable()) {
                (Some(true), _) => all.reached += 1,
                (Some(false), Some(true)) => all.missed.push((info.series, figures)),
                (Some(false), _) => all.beyond += 1,
                (None, _) => {}
            }
        }
        let mean = |own: &(SeriesKey, forecast::Figures)| own.1.mean.unwrap_or(0.0);
        all.missed.sort_by(|a, b| mean(b).total_cmp(&mean(a)));
        Ok(all)
    }

    fn list(&self, report: &mut Report, checks: &mut Vec<String>) {
        let texts = report.texts;
        for (series, figures) in &self.doubtful {
            let point = |id: &str, share: f64| {
                let share = texts.text("percent", args!["value" => texts.number(share * 100.0, 0)]);
                texts.text(id, args!["series" => named(&texts, series), "share" => share])
            };
            if let Some(bias) = bias(figures) {
                let id = if bias > 0.0 { "report-accuracy-over" } else { "report-accuracy-under" };
                checks.push(point(id, bias.abs()));
            }
            if let Some(share) = coverage(figures) {
                checks.push(point("report-accuracy-coverage", share));
            }
        }
        let target =
            texts.text("percent", args!["value" => texts.number(TARGET_ACCURACY * 100.0, 0)]);
        let args = args![
            "target" => target,
            "reached" => self.reached,
            "missed" => self.missed.len(),
            "beyond" => self.beyond,
        ];
        report.say("report-accuracy-target", args);
        let rows = self.missed.iter().take(ROWS_MAX).map(|(series, f)| {
            let shares = [f.wape, f.wape_naive, f.wape_floor].map(|error| accuracy(&texts, error));
            [vec![named(&texts, series)], shares.to_vec()].concat()
        });
        let head = [
            "report-accuracy-missed",
            "report-accuracy-value",
            "report-accuracy-persistence",
            "report-accuracy-floor",
        ];
        report.table(&head, rows.collect(), "report-accuracy-missed-none");
    }
}

/// A bias to check.
fn bias(figures: &forecast::Figures) -> Option<f64> {
    figures.bias.filter(|b| b.abs() > BIAS_MAX && figures.reachable() == Some(true))
}

/// A share of windows inside the 80 % band that is to be checked.
fn coverage(figures: &forecast::Figures) -> Option<f64> {
    figures.coverage80.filter(|share| *share < COVERAGE_MIN)
}

fn staffing(staffed: Option<&Staffed>, report: &mut Report, checks: &mut Vec<String>) {
    let texts = report.texts;
    report.heading("report-staffing");
    let Some(staffed) = staffed else { return report.say("report-staffing-none", None) };
    let sum = staffed.series.values().fold((0.0, 0.0), |sum, own| (sum.0 + own.0, sum.1 + own.1));
    let (short, spare) = (texts.number(sum.0, 0), texts.number(sum.1, 0));
    report.say("report-staffing-sum", args!["short" => short, "spare" => spare]);
    let most = shortest(staffed).into_iter().next().filter(|(_, short)| *short >= 1.0);
    if let Some((series, short)) = most {
        let args = args!["series" => named(&texts, series), "n" => texts.number(short, 0)];
        checks.push(texts.text("report-staffing-worst", args));
    }
    let mut teams: Vec<_> = staffed.series.iter().collect();
    teams.sort_by(|a, b| b.1.0.total_cmp(&a.1.0));
    let rows = teams.into_iter().take(ROWS_MAX).map(|(series, (short, spare))| {
        vec![named(&texts, series), texts.number(*short, 1), texts.number(*spare, 1)]
    });
    let head = ["report-staffing-series", "report-staffing-short", "report-staffing-spare"];
    report.table(&head, rows.collect(), "report-staffing-none");
}
