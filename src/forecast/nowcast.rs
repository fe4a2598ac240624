//! Within a window: whether what has come so far is far off, and what it makes of the open window.
//!
//! A window's count is taken as negative binomial around the newest forecast: a gamma rate with Poisson noise. A part of
//! the window thins it to the same dispersion around a part of the mean, and the rate given a partial count is gamma
//! again, so that both the test and the rest of the window follow from the forecast's band. Now and then something
//! happens that the band knows nothing of: the rate may be of a second, wide gamma, and a count that is far off says so.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::spread::{cumulative, dispersion};
use super::{Cause, ForecastPoint, QUANTILES, Vintage, quantiles, rounded};
use crate::domain::{Timestamp, WindowWidth};
use crate::stats::NegativeBinomial;

/// Chance of a false alarm a series and window, both sides and all looks together.
const FALSE_ALARMS: f64 = 1e-3;
/// No band is trusted to be narrower than this.
const DISPERSION_MIN: f64 = 0.03;
/// Tickets may reach the log so late: less than was due before that is what too few are held against.
const DELAY: Duration = Duration::from_secs(180);
/// Chance that a window has nothing to do with its forecast, the dispersion of its count then, and the mean in
/// multiples of the forecast and in tickets beside these (`cargo bench --bench nowcasts`).
const UPSET: f64 = 1e-3;
const UPSET_DISPERSION: f64 = 1.0;
const UPSET_SHARE: f64 = 2.0;
const UPSET_TICKETS: f64 = 3.0;
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

/// One of the distributions that a count may be of: negative binomial.
#[derive(Clone, Copy, Debug, Default)]
struct MixtureComponent {
    /// How likely it is the one.
    weight: f64,
    mean: f64,
    dispersion: f64,
}

impl MixtureComponent {
    /// What a forecast says of the whole window.
    fn usual(target: &ForecastPoint) -> Self {
        let dispersion = dispersion(target.mean, &target.quantiles).max(DISPERSION_MIN);
        Self { weight: 1.0 - UPSET, mean: target.mean, dispersion }
    }

    /// What it knows nothing of.
    fn upset(target: &ForecastPoint) -> Self {
        let mean = UPSET_SHARE * target.mean + UPSET_TICKETS;
        Self { weight: UPSET, mean, dispersion: UPSET_DISPERSION }
    }

    /// ln of how likely it is the one once a `share` of the window has brought `count` tickets.
    fn likely(self, share: f64, count: f64) -> f64 {
        let seen = share * self.mean;
        let counts = NegativeBinomial::with_dispersion(seen, self.dispersion);
        self.weight.ln() + if seen > 0.0 { counts.ln_mass(count) } else { 0.0 }
    }

    /// The distribution of what is still to come then: its rate is gamma, and what came adds to its shape.
    fn rest(self, weight: f64, share: f64, count: f64) -> Self {
        let size = 1.0 / self.dispersion;
        let mean = (1.0 - share) * (size + count) / (size / self.mean + share);
        Self { weight, mean, dispersion: 1.0 / (size + count) }
    }
}

/// Whether a count so far is one that chance hardly brings, with one look every `every` while the window is open.
pub fn is_far_off(
    target: &ForecastPoint,
    seen: &SoFar,
    width: WindowWidth,
    every: Duration,
) -> bool {
    let looks = (width.length().as_secs_f64() / every.as_secs_f64()).max(1.0);
    let chance = FALSE_ALARMS / 2.0 / looks;
    let MixtureComponent { mean, dispersion, .. } = MixtureComponent::usual(target);
    let many = mean * seen.share(seen.upto, width);
    let few = mean * seen.share(seen.upto - DELAY, width);
    1.0 - cumulative(many, dispersion, seen.count - 1.0) < chance
        || cumulative(few, dispersion, seen.count) < chance
}

/// The whole window, given what has come of it.
pub fn completed(target: &ForecastPoint, seen: &SoFar, width: WindowWidth) -> ForecastPoint {
    let share = seen.share(seen.upto, width);
    let rest = if target.mean > 0.0 && share < 1.0 {
        let components = [MixtureComponent::usual(target), MixtureComponent::upset(target)];
        let likely = components.map(|component| component.likely(share, seen.count));
        let most = likely[0].max(likely[1]);
        let weights = likely.map(|ln| (ln - most).exp());
        let total: f64 = weights.iter().sum();
        std::array::from_fn(|i| components[i].rest(weights[i] / total, share, seen.count))
    } else {
        [MixtureComponent::default(); 2]
    };
    let more: f64 = rest.iter().map(|component| component.weight * component.mean).sum();
    let mut whole = ForecastPoint {
        mean: rounded(seen.count + more),
        quantiles: mixed(rest).map(|q| seen.count + q),
        ..target.clone()
    };
    whole.explain();
    whole
}

/// Counts at [`QUANTILES`] of a mixture: each lies between those of its components.
fn mixed(components: [MixtureComponent; 2]) -> [f64; 7] {
    let each = components.map(|component| quantiles(component.mean, component.dispersion));
    let below = |count: f64| -> f64 {
        let shares = components.iter().map(|l| l.weight * cumulative(l.mean, l.dispersion, count));
        shares.sum()
    };
    std::array::from_fn(|i| {
        let (mut low, mut high) = (each[0][i].min(each[1][i]), each[0][i].max(each[1][i]));
        while low < high {
            let middle = f64::midpoint(low, high).floor();
            if below(middle) < QUANTILES[i] { low = middle + 1.0 } else { high = middle }
        }
        low
    })
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

/// A roll-up's forecast after those of some of its `parts` have changed: what they said before, and what they say now.
/// Windows before `open` are left out.
pub fn rolled_up(
    before: &Vintage,
    parts: &[(&Vintage, &Vintage)],
    open: Timestamp,
    issued_at: Timestamp,
) -> Vintage {
    let mut vintage = Vintage { issued_at, ..before.clone() };
    vintage.targets.retain(|target| target.start >= open);
    let mut changes: BTreeMap<Timestamp, (f64, f64)> = BTreeMap::new();
    let mut causes: BTreeMap<String, f64> = BTreeMap::new();
    let mut add = |cause: &Cause, sign: f64| {
        *causes.entry(cause.what.clone()).or_default() += sign * cause.tickets;
    };
    before.causes.iter().for_each(|cause| add(cause, 1.0));
    for (was, now) in parts {
        was.causes.iter().for_each(|cause| add(cause, -1.0));
        now.causes.iter().for_each(|cause| add(cause, 1.0));
        for target in &was.targets {
            if let Some(now) = now.targets.iter().find(|now| now.start == target.start) {
                let change = changes.entry(target.start).or_default();
                change.0 += now.mean - target.mean;
                change.1 += now.alarm_effect - target.alarm_effect;
            }
        }
    }
    for target in &mut vintage.targets {
        if let Some((tickets, because_of_alarms)) = changes.get(&target.start) {
            target.shift(*tickets);
            target.alarm_effect = rounded(target.alarm_effect + because_of_alarms);
            target.explain();
        }
    }
    if !parts.is_empty() {
        vintage.causes = Cause::few(causes);
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
    use crate::domain::SeriesKey;

    const WIDTH: WindowWidth = WindowWidth::QUARTER;
    const MINUTE: Duration = Duration::from_secs(60);

    fn target(mean: f64, dispersion: f64) -> ForecastPoint {
        ForecastPoint {
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
            let rates = Gamma::new(shape, mean / shape).expect("a component");
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
        // Far beyond the band the count speaks for itself: as many more as came so far, for 8 minutes instead of 7.
        let storm = completed(&usual, &seen(60.0, 7), WIDTH);
        assert!((storm.mean - 60.0 * 15.0 / 7.0).abs() < 5.0, "{}", storm.mean);
        // A little above it, both are possible.
        let busy = completed(&usual, &seen(24.0, 7), WIDTH);
        let [.., high] = busy.quantiles;
        assert!(busy.mean > 36.0 && busy.mean < 50.0 && high > 50.0, "{busy:?}");
        let over = completed(&usual, &seen(33.0, 20), WIDTH);
        assert_eq!((over.mean, over.quantiles), (33.0, [33.0; 7]));
    }

    fn vintage(series: &str, means: [f64; 2], alarms: f64, causes: &[(&str, f64)]) -> Vintage {
        let targets = (0..2).map(|i| ForecastPoint {
            start: WIDTH.start(i),
            baseline: means[0] - alarms,
            alarm_effect: alarms,
            ..target(means[i as usize], 0.05)
        });
        Vintage {
            series: SeriesKey::parse(series).expect("a series"),
            issued_at: WIDTH.start(0),
            targets: targets.collect(),
            members: vec![],
            causes: Cause::few(causes.iter().map(|(what, n)| ((*what).to_owned(), *n))),
            surges: None,
            fallback: None,
        }
    }

    #[test]
    fn a_roll_up_has_the_reasons_of_its_parts() {
        let scheduled = vintage("north/tv/_all", [30.0, 30.0], 2.0, &[("linkDown", 4.0)]);
        let was = vintage("north/tv/phone", [10.0, 10.0], 2.0, &[("linkDown", 4.0)]);
        let causes = [("linkDown", 30.0), ("powerFailure", 9.0)];
        let now = vintage("north/tv/phone", [14.0, 25.0], 12.0, &causes);
        let (open, upto) = (WIDTH.start(1), WIDTH.start(1) + MINUTE);
        let rolled = rolled_up(&scheduled, &[(&was, &now)], open, upto);
        let [target] = &rolled.targets[..] else { panic!("{rolled:?}") };
        assert_eq!((rolled.issued_at, target.start, target.mean), (upto, open, 45.0));
        assert_eq!(target.alarm_effect, 12.0);
        let sum = target.baseline * target.level + target.alarm_effect;
        assert!((sum - target.mean).abs() < 0.05, "{target:?}");
        let told = rolled.causes.iter().map(|cause| (cause.what.as_str(), cause.tickets));
        assert_eq!(told.collect::<Vec<_>>(), causes);
        assert_eq!(rolled_up(&scheduled, &[], open, upto).causes, scheduled.causes);
    }

    proptest! {
        #[test]
        fn drivers_of_an_open_window_add_up(mean in 0.1f64..300.0, alarms in -50.0f64..300.0, count in 0u32..500) {
            let usual = ForecastPoint { alarm_effect: alarms, ..target(mean, 0.06) };
            let whole = completed(&usual, &seen(f64::from(count), 7), WIDTH);
            let sum = whole.baseline * whole.level + whole.alarm_effect;
            prop_assert!((sum - whole.mean).abs() <= 1e-3 * (1.0 + whole.baseline), "{whole:?}");
        }

        #[test]
        fn never_less_than_has_come(mean in 0.0f64..300.0, count in 0u32..500, minutes in 0i64..30) {
            let whole = completed(&target(mean, 0.06), &seen(f64::from(count), minutes), WIDTH);
            prop_assert!(whole.quantiles.is_sorted());
            prop_assert!(whole.mean >= f64::from(count) && whole.quantiles[0] >= f64::from(count));
        }
    }
}
