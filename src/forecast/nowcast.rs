//! Within a window: whether what has come so far is far off, and what it makes of the open window.
//!
//! A window's count is taken as negative binomial around the newest forecast: a gamma rate with Poisson noise. A part of
//! the window thins it to the same dispersion around a part of the mean, and the rate given a partial count is gamma
//! again, so that both the test and the rest of the window follow from the forecast's band.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::spread::{cumulative, dispersion};
use super::{QUANTILES, Target, Vintage, quantiles, rounded};
use crate::domain::{Timestamp, WindowWidth};

/// Chance of a false alarm a series and window, both sides and all looks together.
const FALSE_ALARMS: f64 = 1e-3;
/// No band is trusted to be narrower than this.
const DISPERSION_MIN: f64 = 0.03;
/// Tickets may reach the log so late: less than was due before that is what too few are held against.
const DELAY: Duration = Duration::from_secs(180);
/// A change is worth telling from this share of the upper half of the 80 % band on, and from so many tickets on.
const CHANGE_SHARE: f64 = 0.75;
const CHANGE_TICKETS: f64 = 5.0;

/// A forecast issued within a window. Like any other it is never altered afterwards.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Nowcast {
    /// Its first target is the window that was open when it was issued.
    pub vintage: Vintage,
    /// Why it was issued, in words.
    pub reason: String,
    /// Issue time of the vintage that was the newest one then.
    pub after: Timestamp,
}

/// What has come of a window that has not settled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SoFar {
    pub start: Timestamp,
    /// Tickets.
    pub count: f64,
    /// Up to when they are known.
    pub upto: Timestamp,
}

impl SoFar {
    /// Share of the window that lies before `upto`.
    pub fn share(&self, upto: Timestamp, width: WindowWidth) -> f64 {
        (upto.since(self.start).as_secs_f64() / f64::from(width.secs())).min(1.0)
    }
}

fn law(target: &Target) -> (f64, f64) {
    (target.mean, dispersion(target.mean, &target.quantiles).max(DISPERSION_MIN))
}

/// Whether a count so far is one that chance hardly brings, with one look every `every` while the window is open.
pub fn is_far_off(target: &Target, seen: &SoFar, width: WindowWidth, every: Duration) -> bool {
    let looks = (width.length().as_secs_f64() / every.as_secs_f64()).max(1.0);
    let chance = FALSE_ALARMS / 2.0 / looks;
    let (mean, dispersion) = law(target);
    let many = mean * seen.share(seen.upto, width);
    let few = mean * seen.share(seen.upto - DELAY, width);
    1.0 - cumulative(many, dispersion, seen.count - 1.0) < chance
        || cumulative(few, dispersion, seen.count) < chance
}

/// The whole window, given what has come of it.
pub fn completed(target: &Target, seen: &SoFar, width: WindowWidth) -> Target {
    let (mean, dispersion) = law(target);
    let share = seen.share(seen.upto, width);
    let rest = if mean > 0.0 {
        let shape = 1.0 / dispersion;
        (1.0 - share) * (shape + seen.count) / (shape / mean + share)
    } else {
        0.0
    };
    let narrower = dispersion / (1.0 + dispersion * seen.count);
    Target {
        mean: rounded(seen.count + rest),
        quantiles: quantiles(rest, narrower).map(|q| seen.count + q),
        ..target.clone()
    }
}

/// Whether one forecast says something else than another of the same series, window by window.
pub fn differs(before: &Vintage, after: &Vintage) -> bool {
    let of_before = |start| before.targets.iter().find(|target| target.start == start);
    let changes = after.targets.iter().filter_map(|after| {
        let before = of_before(after.start)?;
        let wide = (before.quantiles[HIGH] - before.quantiles[MEDIAN]).max(1.0);
        Some((after.mean - before.mean, wide))
    });
    let changes: Vec<(f64, f64)> = changes.collect();
    let sum: f64 = changes.iter().map(|(change, _)| change).sum();
    let most = changes.iter().map(|(change, wide)| change.abs() / wide).fold(0.0, f64::max);
    sum.abs() >= CHANGE_TICKETS && most >= CHANGE_SHARE
}

/// A roll-up's forecast after those of some of its parts have changed: `changes` are sums of theirs, tickets by start.
/// Windows before `open` are left out.
pub fn rolled_up(
    before: &Vintage,
    changes: &BTreeMap<Timestamp, f64>,
    open: Timestamp,
    issued_at: Timestamp,
) -> Vintage {
    let mut vintage = Vintage { issued_at, ..before.clone() };
    vintage.targets.retain(|target| target.start >= open);
    for target in &mut vintage.targets {
        if let Some(tickets) = changes.get(&target.start) {
            target.shift(*tickets);
        }
    }
    vintage
}

/// Places in [`QUANTILES`].
const MEDIAN: usize = QUANTILES.len() / 2;
const HIGH: usize = MEDIAN + 2;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng as _;
    use rand_chacha::ChaCha8Rng;
    use rand_distr::{Distribution as _, Gamma, Poisson};

    use super::*;

    const WIDTH: WindowWidth = WindowWidth::QUARTER;
    const MINUTE: Duration = Duration::from_secs(60);

    fn target(mean: f64, dispersion: f64) -> Target {
        Target {
            start: WIDTH.start(0),
            mean,
            quantiles: quantiles(mean, dispersion),
            baseline: mean,
            level: 1.0,
            alarm_effect: 0.0,
        }
    }

    fn seen(count: f64, minutes: i64) -> SoFar {
        let start = WIDTH.start(0);
        SoFar { start, count, upto: Timestamp::from_secs(minutes * 60) }
    }

    #[test]
    fn a_storm_is_seen_minutes_into_the_window_and_silence_later() {
        let usual = target(20.0, 0.05);
        let far = |count, minutes| is_far_off(&usual, &seen(count, minutes), WIDTH, MINUTE);
        assert!(!far(7.0, 5) && !far(12.0, 5) && far(40.0, 5));
        assert!(!far(0.0, 5) && far(0.0, 15));
        // Where nothing is expected a single ticket is no news; a few are.
        let night = target(0.2, 0.05);
        let far = |count| is_far_off(&night, &seen(count, 10), WIDTH, MINUTE);
        assert!(!far(2.0) && far(8.0));
    }

    #[test]
    fn ordinary_windows_hardly_ever_raise_it() {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let (windows, mut raised) = (40_000, 0);
        for (mean, dispersion) in [(3.0, 0.1), (20.0, 0.05), (150.0, 0.08), (0.4, 0.05)] {
            let usual = target(mean, dispersion);
            let shape: f64 = 1.0 / dispersion;
            let rates = Gamma::new(shape, mean / shape).expect("a law");
            for _ in 0..windows / 4 {
                let rate: f64 = rates.sample(&mut rng);
                let tickets =
                    Poisson::new(rate.max(1e-9)).expect("a rate").sample(&mut rng) as usize;
                let at: Vec<f64> = (0..tickets).map(|_| rng.random_range(0.0..15.0)).collect();
                raised += usize::from((1..=15).any(|minute| {
                    let count = at.iter().filter(|at| **at < minute as f64).count();
                    is_far_off(&usual, &seen(count as f64, minute), WIDTH, MINUTE)
                }));
            }
        }
        assert!(raised <= windows / 1000, "{raised} of {windows}");
    }

    #[test]
    fn the_open_window_is_what_came_and_what_the_rate_then_brings() {
        let usual = target(20.0, 0.05);
        let half = completed(&usual, &seen(10.0, 7), WIDTH);
        assert!((half.mean - 20.0).abs() < 1.0, "{}", half.mean);
        let storm = completed(&usual, &seen(60.0, 7), WIDTH);
        assert!(storm.mean > 80.0 && storm.mean < 130.0, "{}", storm.mean);
        let over = completed(&usual, &seen(33.0, 20), WIDTH);
        assert_eq!((over.mean, over.quantiles), (33.0, [33.0; 7]));
    }

    proptest! {
        #[test]
        fn never_less_than_has_come(mean in 0.0f64..300.0, count in 0u32..500, minutes in 0i64..30) {
            let whole = completed(&target(mean, 0.06), &seen(f64::from(count), minutes), WIDTH);
            prop_assert!(whole.quantiles.is_sorted());
            prop_assert!(whole.mean >= f64::from(count) && whole.quantiles[0] >= f64::from(count));
        }
    }
}
