//! The store's promises, each against a database on disk.

use std::time::Duration;

use proptest::prelude::*;
use rusqlite::Connection;
use tempfile::TempDir;

use super::*;
use crate::alert::{Alert, AlertSeverity, AlertState, Notice, NoticeKind};
use crate::anomaly::{Anomaly, AnomalyKind};
use crate::domain::{
    AlarmAction, AlarmEvent, DeadLetter, MaintenanceAction, MaintenanceEvent, Name, Position,
    Reason, Scope, SeriesKey, Severity, SourceId,
};
use crate::forecast::{Score, Target, Vintage};
use crate::staffing::{Outlook, Shift};
use crate::window::{Cell, Counts};

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

/// Milliseconds after 2026-01-05T00:00:00Z, a Monday.
pub(super) fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(1_767_571_200_000 + ms)
}

pub(super) fn series(channel: &str) -> SeriesKey {
    SeriesKey::parse(&format!("north/mobile/{channel}")).expect("a series")
}

/// 24 targets with quantiles of three decimals.
pub(super) fn vintage(issued_ms: i64) -> Vintage {
    let issued_at = at(issued_ms);
    let target = |i: u32| {
        let mean = 20.0 + f64::from(i * i % 17);
        let quantile = |k: f64| ((mean + k * 4.321) * 1000.0).round() / 1000.0;
        Target {
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

fn phone() -> Cell {
    Cell::Tickets(series("phone"))
}

fn scope() -> Scope {
    series("phone").scope()
}

fn settled(tickets: u32) -> WindowRecord {
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
    }
}

fn letter(offset: i64, reason: Reason) -> DeadLetter {
    DeadLetter {
        position: position(offset),
        received_at: at(offset),
        reason,
        detail: "came after its window".into(),
        bytes: (*b"{}").into(),
    }
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
        because: vec!["12 alarms".into()],
        title: "4 agents short".into(),
        text: String::new(),
        acknowledged_by: None,
        feedback: None,
        streak: 2,
        told_gap: 4,
        told_at: None,
    }
}

#[test]
fn what_was_committed_is_there_after_reopening() {
    let dir = TempDir::new().expect("directory");
    let source = SourceRecord {
        source: SourceId::new("support.tickets", 3),
        closed: at(0),
        decided_upto: 41,
        resume_at: 17,
        caught_up_at: None,
        reported_at: at(5),
    };
    let mut store = open(&dir);
    put(&mut store, |tx| {
        tx.put_source(&source)?;
        tx.put_blob("clock", b"noon")?;
        tx.put_windows(&[(phone(), at(0), settled(7))])
    });
    drop(store);
    let reader = reader(&open(&dir));
    assert_eq!(reader.sources().expect("reads"), [source]);
    assert_eq!(reader.blob("clock").expect("reads").as_deref(), Some(&b"noon"[..]));
    assert_eq!(reader.windows(&phone(), at(0), at(DAY)).expect("reads"), [(at(0), settled(7))]);
    assert_eq!(reader.cells().expect("reads"), [phone()]);
}

#[test]
fn without_commit_nothing_is_left() {
    let dir = TempDir::new().expect("directory");
    let mut store = open(&dir);
    let mut tx = store.begin().expect("begins");
    tx.put_windows(&[(phone(), at(0), settled(7))]).expect("puts");
    tx.put_vintage(&vintage(0)).expect("puts");
    drop(tx);
    assert_eq!(reader(&store).cells().expect("reads"), []);
    // The ids given before are forgotten with it.
    put(&mut store, |tx| {
        tx.put_windows(&[(phone(), at(0), settled(8))])?;
        tx.put_vintage(&vintage(0))
    });
    let reader = reader(&store);
    assert_eq!(reader.windows(&phone(), at(0), at(DAY)).expect("reads"), [(at(0), settled(8))]);
    assert!(reader.vintage(&series("phone"), None).expect("reads").is_some());
}

#[test]
fn refuses_what_is_not_its_own() {
    let dir = TempDir::new().expect("directory");
    let store = open(&dir);
    // As a second process would: the lock is of the file handle, not of the process.
    let second = Store::open(dir.path(), WindowWidth::QUARTER).err().expect("refused");
    assert!(matches!(second, StoreError::InUse { .. }));
    drop(store);
    let hour = WindowWidth::new(Duration::from_secs(3600)).expect("a width");
    let other = Store::open(dir.path(), hour).err().expect("refused");
    let text = other.to_string().replace(&dir.path().display().to_string(), "DIR");
    insta::assert_snapshot!(text, @"the store in DIR has windows of 15 min, not 60 min: keep that width or use another directory");
    let raw = Connection::open(dir.path().join(FILE)).expect("opens");
    raw.execute_batch("PRAGMA user_version = 99").expect("sets");
    let newer = Store::open(dir.path(), WindowWidth::QUARTER).err().expect("refused");
    assert!(matches!(newer, StoreError::Version { found: 99, known: 1, .. }));
    drop(raw);
    let garbage = TempDir::new().expect("directory");
    std::fs::write(garbage.path().join(FILE), [7; 8192]).expect("writes");
    let damaged = Store::open(garbage.path(), WindowWidth::QUARTER).err().expect("refused");
    assert!(matches!(damaged, StoreError::Corrupt { .. }));
    assert!(matches!(Reader::open(&dir.path().join("none")), Err(StoreError::Io { .. })));
}

#[test]
fn windows_keep_their_places_for_every_width() {
    for minutes in [5, 10, 15, 30, 60] {
        let width = WindowWidth::new(Duration::from_secs(minutes * 60)).expect("a width");
        let dir = TempDir::new().expect("directory");
        let mut store = Store::open(dir.path(), width).expect("opens");
        let first = width.index(at(-2 * HOUR));
        let n = 26 * 3600 / i64::from(width.secs());
        let row = |i: i64| (phone(), width.start(first + i), settled(i as u32));
        // From 22:00 to the midnight after the next, in two transactions that share a day.
        let rows: Vec<_> = (0..n).map(row).collect();
        let (one, two) = rows.split_at(rows.len() / 3);
        put(&mut store, |tx| tx.put_windows(one));
        put(&mut store, |tx| tx.put_windows(two));
        let revised = WindowRecord { revised: true, ..settled(99) };
        put(&mut store, |tx| tx.put_windows(&[(phone(), at(0), revised)]));
        let reader = reader(&store);
        let found = reader.windows(&phone(), at(-DAY), at(3 * DAY)).expect("reads");
        let want: Vec<_> = rows
            .iter()
            .map(|(_, start, record)| (*start, if *start == at(0) { revised } else { *record }))
            .collect();
        assert_eq!(found, want, "{minutes} min");
        let part = reader.windows(&phone(), at(-HOUR), at(HOUR)).expect("reads");
        assert_eq!(part.len() as i64, 2 * 3600 / i64::from(width.secs()), "{minutes} min");
        let mut seen = Vec::new();
        reader.each_window(at(0), |_, start, record| seen.push((start, record))).expect("reads");
        assert_eq!(seen, want.into_iter().filter(|row| row.0 >= at(0)).collect::<Vec<_>>());
    }
}

#[test]
fn a_catch_up_larger_than_memory_allows_is_whole() {
    let dir = TempDir::new().expect("directory");
    let mut store = open(&dir);
    let start = |i: i64| at(i * DAY + i % 2 * HOUR);
    let rows: Vec<_> = (0..2500).map(|i| (phone(), start(i), settled(i as u32))).collect();
    put(&mut store, |tx| {
        tx.put_windows(&rows)?;
        tx.put_windows(&[(phone(), start(3), settled(5))])
    });
    let found = reader(&store).windows(&phone(), at(0), at(3000 * DAY)).expect("reads");
    assert_eq!(found.len(), 2500);
    assert_eq!(found[3], (start(3), settled(5)));
}

#[test]
fn open_windows_are_summed_from_partials_until_they_settle() {
    let dir = TempDir::new().expect("directory");
    let mut store = open(&dir);
    let partial = |partition: i32, tickets: u32, upto: i64| PartialRecord {
        window: at(0),
        cell: phone(),
        source: SourceId::new("support.tickets", partition),
        counts: Counts { tickets, ..Counts::default() },
        upto,
    };
    put(&mut store, |tx| {
        tx.put_partials(&[partial(0, 3, 10), partial(1, 4, 20)])?;
        tx.put_partials(&[partial(0, 5, 12)])
    });
    let reader = reader(&store);
    assert_eq!(reader.partials().expect("reads"), [partial(0, 5, 12), partial(1, 4, 20)]);
    let open = reader.series_windows(&series("phone"), at(0), at(HOUR)).expect("reads");
    assert_eq!((open[0].tickets, open[0].upto, open[0].settled), (9, 20, false));
    put(&mut store, |tx| {
        tx.put_windows(&[(phone(), at(0), settled(10))])?;
        let keys: Vec<_> =
            (0..2).map(|p| (at(0), phone(), SourceId::new("support.tickets", p))).collect();
        tx.delete_partials(&keys)
    });
    assert_eq!(reader.partials().expect("reads"), []);
    let done = reader.series_windows(&series("phone"), at(0), at(HOUR)).expect("reads");
    assert_eq!((done[0].tickets, done[0].upto, done[0].settled), (10, 0, true));
}

#[test]
fn a_roll_up_is_the_sum_of_its_leaves_and_scopes() {
    let dir = TempDir::new().expect("directory");
    let mut store = open(&dir);
    let alarms = |service: &str| {
        let name = |text| Name::new(text).expect("a name");
        Cell::Alarms(Scope { region: name("north"), service: name(service) })
    };
    let raised = |n| WindowRecord {
        counts: Counts { raised: [0, n, 0, 0, 0], ..Counts::default() },
        active: n,
        settled: true,
        ..WindowRecord::default()
    };
    put(&mut store, |tx| {
        tx.put_windows(&[
            (phone(), at(0), settled(2)),
            (Cell::Tickets(series("chat")), at(0), settled(3)),
            (alarms("mobile"), at(0), raised(4)),
            (alarms("fixed"), at(0), raised(50)),
            (phone(), at(HOUR), settled(1)),
        ])?;
        tx.put_dead_letter(&letter(1, Reason::Late), Some((&phone(), at(1))))?;
        tx.put_dead_letter(&letter(1, Reason::Late), Some((&phone(), at(1))))?;
        tx.put_dead_letter(&letter(2, Reason::Field), Some((&phone(), at(1))))
    });
    let reader = reader(&store);
    for (key, tickets, raised, late) in [
        ("north/mobile/phone", 2, 4, 1),
        ("north/mobile/chat", 3, 4, 0),
        ("north/mobile/_all", 5, 4, 1),
        ("_all/_all/_all", 5, 54, 1),
    ] {
        let key = SeriesKey::parse(key).expect("a series");
        let windows = reader.series_windows(&key, at(0), at(HOUR)).expect("reads");
        assert_eq!(windows.len(), 1, "{key}");
        let SeriesWindow { tickets: t, raised: r, active, late: l, settled, .. } = windows[0];
        assert_eq!((t, r[1], active, l, settled), (tickets, raised, raised, late, true), "{key}");
    }
    let listed = reader.series().expect("reads");
    assert_eq!(listed.len(), 4 + 4 + 4, "two leaves, and roll-ups with and without channel");
    let phone = listed.iter().find(|info| info.series == series("phone")).expect("listed");
    assert_eq!((phone.first, phone.last), (at(0), at(HOUR)));
    let absent = SeriesKey::parse("south/_all/_all").expect("a series");
    assert_eq!(reader.series_windows(&absent, at(0), at(HOUR)).expect("reads"), []);
}

#[test]
fn the_ledger_stands() {
    let dir = TempDir::new().expect("directory");
    let mut store = open(&dir);
    let second = Vintage { fallback: Some("too short".into()), ..vintage(0) };
    put(&mut store, |tx| tx.put_vintage(&vintage(0)));
    put(&mut store, |tx| {
        tx.put_vintage(&second)?;
        tx.put_vintage(&vintage(HOUR))
    });
    let raw = Connection::open(dir.path().join(FILE)).expect("opens");
    for attempt in [
        "UPDATE vintages SET body = x'00'",
        "DELETE FROM vintages",
        "UPDATE OR REPLACE vintages SET issued_at = 1",
    ] {
        let error = raw.execute_batch(attempt).expect_err(attempt).to_string();
        assert!(error.contains("a vintage is"), "{attempt}: {error}");
    }
    // REPLACE deletes without firing delete triggers, so it is stopped before.
    raw.execute_batch(
        "INSERT OR REPLACE INTO vintages (series, issued_at, body)
         SELECT series, issued_at, x'00' FROM vintages",
    )
    .expect("ignored");
    let reader = reader(&store);
    let key = series("phone");
    assert_eq!(reader.vintage(&key, Some(at(0))).expect("reads"), Some(vintage(0)));
    assert_eq!(reader.vintage(&key, None).expect("reads"), Some(vintage(HOUR)));
    assert_eq!(reader.vintage(&key, Some(at(1))).expect("reads"), None);
    assert_eq!(
        reader.vintages_targeting(&key, at(HOUR)).expect("reads"),
        [vintage(0), vintage(HOUR)]
    );
    assert_eq!(reader.vintages_targeting(&key, at(0)).expect("reads"), [vintage(0)]);
    assert_eq!(reader.vintages_since(at(0)).expect("reads"), [vintage(HOUR)]);
}

#[test]
fn retention_keeps_three_leads_of_old_vintages() {
    let dir = TempDir::new().expect("directory");
    let mut store = open(&dir);
    put(&mut store, |tx| {
        tx.put_vintage(&vintage(0))?;
        tx.put_vintage(&vintage(20 * DAY))?;
        tx.put_windows(&[(phone(), at(0), settled(1)), (phone(), at(399 * DAY), settled(2))])?;
        tx.put_dead_letter(&letter(1, Reason::Field), None)
    });
    store.prune(at(31 * DAY)).expect("prunes");
    let reader = reader(&store);
    let key = series("phone");
    let old = reader.vintage(&key, Some(at(0))).expect("reads").expect("kept");
    let leads: Vec<_> =
        old.targets.iter().map(|target| (target.start.since(at(0)).as_secs()) / 60).collect();
    assert_eq!(leads, [60, 180, 345]);
    assert_eq!(old.targets[0], vintage(0).targets[4]);
    assert_eq!(reader.vintage(&key, None).expect("reads"), Some(vintage(20 * DAY)));
    assert_eq!(reader.vintages_targeting(&key, at(3 * HOUR)).expect("reads").len(), 1);
    assert_eq!(reader.dead_letters(None, 10, None).expect("reads"), []);
    // Deleting is shut again.
    let raw = Connection::open(dir.path().join(FILE)).expect("opens");
    assert!(raw.execute_batch("DELETE FROM vintage_leads").is_err());
    store.prune(at(401 * DAY)).expect("prunes");
    assert_eq!(reader.vintage(&key, Some(at(0))).expect("reads"), None);
    assert_eq!(reader.windows(&phone(), at(0), at(500 * DAY)).expect("reads").len(), 1);
}

#[test]
fn plans_keep_the_newest_and_scores_add_up() {
    let dir = TempDir::new().expect("directory");
    let mut store = open(&dir);
    let outlook = |issued: i64| Outlook {
        series: series("phone"),
        issued_at: at(issued),
        peak: 31.5,
        peak_at: at(issued),
        over_baseline: 1.25,
        gap_max: None,
        gap_at: None,
        minutes_to_breach: None,
    };
    let score = |n| Score { n, actual: 2.5, floor: 0.25, ..Score::default() };
    put(&mut store, |tx| {
        tx.put_plan(None, &outlook(HOUR))?;
        tx.put_plan(None, &outlook(0))?;
        tx.put_scores(&series("phone"), at(0), &[(60, score(1)), (180, score(2))])?;
        tx.put_scores(&series("phone"), at(0), &[(60, score(3))])
    });
    let reader = reader(&store);
    let key = series("phone");
    assert_eq!(reader.outlook(&key).expect("reads"), Some(outlook(HOUR)));
    assert_eq!(reader.outlooks(&Filter::default()).expect("reads"), [outlook(HOUR)]);
    assert_eq!(reader.plan(&key).expect("reads"), None);
    let sum = Score { n: 4, actual: 5.0, floor: 0.5, ..Score::default() };
    assert_eq!(
        reader.scores(&key, at(0), at(DAY)).expect("reads"),
        [(at(0), 60, sum), (at(0), 180, score(2))]
    );
}

#[test]
fn alarms_are_answered_as_of_then() {
    use AlarmAction::{Change, Clear, Raise};
    let dir = TempDir::new().expect("directory");
    let mut store = open(&dir);
    put(&mut store, |tx| {
        for (offset, id, action, ts) in [
            (1, "a", Raise, 10),
            (2, "a", Change, 20),
            (3, "a", Clear, 30),
            (4, "a", Raise, 40),
            (5, "b", Raise, 15),
        ] {
            tx.put_alarm(&position(offset), &alarm(id, action, ts))?;
            tx.put_alarm(&position(offset), &alarm(id, action, ts))?;
        }
        Ok(())
    });
    let reader = reader(&store);
    let standing = |ms| -> Vec<(String, i64, i64)> {
        let found = reader.standing_alarms(&Filter::default(), at(ms), 10).expect("reads");
        let since = |t: Timestamp| t.millis() - at(0).millis();
        found
            .iter()
            .map(|s| (s.event.alarm_id.to_string(), since(s.raised_at), since(s.event.ts)))
            .collect()
    };
    let row = |id: &str, raised, newest| (id.to_owned(), raised, newest);
    assert_eq!(standing(5), []);
    assert_eq!(standing(12), [row("a", 10, 10)]);
    assert_eq!(standing(25), [row("b", 15, 15), row("a", 10, 20)]);
    assert_eq!(standing(35), [row("b", 15, 15)]);
    assert_eq!(standing(99), [row("a", 40, 40), row("b", 15, 15)]);
    assert_eq!(reader.alarm_transitions(at(20), at(40)).expect("reads").len(), 2);
    let elsewhere =
        Filter { region: Some(Name::new("south").expect("a name")), ..Filter::default() };
    assert_eq!(reader.standing_alarms(&elsewhere, at(99), 10).expect("reads"), []);
    // What stood when its transitions were forgotten goes on standing, with its age.
    store.prune(at(8 * DAY)).expect("prunes");
    assert_eq!(standing(9 * DAY), [row("a", 40, 40), row("b", 15, 15)]);
    put(&mut store, |tx| tx.put_alarm(&position(9), &alarm("b", Clear, 8 * DAY)));
    assert_eq!(standing(9 * DAY), [row("a", 40, 40)]);
    assert_eq!(standing(7 * DAY), [row("a", 40, 40), row("b", 15, 15)]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever the order of arrival, the state is that of the newest, and so is every past one.
    #[test]
    fn the_newest_alarm_wins_in_any_order(
        script in proptest::collection::vec((0i64..6, 0u8..3), 1..9),
        order in proptest::collection::vec(any::<u32>(), 9),
    ) {
        let events: Vec<_> = script.iter().enumerate().map(|(i, (ts, action))| {
            let action = [AlarmAction::Raise, AlarmAction::Change, AlarmAction::Clear][usize::from(*action)];
            (position(i as i64), alarm("a", action, *ts))
        }).collect();
        let mut shuffled: Vec<_> = events.iter().zip(&order).collect();
        shuffled.sort_by_key(|(_, key)| **key);
        let dir = TempDir::new().expect("directory");
        let mut store = open(&dir);
        put(&mut store, |tx| shuffled.iter().try_for_each(|((p, e), _)| tx.put_alarm(p, e)));
        let reader = reader(&store);
        for now in 0..7 {
            let mut past: Vec<_> = events.iter().filter(|(_, e)| e.ts <= at(now)).collect();
            past.sort_by_key(|(p, e)| (e.ts, p.offset));
            let standing_from = past.iter().rposition(|(_, e)| e.action == AlarmAction::Clear);
            let run = &past[standing_from.map_or(0, |i| i + 1)..];
            let want = run.first().zip(run.last()).map(|(first, last)| StandingAlarm {
                raised_at: first.1.ts,
                event: last.1.clone(),
            });
            let found = reader.standing_alarms(&Filter::default(), at(now), 9).expect("reads");
            prop_assert_eq!(found, Vec::from_iter(want), "at {}", now);
        }
    }
}

#[test]
fn planned_work_is_what_was_said_last() {
    let dir = TempDir::new().expect("directory");
    let mut store = open(&dir);
    let planned = |id: &str, action, ts| MaintenanceEvent {
        event_id: id.into(),
        action,
        ts: at(ts),
        starts_at: at(HOUR),
        ends_at: at(2 * HOUR),
        region: None,
        service: None,
        impact: None,
        text: None,
    };
    put(&mut store, |tx| {
        tx.put_maintenance(&position(3), &planned("m1", MaintenanceAction::Cancel, 9))?;
        tx.put_maintenance(&position(1), &planned("m1", MaintenanceAction::Plan, 5))?;
        tx.put_maintenance(&position(2), &planned("m2", MaintenanceAction::Plan, 5))
    });
    let reader = reader(&store);
    let found = reader.maintenance(at(0), at(HOUR + 1)).expect("reads");
    assert_eq!(found, [planned("m2", MaintenanceAction::Plan, 5)]);
    assert_eq!(reader.maintenance(at(2 * HOUR), at(DAY)).expect("reads"), []);
}

#[test]
fn dead_letters_are_written_once_and_paged() {
    let dir = TempDir::new().expect("directory");
    let mut store = open(&dir);
    put(&mut store, |tx| {
        for offset in [1, 2, 3, 2] {
            let reason = if offset == 2 { Reason::Late } else { Reason::Malformed };
            tx.put_dead_letter(&letter(offset, reason), None)?;
        }
        Ok(())
    });
    let reader = reader(&store);
    let page = reader.dead_letters(None, 2, None).expect("reads");
    let offsets: Vec<_> = page.iter().map(|(_, letter)| letter.position.offset).collect();
    assert_eq!(offsets, [3, 2]);
    let rest = reader.dead_letters(None, 9, Some(page[1].0)).expect("reads");
    assert_eq!(rest[0].1, letter(1, Reason::Malformed));
    assert_eq!(reader.dead_letters(Some(Reason::Late), 9, None).expect("reads").len(), 1);
    let counts = reader.dead_letter_counts().expect("reads");
    assert_eq!(counts.into_iter().collect::<Vec<_>>(), [(Reason::Malformed, 2), (Reason::Late, 1)]);
}

#[test]
fn a_notice_is_kept_until_it_arrives() {
    let dir = TempDir::new().expect("directory");
    let mut store = open(&dir);
    let alert = alert("a1", 0, AlertState::Firing);
    let notice = Notice { id: "n1".into(), kind: NoticeKind::Firing, alert };
    let to = ["mail".to_owned(), "pager".to_owned()];
    put(&mut store, |tx| {
        tx.put_notice(&notice, &to, at(0))?;
        tx.put_notice(&notice, &to, at(9))
    });
    let reader = reader(&store);
    let due = |ms| -> Vec<_> {
        let rows = reader.outbox_due(at(ms), 9).expect("reads");
        rows.into_iter().map(|row| (row.receiver, row.attempts)).collect()
    };
    assert_eq!(due(0), [("mail".into(), 0), ("pager".into(), 0)]);
    let retry = DeliveryOutcome::Retry { at: at(50), error: "timed out".into() };
    put(&mut store, |tx| {
        tx.mark_delivery("n1", "mail", &DeliveryOutcome::Delivered { at: at(1) })?;
        tx.mark_delivery("n1", "pager", &retry)
    });
    assert_eq!(due(49), []);
    assert_eq!(due(50), [("pager".into(), 1)]);
    let dead = DeliveryOutcome::Dead { at: at(60), error: "gone".into() };
    put(&mut store, |tx| tx.mark_delivery("n1", "pager", &dead));
    let all = reader.outbox(9).expect("reads");
    assert_eq!(all[0].state, DeliveryState::Dead);
    assert_eq!(all[0].last_error.as_deref(), Some("gone"));
    assert_eq!((all[1].state, &all[1].notice), (DeliveryState::Delivered, &notice));
    put(&mut store, |tx| {
        tx.resend("n1", "pager", at(70))?;
        tx.resend("n1", "mail", at(70))
    });
    assert_eq!(due(70), [("pager".into(), 0)]);
}

#[test]
fn lists_are_newest_first_and_go_on_after() {
    let dir = TempDir::new().expect("directory");
    let mut store = open(&dir);
    let anomaly = |window: i64, score| Anomaly {
        series: series("phone"),
        window: at(window),
        kind: AnomalyKind::High,
        score,
        actual: 80.0,
        expected: 20.0,
        text: "four times the forecast".into(),
    };
    put(&mut store, |tx| {
        for (id, since, state) in [
            ("a", 1, AlertState::Resolved),
            ("b", 2, AlertState::Firing),
            ("c", 2, AlertState::Pending),
        ] {
            tx.put_alert(&alert(id, since, state))?;
        }
        tx.put_alert(&alert("b", 2, AlertState::Acknowledged))?;
        tx.put_anomaly(&anomaly(HOUR, 5.0))?;
        tx.put_anomaly(&anomaly(0, 6.0))?;
        tx.put_anomaly(&anomaly(HOUR, 7.0))
    });
    let reader = reader(&store);
    let every = Filter::default();
    let ids = |open, limit, after| -> Vec<String> {
        let found = reader.alerts(&every, open, limit, after).expect("reads");
        found.into_iter().map(|alert| alert.id).collect()
    };
    assert_eq!(ids(false, 2, None), ["c", "b"]);
    assert_eq!(ids(false, 2, Some("b")), ["a"]);
    assert_eq!(ids(true, 9, None), ["c", "b"]);
    let b = reader.alert("b").expect("reads").expect("there");
    assert_eq!(b.state, AlertState::Acknowledged);
    let page = reader.anomalies(&every, at(0), at(DAY), 1, None).expect("reads");
    assert_eq!(page[0].1, anomaly(HOUR, 7.0));
    let rest = reader.anomalies(&every, at(0), at(DAY), 9, Some(page[0].0)).expect("reads");
    assert_eq!(rest.into_iter().map(|row| row.1).collect::<Vec<_>>(), [anomaly(0, 6.0)]);
    let chat = Filter { channel: Some(Name::new("chat").expect("a name")), ..Filter::default() };
    assert_eq!(reader.anomalies(&chat, at(0), at(DAY), 9, None).expect("reads"), []);
}

#[test]
fn a_new_roster_replaces_what_it_overlaps() {
    let dir = TempDir::new().expect("directory");
    let mut store = open(&dir);
    let shift = |channel: &str, from: i64, to: i64, agents| Shift {
        series: series(channel),
        start: at(from * HOUR),
        end: at(to * HOUR),
        agents,
    };
    let old = [shift("phone", 0, 8, 5), shift("phone", 8, 16, 6), shift("chat", 0, 8, 2)];
    put(&mut store, |tx| tx.put_shifts(&old));
    put(&mut store, |tx| tx.put_shifts(&[shift("phone", 8, 12, 9)]));
    let found = reader(&store).shifts(&Filter::default(), at(0), at(DAY)).expect("reads");
    assert_eq!(found, [shift("chat", 0, 8, 2), shift("phone", 0, 8, 5), shift("phone", 8, 12, 9)]);
}

#[test]
fn a_full_disk_is_named_and_survived() {
    let dir = TempDir::new().expect("directory");
    let mut store = open(&dir);
    put(&mut store, |tx| tx.put_blob("clock", b"before"));
    let pages: i64 =
        store.conn.query_row("PRAGMA page_count", [], |row| row.get(0)).expect("counts");
    let limit = |store: &Store, pages: i64| {
        let sql = format!("PRAGMA max_page_count = {pages}");
        store.conn.query_row(&sql, [], |_| Ok(())).expect("limits");
    };
    limit(&store, pages + 4);
    let mut tx = store.begin().expect("begins");
    tx.put_blob("clock", b"during").expect("fits");
    let error = tx.put_blob("large", &[7; 1 << 20]).expect_err("does not fit");
    assert!(matches!(error, StoreError::Full));
    drop(tx);
    let reader = reader(&store);
    assert_eq!(reader.blob("clock").expect("reads").as_deref(), Some(&b"before"[..]));
    put(&mut store, |tx| tx.put_blob("clock", b"after"));
    limit(&store, 1 << 20);
    put(&mut store, |tx| tx.put_blob("large", &[7; 1 << 20]));
    assert_eq!(reader.blob("clock").expect("reads").as_deref(), Some(&b"after"[..]));
}

#[test]
fn readers_see_whole_transactions_while_one_writes() {
    let dir = TempDir::new().expect("directory");
    let mut store = open(&dir);
    let reader = reader(&store);
    let pass = |n: u32| [(phone(), at(0), settled(n)), (phone(), at(HOUR), settled(n))];
    put(&mut store, |tx| tx.put_windows(&pass(0)));
    std::thread::scope(|threads| {
        for _ in 0..6 {
            let reader = reader.clone();
            threads.spawn(move || {
                let mut last = 0;
                while last < 40 {
                    let found = reader.windows(&phone(), at(0), at(DAY)).expect("reads");
                    assert_eq!(found[0].1, found[1].1);
                    assert!(found[0].1.counts.tickets >= last, "never back");
                    last = found[0].1.counts.tickets;
                }
            });
        }
        for n in 1..=40 {
            put(&mut store, |tx| tx.put_windows(&pass(n)));
        }
    });
}

mod event_log {
    use super::*;
    use crate::domain::EventKind;

    fn record(bytes: &[u8]) -> LogRecord {
        LogRecord { kind: Some(EventKind::Ticket), bytes: bytes.into() }
    }

    #[test]
    fn survives_reopening_and_never_repeats_an_offset() {
        let dir = TempDir::new().expect("directory");
        let log = EventLog::open(dir.path()).expect("opens");
        assert_eq!(log.last_offset().expect("reads"), 0);
        assert!(log.append(&[], at(0)).expect("appends").is_empty());
        let two = [record(b"one"), LogRecord { kind: None, bytes: b"two".into() }];
        assert_eq!(log.append(&two, at(100)).expect("appends"), 1..=2);
        assert!(matches!(EventLog::open(dir.path()), Err(StoreError::InUse { .. })));
        drop(log);
        let log = EventLog::open(dir.path()).expect("opens");
        // The clock went back while it was closed.
        assert_eq!(log.append(&[record(b"three")], at(50)).expect("appends"), 3..=3);
        let entries = log.read_from(2, 10).expect("reads");
        let seen: Vec<_> =
            entries.iter().map(|e| (e.offset, e.received_at, e.kind, &e.bytes[..])).collect();
        let ticket = Some(EventKind::Ticket);
        assert_eq!(seen, [(2, at(100), None, &b"two"[..]), (3, at(100), ticket, &b"three"[..])]);
        log.trim(i64::MAX).expect("trims");
        drop(log);
        let log = EventLog::open(dir.path()).expect("opens");
        assert_eq!(log.read_from(0, 10).expect("reads").len(), 1);
        assert_eq!(log.append(&[record(b"four")], at(60)).expect("appends"), 4..=4);
        assert_eq!(log.read_from(4, 1).expect("reads")[0].received_at, at(100));
    }

    #[test]
    fn appends_of_many_threads_keep_together() {
        let dir = TempDir::new().expect("directory");
        let log = EventLog::open(dir.path()).expect("opens");
        std::thread::scope(|threads| {
            for thread in 0..8u8 {
                let log = &log;
                threads.spawn(move || {
                    for _ in 0..10 {
                        let both = [record(&[thread]), record(&[thread])];
                        let range = log.append(&both, at(0)).expect("appends");
                        let found = log.read_from(*range.start(), 2).expect("reads");
                        assert_eq!(found.len(), 2, "visible once acknowledged");
                        assert!(found.iter().all(|entry| entry.bytes == [thread]));
                    }
                });
            }
        });
        assert_eq!(log.last_offset().expect("reads"), 160);
    }

    #[test]
    fn says_when_it_is_full_and_goes_on_after_a_trim() {
        let dir = TempDir::new().expect("directory");
        let log = EventLog::with_limit(dir.path(), 256 << 10).expect("opens");
        let mut last = 0;
        let error = loop {
            match log.append(&[record(&[7; 20_000])], at(0)) {
                Ok(range) => last = *range.end(),
                Err(error) => break error,
            }
        };
        insta::assert_snapshot!(error, @"the event log holds its limit of 262144 bytes: wait until old events are trimmed, or raise the limit");
        assert!(last >= 10, "{last} fitted");
        assert_eq!(log.append(&[record(b"small")], at(0)).expect("appends"), last + 1..=last + 1);
        let huge = log.append(&[record(&[7; 1 << 20])], at(0));
        assert!(matches!(huge, Err(StoreError::LogFull { .. })));
        log.trim(last).expect("trims");
        assert!(log.append(&[record(&[7; 20_000])], at(0)).is_ok());
    }
}
