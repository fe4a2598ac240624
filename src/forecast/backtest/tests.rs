//! Scores against manual calculations, and a check that no model reads ahead.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::shift::{World, reads_ahead};
use super::*;
use crate::domain::{Scope, SeriesKey, Severity, Timestamp, WindowWidth, Zone};
use crate::forecast::peers::{self, CHOICES};
use crate::forecast::{
    AlarmSpell, Calendar, ForecastPoint, History, Model, Past, Place, PlannedWork, Vintage,
    cumulative, quantiles,
};

const HOUR: WindowWidth = WindowWidth::HOUR;

fn at(text: &str) -> i64 {
    HOUR.index(Timestamp::parse(text).expect("time"))
}

fn series() -> SeriesKey {
    SeriesKey::parse("north/tv/phone").expect("series")
}

fn target(index: i64, quantiles: [f64; 7]) -> ForecastPoint {
    ForecastPoint {
        start: HOUR.start(index),
        mean: quantiles[3],
        quantiles,
        baseline: quantiles[3],
        level: 1.0,
        alarm_effect: 0.0,
    }
}

fn world(zone: &str, first: i64, counts: Vec<f32>) -> World {
    let mut history = History::new(HOUR, first);
    history.counts = counts;
    let zone: Zone = zone.parse().expect("zone");
    World {
        width: HOUR,
        series: BTreeMap::from([(series(), history)]),
        alarms: Vec::new(),
        work: Vec::new(),
        places: BTreeMap::new(),
        place: Place { zone, calendar: Arc::new(Calendar::default()) },
    }
}

/// `weeks` of counts with a daily profile; with `has_nights`, closed at night and on Sundays.
fn centre(first: i64, weeks: usize, seed: u64, has_nights: bool) -> World {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let count = |hour: usize| {
        let (day, hour) = (hour / 24 % 7, hour % 24);
        if has_nights && (!(7..21).contains(&hour) || day == 6) {
            return f32::NAN;
        }
        let rate = 20.0 + 15.0 * ((hour as f64 - 6.0) / 24.0 * std::f64::consts::TAU).sin();
        (rate + rng.random_range(-6.0..6.0)).round().max(0.0) as f32
    };
    let counts = (0..weeks * 168).map(count).collect();
    world("Europe/London", first, counts)
}

#[test]
fn scores_match_a_manual_calculation() {
    // Three weeks of 10, with 12 in the second: the naive is off by 2 in the second and third week.
    let first = at("2026-01-05T00:00:00Z");
    let mut counts = [vec![10.0; 168], vec![12.0; 168], vec![10.0; 168]].concat();
    counts.extend([8.0, 11.0, f32::NAN, 20.0]);
    let world = world("UTC", first, counts);
    let origin = first + 3 * 168;
    let mut board = Board::new(world.past(), 4, origin);
    let q = [5.0, 7.0, 9.0, 10.0, 11.0, 13.0, 15.0];
    let vintage = Vintage {
        series: series(),
        issued_at: HOUR.start(origin),
        targets: (0..6).map(|step| target(origin + step, q)).collect(),
        members: Vec::new(),
        causes: Vec::new(),
        surges: None,
        fallback: None,
    };
    board.add(origin, &[vintage]);
    let summary = board.overall().all.summary();
    let near = |found: Option<f64>, want: f64| {
        assert!((found.expect("a value") - want).abs() < 1e-9, "{found:?} is not {want}");
    };
    // Actual counts 8, 11 and 20 against a median of 10: 2 + 1 + 10 of 39; the gap and later windows do not count.
    assert_eq!((summary.figures.n, board.overall().origins.len()), (3, 1));
    near(summary.figures.wape, 13.0 / 39.0);
    near(summary.mase, 13.0 / 3.0 / 2.0);
    near(summary.figures.wape_naive, (2.0 + 1.0 + 10.0) / 39.0);
    near(summary.figures.bias, (2.0 - 1.0 - 10.0) / 39.0);
    // 8 and 11 lie within 7 to 13.
    near(summary.figures.coverage80, 2.0 / 3.0);
    near(summary.figures.coverage95, 2.0 / 3.0);
    // Pinball by quantile: Σ p·(y − q)⁺ + (1 − p)·(q − y)⁺ over the three.
    let pinball = 0.025 * (3.0 + 6.0 + 15.0)
        + 0.1 * (1.0 + 4.0 + 13.0)
        + (0.75 * 1.0 + 0.25 * (2.0 + 11.0))
        + 0.5 * (2.0 + 1.0 + 10.0)
        + (0.25 * 3.0 + 0.75 * 9.0)
        + (0.1 * (5.0 + 2.0) + 0.9 * 7.0)
        + (0.025 * (7.0 + 4.0) + 0.975 * 5.0);
    near(summary.figures.wql, 2.0 * pinball / 7.0 / 39.0);
    // By lead: the first window, then two of which one is known, then one.
    let leads = board.overall().leads.map(|lead| lead.summary().figures.n);
    assert_eq!(leads, [1, 1, 1]);
    assert_eq!(board.overall().errors.within(0.5), Some(2.0));
    board.add(origin + 1, &[]);
    assert_eq!(board.unanswered(), 1);
}

/// The bins of an actual count for a forecast.
fn bins(mean: f64, quantiles: [f64; 7], actual: f64) -> [f64; pit::BINS] {
    pit::bins(&ForecastPoint { mean, ..target(0, quantiles) }, actual)
}

#[test]
fn a_tie_is_divided_by_its_probability_mass() {
    // Poisson(4): F(1) = .0916, F(2) = .2381.
    let q = quantiles(4.0, 0.0);
    assert_eq!(q, [1.0, 2.0, 3.0, 4.0, 5.0, 7.0, 8.0]);
    // Between two quantiles: all of it in one bin.
    assert_eq!(bins(4.0, q, 6.0)[5], 1.0);
    assert_eq!((bins(4.0, q, 0.0)[0], bins(4.0, q, 9.0)[7]), (1.0, 1.0));
    let tie = bins(4.0, q, 2.0);
    assert!((tie[1] - 0.0084 / 0.1465).abs() < 0.02, "{tie:?}");
    assert!((tie[1] + tie[2] - 1.0).abs() < 1e-9, "{tie:?}");
    // A certain forecast of zero and an actual count of zero: spread over all bins.
    let none = bins(0.0, [0.0; 7], 0.0);
    for (bin, found) in none.iter().enumerate() {
        assert!((found - pit::nominal(bin)).abs() < 1e-9, "{none:?}");
    }
}

#[test]
fn pit_coverage_of_a_perfect_forecast_is_nominal_at_small_counts() {
    for dispersion in [0.0, 0.05, 0.3] {
        for mean in [0.3, 0.7, 1.0, 2.0, 3.5, 6.0, 15.0, 40.0, 120.0, 300.0] {
            let q = quantiles(mean, dispersion);
            let (mut inside80, mut inside95, mut closed80) = (0.0, 0.0, 0.0);
            for count in (0..3000).map(f64::from) {
                let mass =
                    cumulative(mean, dispersion, count) - cumulative(mean, dispersion, count - 1.0);
                let bins = bins(mean, q, count);
                inside80 += mass * bins[2..6].iter().sum::<f64>();
                inside95 += mass * bins[1..7].iter().sum::<f64>();
                closed80 += if (q[1]..=q[5]).contains(&count) { mass } else { 0.0 };
            }
            let what = format!("{mean}, {dispersion}: {inside80}, {inside95}");
            assert!((0.77..0.83).contains(&inside80), "{what}");
            assert!((0.935..0.965).contains(&inside95), "{what}");
            // A closed interval covers more.
            assert!(
                closed80 >= inside80 + if mean > 4.0 { 0.0 } else { 0.02 },
                "{what}, {closed80}"
            );
        }
    }
}

#[test]
fn origins_cover_days_and_hours_within_opening_times() {
    let first = at("2026-01-05T00:00:00Z");
    let world = centre(first, 12, 3, true);
    let found = candidates(&world.past(), 6, first + 8 * 168);
    let origins = spread(&found, 40);
    assert_eq!(origins.len(), 40);
    assert!(origins.windows(2).all(|pair| pair[0] < pair[1]));
    let mut hours: Vec<i64> = origins.iter().map(|origin| (origin - first) % 24).collect();
    hours.sort_unstable();
    hours.dedup();
    // Open from 7 to 21: whole horizons start between 7 and 15.
    assert_eq!(hours, (7..=15).collect::<Vec<i64>>());
    let weeks: Vec<i64> = origins.iter().map(|origin| (origin - first) / 168).collect();
    for week in 8..12 {
        assert_eq!(weeks.iter().filter(|w| **w == week).count(), 10);
    }
    // The same centre in a file that fills the night with zeros.
    let mut zeros = world.clone();
    for count in &mut zeros.series.get_mut(&series()).expect("series").counts {
        *count = if count.is_nan() { 0.0 } else { *count };
    }
    let found = candidates(&zeros.past(), 6, first + 8 * 168);
    assert!(
        found.iter().all(|o| (7..21).contains(&((o - first) % 24)) && (o - first) / 24 % 7 != 6)
    );
    // More origins than candidates.
    assert_eq!(spread(&[1, 2, 3], 10), [1, 2, 3]);
    assert!(spread(&[], 10).is_empty());
}

#[test]
fn refits_are_at_midnight_for_any_origins() {
    let day = Duration::from_secs(86_400);
    let found = steps(HOUR, day, &[24, 30, 47, 48, 100]);
    let refits: Vec<Option<i64>> = found.iter().map(|step| step.refit).collect();
    assert_eq!(refits, [Some(24), None, None, Some(48), Some(96)]);
    let each = steps(HOUR, Duration::from_secs(60), &[5, 6]);
    assert!(each.iter().all(|step| step.refit == Some(step.origin)));
}

/// A model that reads ahead: its forecast of each window is the actual count.
struct ReadsAhead;

impl Model for ReadsAhead {
    fn name(&self) -> &'static str {
        "reads-ahead"
    }

    fn fit(&mut self, _: &Past<'_>, _: i64) {}

    fn predict(&self, past: &Past<'_>, origin: i64) -> Vec<Vintage> {
        let history = &past.series[&series()];
        let mean = |index| f64::from(history.get(index)).max(0.0);
        let targets = (origin..origin + 6).map(|i| target(i, [mean(i); 7])).collect();
        let issued_at = past.width.start(origin);
        vec![Vintage {
            series: series(),
            issued_at,
            targets,
            members: Vec::new(),
            causes: Vec::new(),
            surges: None,
            fallback: None,
        }]
    }
}

#[test]
fn reading_ahead_is_detected_and_no_model_does_it() {
    let first = at("2026-01-05T00:00:00Z");
    // Across the clock change in March.
    let origin = at("2026-03-30T11:00:00Z");
    for has_nights in [false, true] {
        let mut world = centre(first, 13, 5, has_nights);
        let scope = Scope { region: series().region, service: series().service };
        let alarm = |hours: i64, cleared: Option<i64>| AlarmSpell {
            scope: scope.clone(),
            severity: Severity::Critical,
            alarm_type: Some(Arc::from("linkDown")),
            device: None,
            raised_at: HOUR.start(origin + hours),
            cleared_at: cleared.map(|hours| HOUR.start(origin + hours)),
        };
        world.alarms = vec![alarm(-300, Some(-297)), alarm(-2, Some(3)), alarm(2, None)];
        world.work = [-30, 1]
            .map(|announced| PlannedWork {
                announced_at: HOUR.start(origin + announced),
                cancelled_at: Some(HOUR.start(origin + 2)),
                starts_at: HOUR.start(origin + 3),
                ends_at: HOUR.start(origin + 5),
                region: None,
                service: None,
            })
            .to_vec();
        assert!(reads_ahead(&|| Box::new(ReadsAhead), &world, &[origin]).is_some());
        for (name, _) in CHOICES {
            let make = || peers::by_name(name).expect("a model of this name");
            assert_eq!(make().name(), name);
            assert_eq!(reads_ahead(&make, &world, &[origin]), None, "{name}");
        }
    }
}

#[test]
fn every_model_forecasts_a_centre_that_closes_at_night() {
    let first = at("2026-01-05T00:00:00Z");
    let world = centre(first, 8, 9, true);
    let origins = spread(&candidates(&world.past(), 6, first + 6 * 168), 8);
    for (name, _) in CHOICES {
        let mut model = peers::by_name(name).expect("a model of this name");
        let mut board = Board::new(world.past(), 6, origins[0]);
        for step in steps(HOUR, Duration::from_secs(86_400), &origins) {
            if let Some(refit) = step.refit {
                model.fit(&world.past(), refit);
            }
            let vintages = model.predict(&world.past(), step.origin);
            for vintage in &vintages {
                assert_eq!(vintage.targets.len(), 6, "{name}");
                for target in &vintage.targets {
                    let q = target.quantiles;
                    assert!(q[0] >= 0.0 && q.windows(2).all(|q| q[0] <= q[1]), "{name}: {q:?}");
                }
            }
            board.add(step.origin, &vintages);
        }
        let wape = board.overall().all.summary().figures.wape.expect("scored");
        assert!(board.unanswered() == 0 && wape < 0.35, "{name}: {wape}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn bins_add_up_to_one_for_any_count(
        mut q in prop::array::uniform7(0.0f64..30.0),
        is_whole in any::<bool>(),
        actual in 0u32..40,
    ) {
        if is_whole {
            q = q.map(f64::round);
        }
        q.sort_by(f64::total_cmp);
        let bins = bins(q[3], q, f64::from(actual));
        prop_assert!((bins.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{bins:?}");
        prop_assert!(bins.iter().all(|bin| (0.0..=1.0 + 1e-12).contains(bin)), "{bins:?}");
    }

    #[test]
    fn origins_ascend_and_each_block_has_one(n in 1usize..2000, count in 1usize..300) {
        let all: Vec<i64> = (0..n as i64).collect();
        let found = spread(&all, count);
        prop_assert_eq!(found.len(), count.min(n));
        prop_assert!(found.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
