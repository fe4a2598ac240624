//! Open tickets, from records to the store's content, across restarts.

use tempfile::TempDir;

use super::*;
use crate::input::SourceProcessor;
use crate::staffing::{Profile, Rules};
use crate::store::Filter;
use crate::window::{Attained, BacklogFlow};

/// A ticket's event: `create`, `respond`, `resolve`, `reopen` or `abandon`.
fn event(action: &str, id: &str, seconds: i64) -> String {
    format!(
        r#"{{"kind":"ticket","event_id":"{action}-{id}","ticket_id":"{id}","action":"{action}","ts":"{}",
        "region":"north","service":"tv","channel":"email","handled_seconds":100}}"#,
        at(seconds)
    )
}

fn snapshot(open: u32, seconds: i64) -> String {
    format!(
        r#"{{"kind":"ticket","event_id":"s{seconds}","action":"snapshot","open":{open},"ts":"{}",
        "region":"north","service":"tv","channel":"email"}}"#,
        at(seconds)
    )
}

fn email() -> SeriesKey {
    SeriesKey::parse("north/tv/email").expect("a series")
}

/// Open tickets at the end of each window with a change, by the window's start in minutes.
fn open(led: &Forecaster) -> Vec<(i64, u32, BacklogFlow)> {
    let mut found = Vec::new();
    for window in 0..8 {
        let start = at(window * 900);
        for (series, own) in led.reader().backlog_at(start).expect("reads") {
            assert_eq!(series, email());
            found.push((window * 15, own.open, own.flow));
        }
    }
    found
}

fn steps() -> Vec<(String, i64)> {
    vec![
        (event("create", "a", 60), 60),
        (event("create", "b", 61), 61),
        (event("respond", "a", 120), 120),
        (snapshot(10, 300), 300),
        (event("create", "c", 400), 400),
        (event("resolve", "a", 880), 880),
        // The creation comes after the end, in a later window.
        (event("resolve", "d", 1000), 1000),
        (event("create", "d", 950), 1001),
        (event("reopen", "a", 1100), 1100),
        (event("resolve", "unknown", 1900), 1900),
        (event("resolve", "b", 1950), 1950),
        (event("resolve", "b", 2000), 2000),
        (event("create", "e", 3000), 3000),
        // The response comes in a later window than the creation; the caller of g hangs up.
        (event("create", "g", 3010), 3010),
        (event("abandon", "g", 3040), 3040),
        (event("respond", "e", 3700), 3700),
    ]
}

/// A forecaster with the default profile of e-mail: 90 % done within four hours.
fn with_profile(dir: &TempDir) -> Forecaster {
    let store = Store::open(dir.path(), WIDTH).expect("a store");
    let email = Name::new("email").expect("a name");
    let profiles = [(email, Profile::default_of("email").expect("a default"))];
    let mut config = config();
    config.issue.staffing = Arc::new(Rules::of_channels(profiles.into()));
    Forecaster::open(config, store, Arc::new(Metrics::default())).expect("a forecaster")
}

/// The stored values of each window: its start in minutes, open tickets and steps, and attained service.
struct Found {
    windows: Vec<(i64, u32, BacklogFlow)>,
    attained: Vec<(Timestamp, Attained)>,
    arrivals: Vec<u32>,
    known: u32,
}

/// The stored values after all steps, if the forecaster is killed after `restart_after` of them and sources are read again.
fn run(restart_after: usize) -> Found {
    let dir = TempDir::new().expect("directory");
    let (mut processor, mut led) = (processor(), with_profile(&dir));
    let steps = steps();
    for (n, (text, seconds)) in steps.iter().enumerate() {
        take(&mut processor, n as i64, *seconds, text);
        apply(&mut led, processor.report(Some(at(*seconds))), *seconds);
        if n + 1 == restart_after {
            drop(led);
            led = with_profile(&dir);
            processor = again(&led, &steps[..=n]);
            // What was read again is reported once more.
            apply(&mut led, processor.report(Some(at(*seconds))), *seconds);
        }
    }
    apply(&mut led, processor.report(Some(at(5400))), 5400);
    let reader = led.reader();
    let windows = reader.windows(&AggregationKey::Tickets(email()), at(0), at(86_400));
    let windows = windows.expect("reads").into_iter().filter(|(_, row)| row.settled);
    let arrivals = windows.map(|(_, row)| row.counts.tickets).collect();
    let known = reader.backlog(&email()).expect("reads").map_or(0, |own| own.known);
    assert!(reader.ticket_messages().expect("reads").is_empty(), "all have taken effect");
    let attained = reader.attained(&email(), at(0), at(86_400)).expect("reads");
    Found { windows: open(&led), attained, arrivals, known }
}

/// A processor that reads again from the stored offset.
fn again(led: &Forecaster, steps: &[(String, i64)]) -> SourceProcessor {
    let source = SourceId::new("network.alarms", 0);
    let commit = led.commits().get(&source).cloned();
    let from = commit.as_ref().map_or(0, |commit| commit.resume_at);
    let mut processor = processor_from(commit);
    for (n, (text, seconds)) in (0..).zip(steps).filter(|(n, _)| *n >= from) {
        take(&mut processor, n, *seconds, text);
    }
    processor
}

#[test]
fn a_restart_changes_neither_arrivals_nor_open_tickets() {
    let Found { windows, attained, arrivals, known } = run(0);
    let shown: Vec<_> = windows
        .iter()
        .map(|(minute, open, flow)| {
            let BacklogFlow { opened, resolved, reopened, first_response, handled } = flow;
            let (answered, handled) = (first_response.seconds, handled.seconds);
            (*minute, *open, *opened, *resolved, *reopened, answered, handled)
        })
        .collect();
    assert_eq!(
        shown,
        [
            // 10 at the snapshot, of which a and b are known, then c; a is resolved.
            (0, 10, 3, 1, 0, 60, 100),
            (15, 11, 1, 1, 1, 0, 100),
            (30, 9, 0, 2, 0, 0, 200),
            (45, 10, 2, 0, 0, 0, 0),
            (60, 10, 0, 0, 0, 700, 0),
        ]
    );
    let figures = |(start, own): &(Timestamp, Attained)| {
        let minute = start.since(at(0)).as_secs() / 60;
        (minute, own.offered, own.answered, own.abandoned, own.in_time, own.waits.quantile(0.5))
    };
    assert_eq!(
        attained.iter().map(figures).collect::<Vec<_>>(),
        [
            // a and b were resolved within four hours; d too, although its creation came later.
            (0, 3, 1, 0, 2, Some(60)),
            (15, 1, 0, 0, 1, None),
            (45, 2, 1, 1, 0, Some(699)),
        ]
    );
    assert_eq!(arrivals, [3, 1, 0, 2, 0]);
    // a and c and e.
    assert_eq!(known, 3);
    for restart_after in 1..=steps().len() {
        let found = run(restart_after);
        assert_eq!(found.windows, windows, "restarted after {restart_after}");
        assert_eq!(found.attained, attained, "restarted after {restart_after}");
        let counts = (found.arrivals, found.known);
        assert_eq!(counts, (arrivals.clone(), known), "restarted after {restart_after}");
    }
}

#[test]
fn streams_without_ids_store_nothing_about_tickets() {
    let dir = TempDir::new().expect("directory");
    let (mut processor, mut led) = (processor(), forecaster(&dir));
    for n in 0..5 {
        take(&mut processor, n, n * 60, &ticket(n, "north", n * 60));
    }
    let report = processor.report(Some(at(300)));
    assert!(report.tickets.is_empty());
    apply(&mut led, report, 300);
    apply(&mut led, processor.report(Some(at(3000))), 3000);
    let reader = led.reader();
    assert!(reader.backlogs(&Filter::default()).expect("reads").is_empty());
    assert!(reader.tickets().expect("reads").0.is_empty());
    assert!(open(&led).is_empty());
}
