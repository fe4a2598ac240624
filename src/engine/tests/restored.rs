//! Restored windows: forecasts as if the store had never been lost, and no ticket counted twice.

use super::*;
use crate::domain::HOUR;
use crate::engine::RefitConfig;
use crate::forecast::{Fallback, Vintage};
use crate::store::{Reader, RestoredWindows, WARM_START, WarmStart};
use crate::text::Stored;
use crate::window::{Counts, Frontier, Partial};

/// 16 days: a fit needs 15.
const WINDOWS: i64 = 16 * 96;
const SERIES: [&str; 2] = ["north/tv/phone", "华南/宽带/电话"];

type Found = BTreeMap<(SeriesKey, Timestamp), (u32, bool)>;

fn series(nth: usize) -> SeriesKey {
    SeriesKey::parse(SERIES[nth]).expect("a series")
}

fn window(index: i64) -> Timestamp {
    at(900 * index)
}

/// Tickets of a series in a window: more by day, with some noise.
fn tickets(nth: usize, index: i64) -> u32 {
    let hour = (index / 4 % 24) as f64;
    let day = (-((hour - 11.0) / 4.0).powi(2)).exp();
    let noise = (index * 37 + nth as i64 * 11) % 5;
    (day * 40.0) as u32 + noise as u32 + 1
}

/// All windows from `from` up to the one with the index `upto`.
fn all(from: i64, upto: i64) -> Vec<(usize, i64, u32)> {
    let of = |index| [0, 1].map(|nth| (nth, index, tickets(nth, index)));
    (from..=upto).flat_map(of).collect()
}

/// A report with these counts by series and window, of a source that closes all windows up to the one with the index `upto`.
fn report(counts: &[(usize, i64, u32)], upto: i64, offset: i64) -> Report {
    let mut report = Report::new(SourceId::new("tickets", 0));
    let partial = |(nth, index, tickets): &(usize, i64, u32)| Partial {
        window: window(*index),
        key: AggregationKey::Tickets(series(*nth)),
        counts: Counts { tickets: *tickets, ..Counts::default() },
        upto: offset,
    };
    report.partials = counts.iter().map(partial).collect();
    let closed = WIDTH.end(window(upto));
    let commit = CommitPoint { closed, decided_upto: offset, ..CommitPoint::start(0) };
    report.progress = Some((Frontier { closed, caught_up_at: None }, commit));
    report
}

/// Forecasts windows that end at `vintages_from` or later, with a fit from `used_from` on.
fn open(dir: &TempDir, vintages_from: Timestamp, used_from: Timestamp) -> Forecaster {
    let mut config = config();
    config.issue.vintages_from = vintages_from;
    config.refit = Some(RefitConfig {
        width: WIDTH,
        every: 6 * HOUR,
        from: at(0),
        used_from,
        patience: Duration::from_secs(600),
    });
    let store = Store::open(dir.path(), WIDTH).expect("a store");
    Forecaster::open(config, store, Arc::default()).expect("a forecaster")
}

/// Takes a report, and finalizes everything.
fn take(forecaster: &mut Forecaster, report: Report) {
    let now = at(900 * (WINDOWS + 10));
    let (_, mut has_more) = forecaster.apply(&[report], None, now).expect("stored");
    while has_more {
        (_, has_more) = forecaster.apply(&[], None, now).expect("stored");
    }
}

/// Tickets of all windows, and whether they are missing.
fn windows(reader: &Reader) -> Found {
    let mut found = Found::new();
    let read = reader.each_key(at(0), |key, windows| {
        let AggregationKey::Tickets(series) = key else { return };
        let rows = windows.iter().map(|(start, row)| {
            assert!(row.settled);
            ((series.clone(), *start), (row.counts.tickets, row.missing))
        });
        found.extend(rows);
    });
    read.expect("windows");
    found
}

/// Fills an empty store with all windows before `upto`.
fn restore(dir: &TempDir, known: &Found, upto: i64) {
    let mut store = Store::open(dir.path(), WIDTH).expect("a store");
    let mut tx = store.begin().expect("a transaction");
    for nth in [0, 1] {
        let own = known.iter().filter(|((key, at), _)| *key == series(nth) && *at < window(upto));
        tx.put_restored(&series(nth), &own.map(|((_, at), (n, _))| (*at, *n)).collect())
            .expect("stored");
    }
    let span = Some((window(0), window(upto)));
    let restored = RestoredWindows { windows: 2 * upto as u64, series: 2, span };
    let done = WarmStart { begun_at: window(upto), restored: Some(restored) };
    tx.put_state(WARM_START, &done).expect("stored");
    tx.commit().expect("stored");
}

/// Forecasts of all series, roll-ups included, issued at the ends of these windows.
fn vintages(reader: &Reader, windows: &[i64]) -> Vec<Vintage> {
    let keys = reader.series_keys().expect("series");
    let ends = windows.iter().map(|index| WIDTH.end(window(*index)));
    let of = |end| {
        let found =
            keys.iter().filter_map(move |key| reader.vintage(key, Some(end)).expect("reads"));
        found.collect::<Vec<_>>()
    };
    ends.flat_map(of).collect()
}

/// A store that was never lost: it counts and finalizes all windows.
fn undisturbed(vintages_from: Timestamp, used_from: Timestamp) -> (TempDir, Forecaster) {
    let dir = TempDir::new().expect("a folder");
    let mut forecaster = open(&dir, vintages_from, used_from);
    take(&mut forecaster, report(&all(0, WINDOWS), WINDOWS, 1));
    (dir, forecaster)
}

#[test]
fn the_first_forecasts_are_those_of_a_store_that_was_never_lost() {
    let from = WIDTH.end(window(WINDOWS));
    let (_dir, other) = undisturbed(from, from);
    let known = windows(other.reader());
    let dir = TempDir::new().expect("a folder");
    restore(&dir, &known, WINDOWS);
    let mut forecaster = open(&dir, from, from);
    assert_eq!(forecaster.finalized_upto(), None, "the frontier begins where the source begins");
    take(&mut forecaster, report(&all(WINDOWS, WINDOWS), WINDOWS, 1));
    assert_eq!(windows(forecaster.reader()), known);
    let expected = vintages(other.reader(), &[WINDOWS]);
    assert_eq!(expected.len(), 2 + 13, "series and roll-ups");
    let has_history = |vintage: &Vintage| match &vintage.fallback {
        Some(Stored::Value(Fallback::Little { days, .. })) => *days >= 16,
        fallback => fallback.is_none(),
    };
    assert!(expected.iter().all(has_history), "{:?}", expected[0].fallback);
    assert_eq!(vintages(forecaster.reader(), &[WINDOWS]), expected);
    // No window was finalized again, or scored.
    let reader = forecaster.reader();
    let changed = reader.changes(0, 100).expect("changes").into_iter();
    let changed = changed.filter_map(|(_, change)| match change {
        crate::store::Change::Window(start) => Some(start),
        _ => None,
    });
    assert_eq!(changed.collect::<Vec<_>>(), [window(WINDOWS)]);
    for nth in [0, 1] {
        let scores = reader.scores(&series(nth), at(0), Timestamp::MAX).expect("scores");
        assert!(scores.is_empty(), "{scores:?}");
    }
}

#[test]
fn a_source_that_is_read_again_doubles_nothing_and_no_forecast_knows_the_future() {
    let (from, never) = (window(WINDOWS - 12), Timestamp::MAX);
    let (_dir, other) = undisturbed(from, never);
    let known = windows(other.reader());
    let issued = [WINDOWS - 12, WINDOWS - 6, WINDOWS - 1];
    let expected = vintages(other.reader(), &issued);
    assert_eq!(expected.len(), 3 * (2 + 13));
    // From the beginning, and from a later time on.
    for first in [0, WINDOWS - 100] {
        let dir = TempDir::new().expect("a folder");
        restore(&dir, &known, WINDOWS);
        let mut forecaster = open(&dir, from, never);
        let now = at(900 * (WINDOWS + 10));
        let report = report(&all(first, WINDOWS), WINDOWS, 1);
        let (_, has_more) = forecaster.apply(&[report], None, now).expect("stored");
        assert!(has_more);
        // Its second start is in the middle of the restored windows.
        drop(forecaster);
        let mut forecaster = open(&dir, from, never);
        while forecaster.apply(&[], None, now).expect("stored").1 {}
        assert_eq!(windows(forecaster.reader()), known, "from {first}");
        let found = vintages(forecaster.reader(), &issued);
        if first == 0 {
            assert_eq!(found, expected);
        } else {
            // Their history is the same from the first window on.
            let means = |vintages: &[Vintage]| -> Vec<f64> {
                vintages.iter().flat_map(|v| v.targets.iter().map(|target| target.mean)).collect()
            };
            assert_eq!(means(&found), means(&expected));
        }
    }
}

#[test]
fn a_late_event_does_not_replace_a_restored_count() {
    let dir = TempDir::new().expect("a folder");
    let mut known: Found = all(0, 95)
        .into_iter()
        .map(|(nth, index, n)| ((series(nth), window(index)), (n, false)))
        .collect();
    restore(&dir, &known, 96);
    let mut forecaster = open(&dir, Timestamp::MAX, Timestamp::MAX);
    // One ticket in an early window: the frontier begins there.
    take(&mut forecaster, report(&[(0, 5, 1)], 40, 1));
    assert_eq!(forecaster.finalized_upto(), Some(window(41)));
    assert_eq!(windows(forecaster.reader()), known);
    let learned = |forecaster: &Forecaster, nth: usize, index: i64| {
        forecaster.state().observed.histories.count(&series(nth), WIDTH.index(window(index)))
    };
    for index in [0, 5, 6, 40] {
        assert_eq!(learned(&forecaster, 0, index), tickets(0, index) as f32, "{index}");
    }
    assert!(learned(&forecaster, 0, 41).is_nan(), "it is not finalized here");
    // The source counts more in windows that it has not closed: a restored window, and one that is revised.
    let more = tickets(1, 50) + 7;
    take(&mut forecaster, report(&[(0, 45, 2), (1, 50, more)], 60, 2));
    known.insert((series(1), window(50)), (more, false));
    assert_eq!(windows(forecaster.reader()), known);
    assert_eq!(learned(&forecaster, 1, 50), more as f32);
    // Another source delivers events of finalized windows, and delivers them twice.
    for offset in [3, 3, 4] {
        let mut late = report(&[(0, 7, 1), (1, 50, 5), (0, 8, tickets(0, 8) + 4)], 3, offset);
        late.source = SourceId::new("tickets", 1);
        take(&mut forecaster, late);
        known.insert((series(0), window(8)), (tickets(0, 8) + 4, false));
        known.insert((series(1), window(50)), (more + 5, false));
        assert_eq!(windows(forecaster.reader()), known, "offset {offset}");
        assert_eq!(learned(&forecaster, 0, 7), tickets(0, 7) as f32);
        assert_eq!(learned(&forecaster, 0, 8), (tickets(0, 8) + 4) as f32);
    }
    drop(forecaster);
    let forecaster = open(&dir, Timestamp::MAX, Timestamp::MAX);
    assert_eq!(learned(&forecaster, 0, 7), tickets(0, 7) as f32);
    assert_eq!(learned(&forecaster, 1, 50), (more + 5) as f32);
    assert!(learned(&forecaster, 0, 70).is_nan());
}

#[test]
fn after_the_restored_windows_a_series_has_zeros_and_the_gap_is_missing() {
    let dir = TempDir::new().expect("a folder");
    let known: Found = all(0, 95)
        .into_iter()
        .map(|(nth, index, n)| ((series(nth), window(index)), (n, false)))
        .collect();
    restore(&dir, &known, 96);
    let counted = |forecaster: &Forecaster| -> Vec<Vec<f32>> {
        let histories = &forecaster.state().observed.histories;
        let of = |key: &SeriesKey| {
            let windows = [95, 96, 99, 100, 101].map(|index| WIDTH.index(window(index)));
            windows.map(|index| histories.by_series()[key].get(index)).to_vec()
        };
        let total = SeriesKey::parse("_all/_all/_all").expect("a roll-up");
        [series(0), series(1), total].iter().map(of).collect()
    };
    let mut forecaster = open(&dir, Timestamp::MAX, Timestamp::MAX);
    take(&mut forecaster, report(&[(0, 100, 3)], 101, 1));
    let (a, b, gap) = (tickets(0, 95) as f32, tickets(1, 95) as f32, f32::NAN);
    let expected =
        [vec![a, gap, gap, 3.0, 0.0], vec![b, gap, gap, 0.0, 0.0], vec![a + b, gap, gap, 3.0, 0.0]];
    let shown = |counts: &[Vec<f32>]| format!("{counts:?}");
    assert_eq!(shown(&counted(&forecaster)), shown(&expected));
    forecaster.reload().expect("reads");
    assert_eq!(shown(&counted(&forecaster)), shown(&expected));
    assert_eq!(windows(forecaster.reader()).len(), known.len() + 4);
}
