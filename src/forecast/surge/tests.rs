//! Tests of surges and warnings.

use super::*;
use crate::domain::Timestamp;
use crate::forecast::History;

#[test]
fn only_a_raised_forecast_warns() {
    let quiet = [2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 14.0];
    let bound = high(&quiet);
    assert!((bound - 15.12).abs() < 0.01);
    assert!(probabilities(&[quiet; 24], &[bound; 24], 8).iter().all(|p| *p < 0.03));
    let mut raised = [quiet; 24];
    for quantiles in &mut raised[10..14] {
        *quantiles = [2.0, 4.0, 8.0, 12.0, 18.0, 30.0, 40.0];
    }
    let found = probabilities(&raised, &[bound; 24], 8);
    assert_eq!(found.len(), 24);
    // Every span with two of the four raised windows in it.
    let warned: Vec<usize> = (0..24).filter(|i| found[*i] >= PROBABILITY).collect();
    assert_eq!(warned, (4..=12).collect::<Vec<_>>());
}

fn warning(high: Vec<f64>, probabilities: Vec<f64>) -> Surges {
    Surges { high, probabilities, any: 0.5, warns: true }
}

#[test]
fn a_warning_stays_active_at_a_lower_probability() {
    let at = Timestamp::from_secs;
    let mut surges = Surges::new(&[10.0], &[0.1], 0.1);
    for (last, warns) in [(None, false), (Some(at(0)), true), (Some(at(-1)), false)] {
        surges.decide(at(6 * 3600), last, PROBABILITY);
        assert_eq!(surges.warns, warns, "after {last:?}");
    }
    surges.any = PROBABILITY;
    surges.decide(at(0), None, PROBABILITY);
    assert!(surges.warns);
    surges.any = 0.04;
    surges.decide(at(60), Some(at(0)), PROBABILITY);
    assert!(!surges.warns);
}

#[test]
fn surges_are_judged_against_the_quantile_without_alarms() {
    let mut vintage = crate::forecast::Vintage {
        series: crate::domain::SeriesKey::parse("north/tv/phone").expect("series"),
        issued_at: crate::domain::Timestamp::from_secs(0),
        targets: Vec::new(),
        members: Vec::new(),
        causes: Vec::new(),
        surges: Some(warning(vec![10.0; 4], vec![0.5, 0.1, 0.1, 0.1])),
        fallback: None,
    };
    assert!(vintage.surges_at(1, [11.0, 11.0]));
    assert!(!vintage.surges_at(1, [11.0, 10.0]) && !vintage.surges_at(3, [11.0, 11.0]));
    assert!(vintage.warns(3, WindowWidth::QUARTER), "the middle of the first span");
    assert!(!vintage.warns(6, WindowWidth::QUARTER));
    let mut history = History::new(WindowWidth::QUARTER, 0);
    for (index, count) in [9.0, 9.0, 9.0, 9.0, 9.0, 12.0, 12.0, 12.0].into_iter().enumerate() {
        history.set(index as i64, count);
    }
    let target = |i: i64| crate::forecast::ForecastPoint {
        start: WindowWidth::QUARTER.start(i),
        mean: 9.0,
        quantiles: [9.0; 7],
        baseline: 9.0,
        level: 1.0,
        alarm_effect: 0.0,
    };
    vintage.targets = (0..8).map(target).collect();
    vintage.surges = Some(warning(vec![10.0; 8], vec![0.5; 8]));
    let mut judge = Judge::default();
    let mut at = |step| judge.surge(&vintage, (1, step), &history, |_| Some(vintage.issued_at));
    assert_eq!(at(4), None);
    let began = at(5).expect("a surge");
    assert!(began.hit && began.alarmed && began.warned_minutes == Some(75));
    let continued = at(6).expect("the same surge");
    assert_eq!((continued.start, continued.upto), (began.start, target(6).start));
    let [first, _, _] = judge.warnings(&vintage, &history).try_into().expect("at every lead");
    assert!(first.good && first.first == vintage.issued_at);
    vintage.issued_at = WindowWidth::QUARTER.start(8);
    assert!(judge.warnings(&vintage, &history)[0].good, "within six hours of a hit");
    vintage.issued_at = WindowWidth::QUARTER.start(40);
    let late = judge.warnings(&vintage, &history).remove(0);
    assert!(!late.good && late.first == vintage.issued_at);
    vintage.surges = None;
    assert!(!vintage.warns(3, WindowWidth::QUARTER));
    assert_eq!(vintage.high(0), Some(9.0), "the quantile as issued");
    assert_eq!(step(6, WindowWidth::QUARTER, 24), 22);
    assert_eq!(step(6, WindowWidth::HOUR, 6), 4);
    assert_eq!(step(1, WindowWidth::QUARTER, 24), 4);
}
