//! The review of a surge: what was known when, whether customers were first, what people did, and what to change.

use std::collections::BTreeMap;

use super::alert_history::AlertHistory;
use super::intervals::hour;
use super::plot::{Plot, Point};
use super::surges::SurgeSpan;
use super::text::{Part, Report};
use super::wording::{ROWS_MAX, minutes_open, signed};
use crate::alert::Alert;
use crate::domain::{HOUR, SeriesKey, Timestamp};
use crate::staffing::{Recommendation, RecommendationState};
use crate::store::{DeliveryState, Reader, Served, StoreError};
use crate::text::{Say, Texts, args};

/// A warning shorter than this (minutes) is too short to bring in agents.
const WARNING_LEAST: i64 = 30;
/// An acknowledgement that takes longer than this (minutes) is slow.
const ANSWER_MAX: u64 = 10;
/// A difference from the forecast of an hour before by more than this share is to be examined.
const APART_MAX: f64 = 0.10;
/// Minimum and maximum number of points to change.
const POINTS: (usize, usize) = (2, 4);
/// Maximum number of rows about what was known.
const KNOWN_MAX: usize = 12;
/// Quantiles of the 80 % band.
const LOW: usize = 1;
const HIGH: usize = 5;

/// Adds when the surge began, when it was first forecast, the actual counts, and who noticed it first.
pub fn summary(history: &AlertHistory, goes_on: bool, report: &mut Report) {
    let texts = report.texts;
    report.heading("report-summary");
    let Some(surge) = &history.surge else {
        // Without fits, forecasts do not use alarms, and surges are not judged.
        let is_judged = history.served.iter().any(|own| own.vintage.uses_alarms());
        let id = match (is_judged, goes_on) {
            (true, true) => "report-summary-no-surge-yet",
            (true, false) => "report-summary-no-surge",
            (false, _) => "report-summary-not-judged",
        };
        report.say(id, None);
        return peak(history, report);
    };
    let mut items = vec![began(history, surge, &texts)];
    items.extend(actual_contacts(history, surge, &texts));
    items.push(match history.alarm_minutes() {
        None => texts.text("report-summary-no-alarm", None),
        Some(n) if n < 0 => texts.text("report-summary-customers", args!["n" => -n]),
        Some(n) => texts.text("report-summary-network", args!["n" => n]),
    });
    report.parts.push(Part::List(items));
}

fn began(history: &AlertHistory, surge: &SurgeSpan, texts: &Texts) -> String {
    let at = texts.day_time(surge.began);
    match history.warning_minutes() {
        Some(n) if n < 0 => texts.text("report-incident-warned-late", args!["at" => at, "n" => -n]),
        Some(n) => texts.text("report-incident-warned", args!["at" => at, "n" => n]),
        None => texts.text("report-incident-unwarned", args!["at" => at]),
    }
}

/// The actual contacts of the surge, compared with the first forecasts of the same windows.
fn actual_contacts(history: &AlertHistory, surge: &SurgeSpan, texts: &Texts) -> Option<String> {
    let (mut tickets, mut expected, mut known) = (0u64, 0.0, true);
    for window in
        history.windows.iter().filter(|own| (surge.began..surge.ended).contains(&own.start))
    {
        tickets += u64::from(window.tickets);
        match history.first(window.start) {
            Some(point) => expected += point.mean,
            None => known = false,
        }
    }
    let (at, most) = history.peak?;
    let args = args![
        "n" => tickets,
        "to" => texts.day_time(surge.ended),
        "most" => most,
        "at" => texts.day_time(at),
        "expected" => texts.number(expected, 0),
        "change" => signed(texts, (expected > 0.0).then(|| tickets as f64 / expected - 1.0)),
    ];
    let id = if known { "report-summary-came" } else { "report-summary-came-only" };
    (tickets > 0).then(|| texts.text(id, args))
}

fn peak(history: &AlertHistory, report: &mut Report) {
    if let Some((at, most)) = history.peak {
        let at = report.texts.day_time(at);
        report.say("report-summary-peak", args!["at" => at, "most" => most]);
    }
}

/// Adds what each forecast, as it was issued, said about the window with the most tickets.
pub fn known(history: &AlertHistory, goes_on: bool, report: &mut Report) {
    let texts = report.texts;
    report.heading("report-known");
    let Some((peak, tickets)) = history.peak else {
        let id = if goes_on { "report-known-none-yet" } else { "report-known-none" };
        return report.say(id, None);
    };
    let args = args!["at" => texts.day_time(peak), "n" => tickets];
    report.say("report-known-window", args);
    let mut rows = Vec::new();
    for served in picked(history, peak) {
        let vintage = &served.vintage;
        let Some(point) = vintage.targets.iter().find(|point| point.start == peak) else {
            continue;
        };
        let warns = vintage.surges.as_ref().is_some_and(|surges| surges.warns);
        let reason = served.reason.as_ref().map(|reason| reason.say(&texts));
        let text = match reason {
            Some(reason) => texts.text("report-known-nowcast", args!["reason" => reason]),
            None => texts.text("report-known-forecast", None),
        };
        rows.push(vec![
            texts.day_time(vintage.issued_at),
            text,
            texts.number(point.mean, 1),
            format!(
                "{}–{}",
                texts.number(point.quantiles[LOW], 0),
                texts.number(point.quantiles[HIGH], 0)
            ),
            texts.number(point.alarm_effect, 1),
            match (warns, &served.reason) {
                (true, _) => texts.text("report-known-yes", None),
                // Nowcasts do not warn.
                (false, Some(_)) => "–".into(),
                (false, None) => texts.text("report-known-no", None),
            },
        ]);
    }
    let head = [
        "report-known-at",
        "report-known-kind",
        "report-agents-forecast",
        "report-known-band",
        "report-known-alarms",
        "report-known-warns",
    ];
    report.table(&head, rows, "report-known-none");
}

/// The first forecast of each hour before a window, and all nowcasts, oldest first.
fn picked(history: &AlertHistory, window: Timestamp) -> Vec<&Served> {
    let mut last = None;
    let issued = history.served.iter().filter(|own| own.vintage.issued_at <= window);
    let issued = issued.filter(|own| own.vintage.targets.iter().any(|p| p.start == window));
    let mut picked: Vec<&Served> = issued
        .filter(|own| {
            let lead = window.since(own.vintage.issued_at).as_secs() / 3600;
            let is_new = last != Some(lead) && own.reason.is_none();
            if is_new {
                last = Some(lead);
            }
            is_new || own.reason.is_some()
        })
        .collect();
    let excess = picked.len().saturating_sub(KNOWN_MAX);
    picked.drain(..excess);
    picked
}

/// Adds the agents needed and scheduled by hour, all channels together.
pub fn staffing(
    reader: &Reader,
    alert: &Alert,
    history: &AlertHistory,
    report: &mut Report,
) -> Result<(), StoreError> {
    let texts = report.texts;
    report.heading("report-need");
    let began = history.surge.as_ref().map_or(alert.since, |surge| surge.began);
    let from = reader.width().floor(began.min(alert.since));
    let mut windows: BTreeMap<Timestamp, (u32, u32, i32)> = BTreeMap::new();
    for series in leaves(reader, alert)? {
        for (_, target) in reader.staffed_between(Some(&series), from, history.span.1)? {
            let own = windows.entry(target.start).or_default();
            let usual = i64::from(target.agents) - i64::from(target.gap);
            let usual = u32::try_from(usual).unwrap_or(0);
            own.0 += target.agents;
            own.1 += target.scheduled.unwrap_or(usual);
            own.2 += target.gap.max(0);
        }
    }
    // The worst window of each hour.
    let mut hours: BTreeMap<Timestamp, (u32, u32, i32)> = BTreeMap::new();
    for (start, own) in windows {
        let worst = hours.entry(hour(start, texts.zone())).or_insert(own);
        if own.2 > worst.2 {
            *worst = own;
        }
    }
    let short = hours.values().map(|own| own.2).max();
    let apart = |(needed, scheduled, short): &(u32, u32, i32)| {
        i64::from(*short) > i64::from(*needed) - i64::from(*scheduled)
    };
    let is_apart = hours.values().any(apart);
    let rows = hours.into_iter().take(ROWS_MAX).map(|(at, (needed, scheduled, short))| {
        let numbers = [i64::from(needed), i64::from(scheduled), i64::from(short)];
        [vec![texts.day_time(at)], numbers.map(|n| n.to_string()).to_vec()].concat()
    });
    let head = [
        "report-hourly-hour",
        "report-agents-needed",
        "report-agents-scheduled",
        "report-agents-gap",
    ];
    report.table(&head, rows.collect(), "report-need-none");
    if is_apart {
        report.say("report-need-channels", None);
    }
    let worst = alert.at_worst().agents_short;
    let is_about_agents = alert.finding.is_none();
    if is_about_agents && short.is_some_and(|short| i64::from(short) != i64::from(worst)) {
        report.say("report-need-worst", args!["n" => worst]);
    }
    Ok(())
}

fn leaves(reader: &Reader, alert: &Alert) -> Result<Vec<SeriesKey>, StoreError> {
    let keys = reader.series_keys()?.into_iter();
    Ok(keys.filter(|key| !key.is_roll_up() && key.scope() == alert.scope).collect())
}

/// The actions of people, and pages.
pub struct Actions {
    lines: Vec<(Timestamp, String)>,
    /// Recommendations that someone agreed to carry out.
    agreed: usize,
    /// Entries of planners, and answers to recommendations.
    entered: usize,
}

impl Actions {
    /// Reads pages, the acknowledgement, recommendations and planners' entries of the scope.
    pub fn read(
        reader: &Reader,
        alert: &Alert,
        history: &AlertHistory,
        texts: &Texts,
    ) -> Result<Self, StoreError> {
        let mut own = Self { lines: Vec::new(), agreed: 0, entered: 0 };
        let (from, to) = history.span;
        for page in reader.pages_of(&alert.id)? {
            let id = match page.state {
                DeliveryState::Delivered => "report-action-delivered",
                DeliveryState::Pending => "report-action-pending",
                DeliveryState::Dead => "report-action-lost",
            };
            let text = texts.text(id, args!["receiver" => page.receiver.as_str()]);
            own.lines.push((page.created_at, text));
        }
        if let (Some(at), Some(name)) = (alert.acknowledged_at, &alert.acknowledged_by) {
            let text = texts.text("report-action-acknowledged", args!["name" => name.as_str()]);
            own.lines.push((at, text));
        }
        let leaves = leaves(reader, alert)?;
        for advice in reader.recommendations_since(from)? {
            if advice.from < to && leaves.iter().any(|leaf| advice.concerns(leaf)) {
                own.agreed += usize::from(advice.is_agreed());
                own.entered += usize::from(advice.answered_at.is_some());
                own.lines
                    .push((advice.answered_at.unwrap_or(advice.issued_at), said(&advice, texts)));
            }
        }
        for entry in reader.adjustments(from, to)? {
            if leaves.iter().any(|leaf| entry.covers(leaf)) && entry.entered_at < to {
                own.entered += 1;
                let args = args!["name" => entry.by.as_str(), "label" => entry.label.as_str()];
                own.lines.push((entry.entered_at, texts.text("report-action-entry", args)));
            }
        }
        own.lines.sort();
        Ok(own)
    }

    /// Adds the actions in order of time.
    pub fn list(&self, report: &mut Report) {
        let texts = report.texts;
        report.heading("report-actions");
        if self.lines.is_empty() {
            return report.say("report-actions-none", None);
        }
        let line = |(at, text): &(Timestamp, String)| {
            texts.text("report-action", args!["at" => texts.day_time(*at), "text" => text.as_str()])
        };
        let lines = self.lines.iter().take(ROWS_MAX).map(line);
        report.parts.push(Part::List(lines.collect()));
    }
}

/// A recommendation, its answer and its outcome.
fn said(advice: &Recommendation, texts: &Texts) -> String {
    let name = advice.answered_by.as_deref().unwrap_or("–");
    let id = match advice.state {
        RecommendationState::Proposed => "report-action-proposed",
        RecommendationState::Accepted => "report-action-accepted",
        RecommendationState::Declined => "report-action-declined",
        RecommendationState::Done => "report-action-done",
        RecommendationState::Expired => "report-action-expired",
        RecommendationState::Withdrawn => "report-action-withdrawn",
    };
    let text = advice.say(texts);
    let answer = match advice.state {
        RecommendationState::Accepted
        | RecommendationState::Declined
        | RecommendationState::Done => texts.text(id, args!["text" => text, "name" => name]),
        _ => texts.text(id, args!["text" => text]),
    };
    let Some(outcome) = advice.outcome else { return answer };
    let args = args![
        "with" => texts.percent(Some(outcome.level_with)),
        "without" => texts.percent(Some(outcome.level_without)),
    ];
    let effect = texts.text("report-action-effect", args);
    [answer, effect].join(&texts.text("sentence-separator", None))
}

/// Adds two to four points to change. Each follows from a fact above.
pub fn changes(alert: &Alert, history: &AlertHistory, actions: &Actions, report: &mut Report) {
    let texts = report.texts;
    let scope = alert.scope.to_string();
    let mut points = Vec::new();
    let is_late = history.alarm_minutes().is_none_or(|n| n < 0);
    if history.surge.is_some() && is_late {
        points.push(texts.text("report-change-alarms", args!["scope" => scope.as_str()]));
    } else if history.surge.is_some() && history.warning_minutes().is_none_or(|n| n < WARNING_LEAST)
    {
        let args = args!["scope" => scope.as_str(), "n" => WARNING_LEAST];
        points.push(texts.text("report-change-warning", args));
    }
    match minutes_open(alert) {
        _ if alert.notified_at.is_none() => {}
        None if alert.acknowledged_by.is_none() => {
            points.push(texts.text("report-change-unanswered", None));
        }
        Some(n) if n > ANSWER_MAX => {
            points.push(texts.text("report-change-slow", args!["n" => n]));
        }
        _ => {}
    }
    let short = alert.at_worst().agents_short;
    if short > 0 && actions.agreed == 0 {
        let args = args!["n" => short, "scope" => scope.as_str()];
        points.push(texts.text("report-change-reserve", args));
    }
    points.extend(missed(history, &texts));
    let fallbacks = [
        (alert.feedback.is_none(), "report-change-feedback"),
        (actions.entered == 0, "report-change-record"),
        (true, "report-change-agree"),
    ];
    for (_, id) in fallbacks.into_iter().filter(|(applies, _)| *applies) {
        if points.len() < POINTS.0 {
            points.push(texts.text(id, None));
        }
    }
    points.truncate(POINTS.1);
    report.heading("report-changes");
    report.parts.push(Part::List(points));
}

/// The forecast of an hour before the peak, if it was far from the actual count.
fn missed(history: &AlertHistory, texts: &Texts) -> Option<String> {
    let (at, tickets) = history.peak?;
    let point = history.known(at, at - HOUR)?;
    let tickets = f64::from(tickets);
    if (tickets - point.mean).abs() <= APART_MAX * point.mean {
        return None;
    }
    let args = args![
        "at" => texts.day_time(at),
        "n" => tickets,
        "forecast" => texts.number(point.mean, 0),
    ];
    let is_in_band = (point.quantiles[LOW]..=point.quantiles[HIGH]).contains(&tickets);
    let id = match (is_in_band, tickets > point.mean) {
        (true, _) => return None,
        (false, true) => "report-change-under",
        (false, false) => "report-change-over",
    };
    Some(texts.text(id, args))
}

/// The plot of the course: actual counts and the first forecasts.
pub fn plot(history: &AlertHistory, texts: &Texts) -> Option<Part> {
    let points: Vec<Point> = history
        .windows
        .iter()
        .map(|own| Point {
            at: own.start,
            actual: Some(f64::from(own.tickets)),
            expected: history
                .first(own.start)
                .map(|point| (point.quantiles[LOW], point.mean, point.quantiles[HIGH])),
        })
        .collect();
    let title = texts.text("report-plot-incident", None);
    (points.len() > 1).then(|| Part::Plot(Plot::new(&title, &points, texts)))
}
