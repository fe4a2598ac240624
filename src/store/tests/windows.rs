//! Windows in chunks, open ones, roll-ups.

use super::*;

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
