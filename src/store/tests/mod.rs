//! Guarantees of the store, tested against a database on disk.

mod adjusted;
mod alarms;
mod durability;
mod event_log;
mod forms;
mod ledger;
mod nowcasts;
mod people;
mod previous;
mod sample;
mod tickets;
mod windows;

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;
use rusqlite::Connection;
use tempfile::TempDir;

use super::*;
use crate::alert::{
    Alert, AlertSeverity, AlertState, Notification, NotificationKind, Trend, Worst,
};
use crate::anomaly::{Anomaly, AnomalyKind};
use crate::domain::{
    AlarmAction, AlarmEvent, DeadLetter, ListRebuilt, MaintenanceAction, MaintenanceEvent, Name,
    Position, Reason, Scope, SeriesKey, Severity, SourceId, Zone,
};
use crate::forecast::surge::{Surge, Warning};
use crate::forecast::{ForecastPoint, Score, Vintage};
use crate::staffing::{Outlook, Plan, Shift};
use crate::text::Stored;
use crate::window::{AggregationKey, Counts};

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

/// Milliseconds after 2026-01-05T00:00:00Z, a Monday.
pub(super) fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(1_767_571_200_000 + ms)
}

pub(super) fn series(channel: &str) -> SeriesKey {
    SeriesKey::parse(&format!("north/mobile/{channel}")).expect("a series")
}

/// 24 forecast points with quantiles of three decimals.
pub(super) fn vintage(issued_ms: i64) -> Vintage {
    let issued_at = at(issued_ms);
    let target = |i: u32| {
        let mean = 20.0 + f64::from(i * i % 17);
        let quantile = |k: f64| ((mean + k * 4.321) * 1000.0).round() / 1000.0;
        ForecastPoint {
            start: issued_at + Duration::from_secs(900) * i,
            mean: (mean * 1017.0).round() / 1000.0,
            quantiles: [-1.96, -1.28, -0.67, 0.0, 0.67, 1.28, 1.96].map(quantile),
            baseline: mean,
            level: 1.125,
            alarm_effect: 0.5 * f64::from(i % 3),
        }
    };
    Vintage {
        series: series("phone"),
        issued_at,
        targets: (0..24).map(target).collect(),
        members: vec!["profile".into(), "mstl-ets".into()],
        causes: Vec::new(),
        surges: None,
        fallback: None,
    }
}

fn open(dir: &TempDir) -> Store {
    Store::open(dir.path(), WindowWidth::QUARTER).expect("opens")
}

/// Runs one transaction and commits it.
fn put(store: &mut Store, work: impl FnOnce(&mut Tx<'_>) -> Result<(), StoreError>) {
    let mut tx = store.begin().expect("begins");
    work(&mut tx).expect("puts");
    tx.commit().expect("commits");
}

fn reader(store: &Store) -> Reader {
    store.reader().expect("reads")
}

fn phone() -> AggregationKey {
    AggregationKey::Tickets(series("phone"))
}

fn scope() -> Scope {
    series("phone").scope()
}

fn finalized(tickets: u32) -> WindowRecord {
    let counts = Counts { tickets, ..Counts::default() };
    WindowRecord { counts, settled: true, ..WindowRecord::default() }
}

fn position(offset: i64) -> Position {
    Position { source: SourceId::new("network.alarms", 0), offset }
}

fn alarm(id: &str, action: AlarmAction, ts: i64) -> AlarmEvent {
    AlarmEvent {
        event_id: format!("{id}-{ts}").into(),
        alarm_id: id.into(),
        action,
        ts: at(ts),
        severity: Severity::Major,
        scope: scope(),
        device: None,
        alarm_type: None,
        text: None,
        aliases: Box::default(),
    }
}

fn letter(offset: i64, reason: Reason) -> DeadLetter {
    DeadLetter {
        position: position(offset),
        nth: 0,
        received_at: at(offset),
        reason,
        detail: "came after its window".into(),
        bytes: (*b"{}").into(),
    }
}

/// A text as earlier releases stored it.
fn sentence<T>(text: &str) -> Stored<T> {
    Stored::Sentence(text.to_owned())
}

fn alert(id: &str, since: i64, state: AlertState) -> Alert {
    Alert {
        id: id.into(),
        rule: "short-staffed".into(),
        severity: AlertSeverity::Warning,
        scope: scope(),
        state,
        since: at(since),
        updated_at: at(since),
        ended_at: None,
        from: at(since),
        to: at(since + HOUR),
        agents_short: 4,
        shortfalls: Vec::new(),
        because: vec![sentence("12 alarms")],
        zone: Zone::UTC,
        acknowledged_by: None,
        acknowledged_at: None,
        worst: None,
        feedback: None,
        streak: 2,
        notified_gap: 4,
        recommended: Vec::new(),
        finding: None,
        notes: Default::default(),
        notified_at: None,
        steps: Vec::new(),
        trend: Trend::default(),
        paging: Default::default(),
    }
}
