use std::cell::{Cell, RefCell};

use tempfile::TempDir;

use super::*;

const WIDTH: WindowWidth = WindowWidth::QUARTER;

/// A bucket in memory.
#[derive(Default)]
struct Bucket {
    windows: BTreeMap<SeriesKey, Tickets>,
    open: BTreeSet<Timestamp>,
    /// Queries until InfluxDB fails for good.
    fails_after: Cell<Option<u32>>,
    asked: RefCell<Vec<(Timestamp, Timestamp)>>,
}

impl Bucket {
    fn ask(&self) -> Result<(), HistoryProblem> {
        match self.fails_after.get() {
            Some(0) => Err(HistoryProblem::Invalid("broken".into())),
            left => {
                self.fails_after.set(left.map(|left| left - 1));
                Ok(())
            }
        }
    }
}

impl History for Bucket {
    fn starts(
        &self,
        (from, to): (Timestamp, Timestamp),
    ) -> Result<BTreeMap<Timestamp, bool>, HistoryProblem> {
        self.ask()?;
        let starts = self.windows.values().flat_map(BTreeMap::keys).copied();
        let starts = starts.filter(|start| (from..to).contains(start));
        Ok(starts.map(|start| (start, self.open.contains(&start))).collect())
    }

    fn series(
        &self,
        _: (Timestamp, Timestamp),
    ) -> Result<BTreeMap<SeriesKey, Timestamp>, HistoryProblem> {
        self.ask()?;
        let last = |(series, windows): (&SeriesKey, &Tickets)| {
            Some((series.clone(), *windows.last_key_value()?.0))
        };
        Ok(self.windows.iter().filter_map(last).collect())
    }

    fn tickets(
        &self,
        (from, to): (Timestamp, Timestamp),
    ) -> Result<BTreeMap<SeriesKey, Tickets>, HistoryProblem> {
        self.ask()?;
        self.asked.borrow_mut().push((from, to));
        let of = |windows: &Tickets| windows.range(from..to).map(|(at, n)| (*at, *n)).collect();
        let all = self.windows.iter().map(|(series, windows)| (series.clone(), of(windows)));
        Ok(all.filter(|(_, windows): &(_, Tickets)| !windows.is_empty()).collect())
    }
}

fn series(text: &str) -> SeriesKey {
    SeriesKey::parse(text).expect("a series")
}

/// A window, counted from 2026-01-05T00:00:00Z.
fn at(window: i64) -> Timestamp {
    Timestamp::from_secs(1_767_571_200 + 900 * window)
}

/// A start at 10:07 on the second day.
fn restoring() -> Restoring {
    let now = at(96 + 40) + Duration::from_secs(7 * 60);
    Restoring { width: WIDTH, series_max: 10, begun_at: now, now, watch: Stopwatch::start() }
}

fn opened(folder: &TempDir) -> Store {
    Store::open(folder.path(), WIDTH).expect("a store")
}

/// Each window as its tickets: `-` if these are missing.
fn shown(store: &Store, key: &SeriesKey) -> String {
    let key = AggregationKey::Tickets(key.clone());
    let windows = store.reader().expect("a reader").windows(&key, at(-9_000), at(9_000));
    let shown = windows.expect("windows").into_iter().map(|(start, record)| {
        assert!(record.settled && (record.missing || !record.was_finalized()));
        let n = WIDTH.index(start) - WIDTH.index(at(0));
        match record.missing {
            true => format!("{n}:-"),
            false => format!("{n}:{}", record.counts.tickets),
        }
    });
    shown.collect::<Vec<_>>().join(" ")
}

fn windows(rows: &[(i64, u32)]) -> Tickets {
    rows.iter().map(|(window, tickets)| (at(*window), *tickets)).collect()
}

/// Two series: the second one is younger, and missing in a window.
fn bucket() -> (Bucket, [SeriesKey; 2]) {
    let [a, b] = ["north/tv/phone", "华南/宽带, 1 Gb/电话"].map(series);
    let rows = BTreeMap::from([
        (a.clone(), windows(&[(93, 4), (94, 0), (95, 6), (96, 300), (97, 8), (98, 9)])),
        (b.clone(), windows(&[(94, 1), (96, 2), (97, 0), (98, 1)])),
    ]);
    let open = BTreeSet::from([at(98)]);
    (Bucket { windows: rows, open, ..Bucket::default() }, [a, b])
}

#[test]
fn finalized_windows_are_restored_once() {
    let folder = TempDir::new().expect("a folder");
    let mut store = opened(&folder);
    let (bucket, [a, b]) = bucket();
    let now = restoring().now;
    assert_eq!(attempt(&store, now).expect("reads"), Attempt::First);
    let restored = restoring().run(&bucket, &mut store).expect("restored");
    let span = Some((at(93), at(98)));
    assert_eq!(restored, RestoredWindows { windows: 8, series: 2, span });
    assert_eq!(shown(&store, &a), "93:4 94:0 95:6 96:300 97:8");
    assert_eq!(shown(&store, &b), "94:1 95:- 96:2 97:0");
    assert_eq!(attempt(&store, now).expect("reads"), Attempt::None(8));
    let asked = bucket.asked.borrow();
    assert_eq!(asked.last().map(|span| span.1), Some(at(136)));
    assert!(asked.windows(2).all(|two| two[0].1 == two[1].0), "without gaps");
    assert!(asked.iter().all(|(from, to)| to.since(*from) <= DAY));
    let reader = store.reader().expect("a reader");
    assert!(reader.changes(0, 10).expect("changes").is_empty(), "sinks write nothing");
}

#[test]
fn half_a_history_is_none() {
    let folder = TempDir::new().expect("a folder");
    let mut store = opened(&folder);
    let (bucket, [a, _]) = bucket();
    let now = restoring().now;
    // 64 days are asked for. The windows are in the last two.
    for queries in [0, 1, 2, 60, 64, 65] {
        bucket.fails_after.set(Some(queries));
        let failed = restoring().run(&bucket, &mut store);
        assert!(matches!(failed, Err(Problem::History(_))), "{queries}: {failed:?}");
        assert_eq!(shown(&store, &a), "", "{queries}");
        assert!(!store.reader().expect("a reader").has_windows().expect("reads"));
        put(&mut store, WarmStart { begun_at: now, restored: None }).expect("stored");
    }
    assert_eq!(attempt(&store, now + DAY).expect("reads"), Attempt::Again(now));
    assert_eq!(attempt(&store, now + 64 * DAY).expect("reads"), Attempt::None(0));
    bucket.fails_after.set(None);
    restoring().run(&bucket, &mut store).expect("restored");
    assert_eq!(shown(&store, &a), "93:4 94:0 95:6 96:300 97:8");
}

#[test]
fn an_empty_bucket_is_not_asked_again() {
    let folder = TempDir::new().expect("a folder");
    let mut store = opened(&folder);
    let restored = restoring().run(&Bucket::default(), &mut store).expect("restored");
    assert_eq!(restored, RestoredWindows { windows: 0, series: 0, span: None });
    assert_eq!(attempt(&store, restoring().now).expect("reads"), Attempt::None(0));
}

#[test]
fn a_store_with_windows_is_not_filled() {
    let folder = TempDir::new().expect("a folder");
    let mut store = opened(&folder);
    let mut tx = store.begin().expect("a transaction");
    let key = AggregationKey::Tickets(series("north/tv/phone"));
    tx.put_windows(&[(key, at(0), Default::default())]).expect("stored");
    tx.commit().expect("stored");
    assert_eq!(attempt(&store, at(136)).expect("reads"), Attempt::None(0));
}

#[test]
fn windows_of_another_width_are_refused() {
    let (bucket, _) = bucket();
    for minutes in [5, 30] {
        let folder = TempDir::new().expect("a folder");
        let width = WindowWidth::new(Duration::from_secs(minutes * 60)).expect("a width");
        let mut store = Store::open(folder.path(), width).expect("a store");
        let refused = Restoring { width, ..restoring() }.run(&bucket, &mut store);
        assert!(
            matches!(refused, Err(Problem::Width(found)) if u64::from(found) == minutes),
            "{refused:?}"
        );
    }
}

#[test]
fn beyond_the_limit_the_series_with_the_newest_windows_are_restored() {
    let folder = TempDir::new().expect("a folder");
    let mut store = opened(&folder);
    let rows =
        [("a/tv/phone", 90), ("b/tv/phone", 97), ("c/tv/phone", 95), ("_other/tv/phone", 80)];
    let rows = rows.map(|(name, last)| (series(name), windows(&[(last - 1, 1), (last, 2)])));
    let bucket = Bucket { windows: rows.into_iter().collect(), ..Bucket::default() };
    let limited = Restoring { series_max: 2, ..restoring() };
    let restored = limited.run(&bucket, &mut store).expect("restored");
    assert_eq!(restored.series, 3);
    assert_eq!(shown(&store, &series("a/tv/phone")), "");
    assert_eq!(shown(&store, &series("b/tv/phone")), "96:1 97:2");
    assert_ne!(shown(&store, &series("_other/tv/phone")), "");
}
