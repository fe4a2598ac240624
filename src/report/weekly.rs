//! The weekly report: tickets, alerts, surges, the accuracy of forecasts, staffing, and points to check.

use std::collections::BTreeMap;
use std::str::FromStr;

use chrono::{Datelike, NaiveDate, Weekday};

use super::text::{Part, Report};
use super::wording::{ROWS_MAX, accuracy, acknowledged, hours, minutes_open, named, signed};
use crate::alert::{Alert, Worst};
use crate::domain::{HOUR, Name, SeriesKey, Timestamp, WEEK};
use crate::forecast::surge::{SURGE_LEADS, Surge, lead_minutes};
use crate::forecast::{Figures, TARGET_ACCURACY};
use crate::store::sums::sums;
use crate::store::{Filter, Reader, StoreError};
use crate::text::{Say, Texts, args};

/// Maximum number of alerts that are read.
const ALERTS_MAX: usize = 10_000;
/// Points to check: a bias above this, and an 80 % band that contains less than this.
const BIAS_MAX: f64 = 0.05;
const COVERAGE_MIN: f64 = 0.7;

/// Names of the days of a week.
const DAYS: [&str; 7] = [
    "report-monday",
    "report-tuesday",
    "report-wednesday",
    "report-thursday",
    "report-friday",
    "report-saturday",
    "report-sunday",
];

/// An ISO week, Monday to Sunday in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Week(NaiveDate);

impl Week {
    /// The last week that was over at `now`.
    pub fn before(now: Timestamp) -> Self {
        Self::of(now - WEEK)
    }

    /// The week that contains `at`.
    fn of(at: Timestamp) -> Self {
        let day = at.utc().date_naive();
        let back = chrono::Days::new(u64::from(day.weekday().num_days_from_monday()));
        Self(day.checked_sub_days(back).unwrap_or(day))
    }

    /// The last week whose windows are all finalized, or the first week with windows if none is over; `None` before the
    /// first finalized window.
    fn last(reader: &Reader) -> Result<Option<Self>, StoreError> {
        let Some(upto) = reader.state::<i64>("next_window")?.map(Timestamp::from_millis) else {
            return Ok(None);
        };
        let first = reader.series()?.into_iter().map(|info| info.first).min();
        let Some(first) = first.filter(|first| *first < upto) else { return Ok(None) };
        let week = Self::before(upto);
        Ok(Some(if week.span().1 <= first { Self::of(first) } else { week }))
    }

    fn span(self) -> (Timestamp, Timestamp) {
        let start = self.0.and_time(chrono::NaiveTime::MIN).and_utc();
        let start = Timestamp::from_millis(start.timestamp_millis());
        (start, start + WEEK)
    }
}

impl FromStr for Week {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text}: use a week such as 2026-W46");
        let (year, week) = text.split_once("-W").ok_or_else(wrong)?;
        let (year, week) = (year.parse().map_err(|_| wrong())?, week.parse().map_err(|_| wrong())?);
        // Years that timestamps reach.
        let known = (1991..2099).contains(&year);
        let monday = NaiveDate::from_isoywd_opt(year, week, Weekday::Mon).filter(|_| known);
        monday.map(Self).ok_or_else(wrong)
    }
}

impl std::fmt::Display for Week {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0.format("%G-W%V"))
    }
}

/// The report of a week; default: the last complete week.
///
/// # Errors
/// [`StoreError`] if the store cannot be read.
pub fn weekly(reader: &Reader, week: Option<Week>, texts: &Texts) -> Result<Report, StoreError> {
    let week = match week {
        Some(week) => Some(week),
        None => Week::last(reader)?,
    };
    let Some(week) = week else {
        let mut report = Report::new(*texts, texts.text("report-week", None));
        report.say("report-no-windows", None);
        return Ok(report);
    };
    let span = week.span();
    let title = texts.text("report-week-of", args!["week" => week.to_string()]);
    let mut report = Report::new(*texts, title);
    let (from, to) = (texts.day_time(span.0), texts.day_time(span.1));
    report.say("report-week-span", args!["from" => from, "to" => to]);
    let mut checks = Vec::new();
    arrivals(reader, span, &mut report)?;
    let alerts = alerts(reader, span)?;
    list_alerts(&alerts, &mut report, &mut checks);
    surges(reader, span, &mut report, &mut checks)?;
    forecasts(reader, span, &mut report, &mut checks)?;
    staffing(reader, span, &mut report, &mut checks)?;
    report.heading("report-check");
    if checks.is_empty() {
        report.say("report-check-none", None);
    } else {
        checks.truncate(ROWS_MAX);
        report.parts.push(Part::List(checks));
    }
    Ok(report)
}

fn total() -> SeriesKey {
    SeriesKey::new(Name::all(), Name::all(), Name::all())
}

fn arrivals(
    reader: &Reader,
    (from, to): (Timestamp, Timestamp),
    report: &mut Report,
) -> Result<(), StoreError> {
    report.heading("report-volume");
    let (mut days, mut alarms, mut missing) = ([0u64; 7], 0u64, 0u32);
    let windows = reader.series_windows(&total(), from, to)?;
    for window in &windows {
        let day = window.start.since(from).as_secs() / 86_400;
        if let Some(sum) = days.get_mut(usize::try_from(day).unwrap_or(usize::MAX)) {
            *sum += u64::from(window.tickets);
        }
        alarms += window.raised.iter().map(|n| u64::from(*n)).sum::<u64>();
        missing += u32::from(window.missing);
    }
    let before = reader.series_windows(&total(), from - WEEK, from)?;
    // Part of a week is not compared with a whole one.
    let is_whole = before.len() == reader.width().per(WEEK);
    // A week that is not over is compared with the same part of the one before.
    let end = windows.last().map_or(from, |window| window.start + reader.width().length());
    let before = before.iter().take_while(|window| window.start + WEEK < end);
    let before: u64 = before.map(|window| u64::from(window.tickets)).sum();
    let sum: u64 = days.iter().sum();
    let texts = report.texts;
    if windows.is_empty() {
        report.say("report-volume-none", None);
        return Ok(());
    }
    if end < to {
        report.say("report-volume-partial", args!["at" => texts.day_time(end)]);
    }
    let change = (is_whole && before > 0).then(|| {
        let change = signed(&texts, Some(sum as f64 / before as f64 - 1.0));
        let args = args!["change" => change];
        let id = if end < to { "report-volume-change-partial" } else { "report-volume-change" };
        texts.text(id, args)
    });
    let tickets = texts.text("report-volume-tickets", args!["n" => sum]);
    let alarms = texts.text("report-volume-alarms", args!["n" => alarms]);
    report.sentences([Some(tickets), change, Some(alarms)].into_iter().flatten());
    if missing > 0 {
        report.say("report-volume-missing", args!["n" => missing]);
    }
    let begun = end.since(from).as_secs().div_ceil(86_400) as usize;
    let rows = DAYS.iter().zip(days).take(begun);
    let rows = rows.map(|(day, sum)| vec![texts.text(day, None), texts.number(sum as f64, 0)]);
    report.table(&["report-day", "report-tickets"], rows.collect(), "report-volume-none");
    Ok(())
}

/// Shown if nobody acknowledged an alert.
const NOBODY: &str = "report-acknowledged-by-nobody";

/// Alerts that began in the week, oldest first.
fn alerts(reader: &Reader, (from, to): (Timestamp, Timestamp)) -> Result<Vec<Alert>, StoreError> {
    let (every, mut found, mut after) = (Filter::default(), Vec::new(), None::<String>);
    loop {
        let page = reader.alerts(&every, false, 500, after.as_deref())?;
        let Some(last) = page.last() else { break };
        let done = last.since < from || found.len() >= ALERTS_MAX;
        after = Some(last.id.clone());
        found.extend(page.into_iter().filter(|alert| (from..to).contains(&alert.since)));
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
            texts.clauses(
                worst
                    .because
                    .iter()
                    .map(|cause| cause.say(&texts.local(alert.zone).as_of(alert.since))),
            ),
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
    if !sent.is_empty() {
        report.say("report-alerts-cause-zone", None);
    }
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
    span: (Timestamp, Timestamp),
    report: &mut Report,
    checks: &mut Vec<String>,
) -> Result<(), StoreError> {
    let texts = report.texts;
    report.heading("report-accuracy");
    let whole = sums(reader, &total(), span)?;
    let line = |label: String, figures: Figures| {
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
    targets(reader, span, report, checks)
}

/// Series that reach the target accuracy, and series that could reach it.
fn targets(
    reader: &Reader,
    span: (Timestamp, Timestamp),
    report: &mut Report,
    checks: &mut Vec<String>,
) -> Result<(), StoreError> {
    let texts = report.texts;
    let (mut reached, mut missed, mut beyond) = (0, Vec::new(), 0);
    for info in reader.series()? {
        if info.series.is_roll_up() {
            continue;
        }
        let figures = sums(reader, &info.series, span)?.overall.figures();
        match (figures.reached(), figures.reachable()) {
            (Some(true), _) => reached += 1,
            (Some(false), Some(true)) => missed.push((named(&texts, &info.series), figures)),
            (Some(false), _) => beyond += 1,
            (None, _) => {}
        }
        let point = |id: &str, share: f64| {
            let share = texts.text("percent", args!["value" => texts.number(share * 100.0, 0)]);
            texts.text(id, args!["series" => named(&texts, &info.series), "share" => share])
        };
        let bias = figures.bias.filter(|b| b.abs() > BIAS_MAX && figures.reachable() == Some(true));
        if let Some(bias) = bias {
            let id = if bias > 0.0 { "report-accuracy-over" } else { "report-accuracy-under" };
            checks.push(point(id, bias.abs()));
        }
        if let Some(share) = figures.coverage80.filter(|share| *share < COVERAGE_MIN) {
            checks.push(point("report-accuracy-coverage", share));
        }
    }
    let target = texts.text("percent", args!["value" => texts.number(TARGET_ACCURACY * 100.0, 0)]);
    let args = args![
        "target" => target,
        "reached" => reached,
        "missed" => missed.len(),
        "beyond" => beyond,
    ];
    report.say("report-accuracy-target", args);
    missed.sort_by(|a, b| b.1.mean.unwrap_or(0.0).total_cmp(&a.1.mean.unwrap_or(0.0)));
    let rows = missed.into_iter().take(ROWS_MAX).map(|(series, f)| {
        let shares = [f.wape, f.wape_naive, f.wape_floor].map(|error| accuracy(&texts, error));
        [vec![series], shares.to_vec()].concat()
    });
    let head = [
        "report-accuracy-missed",
        "report-accuracy-value",
        "report-accuracy-persistence",
        "report-accuracy-floor",
    ];
    report.table(&head, rows.collect(), "report-accuracy-missed-none");
    Ok(())
}

fn staffing(
    reader: &Reader,
    (from, to): (Timestamp, Timestamp),
    report: &mut Report,
    checks: &mut Vec<String>,
) -> Result<(), StoreError> {
    let texts = report.texts;
    report.heading("report-staffing");
    let width = reader.width();
    let hours = f64::from(width.secs()) / HOUR.as_secs_f64();
    let mut teams: BTreeMap<SeriesKey, (f64, f64)> = BTreeMap::new();
    for index in width.index(from)..width.index(to) {
        for (series, target) in reader.staffed(width.start(index))? {
            let gap = f64::from(target.gap) * hours;
            let (short, spare) = teams.entry(series).or_default();
            *short += gap.max(0.0);
            *spare += (-gap).max(0.0);
        }
    }
    let sum = teams.values().fold((0.0, 0.0), |sum, team| (sum.0 + team.0, sum.1 + team.1));
    if !teams.is_empty() {
        let (short, spare) = (texts.number(sum.0, 0), texts.number(sum.1, 0));
        report.say("report-staffing-sum", args!["short" => short, "spare" => spare]);
    }
    let mut teams: Vec<_> = teams.into_iter().collect();
    teams.sort_by(|a, b| b.1.0.total_cmp(&a.1.0));
    if let Some((series, (short, _))) = teams.first().filter(|(_, (short, _))| *short >= 1.0) {
        let args = args!["series" => named(&texts, series), "n" => texts.number(*short, 0)];
        checks.push(texts.text("report-staffing-worst", args));
    }
    let rows = teams.into_iter().take(ROWS_MAX).map(|(series, (short, spare))| {
        vec![named(&texts, &series), texts.number(short, 1), texts.number(spare, 1)]
    });
    let head = ["report-staffing-series", "report-staffing-short", "report-staffing-spare"];
    report.table(&head, rows.collect(), "report-staffing-none");
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn weeks_are_iso_weeks() {
        let week: Week = "2026-W46".parse().expect("a week");
        assert_eq!(week.to_string(), "2026-W46");
        assert_eq!(week.span().0.to_string(), "2026-11-09T00:00:00Z");
        let monday = Timestamp::parse("2026-11-16T00:00:00Z").expect("a time");
        assert_eq!(Week::before(monday), week);
        assert_eq!(Week::before(monday - Duration::from_secs(1)).to_string(), "2026-W45");
        for wrong in ["2026-46", "2026-W54", "2026-W00", "-W1", "9999-W01"] {
            assert!(wrong.parse::<Week>().is_err(), "{wrong}");
        }
    }
}
