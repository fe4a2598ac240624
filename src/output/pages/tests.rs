//! When pages are tried, with a simulated receiver and a simulated clock.

use std::time::Duration;

use super::circuit::{Circuit, Next, outdated};
use crate::alert::{Alert, AlertSeverity, AlertState, Notification, NotificationKind, Trend};
use crate::domain::{Name, Scope, Timestamp, Zone};
use crate::output::receivers::{Fault, Limit, Refusal};
use crate::store::{DeliveryState, OutboxRow};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_secs(1_767_225_600 + seconds)
}

/// A page of an alert about the next hour, stored at second 0.
pub(in crate::output) fn page(alert: &str, kind: NotificationKind) -> Notification {
    let state = match kind {
        NotificationKind::Resolved => AlertState::Resolved,
        _ => AlertState::Firing,
    };
    let alert = Alert {
        id: alert.into(),
        rule: "understaffed".into(),
        severity: AlertSeverity::Warning,
        scope: Scope {
            region: Name::new("华东").expect("a name"),
            service: Name::new("broadband").expect("a name"),
        },
        state,
        since: at(0),
        updated_at: at(0),
        ended_at: (state == AlertState::Resolved).then(|| at(0)),
        from: at(900),
        to: at(3600),
        agents_short: 7,
        shortfalls: Vec::new(),
        because: Vec::new(),
        zone: Zone::UTC,
        acknowledged_by: None,
        acknowledged_at: None,
        feedback: None,
        worst: None,
        streak: 0,
        notified_gap: 7,
        recommended: Vec::new(),
        finding: None,
        notes: Default::default(),
        notified_at: Some(at(0)),
        steps: Vec::new(),
        trend: Trend::default(),
        paging: Default::default(),
    };
    let word = match kind {
        NotificationKind::Firing => "firing",
        NotificationKind::Escalated => "worse",
        NotificationKind::Resolved => "resolved",
        NotificationKind::Reminder => "reminder",
        NotificationKind::Report => "due",
    };
    Notification { id: format!("{}.{word}.1", alert.id), kind, alert, report: None }
}

fn row(alert: &str, kind: NotificationKind) -> OutboxRow {
    OutboxRow {
        notice: page(alert, kind),
        receiver: "lead".into(),
        state: DeliveryState::Pending,
        attempts: 0,
        created_at: at(0),
        next_at: at(0),
        last_error: None,
    }
}

fn next(circuit: &Circuit, rows: &[OutboxRow], now: Timestamp) -> Next {
    circuit.next(rows, |_| false, now)
}

#[test]
fn a_receiver_that_is_down_is_tried_soon_and_all_pages_follow_once_it_is_back() {
    let mut circuit = Circuit::default();
    let rows = [row("a", NotificationKind::Firing), row("b", NotificationKind::Firing)];
    let down = Refusal::new(Fault::Receiver, "connection refused");
    let mut now = at(0);
    let mut waits = Vec::new();
    for _ in 0..8 {
        assert_eq!(next(&circuit, &rows, now), Next::Try(0));
        let until = circuit.failed(&rows[0], &down, now, 0.5);
        assert_eq!(next(&circuit, &rows, now), Next::Wait(until), "the other page waits too");
        waits.push(until.since(now).as_secs());
        now = until;
    }
    assert_eq!(waits, [1, 2, 5, 15, 30, 30, 30, 30]);
    circuit.delivered(None, now);
    let is_stored = |row: &OutboxRow| row.notice.id == rows[0].notice.id;
    assert_eq!(circuit.next(&rows, is_stored, now), Next::Try(1), "at once");
}

#[test]
fn while_a_receiver_is_down_critical_pages_are_tried_first() {
    let mut circuit = Circuit::default();
    let mut rows = [row("a", NotificationKind::Firing), row("b", NotificationKind::Firing)];
    rows[1].notice.alert.severity = AlertSeverity::Critical;
    assert_eq!(next(&circuit, &rows, at(0)), Next::Try(0), "in order while it is up");
    let down = Refusal::new(Fault::Receiver, "no answer within 15 s");
    let until = circuit.failed(&rows[0], &down, at(0), 0.5);
    assert_eq!(next(&circuit, &rows, until), Next::Try(1));
}

#[test]
fn a_page_that_is_refused_does_not_hold_up_the_others() {
    let mut circuit = Circuit::default();
    let mut rows = [row("a", NotificationKind::Firing), row("b", NotificationKind::Firing)];
    let refused = Refusal::new(Fault::Page, "400 Bad Request");
    rows[0].next_at = circuit.failed(&rows[0], &refused, at(0), 0.5);
    assert_eq!(rows[0].next_at, at(1));
    assert_eq!(next(&circuit, &rows, at(0)), Next::Try(1));
    assert_eq!(next(&circuit, &rows[..1], at(0)), Next::Wait(at(1)));
}

#[test]
fn a_receiver_is_obeyed_when_it_asks_to_wait() {
    let mut circuit = Circuit::default();
    let rows = [row("a", NotificationKind::Firing)];
    let wait = Some(Duration::from_secs(77));
    let busy = Refusal { retry_after: wait, ..Refusal::new(Fault::Receiver, "429") };
    assert_eq!(circuit.failed(&rows[0], &busy, at(0), 0.9), at(77));
    assert_eq!(next(&circuit, &rows, at(76)), Next::Wait(at(77)));
    assert_eq!(next(&circuit, &rows, at(77)), Next::Try(0));
}

#[test]
fn a_limit_of_a_receiver_is_kept() {
    let mut circuit = Circuit::default();
    let rows = [row("a", NotificationKind::Firing)];
    let limit = Some(Limit { pages: 2, per: Duration::from_secs(60) });
    circuit.delivered(limit, at(0));
    assert_eq!(next(&circuit, &rows, at(10)), Next::Try(0));
    circuit.delivered(limit, at(10));
    assert_eq!(next(&circuit, &rows, at(11)), Next::Wait(at(60)));
    assert_eq!(next(&circuit, &rows, at(60)), Next::Try(0));
    circuit.delivered(limit, at(60));
    assert_eq!(next(&circuit, &rows, at(61)), Next::Wait(at(70)));
}

#[test]
fn pages_that_no_longer_matter_are_given_up_with_the_reason() {
    let firing = row("a", NotificationKind::Firing);
    assert!(outdated(std::slice::from_ref(&firing), at(3599)).is_empty());
    let late = outdated(std::slice::from_ref(&firing), at(3600));
    assert!(late[&0].starts_with("came too late: the span"), "{late:?}");

    let mut tried = firing.clone();
    (tried.attempts, tried.last_error) = (3, Some("connection refused".into()));
    let over = row("a", NotificationKind::Resolved);
    let replaced = outdated(&[tried.clone(), over.clone()], at(60));
    let reason = "was replaced by a later page of the same alert; last try: connection refused";
    assert_eq!(replaced.into_iter().collect::<Vec<_>>(), [(0, reason.to_owned())]);
    assert!(outdated(&[firing, over.clone()], at(60)).is_empty(), "it was never tried");
    assert!(outdated(&[tried, row("b", NotificationKind::Firing)], at(60)).is_empty());
    assert!(outdated(std::slice::from_ref(&over), at(86_399)).is_empty());
    assert_eq!(outdated(&[over], at(86_400))[&0], "was tried for a day");
}
