//! Laws: a merge does not care for order or repetition; crashes and replays change no count.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::domain::{
    Event, Name, Offset, SeriesKey, SourceId, TicketAction, TicketEvent, Timestamp, WindowWidth,
};

const WIDTH: WindowWidth = WindowWidth::QUARTER;
const LATENESS: Duration = Duration::from_secs(600);

fn series(n: u8) -> SeriesKey {
    let name = |text: &str| Name::new(text).expect("valid name");
    SeriesKey::new(name(["north", "south"][usize::from(n % 2)]), name("tv"), name("phone"))
}

/// One record of a log: event time in seconds, id, series, and how long after it was appended.
#[derive(Clone, Debug)]
struct Record {
    at_s: i64,
    id: u16,
    series: u8,
}

fn event(record: &Record) -> Event {
    Event::Ticket(TicketEvent {
        event_id: record.id.to_string().into(),
        action: TicketAction::Create,
        ts: Timestamp::from_secs(1_767_225_600 + record.at_s),
        series: series(record.series),
        priority: None,
        tier: None,
        text: None,
    })
}

fn config() -> AggregatorConfig {
    AggregatorConfig { width: WIDTH, lateness: LATENESS, max_future_skew: None }
}

/// A log whose event times wander forward, some far behind, some repeated.
fn log() -> impl Strategy<Value = Vec<Record>> {
    prop::collection::vec((0i64..240, -2000i64..400, 0u16..60, 0u8..2), 1..120).prop_map(|steps| {
        let mut clock = 0;
        steps
            .into_iter()
            .map(|(step, jitter, id, series)| {
                clock += step;
                // The same id always means the same event, as producers promise.
                Record { at_s: (clock + jitter).max(0), id, series }
            })
            .collect()
    })
}

type Totals = BTreeMap<(Timestamp, AggregationKey), Counts>;

/// Counts a log in one go: the truth that every schedule must reach.
fn batch(log: &[Record]) -> (Totals, usize) {
    let mut aggregator = Aggregator::new(config());
    let mut late = 0;
    for (offset, record) in log.iter().enumerate() {
        let outcome = aggregator.observe(offset as Offset, Timestamp::MAX, &event(record));
        late += usize::from(outcome == Outcome::Late);
    }
    let totals = aggregator.changed().into_iter().map(|p| ((p.window, p.cell), p.counts)).collect();
    (totals, late)
}

fn merge_config() -> MergeConfig {
    MergeConfig { width: WIDTH, lateness: LATENESS, source_timeout: Duration::from_secs(3600) }
}

fn merge() -> Merge {
    Merge::restore(merge_config(), MergeState::default(), &|_, _| Counts::default())
}

fn totals_of(merge: &Merge) -> Totals {
    let mut totals = Totals::new();
    for window in merge.windows() {
        for (cell, counts) in merge.totals(window) {
            totals.insert((window, cell), counts);
        }
    }
    totals
}

/// Partials of two sources in pieces, as they would be sent.
fn pieces(logs: &[Vec<Record>], every: usize) -> Vec<(SourceId, Vec<Partial>)> {
    let mut sent = Vec::new();
    for (n, log) in logs.iter().enumerate() {
        let source = SourceId::new("t", n as i32);
        let mut aggregator = Aggregator::new(config());
        for (offset, record) in log.iter().enumerate() {
            aggregator.observe(offset as Offset, Timestamp::MAX, &event(record));
            if offset % every == 0 {
                sent.push((source.clone(), aggregator.changed()));
            }
        }
        sent.push((source, aggregator.changed()));
    }
    sent
}

proptest! {
    #[test]
    fn a_merge_does_not_care_for_order_or_repetition(
        logs in prop::collection::vec(log(), 1..3),
        every in 1usize..20,
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..200),
    ) {
        let sent = pieces(&logs, every);
        let mut straight = merge();
        for (source, partials) in &sent {
            straight.apply(source, partials.clone(), &|_, _| Counts::default());
        }
        let mut shuffled = merge();
        // Any order with any repetition, then everything once more backwards.
        let picks = order.iter().map(|i| i.get(&sent)).chain(sent.iter().rev());
        for (source, partials) in picks {
            shuffled.apply(source, partials.clone(), &|_, _| Counts::default());
        }
        prop_assert_eq!(totals_of(&straight), totals_of(&shuffled));
    }

    #[test]
    fn crashes_and_replays_equal_a_batch_count(
        log in log(),
        crashes in prop::collection::vec((1usize..40, any::<bool>()), 0..8),
    ) {
        let (truth, truly_late) = batch(&log);
        let source = SourceId::new("t", 0);
        let mut merged = merge();
        let mut late = std::collections::BTreeSet::new();
        let mut aggregator = Aggregator::new(config());
        let mut durable = CommitPoint {
            resume_at: 0,
            closed: Timestamp::from_millis(i64::MIN / 4),
            decided_upto: -1,
        };
        let mut offset = 0usize;
        let mut plan = crashes.into_iter();
        let (mut until, mut commits) = plan.next().unwrap_or((usize::MAX, true));
        while offset < log.len() {
            let outcome = aggregator.observe(offset as Offset, Timestamp::MAX, &event(&log[offset]));
            if outcome == Outcome::Late {
                late.insert(offset);
            }
            offset += 1;
            until -= 1;
            if until == 0 {
                // Sent, and perhaps committed; then the process dies.
                merged.apply(&source, aggregator.changed(), &|_, _| Counts::default());
                if commits {
                    durable = aggregator.commit_point();
                    aggregator.committed(&durable);
                }
                aggregator = Aggregator::resume(config(), durable);
                offset = durable.resume_at as usize;
                (until, commits) = plan.next().unwrap_or((usize::MAX, true));
            }
        }
        merged.apply(&source, aggregator.changed(), &|_, _| Counts::default());
        prop_assert_eq!(totals_of(&merged), truth);
        prop_assert_eq!(late.len(), truly_late);
    }

    #[test]
    fn settled_windows_are_final_and_survive_a_restart(
        logs in prop::collection::vec(log(), 2..3),
        every in 1usize..20,
        cut in any::<prop::sample::Index>(),
    ) {
        let mut finalized: Totals = Totals::new();
        let mut merged = merge();
        let sources: Vec<_> = (0..2).map(|n| SourceId::new("t", n)).collect();
        for source in &sources {
            merged.expect(source.clone(), Timestamp::MAX);
        }
        let mut folds: Vec<_> = sources.iter().map(|_| Aggregator::new(config())).collect();
        let longest = logs.iter().map(Vec::len).max().unwrap_or(0);
        let cut = cut.index(longest);
        for step in 0..longest {
            for (n, source) in sources.iter().enumerate() {
                let Some(record) = logs[n].get(step) else { continue };
                folds[n].observe(step as Offset, Timestamp::MAX, &event(record));
                if step % every != 0 {
                    continue;
                }
                let known = finalized.clone();
                merged.apply(source, folds[n].changed(), &|cell, window| {
                    known.get(&(window, cell.clone())).copied().unwrap_or_default()
                });
                let frontier = Frontier { closed: folds[n].closed(), caught_up_at: None };
                merged.note(source, frontier, Timestamp::MAX);
                while let Some(window) = merged.finalize(Timestamp::MAX) {
                    prop_assert!(!window.missing);
                    finalized.extend(window.cells.into_iter().map(|(c, n)| ((window.window, c), n)));
                }
                for revised in merged.revisions() {
                    finalized.extend(revised.cells.into_iter().map(|(c, n)| ((revised.window, c), n)));
                }
                merged.collapse();
            }
            if step == cut {
                let state = merged.state();
                let known = finalized.clone();
                merged = Merge::restore(merge_config(), state, &|cell, window| {
                    known.get(&(window, cell.clone())).copied().unwrap_or_default()
                });
            }
        }
        for (n, source) in sources.iter().enumerate() {
            let known = finalized.clone();
            merged.apply(source, folds[n].changed(), &|cell, window| {
                known.get(&(window, cell.clone())).copied().unwrap_or_default()
            });
        }
        for revised in merged.revisions() {
            finalized.extend(revised.cells.into_iter().map(|(c, n)| ((revised.window, c), n)));
        }
        finalized.extend(totals_of(&merged));
        let mut truth = Totals::new();
        for log in &logs {
            for (key, counts) in batch(log).0 {
                let sum = truth.entry(key).or_default();
                *sum = sum.plus(counts);
            }
        }
        prop_assert_eq!(finalized, truth);
    }
}

#[test]
fn late_future_and_duplicate_are_told_apart() {
    let mut aggregator = Aggregator::new(AggregatorConfig {
        max_future_skew: Some(Duration::from_secs(300)),
        ..config()
    });
    let at = |s: i64| Timestamp::from_secs(1_767_225_600 + s);
    let record = |at_s, id| event(&Record { at_s, id, series: 0 });
    let mut offset = -1;
    let mut see = |aggregator: &mut Aggregator, event: Event, appended: Timestamp| {
        offset += 1;
        aggregator.observe(offset, appended, &event)
    };
    assert_eq!(see(&mut aggregator, record(10, 1), at(10)), Outcome::Counted);
    assert_eq!(see(&mut aggregator, record(10, 1), at(11)), Outcome::Duplicate);
    // Far ahead of its append time: moves nothing.
    assert_eq!(see(&mut aggregator, record(9000, 2), at(12)), Outcome::Future);
    assert_eq!(see(&mut aggregator, record(20, 3), at(20)), Outcome::Counted);
    // 25 minutes on, the first window closes; 24:59 would not have closed it.
    assert_eq!(see(&mut aggregator, record(1499, 4), at(1499)), Outcome::Counted);
    assert_eq!(see(&mut aggregator, record(21, 5), at(1499)), Outcome::Counted);
    assert_eq!(see(&mut aggregator, record(1500, 6), at(1500)), Outcome::Counted);
    assert_eq!(see(&mut aggregator, record(22, 7), at(1500)), Outcome::Late);
    assert_eq!(aggregator.commit_point().resume_at, 4);
}

#[test]
fn a_quiet_source_holds_nothing_back_and_a_silent_one_means_missing() {
    let at = |s: i64| Timestamp::from_secs(1_767_225_600 + s);
    let (busy, quiet) = (SourceId::new("busy", 0), SourceId::new("quiet", 0));
    let mut merged = merge();
    merged.expect(busy.clone(), at(0));
    merged.expect(quiet.clone(), at(0));
    let cell = AggregationKey::Tickets(series(0));
    let counts = Counts { tickets: 3, ..Counts::default() };
    let none = |_: &AggregationKey, _: Timestamp| Counts::default();
    merged.apply(
        &busy,
        vec![Partial { window: at(0), cell: cell.clone(), counts, upto: 9 }],
        &none,
    );
    merged.note(&busy, Frontier { closed: at(1800), caught_up_at: None }, at(2400));
    assert_eq!(merged.finalize(at(2400)), None);
    let said = Frontier { closed: at(-9_000_000), caught_up_at: Some(at(1500)) };
    merged.note(&quiet, said, at(2400));
    let finalized = merged.finalize(at(2400)).expect("both agree");
    assert_eq!((finalized.window, finalized.missing, finalized.cells.len()), (at(0), false, 1));
    assert_eq!(merged.finalize(at(2400)), None, "the second window still waits for the quiet one");
    let much_later = at(2400 + 3601);
    merged.note(&busy, Frontier { closed: at(3600), caught_up_at: None }, much_later);
    assert!(merged.finalize(much_later).expect("timed out").missing);
    // The quiet source wakes up with something for the first window: a revision.
    merged.apply(
        &quiet,
        vec![Partial { window: at(0), cell: cell.clone(), counts, upto: 1 }],
        &|_, _| counts,
    );
    let revised = merged.revisions();
    assert_eq!(revised[0].cells, [(cell, counts.plus(counts))]);
    assert!(revised[0].revised);
}

#[test]
fn open_windows_are_known_as_far_as_the_slowest_that_counts_in_them() {
    let (mut merged, at) =
        (merge(), |minutes: i64| WIDTH.start(4) + Duration::from_secs(60) * minutes as u32);
    let [a, b, idle] = ["a", "b", "idle"].map(|name| SourceId::new(name, 0));
    let mut say = |source: &SourceId, window: i64, upto: Offset, minutes: Option<i64>, now| {
        let counts = Counts { tickets: 3, ..Counts::default() };
        let cell = AggregationKey::Tickets(series(0));
        let partial = Partial { window: WIDTH.start(window), cell, counts, upto };
        let partials = if upto > 0 { vec![partial] } else { vec![] };
        merged.apply(source, partials, &|_, _| Counts::default());
        let frontier = Frontier { closed: WIDTH.start(window), caught_up_at: minutes.map(at) };
        merged.note(source, frontier, at(now));
        while merged.finalize(at(now)).is_some() {}
        merged.known_upto()
    };
    assert_eq!(say(&a, 3, 1, Some(10), 10), None, "nothing has come of the open window");
    assert_eq!(say(&idle, 4, 0, Some(2), 10), None);
    assert_eq!(say(&a, 4, 2, Some(11), 11), Some(at(11)));
    assert_eq!(say(&b, 4, 1, None, 11), None, "b has not read everything there is");
    assert_eq!(say(&b, 4, 2, Some(9), 12), Some(at(9)));
}
