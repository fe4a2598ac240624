//! Properties: a merge is independent of order and repetition; crashes and replays change no count.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::domain::{
    Brief, Event, Name, Offset, SeriesKey, SourceId, TicketAction, TicketEvent, Timestamp,
    WindowWidth,
};

const WIDTH: WindowWidth = WindowWidth::QUARTER;
const LATENESS: Duration = Duration::from_secs(600);

fn series(n: u8) -> SeriesKey {
    let name = |text: &str| Name::new(text).expect("valid name");
    SeriesKey::new(name(["north", "south"][usize::from(n % 2)]), name("tv"), name("phone"))
}

/// One record of a log.
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
        customer: None,
        text: None,
        news: None,
    })
}

fn config() -> AggregatorConfig {
    AggregatorConfig {
        width: WIDTH,
        lateness: LATENESS,
        max_future_skew: None,
        names_max: AggregatorConfig::NAMES,
    }
}

/// A log whose event times move forward; some are far behind, some ids occur twice.
fn log() -> impl Strategy<Value = Vec<Record>> {
    prop::collection::vec((0i64..240, -2000i64..400, 0u16..60, 0u8..2), 1..120).prop_map(|steps| {
        let mut clock = 0;
        steps
            .into_iter()
            .map(|(step, jitter, id, series)| {
                clock += step;
                // Producers guarantee that an id belongs to one event.
                Record { at_s: (clock + jitter).max(0), id, series }
            })
            .collect()
    })
}

type Totals = BTreeMap<(Timestamp, AggregationKey), Counts>;

/// Counts a log at once: the result that every schedule must reach.
fn batch(log: &[Record]) -> (Totals, usize) {
    let mut aggregator = Aggregator::new(config());
    let mut late = 0;
    for (offset, record) in log.iter().enumerate() {
        let outcome = aggregator.observe(offset as Offset, Timestamp::MAX, &event(record));
        late += usize::from(outcome == Outcome::Late);
    }
    let totals = aggregator.changed().into_iter().map(|p| ((p.window, p.key), p.counts)).collect();
    (totals, late)
}

fn merge_config() -> MergeConfig {
    MergeConfig {
        width: WIDTH,
        lateness: LATENESS,
        source_timeout: Duration::from_secs(3600),
        series_max: 100,
    }
}

fn merge() -> Merge {
    Merge::restore(merge_config(), MergeState::default(), &|_, _| Counts::default())
}

fn totals_of(merge: &Merge) -> Totals {
    let mut totals = Totals::new();
    for window in merge.windows() {
        for (key, counts) in merge.totals(window) {
            totals.insert((window, key), counts);
        }
    }
    totals
}

/// Partials of the logs in pieces, as they would be sent.
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
    fn a_merge_is_independent_of_order_and_repetition(
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
        // Any order with any repetition, then everything once more in reverse.
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
        let mut durable = CommitPoint::start(0);
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
                // The process sends, perhaps commits, and dies.
                merged.apply(&source, aggregator.changed(), &|_, _| Counts::default());
                if commits {
                    durable = aggregator.commit_point();
                    aggregator.committed(&durable);
                }
                offset = durable.resume_at as usize;
                aggregator = Aggregator::resume(config(), durable.clone());
                (until, commits) = plan.next().unwrap_or((usize::MAX, true));
            }
        }
        merged.apply(&source, aggregator.changed(), &|_, _| Counts::default());
        prop_assert_eq!(totals_of(&merged), truth);
        prop_assert_eq!(late.len(), truly_late);
    }

    #[test]
    fn arrivals_found_in_changes_are_replayed_as_they_were_counted(
        log in log(),
        // Days that a record is ahead, and how long before it its ticket was created.
        changes in prop::collection::vec((0i64..4, 0i64..2000), 120),
        crash in 1usize..120,
        commit in 1usize..120,
    ) {
        let take = |aggregator: &mut Aggregator, offset: usize| {
            let ((days, before), record) = (changes[offset], &log[offset]);
            let ahead = if offset.is_multiple_of(4) { days * 100_000 } else { 0 };
            let arrival = Record { at_s: (record.at_s + ahead - before).max(0), ..record.clone() };
            if days % 2 == 0 {
                aggregator.observe(offset as Offset, Timestamp::MAX, &event(&arrival));
                return;
            }
            let mut change = event(&Record { at_s: record.at_s + ahead, ..record.clone() });
            if let Event::Ticket(change) = &mut change {
                change.action = TicketAction::Update;
                change.event_id = format!("c{offset}").into();
            }
            let (offset, arrival) = (offset as Offset, event(&arrival));
            let (arrival, change) = (Brief::from(&arrival), Brief::from(&change));
            let replayed = aggregator.begin(offset);
            aggregator.arrive(replayed, offset, Timestamp::MAX, &arrival, &change);
            aggregator.decide(replayed, offset, Timestamp::MAX, &change);
        };
        let source = SourceId::new("t", 0);
        let (mut straight, mut crashed) = (merge(), merge());
        let mut aggregator = Aggregator::new(config());
        (0..log.len()).for_each(|offset| take(&mut aggregator, offset));
        straight.apply(&source, aggregator.changed(), &|_, _| Counts::default());
        let (crash, mut durable) = (crash.min(log.len()), CommitPoint::start(0));
        let mut aggregator = Aggregator::new(config());
        for offset in 0..crash {
            take(&mut aggregator, offset);
            if offset + 1 == commit {
                crashed.apply(&source, aggregator.changed(), &|_, _| Counts::default());
                durable = aggregator.commit_point();
                aggregator.committed(&durable);
            }
        }
        let from = durable.resume_at as usize;
        let mut aggregator = Aggregator::resume(config(), durable);
        (from..log.len()).for_each(|offset| take(&mut aggregator, offset));
        crashed.apply(&source, aggregator.changed(), &|_, _| Counts::default());
        prop_assert_eq!(totals_of(&crashed), totals_of(&straight));
    }

    #[test]
    fn finalized_windows_are_final_and_survive_a_restart(
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
        let mut aggregators: Vec<_> = sources.iter().map(|_| Aggregator::new(config())).collect();
        let longest = logs.iter().map(Vec::len).max().unwrap_or(0);
        let cut = cut.index(longest);
        for step in 0..longest {
            for (n, source) in sources.iter().enumerate() {
                let Some(record) = logs[n].get(step) else { continue };
                aggregators[n].observe(step as Offset, Timestamp::MAX, &event(record));
                if step % every != 0 {
                    continue;
                }
                let known = finalized.clone();
                merged.apply(source, aggregators[n].changed(), &|key, window| {
                    known.get(&(window, key.clone())).copied().unwrap_or_default()
                });
                let frontier = Frontier { closed: aggregators[n].closed(), caught_up_at: None };
                merged.note(source, frontier, Timestamp::MAX);
                while let Some(window) = merged.finalize(Timestamp::MAX) {
                    prop_assert!(!window.missing);
                    finalized.extend(window.counts.into_iter().map(|(c, n)| ((window.window, c), n)));
                }
                for revised in merged.revisions() {
                    finalized.extend(revised.counts.into_iter().map(|(c, n)| ((revised.window, c), n)));
                }
                merged.collapse();
            }
            if step == cut {
                let state = merged.state();
                let known = finalized.clone();
                merged = Merge::restore(merge_config(), state, &|key, window| {
                    known.get(&(window, key.clone())).copied().unwrap_or_default()
                });
            }
        }
        for (n, source) in sources.iter().enumerate() {
            let known = finalized.clone();
            merged.apply(source, aggregators[n].changed(), &|key, window| {
                known.get(&(window, key.clone())).copied().unwrap_or_default()
            });
        }
        for revised in merged.revisions() {
            finalized.extend(revised.counts.into_iter().map(|(c, n)| ((revised.window, c), n)));
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
fn late_future_and_duplicate_events_are_distinguished() {
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
    // Far ahead of its append time: it closes no window.
    assert_eq!(see(&mut aggregator, record(9000, 2), at(12)), Outcome::Future);
    assert_eq!(see(&mut aggregator, record(20, 3), at(20)), Outcome::Counted);
    // At minute 25 the first window closes; 24:59 does not close it.
    assert_eq!(see(&mut aggregator, record(1499, 4), at(1499)), Outcome::Counted);
    assert_eq!(see(&mut aggregator, record(21, 5), at(1499)), Outcome::Counted);
    assert_eq!(see(&mut aggregator, record(1500, 6), at(1500)), Outcome::Counted);
    assert_eq!(see(&mut aggregator, record(22, 7), at(1500)), Outcome::Late);
    assert_eq!(aggregator.commit_point().resume_at, 4);
}

#[test]
fn a_quiet_source_delays_nothing_and_a_silent_one_makes_windows_missing() {
    let at = |s: i64| Timestamp::from_secs(1_767_225_600 + s);
    let (busy, quiet) = (SourceId::new("busy", 0), SourceId::new("quiet", 0));
    let mut merged = merge();
    merged.expect(busy.clone(), at(0));
    merged.expect(quiet.clone(), at(0));
    let key = AggregationKey::Tickets(series(0));
    let counts = Counts { tickets: 3, ..Counts::default() };
    let none = |_: &AggregationKey, _: Timestamp| Counts::default();
    merged.apply(&busy, vec![Partial { window: at(0), key: key.clone(), counts, upto: 9 }], &none);
    merged.note(&busy, Frontier { closed: at(1800), caught_up_at: None }, at(2400));
    assert_eq!(merged.finalize(at(2400)), None);
    let frontier = Frontier { closed: at(-9_000_000), caught_up_at: Some(at(1500)) };
    merged.note(&quiet, frontier, at(2400));
    let finalized = merged.finalize(at(2400)).expect("both agree");
    assert_eq!((finalized.window, finalized.missing, finalized.counts.len()), (at(0), false, 1));
    assert_eq!(merged.finalize(at(2400)), None, "the second window still waits for the quiet one");
    let much_later = at(2400 + 3601);
    merged.note(&busy, Frontier { closed: at(3600), caught_up_at: None }, much_later);
    assert!(merged.finalize(much_later).expect("timed out").missing);
    // The quiet source reports a count of the first window: a revision.
    merged.apply(
        &quiet,
        vec![Partial { window: at(0), key: key.clone(), counts, upto: 1 }],
        &|_, _| counts,
    );
    let revised = merged.revisions();
    assert_eq!(revised[0].counts, [(key, counts.plus(counts))]);
    assert!(revised[0].revised);
}

#[test]
fn open_windows_are_known_up_to_the_slowest_source_that_counts_in_them() {
    let (mut merged, at) =
        (merge(), |minutes: i64| WIDTH.start(4) + Duration::from_secs(60) * minutes as u32);
    let [a, b, idle] = ["a", "b", "idle"].map(|name| SourceId::new(name, 0));
    let mut report = |source: &SourceId, window: i64, upto: Offset, minutes: Option<i64>, now| {
        let counts = Counts { tickets: 3, ..Counts::default() };
        let key = AggregationKey::Tickets(series(0));
        let partial = Partial { window: WIDTH.start(window), key, counts, upto };
        let partials = if upto > 0 { vec![partial] } else { vec![] };
        merged.apply(source, partials, &|_, _| Counts::default());
        let frontier = Frontier { closed: WIDTH.start(window), caught_up_at: minutes.map(at) };
        merged.note(source, frontier, at(now));
        while merged.finalize(at(now)).is_some() {}
        merged.known_upto()
    };
    assert_eq!(report(&a, 3, 1, Some(10), 10), None, "no count of the open window yet");
    assert_eq!(report(&idle, 4, 0, Some(2), 10), None);
    assert_eq!(report(&a, 4, 2, Some(11), 11), Some(at(11)));
    assert_eq!(report(&b, 4, 1, None, 11), None, "b has not caught up");
    assert_eq!(report(&b, 4, 2, Some(9), 12), Some(at(9)));
}

/// A ticket of a region of its own.
fn of_region(id: i64, region: &str, at_s: i64) -> Event {
    let name = |text: &str| Name::new(text).expect("valid name");
    Event::Ticket(TicketEvent {
        event_id: id.to_string().into(),
        action: TicketAction::Create,
        ts: Timestamp::from_secs(1_767_225_600 + at_s),
        series: SeriesKey::new(name(region), name("tv"), name("phone")),
        priority: None,
        tier: None,
        customer: None,
        text: None,
        news: None,
    })
}

#[test]
fn a_window_of_a_source_has_a_limit_of_names() {
    let limited = AggregatorConfig { names_max: 3, ..config() };
    let count = |mut aggregator: Aggregator, from: Offset| {
        for n in from..40 {
            let region = if n % 10 == 9 { "r1".to_owned() } else { format!("r{n}") };
            aggregator.observe(n, Timestamp::MAX, &of_region(n, &region, n));
        }
        let partials = aggregator.changed();
        let named = partials.iter().map(|p| (p.key.to_string(), p.counts.tickets));
        (named.collect::<Vec<_>>(), aggregator.keys_held())
    };
    let (counts, held) = count(Aggregator::new(limited), 0);
    let expected =
        [("_other/tv/phone", 33), ("r0/tv/phone", 1), ("r1/tv/phone", 5), ("r2/tv/phone", 1)];
    let expected = expected.map(|(series, n)| (format!("tickets {series}"), n));
    assert_eq!(counts, expected);
    assert_eq!(held, 4, "refused names take no memory");
    // A replay counts the same.
    let point =
        CommitPoint { closed: Timestamp::from_secs(0), decided_upto: 39, ..CommitPoint::start(0) };
    assert_eq!(count(Aggregator::resume(limited, point), 0).0, expected);
}

#[test]
fn a_merge_counts_names_beyond_the_limit_under_other() {
    let nothing = |_: &AggregationKey, _: Timestamp| Counts::default();
    let source = SourceId::new("t", 0);
    let config = MergeConfig { series_max: 2, ..merge_config() };
    let mut merge = Merge::restore(config, MergeState::default(), &nothing);
    let mut aggregator = Aggregator::new(self::config());
    let mut send = |merge: &mut Merge, ids: std::ops::Range<i64>, regions: i64| {
        for id in ids {
            let region = format!("r{}", id % regions);
            aggregator.observe(id, Timestamp::MAX, &of_region(id, &region, 5));
        }
        merge.apply(&source, aggregator.changed(), &nothing)
    };
    let shown = |merge: &Merge| -> Vec<(String, u32)> {
        let totals = merge.windows().flat_map(|window| merge.totals(window));
        totals.map(|(key, counts)| (key.to_string(), counts.tickets)).collect()
    };
    let named = |counts: [(&str, u32); 3]| {
        counts.map(|(series, n)| (format!("tickets {series}/tv/phone"), n))
    };
    let applied = send(&mut merge, 0..10, 5);
    assert_eq!((applied.partials.len(), applied.folded.len()), (3, 3));
    assert_eq!(shown(&merge), named([("_other", 6), ("r0", 2), ("r1", 2)]));
    // Partials are cumulative, also after a restart.
    let mut merge = Merge::restore(config, merge.state(), &nothing);
    send(&mut merge, 10..20, 5);
    assert_eq!(shown(&merge), named([("_other", 12), ("r0", 4), ("r1", 4)]));
    let tally = merge.take_beyond();
    assert_eq!(tally.events.into_iter().collect::<Vec<_>>(), [(Beyond::Series, 6)]);
    // A replay changes nothing.
    let mut again = Aggregator::new(self::config());
    for id in 0..20 {
        again.observe(id, Timestamp::MAX, &of_region(id, &format!("r{}", id % 5), 5));
        let applied = merge.apply(&source, again.changed(), &nothing);
        assert_eq!(applied, Applied::default(), "{id}");
    }
    // A lower limit: stored names beyond it are counted under `_other` from now on.
    let mut state = merge.state();
    state.names = Names::default();
    let config = MergeConfig { series_max: 1, ..config };
    let mut merge = Merge::restore(config, state.clone(), &nothing);
    let other = [("_other", 16), ("r0", 4)];
    let other = other.map(|(series, n)| (format!("tickets {series}/tv/phone"), n));
    assert_eq!(shown(&merge), other);
    let refolded = merge.take_refolded();
    let stored: Vec<u32> = refolded.partials.values().map(|sum| sum.counts.tickets).collect();
    assert_eq!((stored, refolded.folded.len(), refolded.removed.len()), (vec![16], 1, 1));
    // If that was stored without the removal, the next restart counts it once all the same.
    state.folded.extend(refolded.folded);
    for (_, key, _, part) in &mut state.parts {
        if key.is_other() {
            part.counts.tickets = 16;
        }
    }
    assert_eq!(shown(&Merge::restore(config, state, &nothing)), other);
}
