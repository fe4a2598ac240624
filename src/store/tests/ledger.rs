//! Forecasts stand as issued.

use super::*;

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
    // A row of a program that knew nothing of losses by quantile.
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
fn surges_and_calls_are_replaced_by_what_is_known_later() {
    let dir = TempDir::new().expect("directory");
    let mut store = open(&dir);
    let surge = Surge {
        series: series("phone"),
        lead_hours: 3,
        start: at(HOUR),
        upto: at(HOUR),
        called: true,
        alarmed: true,
        warned_minutes: Some(150),
    };
    let longer = Surge { upto: at(2 * HOUR), ..surge.clone() };
    let call =
        Call { series: series("phone"), lead_hours: 3, first: at(0), upto: at(0), good: false };
    let good = Call { good: true, upto: at(HOUR), ..call.clone() };
    put(&mut store, |tx| {
        tx.put_surge(&surge)?;
        tx.put_call(&call)
    });
    put(&mut store, |tx| {
        tx.put_surge(&longer)?;
        tx.put_call(&good)
    });
    let reader = reader(&store);
    let (all, ever) = (Filter::default(), (at(0), at(DAY)));
    assert_eq!(reader.surges(&all, ever, at(2 * HOUR)).expect("reads"), [longer]);
    assert_eq!(reader.surges(&all, ever, at(3 * HOUR)).expect("reads"), []);
    assert_eq!(reader.calls(&all, ever, at(0)).expect("reads"), [good]);
    let changes = reader.changes(0, 10).expect("reads");
    assert_eq!(changes.last().map(|(_, change)| change), Some(&Change::Accuracy(at(0))));
    store.prune(at(402 * DAY)).expect("prunes");
    assert_eq!(reader.surges(&all, ever, at(0)).expect("reads"), []);
    assert_eq!(reader.calls(&all, ever, at(0)).expect("reads"), []);
}
