//! Writes effects into a transaction. All writes of effects are here.

use std::collections::BTreeMap;

use super::effects::StoreChange;
use super::issued::{Issued, Plans};
use super::report::Report;
use crate::alert::{Escalation, Notification, NotificationKind, Route};
use crate::domain::{TicketBatch, Timestamp};
use crate::staffing::{self, Outlook, Plan};
use crate::store::{StoreError, Tx};
use crate::window::AggregationKey;

/// Receivers of pages, and when pages are due.
pub struct Outbox<'a> {
    /// All receivers, and which pages each gets.
    pub receivers: &'a [(String, Route)],
    pub escalation: &'a Escalation,
    /// Clock time at which new pages are due.
    pub now: Timestamp,
}

/// Writes changes in their order.
///
/// # Errors
/// [`StoreError`] if one could not be stored.
pub fn write(
    tx: &mut Tx<'_>,
    changes: Vec<StoreChange<'_>>,
    outbox: &Outbox<'_>,
) -> Result<(), StoreError> {
    changes.into_iter().try_for_each(|change| write_one(tx, change, outbox))
}

fn write_one(
    tx: &mut Tx<'_>,
    change: StoreChange<'_>,
    outbox: &Outbox<'_>,
) -> Result<(), StoreError> {
    match change {
        StoreChange::Events(report, under) => write_events(tx, report, &under),
        StoreChange::TicketMessages(report, from) => write_tickets(tx, report, from),
        StoreChange::Tickets(start, changes) => tx.put_tickets(start, &changes),
        StoreChange::AlarmTypes(start, types) => tx.put_alarm_types(start, &types),
        StoreChange::Assessments(changes) => tx.put_assessments(&changes),
        StoreChange::Windows(rows) => tx.put_windows(&rows),
        StoreChange::PutPartials(rows) => tx.put_partials(&rows),
        StoreChange::PutFolded(parts) => tx.put_folded(&parts),
        StoreChange::DeletePartials(keys) => tx.delete_partials(&keys),
        StoreChange::Source(record) => tx.put_source(&record),
        StoreChange::Anomaly(anomaly) => tx.put_anomaly(&anomaly),
        StoreChange::Vintages(issued) => write_vintages(tx, &issued),
        StoreChange::AdjustedNowcasts(issued) => write_adjusted(tx, &issued),
        StoreChange::Plans(issued, plans) => {
            outlooks(&issued, &plans).try_for_each(|(plan, outlook)| tx.put_plan(plan, &outlook))
        }
        StoreChange::Nowcasts(nowcasts) => {
            nowcasts.iter().try_for_each(|nowcast| tx.put_nowcast(nowcast))
        }
        StoreChange::NowcastPlans(issued, plans) => outlooks(&issued, &plans)
            .try_for_each(|(plan, outlook)| tx.put_nowcast_plan(plan, &outlook)),
        StoreChange::Shifts(shifts) => tx.put_shifts(&shifts),
        StoreChange::Roster(shifts, team_shifts) => {
            tx.put_shifts(&shifts).and_then(|()| tx.put_team_shifts(&team_shifts))
        }
        StoreChange::Alert(alert) => tx.put_alert(&alert),
        StoreChange::Silence(silence) => tx.put_silence(&silence),
        StoreChange::Recommendation(own) => tx.put_recommendation(&own),
        StoreChange::Uncovered(uncovered) => tx.put_uncovered(&uncovered),
        StoreChange::Notification(notice) => write_page(tx, &notice, outbox),
        StoreChange::FirstNotification(notice) => {
            // This includes pages written in this transaction.
            if tx.has_notification_of(&notice.alert.id)? {
                return Ok(());
            }
            write_page(tx, &notice, outbox)
        }
        StoreChange::Page(page, receivers) => {
            tx.put_notification(&page, &names(&receivers), outbox.now)
        }
        StoreChange::Resend { page, receivers, at } => {
            receivers.iter().try_for_each(|receiver| tx.resend(&page, receiver, at))
        }
        StoreChange::Surge(surge) => tx.put_surge(&surge),
        StoreChange::Warning(warning) => tx.put_warning(&warning),
        StoreChange::Accuracy(day) => {
            tx.accuracy_changed(day);
            Ok(())
        }
        StoreChange::Scores(scores) => scores
            .by_series()
            .try_for_each(|(series, by_lead)| tx.put_scores(series, scores.day, &by_lead)),
        StoreChange::AdjustedScores { series, day, by_lead } => {
            tx.put_adjusted_scores(&series, day, by_lead.into_iter())
        }
        StoreChange::NowcastScore { series, day, score } => {
            tx.put_nowcast_score(&series, day, &score)
        }
        StoreChange::Maintenance(position, event) => tx.put_maintenance(&position, &event),
        StoreChange::PutAdjustment(adjustment) => tx.put_adjustment(&adjustment),
        StoreChange::DeleteAdjustment(id) => tx.delete_adjustment(&id),
        StoreChange::Audit(entry) => tx.put_audit(&entry),
        StoreChange::Delivery { notice, receiver, outcome } => {
            tx.mark_delivery(&notice, &receiver, &outcome)
        }
        StoreChange::Cursor { sink, seq } => tx.put_cursor(&sink, seq),
        StoreChange::Annotations(rows) => rows.iter().try_for_each(|row| tx.put_annotation(row)),
        StoreChange::Saved(saved) => saved.put(tx),
    }
}

fn write_vintages(tx: &mut Tx<'_>, issued: &Issued) -> Result<(), StoreError> {
    issued.model.values().try_for_each(|vintage| tx.put_vintage(vintage))?;
    write_adjusted(tx, issued)
}

fn write_adjusted(tx: &mut Tx<'_>, issued: &Issued) -> Result<(), StoreError> {
    issued.adjusted.values().try_for_each(|vintage| tx.put_adjusted(vintage))
}

fn names(receivers: &[String]) -> Vec<&str> {
    receivers.iter().map(String::as_str).collect()
}

/// Writes a page for each receiver whose route accepts it. Whether a route accepts it depends only on the alert, so that
/// standbys get the same result.
fn write_page(tx: &mut Tx<'_>, page: &Notification, outbox: &Outbox<'_>) -> Result<(), StoreError> {
    let notified = tx.receivers_of(&page.alert.id)?;
    let takes = |(name, route): &&(String, Route)| {
        route.takes(page, page.alert.updated_at, notified.contains(name))
    };
    let takers: Vec<&str> =
        outbox.receivers.iter().filter(takes).map(|(name, _)| name.as_str()).collect();
    let names = match page.kind {
        NotificationKind::Resolved => takers.iter().map(|name| (*name).to_owned()).collect(),
        _ => outbox.escalation.first_receivers(&takers, &notified),
    };
    let names = self::names(&names);
    if names.is_empty() && !outbox.receivers.is_empty() && page.kind != NotificationKind::Resolved {
        tracing::warn!(
            page = page.id,
            "no receiver takes this page: check rules, regions, min_severity and duty of [[alerts.receivers]]"
        );
    }
    tx.put_notification(page, &names, outbox.now)
}

fn write_events(
    tx: &mut Tx<'_>,
    report: &Report,
    under: &BTreeMap<AggregationKey, AggregationKey>,
) -> Result<(), StoreError> {
    for (position, alarm) in &report.alarms {
        tx.put_alarm(position, alarm)?;
    }
    for (position, list) in &report.rebuilt {
        tx.put_rebuilt(position, list)?;
    }
    for (position, work) in &report.maintenance {
        tx.put_maintenance(position, work)?;
    }
    for (letter, place) in &report.dead {
        let place = place.as_ref().map(|(key, start)| (under.get(key).unwrap_or(key), *start));
        tx.put_dead_letter(letter, place)?;
    }
    Ok(())
}

fn write_tickets(
    tx: &mut Tx<'_>,
    report: &Report,
    from: Option<Timestamp>,
) -> Result<(), StoreError> {
    let messages = report.tickets.iter().flat_map(TicketBatch::messages);
    messages
        .filter(|message| from.is_none_or(|from| message.ts >= from))
        .try_for_each(|message| tx.put_ticket_message(&message))
}

/// The plan, if there is one, and the outlook of each served vintage. They are made one at a time, to save memory.
fn outlooks<'a>(
    issued: &'a Issued,
    plans: &'a Plans,
) -> impl Iterator<Item = (Option<&'a Plan>, Outlook)> {
    issued.served().map(|(series, vintage)| {
        let plan = plans.get(series);
        (plan, staffing::outlook(vintage, plan))
    })
}
