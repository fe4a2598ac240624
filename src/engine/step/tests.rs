//! Tests of effects without a store, and of the store after a failed write.

use std::sync::Arc;

use rusqlite::Connection;
use tempfile::TempDir;

use super::*;
use crate::alert::Alert;
use crate::domain::{MaintenanceEvent, SeriesKey};
use crate::engine::config::ForecasterConfig;
use crate::engine::tests::{WIDTH, at, config, forecaster};
use crate::store::{Filter, RestoredTickets, WindowRecord};
use crate::telemetry::Metrics;
use crate::window::{CommitPoint, Counts, Frontier};

/// A store that holds the same record for every key and window.
struct Always(Option<WindowRecord>);

impl Stored for Always {
    fn window(&self, _: &AggregationKey, _: Timestamp) -> Result<Option<WindowRecord>, StoreError> {
        Ok(self.0)
    }

    fn restored_on(&self, _: Timestamp) -> Result<RestoredTickets, StoreError> {
        Ok(RestoredTickets::new())
    }

    fn maintenance(&self, _: Timestamp) -> Result<Vec<MaintenanceEvent>, StoreError> {
        Ok(Vec::new())
    }

    fn alert(&self, _: &str) -> Result<Option<Alert>, StoreError> {
        Ok(None)
    }
}

fn tickets() -> AggregationKey {
    AggregationKey::Tickets(SeriesKey::parse("north/tv/phone").expect("series"))
}

/// A report of one source that counted `tickets` up to `offset` in the window that starts at second `start`.
fn report(start: i64, tickets_counted: u32, offset: i64) -> Report {
    let mut report = Report::new(SourceId::new("tickets", 0));
    let counts = Counts { tickets: tickets_counted, ..Counts::default() };
    report.partials = vec![Partial { window: at(start), key: tickets(), counts, upto: offset }];
    // The source has closed no window, so it may still revise its counts.
    let commit = CommitPoint { closed: at(0), decided_upto: 0, ..CommitPoint::start(0) };
    let caught_up_at = Some(at(start + 1600));
    report.progress = Some((Frontier { closed: at(0), caught_up_at }, commit));
    report
}

fn issuing() -> ForecasterConfig {
    let mut config = config();
    config.issue.vintages_from = Timestamp::MIN;
    config.issue.plans_from = Timestamp::MIN;
    config.issue.alerts_from = Timestamp::MIN;
    config.issue.notify_from = Timestamp::MIN;
    config
}

/// All effects of a batch as text, one string for each step.
fn run(state: &mut State, reports: &[Report], now: i64, stored: &dyn Stored) -> Vec<String> {
    let mut batch = Batch::new(reports, Some(7), at(now), true);
    let mut steps = Vec::new();
    while let Some(effects) = state.step(&mut batch, stored).expect("reads") {
        steps.push(format!("{effects:?}"));
    }
    steps
}

#[test]
fn the_same_state_reports_and_now_give_the_same_effects() {
    let reports = [
        (report(0, 3, 3), 1600),
        (report(900, 5, 8), 2500),
        (report(0, 4, 9), 2600),
        (report(1800, 2, 11), 3400),
    ];
    let all = || {
        let mut state = State::new(issuing(), Arc::new(Metrics::default()));
        let of_all = reports.iter().flat_map(|(report, now)| {
            run(&mut state, std::slice::from_ref(report), *now, &Always(None))
        });
        of_all.collect::<Vec<String>>()
    };
    let first = all();
    assert!(first.iter().any(|step| step.contains("Vintages(")), "{first:#?}");
    assert_eq!(first, all());
}

#[test]
fn plans_reach_back_further_than_alerts() {
    let mut config = issuing();
    config.issue.alerts_from = Timestamp::MAX;
    let mut state = State::new(config, Arc::new(Metrics::default()));
    let steps = run(&mut state, &[report(0, 3, 3)], 1600, &Always(None)).concat();
    assert!(steps.contains("Plans(") && !steps.contains("Alert("), "{steps}");
    let mut config = issuing();
    config.issue.plans_from = Timestamp::MAX;
    let mut state = State::new(config, Arc::new(Metrics::default()));
    let steps = run(&mut state, &[report(0, 3, 3)], 1600, &Always(None)).concat();
    assert!(steps.contains("Vintages(") && !steps.contains("Plans("), "{steps}");
}

#[test]
fn effects_come_window_by_window_and_a_quiet_batch_has_none() {
    let mut state = State::new(config(), Arc::new(Metrics::default()));
    let report = report(0, 3, 3);
    run(&mut state, &[report], 100, &Always(None));
    // Two days later the source has caught up.
    let mut late = Report::new(SourceId::new("tickets", 0));
    let commit = CommitPoint { closed: at(172_800), decided_upto: 4, ..CommitPoint::start(4) };
    late.progress = Some((Frontier { closed: at(172_800), caught_up_at: None }, commit));
    let reports = [late];
    let mut batch = Batch::new(&reports, None, at(172_800), false);
    let mut windows = Vec::new();
    while let Some(effects) = state.step(&mut batch, &Always(None)).expect("reads") {
        let is_window = |change: &&StoreChange<'_>| matches!(change, StoreChange::Windows(_));
        windows.push(effects.changes.iter().filter(is_window).count());
    }
    assert!(windows.iter().all(|windows| *windows <= 1), "{windows:?}");
    assert_eq!((windows.iter().sum::<usize>(), batch.has_more()), (WINDOWS_MAX, true));
    let mut rest = Batch::new(&[], None, at(172_800), false);
    let mut steps = 0;
    while state.step(&mut rest, &Always(None)).expect("reads").is_some() {
        steps += 1;
    }
    assert!(steps > 96 && !rest.is_quiet() && state.merge.next() == Some(at(172_800)));
    let mut quiet = Batch::new(&reports, None, at(172_801), false);
    while let Some(effects) = state.step(&mut quiet, &Always(None)).expect("reads") {
        let is_empty = |change: &StoreChange<'_>| matches!(change, StoreChange::Events(..));
        assert!(effects.changes.iter().all(is_empty) && effects.stream.is_empty());
    }
    assert!(quiet.is_quiet());
}

#[test]
fn a_revision_keeps_the_number_of_active_alarms() {
    let mut state = State::new(config(), Arc::new(Metrics::default()));
    run(&mut state, &[report(0, 3, 3)], 1600, &Always(None));
    assert_eq!(state.merge.next(), Some(at(900)));
    let before = WindowRecord { settled: true, active: 6, ..WindowRecord::default() };
    let reports = [report(0, 4, 5)];
    let mut batch = Batch::new(&reports, None, at(1700), false);
    let mut revised = Vec::new();
    while let Some(effects) = state.step(&mut batch, &Always(Some(before))).expect("reads") {
        for change in effects.changes {
            if let StoreChange::Windows(rows) = change {
                revised.extend(rows);
            }
        }
    }
    let counts = Counts { tickets: 4, ..Counts::default() };
    let row =
        WindowRecord { counts, active: 6, settled: true, revised: true, ..WindowRecord::default() };
    assert_eq!(revised, [(tickets(), at(0), row)]);
}

#[test]
fn after_a_failed_write_and_a_reload_a_report_has_the_same_effects() {
    let steps = [(report(0, 3, 3), 1600), (report(900, 5, 8), 2500), (report(0, 4, 9), 2600)];
    let run = |fails: bool| {
        let dir = TempDir::new().expect("directory");
        let mut forecaster = forecaster(&dir);
        let sqlite = |sql: &str| {
            let conn = Connection::open(dir.path().join("state.db")).expect("opens");
            conn.execute_batch(sql).expect("runs");
        };
        let mut answers = Vec::new();
        for (report, now) in &steps {
            let reports = std::slice::from_ref(report);
            if fails {
                // Sources are written last, after everything else.
                sqlite(
                    "CREATE TRIGGER no BEFORE INSERT ON sources BEGIN SELECT RAISE(ABORT, 'no'); END;",
                );
                assert!(forecaster.apply(reports, Some(1), at(*now)).is_err());
                sqlite("DROP TRIGGER no;");
                forecaster.reload().expect("reads");
            }
            answers.push(format!(
                "{:?}",
                forecaster.apply(reports, Some(1), at(*now)).expect("stores")
            ));
        }
        let reader = forecaster.reader();
        let windows = reader.windows(&tickets(), at(0), at(86_400)).expect("reads");
        let partials = reader.partials().expect("reads");
        let anomalies =
            format!("{:?}", reader.alerts(&Filter::default(), false, 9, None).expect("reads"));
        let sources = reader.sources().expect("reads");
        let progress = forecaster.progress_at(i64::MAX);
        (answers, windows, partials, sources, anomalies, forecaster.finalized_upto(), progress)
    };
    let straight = run(false);
    assert_eq!(straight.1.len(), 2, "{:?}", straight.1);
    assert_eq!(WIDTH.end(at(900)), straight.5.expect("a window is final"));
    assert_eq!(straight, run(true));
}
