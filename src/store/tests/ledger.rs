//! Issued forecasts never change.

use super::*;

#[test]
fn the_ledger_never_changes() {
    let dir = TempDir::new().expect("directory");
    let mut store = open(&dir);
    let second = Vintage { fallback: Some(sentence("too short")), ..vintage(0) };
    put(&mut store, |tx| tx.put_vintage(&vintage(0)));
    put(&mut store, |tx| {
        tx.put_vintage(&second)?;
        tx.put_vintage(&vintage(HOUR))
    });
    let raw = Connection::open(dir.path().join(FILE)).expect("opens");
    for attempt in [
        "UPDATE vintage_blocks SET body = x'00'",
        "DELETE FROM vintage_blocks",
        "UPDATE OR REPLACE vintage_blocks SET issued_at = 1",
        // REPLACE deletes without firing delete triggers, so an insert trigger prevents it.
        "INSERT OR REPLACE INTO vintage_blocks
         SELECT id, issued_at, block, members, x'00', 0 FROM vintage_blocks",
    ] {
        let error = raw.execute_batch(attempt).expect_err(attempt).to_string();
        assert!(error.contains("a vintage is"), "{attempt}: {error}");
    }
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
    assert_eq!(reader.vintages_between(at(1), Timestamp::MAX).expect("reads"), [vintage(HOUR)]);
}

/// A vintage of the `n`-th of many series.
fn nth(n: u32, issued_ms: i64) -> Vintage {
    let mut vintage = Vintage { series: series(&format!("c{n:03}")), ..vintage(issued_ms) };
    for target in &mut vintage.targets {
        target.mean = ((target.mean + f64::from(n)) * 1000.0).round() / 1000.0;
    }
    vintage
}

#[test]
fn many_series_share_blocks_and_each_has_its_own_vintage() {
    let dir = TempDir::new().expect("directory");
    let mut store = open(&dir);
    let every = |issued_ms: i64| (0..200).map(move |n| nth(n, issued_ms));
    // The first vintage of each series and time is kept, also with other vintages in its block and transaction.
    put(&mut store, |tx| every(0).step_by(3).try_for_each(|v| tx.put_vintage(&v)));
    put(&mut store, |tx| {
        tx.put_vintage(&nth(7, HOUR))?;
        every(0).try_for_each(|v| tx.put_vintage(&Vintage { fallback: None, ..v }))?;
        tx.put_vintage(&Vintage { fallback: Some(sentence("second")), ..nth(7, HOUR) })?;
        tx.put_vintage(&nth(8, HOUR))
    });
    let reader = reader(&store);
    for n in [0, 7, 8, 63, 64, 199] {
        let found = reader.vintage(&nth(n, 0).series, Some(at(0))).expect("reads");
        assert_eq!(found, Some(nth(n, 0)));
    }
    let newest = |n| reader.vintage(&nth(n, 0).series, None).expect("reads");
    assert_eq!(
        [newest(6), newest(7), newest(8)],
        [nth(6, 0), nth(7, HOUR), nth(8, HOUR)].map(Some)
    );
    let mut all = reader.vintages_between(at(0), at(0)).expect("reads");
    all.sort_by(|a, b| a.series.cmp(&b.series));
    assert_eq!(all, every(0).collect::<Vec<_>>());
    assert_eq!(reader.newest_issue().expect("reads"), Some(at(HOUR)));
}

#[test]
fn vintages_of_older_stores_are_moved_into_blocks() {
    let dir = TempDir::new().expect("directory");
    let raw = Connection::open(dir.path().join(FILE)).expect("opens");
    for step in &STEPS[..7] {
        step.run(&raw).expect("runs");
    }
    raw.execute_batch("PRAGMA user_version = 7").expect("sets");
    let old = |table: &str, id: u32, vintage: &Vintage| {
        let series = &vintage.series;
        let names = [&series.region, &series.service, &series.channel].map(|name| name.as_str());
        raw.execute(
            "INSERT OR IGNORE INTO series (id, region, service, channel) VALUES (?1, ?2, ?3, ?4)",
            rusqlite::params![id, names[0], names[1], names[2]],
        )
        .expect("puts");
        raw.execute(
            &format!("INSERT INTO {table} (series, issued_at, body) VALUES (?1, ?2, ?3)"),
            rusqlite::params![
                id,
                vintage.issued_at.millis(),
                vintage::tests::without_version(vintage)
            ],
        )
        .expect("puts");
    };
    let mut thin = nth(70, -20 * DAY);
    thin.targets.truncate(3);
    for n in 0..130 {
        old("vintages", n + 1, &nth(n, 0));
        old("vintages", n + 1, &nth(n, HOUR));
    }
    old("vintage_leads", 71, &thin);
    drop(raw);
    for _ in 0..2 {
        let reader = reader(&open(&dir));
        let key = thin.series.clone();
        assert_eq!(reader.vintage(&key, None).expect("reads"), Some(nth(70, HOUR)));
        assert_eq!(reader.vintage(&key, Some(thin.issued_at)).expect("reads"), Some(thin.clone()));
        assert_eq!(reader.vintages_between(at(0), at(HOUR)).expect("reads").len(), 260);
    }
    let raw = Connection::open(dir.path().join(FILE)).expect("opens");
    let left = "SELECT count(*) FROM sqlite_master WHERE tbl_name IN ('vintages', 'vintage_leads')";
    assert_eq!(raw.query_row(left, [], |row| row.get(0)), Ok(0));
}

#[test]
fn retention_keeps_three_leads_of_old_vintages() {
    let dir = TempDir::new().expect("directory");
    let mut store = open(&dir);
    put(&mut store, |tx| {
        tx.put_vintage(&vintage(0))?;
        tx.put_vintage(&vintage(20 * DAY))?;
        tx.put_windows(&[(phone(), at(0), finalized(1)), (phone(), at(399 * DAY), finalized(2))])?;
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
    // Deleting is forbidden again.
    let raw = Connection::open(dir.path().join(FILE)).expect("opens");
    assert!(raw.execute_batch("DELETE FROM lead_blocks").is_err());
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
    let score =
        |n| Score { n, actual: 2.5, floor: 0.25, by_quantile_actual: 2.5, ..Score::default() };
    put(&mut store, |tx| {
        tx.put_plan(None, &outlook(HOUR))?;
        tx.put_plan(None, &outlook(0))?;
        tx.put_scores(&series("phone"), at(0), &ByLead::from([(60, score(1)), (180, score(2))]))?;
        tx.put_scores(&series("phone"), at(0), &ByLead::from([(60, score(3))]))
    });
    let reader = reader(&store);
    let key = series("phone");
    assert_eq!(reader.outlook(&key).expect("reads"), Some(outlook(HOUR)));
    assert_eq!(reader.outlooks(&Filter::default()).expect("reads"), [outlook(HOUR)]);
    assert_eq!(reader.plan(&key).expect("reads"), None);
    let sum = Score { n: 4, actual: 5.0, floor: 0.5, by_quantile_actual: 5.0, ..Score::default() };
    assert_eq!(
        reader.scores(&key, at(0), at(DAY)).expect("reads"),
        [(at(0), 60, sum), (at(0), 180, score(2))]
    );
    assert_eq!(
        reader.scores_on(at(0)).expect("reads"),
        [(key.clone(), ByLead::from([(60, sum), (180, score(2))]))]
    );
    assert_eq!(reader.scores_on(at(DAY)).expect("reads"), []);
    // A row of a release without losses by quantile.
    let raw = Connection::open(dir.path().join(FILE)).expect("opens");
    let before = (2u32, [7.0f64, 1.5, -0.5, 2.0, 7.0, 3.25], 1u32, 2u32, 0.75f64);
    raw.execute(
        "INSERT INTO scores (series, day, lead_minutes, score) SELECT series, day, 60, ?1 FROM score_days",
        [postcard::to_stdvec(&before).expect("packs")],
    )
    .expect("inserts");
    let (_, _, both) = reader.scores(&key, at(0), at(DAY)).expect("reads")[0];
    assert_eq!((both.n, both.actual, both.pinball, both.inside95), (6, 12.0, 3.25, 2));
    assert_eq!((both.floor, both.by_quantile_actual, both.scaled_n), (1.25, 5.0, 0));
}

#[test]
fn surges_and_warnings_are_replaced_by_later_ones() {
    let dir = TempDir::new().expect("directory");
    let mut store = open(&dir);
    let surge = Surge {
        series: series("phone"),
        lead_hours: 3,
        start: at(HOUR),
        upto: at(HOUR),
        hit: true,
        alarmed: true,
        warned_minutes: Some(150),
    };
    let longer = Surge { upto: at(2 * HOUR), ..surge.clone() };
    let warning =
        Warning { series: series("phone"), lead_hours: 3, first: at(0), upto: at(0), good: false };
    let good = Warning { good: true, upto: at(HOUR), ..warning.clone() };
    put(&mut store, |tx| {
        tx.put_surge(&surge)?;
        tx.put_warning(&warning)
    });
    put(&mut store, |tx| {
        tx.put_surge(&longer)?;
        tx.put_warning(&good)
    });
    let reader = reader(&store);
    let (all, ever) = (Filter::default(), (at(0), at(DAY)));
    assert_eq!(reader.surges(&all, ever, at(2 * HOUR)).expect("reads"), [longer]);
    assert_eq!(reader.surges(&all, ever, at(3 * HOUR)).expect("reads"), []);
    assert_eq!(reader.warnings(&all, ever, at(0)).expect("reads"), [good]);
    let changes = reader.changes(0, 10).expect("reads");
    assert_eq!(changes.last().map(|(_, change)| change), Some(&Change::Accuracy(at(0))));
    store.prune(at(402 * DAY)).expect("prunes");
    assert_eq!(reader.surges(&all, ever, at(0)).expect("reads"), []);
    assert_eq!(reader.warnings(&all, ever, at(0)).expect("reads"), []);
}
