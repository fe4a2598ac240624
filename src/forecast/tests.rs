//! Properties of forecasts on generated histories.

use std::collections::BTreeMap;

use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::domain::{SeriesKey, Timestamp, WindowWidth, Zone};
use crate::text::Stored;

const WIDTH: WindowWidth = WindowWidth::QUARTER;
const DAY: i64 = 96;

fn series() -> SeriesKey {
    SeriesKey::parse("north/tv/phone").expect("series")
}

fn zone(name: &str) -> Zone {
    name.parse().expect("zone")
}

fn origin() -> i64 {
    WIDTH.index(Timestamp::parse("2026-03-10T08:00:00Z").expect("time"))
}

/// `windows` counts that end at `origin`.
fn history(origin: i64, windows: usize, count: impl Fn(i64) -> f32) -> History {
    let mut history = History::new(WIDTH, origin - windows as i64);
    history.counts = (0..windows).map(|i| count(history.first + i as i64)).collect();
    history
}

/// Without a fit.
fn issue(history: &History, zone: Zone, origin: i64) -> Vintage {
    let all = BTreeMap::from([(series(), history.clone())]);
    issue_all(&all, zone, origin).remove(&series()).expect("one series")
}

fn issue_all(
    series: &BTreeMap<SeriesKey, History>,
    zone: Zone,
    origin: i64,
) -> BTreeMap<SeriesKey, Vintage> {
    let place = Place { zone, calendar: std::sync::Arc::default() };
    let places = BTreeMap::new();
    let past =
        Past { width: WIDTH, series, alarms: &[], work: &[], places: &places, place: &place };
    let vintages = Ensemble::default().predict(&past, origin);
    vintages.into_iter().map(|vintage| (vintage.series.clone(), vintage)).collect()
}

fn check_valid(vintage: &Vintage) {
    assert_eq!(vintage.targets.len(), 24);
    for target in &vintage.targets {
        assert!(target.mean.is_finite() && target.mean >= 0.0, "{target:?}");
        assert!(target.quantiles[0] >= 0.0, "{target:?}");
        assert!(target.quantiles.windows(2).all(|q| q[0] <= q[1]), "{target:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn quantiles_never_cross_nor_go_below_zero(
        counts in prop::collection::vec(prop_oneof![
            8 => (0u32..500).prop_map(|n| n as f32),
            1 => Just(f32::NAN),
            1 => Just(1e7),
        ], 0..2000),
        mean in 0.0f64..1e6,
        dispersion in 0.0f64..3.0,
    ) {
        let origin = origin();
        let known = counts.len();
        let history = history(origin, known, |i| counts[(i - origin + known as i64) as usize]);
        check_valid(&issue(&history, zone("Asia/Shanghai"), origin));
        let q = quantiles(mean, dispersion);
        prop_assert!(q[0] >= 0.0 && q.windows(2).all(|q| q[0] <= q[1]), "{q:?}");
    }

    #[test]
    fn nothing_after_the_origin_is_read(seed in any::<u64>(), future in 0u32..10_000) {
        let origin = origin();
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let counts: Vec<f32> = (0..3 * 7 * DAY).map(|_| rng.random_range(0..40) as f32).collect();
        let first = origin - counts.len() as i64;
        let known = history(origin, counts.len(), |i| counts[(i - first) as usize]);
        let mut extended = known.clone();
        for step in 0..40 {
            extended.set(origin + step, future as f32);
        }
        let zone = zone("Europe/London");
        prop_assert_eq!(issue(&known, zone, origin), issue(&extended, zone, origin));
        // Fits are slow in debug builds: check a few seeds.
        if seed % 16 == 0 {
            prop_assert_eq!(fit_mstl(&known, origin), fit_mstl(&extended, origin));
        }
    }
}

#[test]
fn short_constant_and_incomplete_histories_are_forecast_with_a_fallback_note() {
    let origin = origin();
    let shanghai = zone("Asia/Shanghai");
    let little = |days: u32, windows: i64| {
        let settled_at = WIDTH.start(origin - windows + 35 * DAY);
        Some(Fallback::Little { days, settled_at, borrowed: false })
    };
    type Case = (&'static str, usize, fn(i64) -> f32, Option<Fallback>);
    let cases: [Case; 7] = [
        ("none", 0, |_| 0.0, Some(Fallback::Nothing)),
        ("two hours", 8, |_| 9.0, little(0, 8)),
        ("three days", 288, |_| 9.0, little(3, 288)),
        ("ten days", 960, |_| 9.0, little(10, 960)),
        ("all zero", 5376, |_| 0.0, None),
        ("constant", 5376, |_| 9.0, None),
        ("gaps", 5376, |i| if i % 7 < 3 { f32::NAN } else { 9.0 }, None),
    ];
    for (name, windows, count, fallback) in cases {
        let vintage = issue(&history(origin, windows, count), shanghai, origin);
        check_valid(&vintage);
        assert_eq!(vintage.fallback, fallback.map(Stored::Value), "{name}");
        let expected = if count(0).is_nan() || count(3) > 0.0 { 9.0 } else { 0.0 };
        let expected = if windows == 0 { 0.0 } else { expected };
        for target in &vintage.targets {
            assert!((target.mean - expected).abs() < 0.5, "{name}: {target:?}");
        }
    }
}

#[test]
fn no_length_of_history_is_much_worse_than_a_shorter_one() {
    let origin = origin();
    let truth = simulated(origin + 24, 60 * 96, 11);
    let error = |days: i64| {
        let (mut off, mut all) = (0.0, 0.0);
        for day in 0..8 {
            let origin = origin - day * DAY;
            let mut known = history(origin, (days * DAY) as usize, |i| truth.get(i));
            known.trim((days * DAY) as usize);
            for target in issue(&known, Zone::UTC, origin).targets {
                let actual = f64::from(truth.get(WIDTH.index(target.start)));
                (off, all) = (off + (actual - target.quantiles[3]).abs(), all + actual);
            }
        }
        off / all
    };
    let errors = [1, 2, 4, 7, 10, 14, 21, 28].map(error);
    for pair in errors.windows(2) {
        assert!(pair[1] < 1.1 * pair[0], "{errors:?}");
    }
    assert!(errors[7] < 0.8 * errors[0] && errors[7] < 0.2, "{errors:?}");
}

#[test]
fn a_quiet_night_is_not_certain_and_many_are() {
    let origin = WIDTH.index(Timestamp::parse("2026-03-10T00:00:00Z").expect("time"));
    let open = |i: i64| if (32..88).contains(&i.rem_euclid(DAY)) { 20.0 } else { 0.0 };
    let high = |days: usize| {
        let vintage = issue(&history(origin, days * 96, open), Zone::UTC, origin);
        vintage.targets[8].quantiles[6]
    };
    assert!(high(1) >= 1.0 && high(50) <= high(1), "{} {}", high(1), high(50));
}

#[test]
fn a_new_region_borrows_the_shape_of_the_day_from_others() {
    // It is Monday, six in the morning. The new region has counts since midnight only.
    let origin = WIDTH.index(Timestamp::parse("2026-03-09T06:00:00Z").expect("time"));
    let old = simulated(origin + 24, 40 * 96, 12);
    let third = |i: i64| (old.get(i) / 3.0).round();
    let key = |region: &str| SeriesKey::parse(&format!("{region}/tv/phone")).expect("a series");
    let fresh = history(origin, 24, third);
    let known = history(origin, 39 * 96, |i| old.get(i));
    let error = |vintage: &Vintage| {
        let off = vintage.targets.iter().map(|target| {
            let actual = f64::from(third(WIDTH.index(target.start)));
            (actual - target.quantiles[3]).abs()
        });
        off.sum::<f64>()
    };
    let alone = issue_all(&BTreeMap::from([(key("new"), fresh.clone())]), Zone::UTC, origin);
    let both = BTreeMap::from([(key("new"), fresh), (key("old"), known)]);
    let both = issue_all(&both, Zone::UTC, origin);
    let borrowed = |vintage: &Vintage| match vintage.fallback {
        Some(Stored::Value(Fallback::Little { borrowed, .. })) => borrowed,
        _ => false,
    };
    assert!(borrowed(&both[&key("new")]) && !borrowed(&alone[&key("new")]));
    let (with, without) = (error(&both[&key("new")]), error(&alone[&key("new")]));
    assert!(with < 0.5 * without, "{with} {without}");
}

#[test]
fn an_unusual_hour_does_not_distort_the_profile() {
    let origin = origin();
    let wild =
        history(origin, 5376, |i| if (670..674).contains(&(origin - i)) { 5000.0 } else { 20.0 });
    let vintage = issue(&wild, zone("Asia/Shanghai"), origin);
    assert!(vintage.targets.iter().all(|t| t.mean < 30.0), "{:?}", vintage.targets[0]);
}

#[test]
fn twenty_years_of_history_cost_no_more_than_eight_weeks() {
    let origin = origin();
    let long = history(origin, 20 * 365 * 96, |i| (i % 672) as f32 / 10.0);
    let short = history(origin, 9 * 672, |i| (i % 672) as f32 / 10.0);
    let zone = zone("Asia/Shanghai");
    assert_eq!(issue(&long, zone, origin), issue(&short, zone, origin));
}

#[test]
fn the_profile_follows_local_time_over_both_clock_changes() {
    // The peak is at nine in the morning, local time, before and after the clock change.
    let london = zone("Europe/London");
    let busy = |i: i64| {
        let minute = london.minute_of_week(WIDTH.start(i)) % 1440;
        if (540..570).contains(&minute) { 80.0 } else { 2.0 }
    };
    for day in ["2026-03-30", "2026-11-02"] {
        let origin = WIDTH.index(Timestamp::parse(&format!("{day}T06:00:00Z")).expect("time"));
        let vintage = issue(&history(origin, 5376, busy), london, origin);
        for target in &vintage.targets {
            let minute = london.minute_of_week(target.start) % 1440;
            let is_busy = (540..570).contains(&minute);
            assert_eq!(target.mean > 30.0, is_busy, "{day} {} {}", target.start, target.mean);
        }
    }
}

#[test]
fn a_surge_raises_the_next_hours_and_fades() {
    let origin = origin();
    let surge = history(origin, 5376, |i| if origin - i <= 4 { 60.0 } else { 20.0 });
    let vintage = issue(&surge, zone("Asia/Shanghai"), origin);
    assert!(vintage.targets[0].mean > 35.0, "{:?}", vintage.targets[0]);
    assert!(vintage.targets[23].mean < vintage.targets[0].mean - 2.0, "{:?}", vintage.targets[23]);
}

/// Poisson counts on a daily and weekly profile with a level that varies from day to day.
fn simulated(origin: i64, windows: usize, seed: u64) -> History {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut level = 1.0;
    let mut made = history(origin, windows, |_| 0.0);
    for slot in 0..windows {
        let index = made.first + slot as i64;
        if index % DAY == 0 {
            level = 1.0 + 0.6 * (level - 1.0) + 0.25 * (rng.random::<f64>() - 0.5);
        }
        let hour = (index % DAY) as f64 / 4.0;
        let weekend = if (index / DAY) % 7 < 2 { 0.5 } else { 1.0 };
        let rate = 25.0 * weekend * level * (1.2 - (hour * std::f64::consts::TAU / 24.0).cos());
        // A sum of Bernoulli draws is close enough to Poisson here.
        let count = (0..2000).filter(|_| rng.random::<f64>() < rate / 2000.0).count();
        made.counts[slot] = count as f32;
    }
    made
}

#[test]
fn mstl_fits_a_profile_and_refuses_unsuitable_histories() {
    let end = origin();
    let truth = simulated(end + 24, 6 * 672, 9);
    let path = fit_mstl(&truth, end).expect("a fit");
    assert_eq!((path.first, path.means.len()), (end, 120));
    let error: f64 = (end..end + 24)
        .map(|i| (path.at(i).expect("within reach") - f64::from(truth.get(i))).abs())
        .sum();
    let total: f64 = (end..end + 24).map(|i| f64::from(truth.get(i))).sum();
    assert!(error / total < 0.35, "{}", error / total);
    assert_eq!(path.at(end - 1), None);
    assert!(fit_mstl(&history(end, 600, |_| 3.0), end).is_none(), "too short");
    assert!(fit_mstl(&history(end, 2688, |_| 3.0), end).is_none(), "constant");
    assert!(fit_mstl(&history(end - 10, 2688, |i| (i % 96) as f32), end).is_none(), "ends early");
}

#[test]
fn quantiles_and_the_noise_floor_match_known_values() {
    // Poisson(4): F(3) = .4335, F(4) = .6288, F(7) = .9489, F(8) = .9786, F(1) = .0916, F(2) = .2381.
    assert_eq!(quantiles(4.0, 0.0), [1.0, 2.0, 3.0, 4.0, 5.0, 7.0, 8.0]);
    // Poisson(1): median 1, E|Y − 1| = 2/e.
    assert!((poisson_floor(1.0) - 2.0 / std::f64::consts::E).abs() < 1e-12);
    // The exact and the approximate quantiles agree where they meet.
    for (a, b) in quantiles(399.9, 0.03).into_iter().zip(quantiles(400.1, 0.03)) {
        assert!((a - b).abs() <= 6.0, "{a} {b}");
    }
}
