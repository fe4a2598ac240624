//! Nowcasts never change and are separate from vintages.

use super::*;
use crate::forecast::Nowcast;

fn nowcast(issued_ms: i64) -> Nowcast {
    let mut vintage = vintage(0);
    vintage.issued_at = at(issued_ms);
    Nowcast { vintage, reason: sentence("3 severe alarms"), after: at(0) }
}

#[test]
fn the_newest_forecast_is_served_and_nowcasts_are_never_rewritten() {
    let dir = TempDir::new().expect("directory");
    let mut store = open(&dir);
    let (first, second) = (nowcast(300_000), nowcast(600_000));
    let other = Nowcast { reason: sentence("another"), ..first.clone() };
    put(&mut store, |tx| {
        tx.put_vintage(&vintage(0))?;
        tx.put_nowcast(&first)?;
        tx.put_nowcast(&other)?;
        tx.put_nowcast(&second)
    });
    let raw = Connection::open(dir.path().join(FILE)).expect("opens");
    for attempt in ["UPDATE nowcasts SET reason = ''", "DELETE FROM nowcasts"] {
        let error = raw.execute_batch(attempt).expect_err(attempt).to_string();
        assert!(error.contains("a vintage is"), "{attempt}: {error}");
    }
    let reader = reader(&store);
    let key = series("phone");
    let served = |issued_at| reader.served(&key, issued_at).expect("reads").expect("there");
    let of = |n: &Nowcast| Served {
        vintage: n.vintage.clone(),
        model: None,
        reason: Some(n.reason.clone()),
    };
    assert_eq!(served(None), of(&second));
    assert_eq!(served(Some(at(300_000))), of(&first));
    assert_eq!(served(Some(at(0))).reason, None);
    assert_eq!(reader.vintages_between(at(0), Timestamp::MAX).expect("reads"), [vintage(0)]);
    assert_eq!(reader.nowcasts(at(0), at(DAY)).expect("reads"), [first, second.clone()]);
    assert_eq!(reader.live_nowcasts().expect("reads")[&key], of(&second));
    // The vintage of the next finalized window is newer.
    put(&mut store, |tx| tx.put_vintage(&vintage(900_000)));
    assert_eq!(served(None).reason, None);
    assert!(reader.live_nowcasts().expect("reads").is_empty());
    store.prune(at(20 * DAY)).expect("prunes");
    assert_eq!(reader.nowcasts(at(0), at(DAY)).expect("reads"), []);
}

#[test]
fn the_open_window_keeps_the_plan_with_which_it_began() {
    let dir = TempDir::new().expect("directory");
    let mut store = open(&dir);
    let key = series("phone");
    let plan = |issued: i64, agents| {
        let target = crate::staffing::PlanTarget {
            start: at(0),
            arrivals: 9.0,
            positions: agents,
            agents,
            agents_low: agents,
            agents_high: agents,
            scheduled: None,
            gap: 0,
            service_level: 1.0,
        };
        let targets = vec![target];
        Plan { series: series("phone"), issued_at: at(issued), basis: sentence(""), targets }
    };
    let outlook = |issued: i64| Outlook {
        series: series("phone"),
        issued_at: at(issued),
        peak: 9.0,
        peak_at: at(0),
        over_baseline: 1.0,
        gap_max: None,
        gap_at: None,
        minutes_to_breach: None,
    };
    let score =
        NowcastScore { nowcast: Score { n: 1, ..Score::default() }, ..NowcastScore::default() };
    put(&mut store, |tx| {
        tx.put_plan(Some(&plan(0, 5)), &outlook(0))?;
        tx.put_nowcast_plan(Some(&plan(300_000, 9)), &outlook(300_000))?;
        tx.put_nowcast_score(&key, at(0), &score)?;
        tx.put_nowcast_score(&key, at(0), &score)
    });
    let reader = reader(&store);
    assert_eq!(reader.plan(&key).expect("reads"), Some(plan(300_000, 9)));
    assert_eq!(reader.staffed(at(0)).expect("reads")[0].1.agents, 5);
    assert_eq!(reader.nowcast_score(&key, at(0), at(DAY)).expect("reads").nowcast.n, 2);
}
