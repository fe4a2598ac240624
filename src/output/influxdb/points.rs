//! Converts stored values to InfluxDB points.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::fields::{Fields, Line, Start, line, nanos, nanos_of, scope_tags, series_tags, tag};
use crate::alert::{Alert, AlertState};
use crate::anomaly::{Anomaly, AnomalyKind};
use crate::domain::{Name, Scope, SeriesKey, Timestamp, WindowWidth};
use crate::forecast::surge::{SURGE_LEADS, SurgeCount, lead_minutes};
use crate::forecast::{Figures, ForecastPoint, Vintage};
use crate::output::receivers::link;
use crate::staffing::{Outlook, Plan, PlanTarget};
use crate::store::KeyWindow;
use crate::text::{Say, Texts};
use crate::window::{AggregationKey, BacklogWindow, Total};

/// Fields of raised alarms, in the order of `Severity::EVERY`.
const RAISED: [&str; 5] =
    ["raised_critical", "raised_major", "raised_minor", "raised_warning", "raised_indeterminate"];
const QUANTILES: [&str; 7] = ["q025", "q10", "q25", "q50", "q75", "q90", "q975"];

/// `tickets` and `alarms` of windows, with their roll-ups.
///
/// A missing window has no point, and neither have the roll-ups that contain it, because missing is not zero.
pub fn windows(rows: &[(Timestamp, AggregationKey, KeyWindow)]) -> Vec<Line> {
    let mut tickets: BTreeMap<(Timestamp, SeriesKey), KeyWindow> = BTreeMap::new();
    let mut missing: BTreeSet<(Timestamp, SeriesKey)> = BTreeSet::new();
    let mut alarms: BTreeMap<(Timestamp, Scope), KeyWindow> = BTreeMap::new();
    for (start, cell, window) in rows {
        match cell {
            AggregationKey::Tickets(series) => {
                for key in series.roll_ups().chain([series.clone()]) {
                    if window.record.missing {
                        missing.insert((*start, key.clone()));
                    }
                    add(tickets.entry((*start, key)), window);
                }
            }
            AggregationKey::Alarms(scope) => {
                for scope in widened(scope) {
                    add(alarms.entry((*start, scope)), window);
                }
            }
            AggregationKey::Maintenance | AggregationKey::Phrase(..) => {}
        }
    }
    tickets.retain(|key, _| !missing.contains(key));
    let tickets = tickets.iter().filter_map(|((start, series), window)| {
        Fields::new()
            .integer("count", window.record.counts.tickets)
            .integer("late", window.late)
            .integer("upto", window.upto)
            .at(series_tags("tickets", series), nanos(*start))
    });
    let alarms = alarms.iter().filter_map(|((start, scope), window)| {
        let counts = window.record.counts;
        let mut fields = Fields::new();
        for (key, raised) in RAISED.into_iter().zip(counts.raised) {
            fields = fields.integer(key, raised);
        }
        fields
            .integer("cleared", counts.cleared)
            .integer("active", window.record.active)
            .at(scope_tags("alarms", scope), nanos(*start))
    });
    tickets.chain(alarms).collect()
}

/// `backlog` of series in which something happened to tickets. It has no roll-ups: other series may have open tickets too.
pub fn backlog(start: Timestamp, windows: &[(SeriesKey, BacklogWindow)]) -> Vec<Line> {
    let line = |(series, BacklogWindow { flow, open }): &(SeriesKey, BacklogWindow)| {
        let seconds = |total: Total| i64::try_from(total.seconds).unwrap_or(i64::MAX);
        Fields::new()
            .integer("open", *open)
            .integer("opened", flow.opened)
            .integer("resolved", flow.resolved)
            .integer("reopened", flow.reopened)
            .integer("first_responses", flow.first_response.count)
            .integer("first_response_seconds", seconds(flow.first_response))
            .integer("handled", flow.handled.count)
            .integer("handled_seconds", seconds(flow.handled))
            .at(series_tags("backlog", series), nanos(start))
    };
    windows.iter().filter_map(line).collect()
}

/// A scope and its roll-ups.
fn widened(scope: &Scope) -> [Scope; 4] {
    let Scope { region, service } = scope;
    [
        scope.clone(),
        Scope { region: Name::all(), service: service.clone() },
        Scope { region: region.clone(), service: Name::all() },
        Scope { region: Name::all(), service: Name::all() },
    ]
}

fn add<K: Ord>(entry: std::collections::btree_map::Entry<'_, K, KeyWindow>, window: &KeyWindow) {
    let mut fresh = KeyWindow::default();
    fresh.record.settled = true;
    let sum = entry.or_insert(fresh);
    sum.record.counts = sum.record.counts.plus(window.record.counts);
    sum.record.active = sum.record.active.saturating_add(window.record.active);
    sum.record.settled &= window.record.settled;
    sum.late = sum.late.saturating_add(window.late);
    sum.upto = sum.upto.max(window.upto);
}

/// `forecast`: forecast points of one vintage.
pub fn forecast<'a>(
    vintage: &'a Vintage,
    targets: &'a [ForecastPoint],
) -> impl Iterator<Item = Line> + 'a {
    targets.iter().filter_map(|target| {
        let mut fields = Fields::new().float("mean", target.mean);
        for (key, quantile) in QUANTILES.into_iter().zip(target.quantiles) {
            fields = fields.float(key, quantile);
        }
        fields
            .float("baseline", target.baseline)
            .float("alarm_effect", target.alarm_effect)
            .text("issued_at", vintage.issued_at.to_string())
            .at(series_tags("forecast", &vintage.series), nanos(target.start))
    })
}

/// `forecast_lead`: forecast points of one vintage that are 1, 3 and 6 h ahead. No other vintage writes these points.
pub fn forecast_lead(vintage: &Vintage, width: WindowWidth) -> impl Iterator<Item = Line> + '_ {
    SURGE_LEADS.into_iter().filter_map(move |hours| {
        let lead = Duration::from_secs(60) * lead_minutes(hours, width);
        let start = vintage.issued_at + lead;
        let target = vintage.targets.iter().find(|target| target.start == start)?;
        let [_, q10, _, q50, _, q90, _] = target.quantiles;
        Fields::new()
            .float("q10", q10)
            .float("q50", q50)
            .float("q90", q90)
            .at(lead_tag(series_tags("forecast_lead", &vintage.series), hours), nanos(start))
    })
}

fn lead_tag(line: Start, hours: u32) -> Start {
    line.tag("lead_h", &hours.to_string())
}

/// `accuracy`: sums of a day, at its first window. They grow until the day is over. `counted` is `None` if no forecast of the
/// day was able to warn of a surge.
pub fn accuracy(
    series: &SeriesKey,
    day: Timestamp,
    hours: u32,
    figures: &Figures,
    counted: Option<&SurgeCount>,
) -> Option<Line> {
    let mut fields = Fields::new();
    for (key, share) in figures.by_name() {
        if let Some(share) = share {
            fields = fields.float(key, share);
        }
    }
    if let Some(counted) = counted {
        fields = fields
            .integer("surges", counted.surges)
            .integer("surges_hit", counted.hits)
            .integer("false_calls", counted.false_alarms);
    }
    fields.at(lead_tag(series_tags("accuracy", series), hours), nanos(day))
}

/// `staffing`: agents needed in one window.
pub fn staffing(series: &SeriesKey, target: &PlanTarget) -> Option<Line> {
    let mut fields =
        Fields::new().integer("positions", target.positions).integer("agents", target.agents);
    if let Some(scheduled) = target.scheduled {
        fields = fields.integer("scheduled", scheduled);
    }
    fields
        .integer("gap", target.gap)
        .float("service_level", target.service_level)
        .at(series_tags("staffing", series), nanos(target.start))
}

/// `outlook`: the next six hours in a few numbers, at the time of issue. `fallback` says how the forecast was made without a
/// fit; it is empty for a fitted model.
pub fn outlook(outlook: &Outlook, plan: Option<&Plan>, fallback: &str) -> Option<Line> {
    let mut fields = Fields::new()
        .float("peak", outlook.peak)
        .text("peak_at", outlook.peak_at.to_string())
        .float("over_baseline", outlook.over_baseline)
        .text("fallback", fallback);
    if let (Some(gap), Some(at)) = (outlook.gap_max, outlook.gap_at) {
        fields = fields.integer("gap_max", gap).text("gap_at", at.to_string());
    }
    if let Some(minutes) = outlook.minutes_to_breach {
        let at = outlook.issued_at + Duration::from_secs(60) * minutes;
        fields = fields.integer("minutes_to_breach", minutes).text("breach_at", at.to_string());
    }
    if let Some(plan) = plan {
        let rostered = plan.targets.iter().any(|target| target.scheduled.is_some());
        fields = fields.integer("rostered", rostered);
    }
    fields.at(series_tags("outlook", &outlook.series), nanos(outlook.issued_at))
}

/// `anomaly`.
///
/// Its kind is no tag: so that several of one series and window do not overwrite each other, each kind lies some nanoseconds
/// after the window's start.
pub fn anomaly(anomaly: &Anomaly, texts: &Texts) -> Option<Line> {
    let after = match anomaly.kind {
        AnomalyKind::High | AnomalyKind::Low => 0,
        AnomalyKind::Complaints => 1,
        AnomalyKind::Phrase => 2,
        AnomalyKind::ShiftUp | AnomalyKind::ShiftDown => 3,
        AnomalyKind::Vanished => 4,
        AnomalyKind::AlarmStorm => 5,
        AnomalyKind::SilentSource => 6,
        AnomalyKind::ForecastUnreliable => 7,
    };
    Fields::new()
        .float("score", anomaly.score)
        .text("kind", anomaly.kind.as_str())
        .text("text", anomaly.say(texts))
        .at(series_tags("anomaly", &anomaly.series), nanos(anomaly.window).saturating_add(after))
}

/// `alert`: its present state, at the time of its last change.
///
/// Rule, severity and region are its only tags: so that two of one second do not overwrite each other, the id
/// decides on the fraction of the second.
pub fn alert(alert: &Alert, public_url: &str, texts: &Texts) -> Option<Line> {
    let severity = alert.severity.as_str();
    let state = match alert.state {
        AlertState::Pending => "pending",
        AlertState::Firing => "firing",
        AlertState::Acknowledged => "acknowledged",
        AlertState::Resolved => "resolved",
    };
    let tags = line("alert").tag("rule", &tag(&alert.rule)).tag("severity", severity);
    let tags = tags.tag("region", &tag(alert.scope.region.as_str()));
    let silenced = alert.paging.silenced.as_ref();
    let mut fields = Fields::new().text("state", state);
    if let Some(silenced) = silenced {
        fields = fields.text("silenced_by", silenced.by.clone());
        fields = fields.text("silenced_until", silenced.until.to_string());
    }
    if let Some(incident) = &alert.paging.incident {
        fields = fields.text("part_of", incident.clone());
    }
    fields
        .text("incident", alert.id.clone())
        .text("service", alert.scope.service.as_str())
        .text("since", alert.since.to_string())
        .integer("agents_short", alert.agents_short)
        .text("summary", alert.title(texts))
        .text("url", link(alert, public_url))
        .at(tags, nanos_of(alert.updated_at, &alert.id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Offset;
    use crate::store::WindowRecord;
    use crate::window::Counts;

    fn text(lines: Vec<Line>) -> String {
        let lines = lines.into_iter().map(|line| String::from_utf8(line).expect("UTF-8"));
        lines.collect::<Vec<_>>().join("\n")
    }

    fn row(
        cell: AggregationKey,
        counts: Counts,
        upto: Offset,
    ) -> (Timestamp, AggregationKey, KeyWindow) {
        let record =
            WindowRecord { counts, settled: upto == 0, active: 3, ..WindowRecord::default() };
        (Timestamp::from_secs(1_767_232_800), cell, KeyWindow { record, late: 1, upto })
    }

    #[test]
    fn figures_that_are_not_known_are_left_out() {
        let series = SeriesKey::parse("north/tv/phone").expect("series");
        let figures = Figures { wape: Some(0.125), coverage80: Some(0.75), ..Figures::default() };
        let counted = SurgeCount { surges: 2, hits: 1, false_alarms: 3, ..SurgeCount::default() };
        let day = Timestamp::from_secs(1_767_225_600);
        let line = accuracy(&series, day, 3, &figures, Some(&counted));
        insta::assert_snapshot!(text(line.into_iter().collect()), @"accuracy,region=north,service=tv,channel=phone,lead_h=3 wape=0.125,coverage80=0.75,surges=2i,surges_hit=1i,false_calls=3i 1767225600000000000");
    }

    #[test]
    fn windows_become_lines_with_roll_ups() {
        let phone = SeriesKey::parse("north/fibre, 1 Gb/phone").expect("series");
        let chat = SeriesKey::parse("north/fibre, 1 Gb/chat").expect("series");
        let tickets = |n| Counts { tickets: n, ..Counts::default() };
        let alarms = Counts { raised: [2, 0, 1, 0, 7], cleared: 1, ..Counts::default() };
        let mut lost = row(AggregationKey::Tickets(chat), tickets(0), 0);
        lost.2.record.missing = true;
        let rows = [
            row(AggregationKey::Alarms(phone.scope()), alarms, 0),
            row(AggregationKey::Tickets(phone), tickets(7), 41),
            lost,
        ];
        insta::assert_snapshot!(text(windows(&rows)), @r"
        tickets,region=_all,service=_all,channel=phone count=7i,late=1i,upto=41i 1767232800000000000
        tickets,region=_all,service=fibre\,\ 1\ Gb,channel=phone count=7i,late=1i,upto=41i 1767232800000000000
        tickets,region=north,service=_all,channel=phone count=7i,late=1i,upto=41i 1767232800000000000
        tickets,region=north,service=fibre\,\ 1\ Gb,channel=phone count=7i,late=1i,upto=41i 1767232800000000000
        alarms,region=_all,service=_all raised_critical=2i,raised_major=0i,raised_minor=1i,raised_warning=0i,raised_indeterminate=7i,cleared=1i,active=3i 1767232800000000000
        alarms,region=_all,service=fibre\,\ 1\ Gb raised_critical=2i,raised_major=0i,raised_minor=1i,raised_warning=0i,raised_indeterminate=7i,cleared=1i,active=3i 1767232800000000000
        alarms,region=north,service=_all raised_critical=2i,raised_major=0i,raised_minor=1i,raised_warning=0i,raised_indeterminate=7i,cleared=1i,active=3i 1767232800000000000
        alarms,region=north,service=fibre\,\ 1\ Gb raised_critical=2i,raised_major=0i,raised_minor=1i,raised_warning=0i,raised_indeterminate=7i,cleared=1i,active=3i 1767232800000000000
        ");
    }
}
