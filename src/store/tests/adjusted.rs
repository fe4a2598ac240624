//! Adjustments and adjusted vintages are separate from the model's vintages.

use super::*;
use crate::forecast::{Adjustment, AdjustmentAmount, AdjustmentKind};

fn entry(id: &str, from: i64, to: i64, amount: AdjustmentAmount) -> Adjustment {
    Adjustment {
        id: id.into(),
        label: "billing run".into(),
        kind: AdjustmentKind::Billing,
        region: None,
        service: Some(Name::new("mobile").expect("a name")),
        channel: None,
        starts_at: at(from),
        ends_at: at(to),
        amount,
        by: "Li".into(),
        note: Some("March".into()),
        entered_at: at(0),
    }
}

#[test]
fn adjustments_are_replaced_and_deleted_by_id() {
    let dir = TempDir::new().expect("directory");
    let mut store = open(&dir);
    let (a, b) = (
        entry("a", 0, HOUR, AdjustmentAmount::Factor(1.5)),
        entry("b", 0, DAY, AdjustmentAmount::Factor(0.0)),
    );
    let again = entry("a", HOUR, 2 * HOUR, AdjustmentAmount::TicketsPerWindow(80.0));
    put(&mut store, |tx| {
        tx.put_adjustment(&a)?;
        tx.put_adjustment(&b)?;
        tx.put_adjustment(&again)
    });
    let reader = reader(&store);
    let list = |from, to| reader.adjustments(at(from), at(to)).expect("reads");
    assert_eq!(list(0, DAY), [b.clone(), again]);
    assert_eq!(list(2 * HOUR, DAY), [b]);
    put(&mut store, |tx| tx.delete_adjustment("b"));
    assert_eq!(list(2 * HOUR, DAY), []);
}

#[test]
fn adjusted_vintages_are_kept_beside_the_models() {
    let dir = TempDir::new().expect("directory");
    let mut store = open(&dir);
    let model = vintage(0);
    let mut changed = model.clone();
    changed.targets[2].mean = 99.0;
    put(&mut store, |tx| {
        tx.put_vintage(&model)?;
        tx.put_adjusted(&changed)?;
        tx.put_adjusted(&model)?;
        tx.put_vintage(&vintage(HOUR))
    });
    let raw = Connection::open(dir.path().join(FILE)).expect("opens");
    for attempt in ["UPDATE adjusted_vintages SET body = x'00'", "DELETE FROM adjusted_vintages"] {
        let error = raw.execute_batch(attempt).expect_err(attempt).to_string();
        assert!(error.contains("a vintage is"), "{attempt}: {error}");
    }
    let reader = reader(&store);
    let both = Served { vintage: changed.clone(), model: Some(model.clone()), reason: None };
    assert_eq!(reader.served(&series("phone"), Some(at(0))).expect("reads"), Some(both.clone()));
    assert_eq!(reader.served_at(at(0)).expect("reads"), [both]);
    assert_eq!(reader.vintages_at(at(0)).expect("reads"), [model]);
    let newest = reader.served(&series("phone"), None).expect("reads").expect("there");
    assert_eq!(newest, Served { vintage: vintage(HOUR), model: None, reason: None });
    assert_eq!(reader.adjusted_since(at(-1)).expect("reads"), [changed]);
    // After retention, both keep the leads 1, 3 and 6 h.
    store.prune(at(20 * DAY)).expect("prunes");
    let old = reader.served(&series("phone"), Some(at(0))).expect("reads").expect("there");
    let starts = |v: &Vintage| v.targets.iter().map(|t| t.start).collect::<Vec<_>>();
    assert_eq!(starts(&old.vintage), starts(old.model.as_ref().expect("the model's")));
    assert_eq!(old.vintage.targets.len(), 3);
}

#[test]
fn both_are_scored_over_the_same_windows() {
    let dir = TempDir::new().expect("directory");
    let mut store = open(&dir);
    let score = |absolute| {
        let one = |absolute| Score { n: 1, actual: 10.0, absolute, ..Score::default() };
        AdjustedScore { adjusted: one(absolute), model: one(absolute * 2.0) }
    };
    let key = series("phone");
    put(&mut store, |tx| {
        tx.put_adjusted_scores(&key, at(0), [(0, score(1.0)), (60, score(2.0))].into_iter())?;
        tx.put_adjusted_scores(&key, at(0), [(0, score(3.0))].into_iter())
    });
    let found = reader(&store).adjusted_scores(&key, at(0), at(DAY)).expect("reads");
    let sums: Vec<_> = found
        .iter()
        .map(|(day, lead, s)| (*day, *lead, s.adjusted.absolute, s.model.absolute, s.model.n))
        .collect();
    assert_eq!(sums, [(at(0), 0, 4.0, 8.0, 2), (at(0), 60, 2.0, 4.0, 1)]);
}
