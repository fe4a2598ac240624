//! Properties of the ensemble's forecasts.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, Poisson};

use super::*;
use crate::domain::{Timestamp, Zone};
use crate::forecast::backtest::pit;
use crate::forecast::{Calendar, DayKind, Place, Score};

const WIDTH: WindowWidth = WindowWidth::QUARTER;
const DAY: i64 = 96;
const WEEK: i64 = 7 * DAY;

fn key() -> SeriesKey {
    SeriesKey::parse("north/tv/phone").expect("series")
}

fn place(zone: &str) -> Place {
    let zone: Zone = zone.parse().expect("zone");
    Place { zone, calendar: Arc::default() }
}

fn at(text: &str) -> i64 {
    WIDTH.index(Timestamp::parse(text).expect("time"))
}

/// `windows` counts that end at `origin`.
fn history(origin: i64, windows: i64, count: impl Fn(i64) -> f32) -> History {
    let mut history = History::new(WIDTH, origin - windows);
    history.counts = (history.first..origin).map(count).collect();
    history
}

fn issue(history: &History, place: &Place, fit: i64, origin: i64) -> Vintage {
    let series = BTreeMap::from([(key(), history.clone())]);
    let places = BTreeMap::new();
    let past =
        Past { width: WIDTH, series: &series, alarms: &[], work: &[], places: &places, place };
    let mut model = Ensemble::default();
    model.fit(&past, fit);
    let vintage = model.predict(&past, origin).pop().expect("one series");
    assert_eq!(vintage.issued_at, WIDTH.start(origin));
    assert_eq!(vintage.targets.len(), 24);
    for target in &vintage.targets {
        assert!(target.mean.is_finite() && target.mean >= 0.0, "{target:?}");
        assert!(target.quantiles[0] >= 0.0, "{target:?}");
        assert!(target.quantiles.windows(2).all(|q| q[0] <= q[1]), "{target:?}");
        assert!(target.quantiles[6].is_finite(), "{target:?}");
    }
    vintage
}

/// A random number below `below`, independent for each `index`.
fn noise(index: i64, below: i32) -> f32 {
    ChaCha8Rng::seed_from_u64(index as u64).random_range(0..below) as f32
}

/// Poisson-like counts on a daily and weekly profile in local time, with a varying level.
fn simulated(zone: Zone, origin: i64, windows: i64, volume: f64, seed: u64) -> History {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut made = History::new(WIDTH, origin - windows);
    let mut level: f64 = 1.0;
    for index in made.first..origin {
        let minute = f64::from(zone.minute_of_week(WIDTH.start(index)));
        if index % 16 == 0 {
            level = 1.0 + 0.9 * (level - 1.0) + 0.15 * (rng.random::<f64>() - 0.5);
        }
        let weekend = if minute >= 5.0 * 1440.0 { 0.5 } else { 1.0 };
        let hour = (minute % 1440.0) / 1440.0 * std::f64::consts::TAU;
        let rate = volume * weekend * level * (1.2 - hour.cos());
        let count = (0..400).filter(|_| rng.random::<f64>() < rate / 400.0).count();
        made.set(index, count as f32);
    }
    made
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn quantiles_never_cross_nor_go_below_zero(
        counts in prop::collection::vec(prop_oneof![
            8 => (0u32..500).prop_map(|n| n as f32),
            2 => Just(0.0),
            1 => Just(f32::NAN),
            1 => Just(1e7),
        ], 0..4000),
        ahead in 0i64..400,
    ) {
        let origin = at("2026-03-10T08:00:00Z");
        let n = counts.len() as i64;
        let history = history(origin, n, |i| counts[(i - origin + n) as usize]);
        issue(&history, &place("Asia/Shanghai"), origin - ahead, origin);
    }

    #[test]
    fn nothing_at_or_after_the_origin_is_read(seed in any::<u64>(), future in 0u32..10_000, ahead in 0i64..300) {
        let (place, origin) = (place("Europe/London"), at("2026-03-10T08:00:00Z"));
        let known = simulated(place.zone, origin, 5 * WEEK, 6.0, seed);
        let mut extended = known.clone();
        for step in 0..40 {
            extended.set(origin + step, future as f32);
        }
        let (fit, first) = (origin - ahead, issue(&known, &place, origin - ahead, origin));
        // The fit is used: a forecast without one has a single member.
        prop_assert_eq!(first.members.len(), 3);
        prop_assert_eq!(&first, &issue(&extended, &place, fit, origin));
        // A fit does not read later windows either.
        let mut later = known.clone();
        for index in fit..origin {
            later.set(index, future as f32);
        }
        prop_assert_eq!(issue(&known, &place, fit, fit), issue(&later, &place, fit, fit));
    }
}

#[test]
fn the_forecast_does_not_depend_on_the_order_of_counts() {
    let (place, origin) = (place("UTC"), at("2026-03-10T08:00:00Z"));
    let made = simulated(place.zone, origin, 5 * WEEK, 9.0, 3);
    let mut shuffled = History::new(WIDTH, made.first);
    for step in 0..made.counts.len() as i64 {
        // 101 and the number of windows have no common divisor.
        let index = made.first + step * 101 % made.counts.len() as i64;
        shuffled.set(index, made.get(index));
    }
    assert_eq!(issue(&made, &place, origin, origin), issue(&shuffled, &place, origin, origin));
}

#[test]
fn short_constant_and_incomplete_histories_are_forecast() {
    let origin = at("2026-03-10T08:00:00Z");
    type Case = (&'static str, i64, fn(i64) -> f32, f64, bool);
    let cases: [Case; 10] = [
        ("none", 0, |_| 0.0, 0.0, true),
        ("two hours", 8, |_| 9.0, 9.0, true),
        ("three days", 3 * DAY, |_| 9.0, 9.0, true),
        ("ten days", 10 * DAY, |_| 9.0, 9.0, true),
        ("three weeks", 3 * WEEK, |_| 9.0, 9.0, true),
        ("five weeks", 5 * WEEK, |_| 9.0, 9.0, false),
        ("all zero", 8 * WEEK, |_| 0.0, 0.0, false),
        ("constant", 8 * WEEK, |_| 9.0, 9.0, false),
        ("gaps", 8 * WEEK, |i| if i % 7 < 3 { f32::NAN } else { 9.0 }, 9.0, false),
        ("twenty years", 20 * 52 * WEEK, |_| 9.0, 9.0, false),
    ];
    for (name, windows, count, expected, falls_back) in cases {
        let vintage =
            issue(&history(origin, windows, count), &place("Asia/Shanghai"), origin, origin);
        assert_eq!(vintage.fallback.is_some(), falls_back, "{name}: {:?}", vintage.fallback);
        for target in &vintage.targets {
            assert!((target.mean - expected).abs() < 0.5, "{name}: {target:?}");
        }
    }
}

#[test]
fn history_before_the_reach_is_ignored() {
    let (place, origin) = (place("UTC"), at("2026-03-10T08:00:00Z"));
    let long = simulated(place.zone, origin, 20 * WEEK, 9.0, 4);
    let mut short = long.clone();
    short.trim(span(WIDTH) as usize);
    assert_eq!(issue(&long, &place, origin, origin), issue(&short, &place, origin, origin));
}

#[test]
fn one_large_outlier_does_not_distort_the_following_days() {
    let (place, origin) = (place("UTC"), at("2026-03-10T08:00:00Z"));
    let made = simulated(place.zone, origin, 6 * WEEK, 9.0, 5);
    let calm = issue(&made, &place, origin, origin);
    for ago in [DAY - 8, 7 * DAY - 8, 14 * DAY - 8] {
        let mut wild = made.clone();
        (0..4).for_each(|step| wild.set(origin - ago + step, 5000.0));
        let after = issue(&wild, &place, origin, origin);
        for (calm, after) in calm.targets.iter().zip(&after.targets) {
            let reach = 0.25 * calm.mean + 1.0;
            assert!((calm.mean - after.mean).abs() < reach, "{ago}: {calm:?} {after:?}");
        }
    }
}

#[test]
fn closed_hours_are_zero_and_do_not_distort_open_hours() {
    let (place, origin) = (place("Asia/Shanghai"), at("2026-03-09T22:00:00Z"));
    // Open from seven to nine in the evening on weekdays; it is Tuesday, six in the morning.
    let is_open = |i: i64| {
        let minute = place.zone.minute_of_week(WIDTH.start(i));
        minute < 5 * 1440 && (420..1260).contains(&(minute % 1440))
    };
    let level = |i: i64| 20.0 + noise(i, 11);
    for shut in [f32::NAN, 0.0] {
        let made = history(origin, 8 * WEEK, |i| if is_open(i) { level(i) } else { shut });
        let vintage = issue(&made, &place, origin, origin);
        for (step, target) in vintage.targets.iter().enumerate() {
            if is_open(origin + step as i64) {
                assert!(
                    (target.mean - 25.0).abs() < 3.0 && target.quantiles[1] > 15.0,
                    "{target:?}"
                );
            } else {
                assert_eq!((target.mean, target.quantiles), (0.0, [0.0; 7]), "{target:?}");
            }
        }
    }
}

/// A team that works around the clock has few tickets at night. The night windows are zero in all weeks, but the team is not
/// closed.
#[test]
fn quiet_nights_of_a_team_around_the_clock_are_not_closed() {
    let (place, origin) = (place("Asia/Shanghai"), at("2026-03-09T16:00:00Z"));
    for (day, night) in [(6.0, 0.1), (6.0, 0.03), (20.0, 0.2), (1.0, 0.02)] {
        let made = history(origin, 8 * WEEK, |i| {
            let hour = f64::from(place.zone.minute_of_week(WIDTH.start(i)) % 1440) / 60.0;
            // It fades out in the evening and begins in the morning, as people do.
            let after = |at: f64| 1.0 / (1.0 + (-(hour - at) * 1.5).exp());
            let awake = after(8.0) - after(21.0);
            let rate: f64 = night + (day - night) * awake;
            let mut rng = ChaCha8Rng::seed_from_u64(i as u64);
            Poisson::new(rate).expect("a rate").sample(&mut rng) as f32
        });
        let vintage = issue(&made, &place, origin, origin);
        let sure = vintage.targets.iter().filter(|t| t.mean == 0.0 && t.quantiles == [0.0; 7]);
        assert_eq!(sure.count(), 0, "day {day}, night {night}: {:?}", vintage.targets);
    }
}

#[test]
fn a_stray_ticket_does_not_open_a_closed_night() {
    let (place, origin) = (place("Asia/Shanghai"), at("2026-03-09T16:00:00Z"));
    let is_open =
        |i: i64| (420..1260).contains(&(place.zone.minute_of_week(WIDTH.start(i)) % 1440));
    let mut made =
        history(origin, 8 * WEEK, |i| if is_open(i) { 20.0 + noise(i, 11) } else { 0.0 });
    // One ticket at three in the morning, three weeks ago.
    made.set(origin - 3 * WEEK + 12, 1.0);
    let vintage = issue(&made, &place, origin, origin);
    let closed = vintage.targets.iter().filter(|t| t.mean == 0.0).count();
    assert_eq!(closed, 24, "{:?}", vintage.targets);
}

#[test]
fn the_profile_follows_local_time_over_both_clock_changes() {
    // The peak is at nine in the morning, local time, before and after the clock change.
    for zone in ["Europe/London", "Asia/Shanghai"] {
        let place = place(zone);
        let busy = |i: i64| {
            let minute = place.zone.minute_of_week(WIDTH.start(i)) % 1440;
            if (540..600).contains(&minute) { 80.0 } else { 2.0 }
        };
        // The days of 23 and 25 hours themselves, the days after, and a week later.
        for day in
            ["2026-03-29", "2026-03-30", "2026-04-05", "2026-10-25", "2026-10-26", "2026-11-01"]
        {
            let origin = at(&format!("{day}T00:00:00Z"));
            let vintage = issue(&history(origin + 28, 8 * WEEK, busy), &place, origin, origin + 28);
            for target in &vintage.targets {
                let minute = place.zone.minute_of_week(target.start) % 1440;
                if (545..595).contains(&minute) {
                    assert!(target.mean > 40.0, "{zone} {day} {target:?}");
                } else if !(510..630).contains(&minute) {
                    assert!(target.mean < 6.0, "{zone} {day} {target:?}");
                }
            }
        }
    }
}

#[test]
fn a_surge_raises_the_next_hours() {
    let (place, origin) = (place("UTC"), at("2026-03-10T14:00:00Z"));
    let mut made = simulated(place.zone, origin, 7 * WEEK, 9.0, 8);
    let calm = issue(&made, &place, origin, origin);
    (1..=4).for_each(|ago| made.set(origin - ago, 60.0));
    let surge = issue(&made, &place, origin - 8, origin);
    let rise = |step: usize| surge.targets[step].mean / calm.targets[step].mean;
    assert!(rise(0) > 1.15 && rise(23) < 2.0, "{} {}", rise(0), rise(23));
}

#[test]
fn holidays_are_learned_and_do_not_distort_the_weekday() {
    let origin = at("2026-03-13T00:00:00Z");
    let mut calendar = Calendar::default();
    let dates = ["2026-01-23", "2026-02-06", "2026-02-20", "2026-02-27", "2026-03-13"];
    let dates: Vec<chrono::NaiveDate> = dates.iter().map(|d| d.parse().expect("date")).collect();
    dates.iter().for_each(|date| calendar.add(*date, DayKind::Holiday));
    let is_holiday = |i: i64| dates.contains(&Zone::UTC.local(WIDTH.start(i)).date());
    let made = history(origin, 9 * WEEK, |i| {
        let usual = 30.0 + noise(i, 9);
        if is_holiday(i) { usual / 3.0 } else { usual }
    });
    let place = Place { zone: Zone::UTC, calendar: Arc::new(calendar) };
    let holiday = issue(&made, &place, origin, origin);
    assert!(holiday.targets.iter().all(|t| t.baseline < 22.0), "{:?}", holiday.targets[9]);
    let eve = issue(&made, &place, origin - 2 * DAY, origin - 2 * DAY);
    assert!(eve.targets.iter().all(|t| (t.mean - 34.0).abs() < 4.0), "{:?}", eve.targets[9]);
}

#[test]
fn it_beats_last_weeks_count_and_its_bands_cover() {
    let (place, end) = (place("Europe/London"), at("2026-04-20T00:00:00Z"));
    let made = simulated(place.zone, end, 10 * WEEK, 9.0, 11);
    let series = BTreeMap::from([(key(), made.clone())]);
    let places = BTreeMap::new();
    let past = Past {
        width: WIDTH,
        series: &series,
        alarms: &[],
        work: &[],
        places: &places,
        place: &place,
    };
    let (mut all, mut model) = (Score::default(), Ensemble::default());
    for day in 0..14 {
        let fit = end - (15 - day) * DAY;
        model.fit(&past, fit);
        for origin in (fit..fit + DAY).step_by(12) {
            for (step, target) in model.predict(&past, origin)[0].targets.iter().enumerate() {
                let index = origin + step as i64;
                let naive = f64::from(made.get(index - WEEK));
                all.merge(&Score::of(target, f64::from(made.get(index)), Some(naive)));
            }
        }
    }
    let figures = all.figures();
    let (wape, naive) = (figures.wape.expect("scored"), figures.wape_naive.expect("scored"));
    let floor = figures.wape_floor.expect("scored");
    assert!(wape < 0.85 * naive && wape < 1.15 * floor, "{figures:?}");
    let coverage = figures.coverage80.expect("scored");
    assert!((0.78..0.9).contains(&coverage), "{figures:?}");
}

#[test]
fn a_random_walk_is_forecast_by_persistence() {
    // Random half-days of rise and fall: the weekly profile carries no information about the level.
    let origin = at("2026-03-02T00:00:00Z");
    let mut walk = 400.0;
    let mut history = history(origin, 8 * WEEK, |_| 0.0);
    for (i, count) in history.counts.iter_mut().enumerate() {
        let up = noise(i as i64 / 48, 2) > 0.5;
        walk = (walk + if up { 5.0 } else { -5.0f32 }).clamp(50.0, 900.0);
        *count = walk + noise(7 * i as i64, 5);
    }
    let place = place("UTC");
    for issued in (origin - DAY..origin).step_by(7) {
        let mut known = history.clone();
        known.counts.truncate((issued - history.first) as usize);
        let vintage = issue(&known, &place, origin - DAY, issued);
        let (forecast, last) = (vintage.targets[0].mean, f64::from(history.get(issued - 1)));
        assert!((forecast - last).abs() < 15.0, "{forecast} after {last}");
    }
}

#[test]
fn bands_widen_after_days_with_large_errors() {
    let origin = at("2026-03-02T00:00:00Z");
    let wide = |scale: f32| {
        let counts = |index: i64| {
            let off = if index >= origin - 4 * DAY { scale } else { 1.0 };
            (100.0 + off * (noise(index, 21) - 10.0)).max(0.0)
        };
        let vintage = issue(&history(origin, 8 * WEEK, counts), &place("UTC"), origin, origin);
        vintage.targets.iter().map(|t| t.quantiles[5] - t.quantiles[1]).sum::<f64>()
    };
    let (usual, off) = (wide(1.0), wide(3.0));
    assert!(off > 1.3 * usual, "{off} after large errors, {usual} after ordinary days");
}

/// Share of counts inside the 80 % band by randomised PIT: 20 simulated series at each volume, forecast at 09:00.
fn coverage_after(days: i64, volumes: &[f64]) -> f64 {
    let (place, day) = (place("UTC"), at("2026-03-10T00:00:00Z"));
    let (mut inside, mut windows) = (0.0, 0.0);
    for (volume, seed) in volumes.iter().flat_map(|v| (0..20).map(move |seed| (*v, seed))) {
        let (origin, known) = (day + 36, days * DAY + 36);
        let made = simulated(place.zone, origin + 24, known + 24, volume, seed);
        let cut = history(origin, known, |index| made.get(index));
        for (step, target) in issue(&cut, &place, origin, origin).targets.iter().enumerate() {
            let bins = pit::bins(target, f64::from(made.get(origin + step as i64)));
            inside += bins[2..6].iter().sum::<f64>();
            windows += 1.0;
        }
    }
    inside / windows
}

#[test]
fn bands_of_young_series_cover_counts_that_vary_by_chance() {
    for days in [1, 2, 4, 7, 14] {
        let found = coverage_after(days, &[1.0, 6.0, 30.0]);
        assert!((0.74..0.86).contains(&found), "{days} days: {found}");
    }
}

/// Width of the 80 % band relative to the mean.
fn relative_width(vintage: &Vintage) -> f64 {
    let sums = vintage.targets.iter().fold((0.0, 0.0), |sum, target| {
        (sum.0 + target.quantiles[5] - target.quantiles[1], sum.1 + target.mean)
    });
    sums.0 / sums.1
}

#[test]
fn bands_of_young_series_follow_own_errors() {
    let (place, origin) = (place("UTC"), at("2026-03-10T12:00:00Z"));
    // The level of a day, or of some hours, changes by up to a half; counts differ little from window to window.
    let width = |days: i64, of: i64, change: f32| {
        let made = history(origin, days * DAY + 48, |index| {
            let level = 1.0 + change * (noise(index.div_euclid(of), 201) / 100.0 - 1.0);
            (200.0 * level).round()
        });
        relative_width(&issue(&made, &place, origin, origin))
    };
    for days in [1, 4, 7] {
        let (calm, wild) = (width(days, 12, 0.02), width(days, 12, 0.5));
        assert!(wild > 2.0 * calm, "{days} days: {wild}, calm {calm}");
    }
}

#[test]
fn a_forecast_far_from_the_shape_of_the_day_is_less_certain() {
    let (place, origin) = (place("UTC"), at("2026-03-10T12:00:00Z"));
    let width = |busyness: f32| {
        let made = history(origin, 4 * DAY + 48, |index| {
            let usual = 100.0 + noise(index, 9);
            if index >= origin - 24 { busyness * usual } else { usual }
        });
        relative_width(&issue(&made, &place, origin, origin))
    };
    assert!(width(3.0) > 2.0 * width(1.0), "{} {}", width(3.0), width(1.0));
    assert!(width(0.3) > 2.0 * width(1.0), "{} {}", width(0.3), width(1.0));
}

#[test]
fn a_series_that_has_paused_is_expected_to_stay_so_for_a_while() {
    // Saturday, 09:00, after four busy weekdays.
    let (place, origin) = (place("UTC"), at("2026-03-14T09:00:00Z"));
    let since = |pause: i64| {
        let made = history(origin, 4 * DAY + 36, |index| {
            if index >= origin - pause { 0.0 } else { 40.0 + noise(index, 9) }
        });
        issue(&made, &place, origin, origin).targets
    };
    let night = since(36);
    assert!(night.iter().all(|target| target.quantiles[3] == 0.0), "{night:?}");
    assert!(night.iter().any(|target| target.quantiles[6] > 0.0), "it may resume: {night:?}");
    // Two windows without a ticket do not stop the afternoon.
    let short = since(2);
    assert!(short[23].quantiles[3] > 0.0, "{short:?}");
    // Tickets arrive: there is no pause.
    assert!(since(0).iter().all(|target| target.quantiles[1] > 10.0));
}
