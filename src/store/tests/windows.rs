//! Finalized windows in chunks, open windows, roll-ups, topics.

use super::*;

#[test]
fn windows_keep_their_slots_for_every_width() {
    for minutes in [5, 10, 15, 30, 60] {
        let width = WindowWidth::new(Duration::from_secs(minutes * 60)).expect("a width");
        let dir = TempDir::new().expect("directory");
        let mut store = Store::open(dir.path(), width).expect("opens");
        let first = width.index(at(-2 * HOUR));
        let n = 26 * 3600 / i64::from(width.secs());
        let row = |i: i64| (phone(), width.start(first + i), finalized(i as u32));
        // From 22:00 to the midnight after the next, in two transactions that share a day.
        let rows: Vec<_> = (0..n).map(row).collect();
        let (one, two) = rows.split_at(rows.len() / 3);
        put(&mut store, |tx| tx.put_windows(one));
        put(&mut store, |tx| tx.put_windows(two));
        let revised = WindowRecord { revised: true, ..finalized(99) };
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
        reader.each_key(at(0), |_, windows| seen.extend_from_slice(windows)).expect("reads");
        assert_eq!(seen, want.into_iter().filter(|row| row.0 >= at(0)).collect::<Vec<_>>());
    }
}

#[test]
fn a_transaction_with_more_chunks_than_fit_in_memory_is_complete() {
    let dir = TempDir::new().expect("directory");
    let mut store = open(&dir);
    let start = |i: i64| at(i * DAY + i % 2 * HOUR);
    let rows: Vec<_> = (0..2500).map(|i| (phone(), start(i), finalized(i as u32))).collect();
    put(&mut store, |tx| {
        tx.put_windows(&rows)?;
        tx.put_windows(&[(phone(), start(3), finalized(5))])
    });
    let found = reader(&store).windows(&phone(), at(0), at(3000 * DAY)).expect("reads");
    assert_eq!(found.len(), 2500);
    assert_eq!(found[3], (start(3), finalized(5)));
}

#[test]
fn open_windows_are_summed_from_partials_until_they_are_final() {
    let dir = TempDir::new().expect("directory");
    let mut store = open(&dir);
    let partial = |partition: i32, tickets: u32, upto: i64| PartialRecord {
        window: at(0),
        key: phone(),
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
        tx.put_windows(&[(phone(), at(0), finalized(10))])?;
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
        AggregationKey::Alarms(Scope { region: name("north"), service: name(service) })
    };
    let raised = |n| WindowRecord {
        counts: Counts { raised: [0, n, 0, 0, 0], ..Counts::default() },
        active: n,
        settled: true,
        ..WindowRecord::default()
    };
    put(&mut store, |tx| {
        tx.put_windows(&[
            (phone(), at(0), finalized(2)),
            (AggregationKey::Tickets(series("chat")), at(0), finalized(3)),
            (alarms("mobile"), at(0), raised(4)),
            (alarms("fixed"), at(0), raised(50)),
            (phone(), at(HOUR), finalized(1)),
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

/// The key of a phrase in north/mobile.
fn phrase(text: &str) -> AggregationKey {
    AggregationKey::Phrase(scope(), text.into())
}

fn with_topics(tickets: u32, topics: [u32; 6]) -> WindowRecord {
    let counts = Counts { tickets, topics, ..Counts::default() };
    WindowRecord { counts, settled: true, ..WindowRecord::default() }
}

#[test]
fn topics_and_phrases_are_summed_by_scope_including_open_windows() {
    let dir = TempDir::new().expect("directory");
    let mut store = open(&dir);
    let open = |key: AggregationKey, partition: i32, counts: Counts| PartialRecord {
        window: at(HOUR),
        key,
        source: SourceId::new("support.tickets", partition),
        counts,
        upto: 9,
    };
    let counts = |tickets| Counts { tickets, topics: [2, 0, 0, 0, 0, 1], ..Counts::default() };
    let partials = [
        open(phone(), 0, counts(3)),
        open(phone(), 1, counts(4)),
        open(phrase("login error"), 0, Counts { tickets: 2, ..Counts::default() }),
        open(phrase("login error"), 1, Counts { tickets: 3, ..Counts::default() }),
    ];
    put(&mut store, |tx| {
        tx.put_partials(&partials)?;
        tx.put_windows(&[
            (phone(), at(0), with_topics(9, [4, 0, 1, 0, 0, 2])),
            (AggregationKey::Tickets(series("chat")), at(0), with_topics(2, [1, 0, 0, 0, 0, 0])),
            (phrase("blue light"), at(0), with_topics(3, [0; 6])),
            (phrase("a red"), at(0), with_topics(3, [0; 6])),
            (phrase("login error"), at(0), with_topics(7, [0; 6])),
        ])
    });
    let reader = reader(&store);
    let found = reader.topics(&Filter::default(), at(0), at(DAY), true).expect("reads");
    let first = &found[&(scope(), at(0))];
    assert_eq!(first.topics, [5, 0, 1, 0, 0, 2]);
    let names: Vec<_> = first.phrases.iter().map(|(name, n)| (&**name, *n)).collect();
    assert_eq!(names, [("login error", 7), ("a red", 3), ("blue light", 3)]);
    let second = &found[&(scope(), at(HOUR))];
    assert_eq!(second.topics, [4, 0, 0, 0, 0, 2]);
    assert_eq!(second.phrases, [("login error".into(), 5)]);
    assert_eq!(reader.partials().expect("reads").len(), 4);
    let mut all = Filter { region: Some(Name::all()), ..Filter::default() };
    let summed = reader.topics(&all, at(0), at(HOUR), false).expect("reads");
    let (key, sum) = summed.first_key_value().expect("a row");
    assert!(key.0.region.is_all() && sum.topics == first.topics && sum.phrases.is_empty());
    all.region = Name::new("south").ok();
    assert!(reader.topics(&all, at(0), at(DAY), true).expect("reads").is_empty());
    // Phrases are in no series, no series' windows and no history.
    assert_eq!(reader.series().expect("reads").len(), 4 + 4 + 4);
    let windows = reader.series_windows(&series("_all"), at(0), at(HOUR)).expect("reads");
    assert_eq!(windows[0].tickets, 11);
    reader.each_key(at(0), |key, _| assert!(!key.is_secondary())).expect("reads");
    let mut seen = Vec::new();
    let each = |_: &Scope, phrase: &str, start, n| seen.push((phrase.to_owned(), start, n));
    reader.each_phrase(at(0), each).expect("reads");
    assert_eq!(seen.len(), 3, "finalized windows only");
}

#[test]
fn phrases_and_their_keys_are_deleted_after_a_month() {
    let dir = TempDir::new().expect("directory");
    let mut store = open(&dir);
    let old = (phrase("old news"), at(0), with_topics(3, [0; 6]));
    let new = (phrase("new words"), at(40 * DAY), with_topics(3, [0; 6]));
    put(&mut store, |tx| tx.put_windows(&[(phone(), at(0), finalized(9)), old, new.clone()]));
    store.prune(at(41 * DAY)).expect("prunes");
    let reader = reader(&store);
    assert_eq!(reader.keys().expect("reads"), [phone(), new.0]);
    assert_eq!(reader.windows(&phone(), at(0), at(DAY)).expect("reads").len(), 1);
    // The deleted key's id is not used again.
    put(&mut store, |tx| {
        tx.put_windows(&[(phrase("old news"), at(41 * DAY), with_topics(4, [0; 6]))])
    });
    let found = reader.windows(&phrase("old news"), at(0), at(50 * DAY)).expect("reads");
    assert_eq!(found, [(at(41 * DAY), with_topics(4, [0; 6]))]);
}

/// The form of releases without topics.
#[test]
fn counts_without_topics_are_read() {
    let dir = TempDir::new().expect("directory");
    let mut store = open(&dir);
    let partial = |topics| PartialRecord {
        window: at(0),
        key: phone(),
        source: SourceId::new("support.tickets", 0),
        counts: Counts {
            tickets: 300,
            raised: [1, 2, 3, 4, 5],
            cleared: 6,
            other: 7,
            duplicates: 8,
            topics,
        },
        upto: 4,
    };
    put(&mut store, |tx| tx.put_partials(&[partial([1, 2, 3, 4, 5, 600])]));
    assert_eq!(reader(&store).partials().expect("reads"), [partial([1, 2, 3, 4, 5, 600])]);
    let before = (300u32, [1u32, 2, 3, 4, 5], 6u32, 7u32, 8u32);
    let bytes = postcard::to_stdvec(&before).expect("packs");
    store.conn.execute("UPDATE partials SET counts = ?1, version = 0", [bytes]).expect("writes");
    assert_eq!(reader(&store).partials().expect("reads"), [partial([0; 6])]);
}

#[test]
fn dead_letters_have_a_limit_of_bytes() {
    let dir = TempDir::new().expect("directory");
    let mut store = open(&dir);
    let letter = |offset| DeadLetter {
        position: Position { source: SourceId::new("t", 0), offset },
        nth: 0,
        received_at: at(0),
        reason: Reason::Malformed,
        detail: "no JSON".into(),
        bytes: vec![b'{'; 60_000].into(),
    };
    let held = |store: &Store| {
        let letters = reader(store).dead_letters(None, 1_000, None).expect("reads");
        let offsets: Vec<i64> = letters.iter().map(|(_, l)| l.position.offset).collect();
        (offsets.len(), offsets.first().copied(), offsets.last().copied())
    };
    for offset in 0..100 {
        put(&mut store, |tx| tx.put_dead_letter(&letter(offset), None));
        assert!(held(&store).0 <= 17, "one megabyte at most");
    }
    let (kept, newest, oldest) = held(&store);
    assert!(
        kept >= 15 && newest == Some(99) && oldest == Some(100 - kept as i64),
        "{kept} {oldest:?}"
    );
    // A store that has too many is pruned when the program starts.
    let raw = Connection::open(dir.path().join(FILE)).expect("opens");
    raw.execute_batch(
        "INSERT INTO dead_letters (topic, part, position, received_at, reason, detail, bytes, nth)
             SELECT 'u', part, position, received_at, reason, detail, bytes, nth FROM dead_letters",
    )
    .expect("copies");
    assert_eq!(held(&store).0, 2 * kept);
    store.prune_dead_letters(at(0)).expect("prunes");
    assert!(held(&store).0 <= 17);
    store.prune_dead_letters(at(31 * DAY)).expect("prunes");
    assert_eq!(held(&store).0, 0);
}
