//! Nowcasts: compares the partial count of an open window with its forecast, and completes the window.
//!
//! The count of a window is modelled as negative binomial around the newest forecast: a gamma rate with Poisson noise. A
//! partial count has the same dispersion around the same share of the mean, and the rate given a partial count is gamma again.
//! So the forecast's band determines both the test and the distribution of the rest of the window. A second, wide gamma
//! component covers events that the forecast does not include; a partial count far from the forecast raises its weight.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::spread::{cumulative, dispersion};
use super::{Cause, ForecastPoint, QUANTILES, Vintage, quantiles, rounded};
use crate::domain::{Scope, Timestamp, WindowWidth};
use crate::stats::NegativeBinomial;
use crate::text::{Say, Stored, Texts, args};

/// False-alarm probability per series and window, two-sided, over all examinations of the window.
const FALSE_ALARMS: f64 = 1e-3;
/// Smallest dispersion of a band.
const DISPERSION_MIN: f64 = 0.03;
/// Delay of tickets in the log. Too low a count is tested against the share of the window up to this long ago.
const DELAY: Duration = Duration::from_secs(180);
/// The outlier component: prior weight, dispersion, and mean as a multiple of the forecast plus tickets
/// (`cargo bench --bench nowcasts`).
const OUTLIER_WEIGHT: f64 = 1e-3;
const OUTLIER_DISPERSION: f64 = 1.0;
const OUTLIER_SHARE: f64 = 2.0;
const OUTLIER_TICKETS: f64 = 3.0;
/// Smallest change that is issued: as a share of the distance from the median to the upper limit of the 80 % band, and in
/// tickets.
const CHANGE_SHARE: f64 = 0.75;
const CHANGE_TICKETS: f64 = 5.0;
/// A sign is clearly worse with this many times the alarms, and with this many more alarms.
const WORSE_TIMES: usize = 2;
const WORSE_ALARMS: usize = 3;
/// A sign is clearly worse with at least so many tickets above or below the newest forecast.
const WORSE_TICKETS: f64 = 5.0;
/// An excess of fewer tickets than this over the forecast so far counts as a single ticket.
const SINGLE_TICKET: f64 = 1.5;

/// A forecast issued within a window. It is never changed afterwards.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Nowcast {
    /// Its first forecast point is the window that was open when it was issued.
    pub vintage: Vintage,
    /// Why the nowcast was issued.
    pub reason: Stored<Reason>,
    /// Issue time of the newest scheduled vintage when it was issued.
    pub after: Timestamp,
}

/// Signs that the newest forecast of a region and service is out of date.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Signs {
    /// Number of severe alarms raised since that forecast.
    pub alarms: usize,
    /// For the leaf that differs most from its forecast: tickets in its open window so far, and the number forecast up to now.
    pub tickets: Option<(f64, f64)>,
}

impl Signs {
    /// The signs that remain shortly after earlier nowcasts of the scope, which were issued because of `before`. A sign that
    /// has already led to a nowcast is ignored for a while, unless it is clearly worse. So alarms after a nowcast about tickets
    /// are not missed, and tickets after a nowcast about alarms are not missed either. A nowcast about a single ticket never
    /// causes signs to be ignored.
    #[must_use]
    pub fn rested(self, before: impl IntoIterator<Item = Self>) -> Self {
        let mut left = self;
        for known in before {
            let grown = known.alarms * WORSE_TIMES;
            if known.alarms > 0 && left.alarms < grown.max(known.alarms + WORSE_ALARMS) {
                left.alarms = 0;
            }
            left.tickets = left.tickets.filter(|now| {
                known.tickets.is_none_or(|told| is_clearly_worse(off_by(told), off_by(*now)))
            });
        }
        left
    }

    /// Whether there are no signs.
    pub fn is_empty(&self) -> bool {
        self.alarms == 0 && self.tickets.is_none()
    }
}

/// Tickets above the number forecast so far.
fn off_by((count, due): (f64, f64)) -> f64 {
    count - due
}

/// Whether the difference is clearly worse than that of an earlier nowcast, whose forecast includes it: twice as large, or in
/// the other direction.
fn is_clearly_worse(told: f64, now: f64) -> bool {
    let is_one = told.abs() < SINGLE_TICKET;
    is_one || now * told < 0.0 || now.abs() >= told.abs().max(WORSE_TICKETS)
}

/// Why a nowcast was issued: its signs, and for a roll-up the signs of each scope.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reason(pub Vec<(Option<Scope>, Signs)>);

impl Say for Signs {
    fn say(&self, texts: &Texts) -> String {
        let n = self.alarms;
        let alarms = (n > 0).then(|| texts.text("nowcast-alarms", args!["n" => n]));
        let tickets = self.tickets.map(|(count, due)| {
            let args = args!["n" => count.round(), "due" => texts.number(due, 0)];
            texts.text("nowcast-tickets", args)
        });
        texts.clauses([alarms, tickets].into_iter().flatten())
    }
}

impl Say for Reason {
    fn say(&self, texts: &Texts) -> String {
        texts.clauses(self.0.iter().map(|(scope, signs)| match scope {
            None => signs.say(texts),
            Some(scope) => {
                let args = args!["scope" => scope.to_string(), "reason" => signs.say(texts)];
                texts.text("nowcast-scope", args)
            }
        }))
    }
}

/// Partial count of a window that is not finalized.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PartialCount {
    pub start: Timestamp,
    /// Tickets.
    pub count: f64,
    /// Events up to this time are counted.
    pub upto: Timestamp,
}

impl PartialCount {
    /// Share of the window that lies before `upto`.
    pub fn share(&self, upto: Timestamp, width: WindowWidth) -> f64 {
        (upto.since(self.start).as_secs_f64() / f64::from(width.secs())).min(1.0)
    }
}

/// One component of the mixture distribution of a count: a negative binomial.
#[derive(Clone, Copy, Debug, Default)]
struct MixtureComponent {
    /// Probability of this component.
    weight: f64,
    mean: f64,
    dispersion: f64,
}

impl MixtureComponent {
    /// The component of the whole window according to the forecast.
    fn regular(target: &ForecastPoint) -> Self {
        let dispersion = dispersion(target.mean, &target.quantiles).max(DISPERSION_MIN);
        Self { weight: 1.0 - OUTLIER_WEIGHT, mean: target.mean, dispersion }
    }

    /// The component of the whole window in case of an event that the forecast does not include.
    fn outlier(target: &ForecastPoint) -> Self {
        let mean = OUTLIER_SHARE * target.mean + OUTLIER_TICKETS;
        Self { weight: OUTLIER_WEIGHT, mean, dispersion: OUTLIER_DISPERSION }
    }

    /// Log of the unnormalised posterior weight after a `share` of the window with `count` tickets.
    fn log_weight(self, share: f64, count: f64) -> f64 {
        let partial = share * self.mean;
        if partial <= 0.0 {
            // Nothing was expected: a ticket rules the component out, if it has no tickets at all.
            let is_impossible = self.mean <= 0.0 && count > 0.0;
            return if is_impossible { f64::NEG_INFINITY } else { self.weight.ln() };
        }
        let counts = NegativeBinomial::with_dispersion(partial, self.dispersion);
        self.weight.ln() + counts.ln_mass(count)
    }

    /// Distribution of the rest of the window, after `count` tickets.
    fn rest(self, weight: f64, share: f64, count: f64) -> Self {
        let size = 1.0 / self.dispersion;
        let mean = if self.mean > 0.0 {
            (1.0 - share) * (size + count) / (size / self.mean + share)
        } else {
            0.0
        };
        Self { weight, mean, dispersion: 1.0 / (size + count) }
    }
}

/// Whether a partial count is improbable under the forecast, if the window is examined every `every` while it is open.
pub fn is_far_off(
    target: &ForecastPoint,
    partial: &PartialCount,
    width: WindowWidth,
    every: Duration,
) -> bool {
    let looks = (width.length().as_secs_f64() / every.as_secs_f64()).max(1.0);
    let chance = FALSE_ALARMS / 2.0 / looks;
    let MixtureComponent { mean, dispersion, .. } = MixtureComponent::regular(target);
    let many = mean * partial.share(partial.upto, width);
    let few = mean * partial.share(partial.upto - DELAY, width);
    1.0 - cumulative(many, dispersion, partial.count - 1.0) < chance
        || cumulative(few, dispersion, partial.count) < chance
}

/// The forecast of the whole window, given its partial count.
pub fn completed(
    target: &ForecastPoint,
    partial: &PartialCount,
    width: WindowWidth,
) -> ForecastPoint {
    let share = partial.share(partial.upto, width);
    // If nothing is expected and no ticket has arrived, none is forecast. One ticket refutes that.
    let rest = if share < 1.0 && (target.mean > 0.0 || partial.count > 0.0) {
        let components = [MixtureComponent::regular(target), MixtureComponent::outlier(target)];
        let log_weights = components.map(|component| component.log_weight(share, partial.count));
        let most = log_weights[0].max(log_weights[1]);
        let weights = log_weights.map(|ln| (ln - most).exp());
        let total: f64 = weights.iter().sum();
        std::array::from_fn(|i| components[i].rest(weights[i] / total, share, partial.count))
    } else {
        [MixtureComponent::default(); 2]
    };
    let more: f64 = rest.iter().map(|component| component.weight * component.mean).sum();
    let mut whole = ForecastPoint {
        mean: rounded(partial.count + more),
        quantiles: mixed(rest).map(|q| partial.count + q),
        ..target.clone()
    };
    whole.explain();
    whole
}

/// Counts at [`QUANTILES`] of a mixture, by bisection between the quantiles of its components.
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

/// Whether two forecasts of a series differ enough to issue the second.
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

/// The forecast of a roll-up after some of its `parts` changed, given as (before, after). Windows before `open` are left out.
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

/// Positions in [`QUANTILES`].
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

    fn partial(count: f64, minutes: i64) -> PartialCount {
        let start = WIDTH.start(0);
        PartialCount { start, count, upto: Timestamp::from_secs(minutes * 60) }
    }

    #[test]
    fn a_storm_is_detected_within_minutes_and_silence_later() {
        let usual = target(20.0, 0.05);
        let far = |count, minutes| is_far_off(&usual, &partial(count, minutes), WIDTH, MINUTE);
        assert!(!far(7.0, 5) && !far(12.0, 5) && far(40.0, 5));
        assert!(!far(0.0, 5) && far(0.0, 15));
        // At a mean near zero two tickets are not improbable; eight are.
        let night = target(0.2, 0.05);
        let far = |count| is_far_off(&night, &partial(count, 10), WIDTH, MINUTE);
        assert!(!far(2.0) && far(8.0));
    }

    #[test]
    fn false_alarms_stay_within_their_probability() {
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
                    is_far_off(&usual, &partial(count as f64, minute), WIDTH, MINUTE)
                }));
            }
        }
        assert!(raised <= windows / 1000, "{raised} of {windows}");
    }

    #[test]
    fn the_completed_window_is_the_partial_count_plus_the_expected_rest() {
        let usual = target(20.0, 0.05);
        let half = completed(&usual, &partial(10.0, 7), WIDTH);
        assert!((half.mean - 20.0).abs() < 1.0, "{}", half.mean);
        // Far beyond the band the rate follows from the count alone: the same rate for the other 8 minutes.
        let storm = completed(&usual, &partial(60.0, 7), WIDTH);
        assert!((storm.mean - 60.0 * 15.0 / 7.0).abs() < 5.0, "{}", storm.mean);
        // A little above the band, both components are possible.
        let busy = completed(&usual, &partial(24.0, 7), WIDTH);
        let [.., high] = busy.quantiles;
        assert!(busy.mean > 36.0 && busy.mean < 50.0 && high > 50.0, "{busy:?}");
        let over = completed(&usual, &partial(33.0, 20), WIDTH);
        assert_eq!((over.mean, over.quantiles), (33.0, [33.0; 7]));
    }

    /// Two minutes after the start of a window, the rest of it is not known, whatever was expected.
    #[test]
    fn a_window_in_which_nothing_was_expected_is_not_certain_once_tickets_come() {
        let night = ForecastPoint { quantiles: [0.0; 7], ..target(0.0, 0.05) };
        let storm = completed(&night, &partial(26.0, 2), WIDTH);
        let [.., high] = storm.quantiles;
        assert!(storm.quantiles[1] > 40.0 && high > 90.0 && storm.mean > 60.0, "{storm:?}");
        let late = completed(&night, &partial(26.0, 14), WIDTH);
        assert!(late.quantiles[5] > 26.0 && late.quantiles[5] < 35.0, "{late:?}");
        let none = completed(&night, &partial(0.0, 2), WIDTH);
        assert_eq!((none.mean, none.quantiles), (0.0, [0.0; 7]), "closed hours stay closed");
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
    fn a_roll_up_has_the_causes_of_its_parts() {
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
        let causes_found = rolled.causes.iter().map(|cause| (cause.what.as_str(), cause.tickets));
        assert_eq!(causes_found.collect::<Vec<_>>(), causes);
        assert_eq!(rolled_up(&scheduled, &[], open, upto).causes, scheduled.causes);
    }

    #[test]
    fn a_sign_rests_after_its_own_nowcast_until_it_is_clearly_worse() {
        let alarms = |n| Signs { alarms: n, tickets: None };
        let tickets = |count, due| Signs { alarms: 0, tickets: Some((count, due)) };
        let both = Signs { alarms: 4, tickets: Some((30.0, 8.0)) };
        let cases = [
            // Its own sign rests, the other one does not.
            (alarms(4), vec![alarms(4)], alarms(0)),
            (both, vec![alarms(4)], tickets(30.0, 8.0)),
            (both, vec![tickets(30.0, 8.0)], both),
            (both, vec![tickets(40.0, 8.0)], alarms(4)),
            (both, vec![alarms(3), tickets(40.0, 8.0)], alarms(0)),
            // Twice as many alarms, and three more.
            (alarms(5), vec![alarms(2)], alarms(5)),
            (alarms(3), vec![alarms(1)], alarms(0)),
            (alarms(11), vec![alarms(6)], alarms(0)),
            (alarms(12), vec![alarms(6)], alarms(12)),
            (alarms(12), vec![alarms(3), alarms(6)], alarms(12)),
            // As far off again, or in the other direction.
            (tickets(60.0, 30.0), vec![tickets(30.0, 8.0)], tickets(60.0, 30.0)),
            (tickets(45.0, 30.0), vec![tickets(30.0, 8.0)], alarms(0)),
            (tickets(2.0, 20.0), vec![tickets(30.0, 8.0)], tickets(2.0, 20.0)),
            (tickets(3.0, 0.5), vec![tickets(2.0, 0.1)], alarms(0)),
            // One ticket is no reason to miss the next ones.
            (tickets(4.0, 1.0), vec![tickets(1.0, 0.0)], tickets(4.0, 1.0)),
            (alarms(4), vec![], alarms(4)),
        ];
        for (now, before, left) in cases {
            assert_eq!(now.rested(before.iter().copied()), left, "{now:?} after {before:?}");
        }
    }

    proptest! {
        #[test]
        fn drivers_of_an_open_window_add_up(mean in 0.1f64..300.0, alarms in -50.0f64..300.0, count in 0u32..500) {
            let usual = ForecastPoint { alarm_effect: alarms, ..target(mean, 0.06) };
            let whole = completed(&usual, &partial(f64::from(count), 7), WIDTH);
            let sum = whole.baseline * whole.level + whole.alarm_effect;
            prop_assert!((sum - whole.mean).abs() <= 1e-3 * (1.0 + whole.baseline), "{whole:?}");
        }

        #[test]
        fn an_open_window_with_tickets_is_never_certain(mean in 0.0f64..300.0, count in 1u32..500, minutes in 1i64..5) {
            let whole = completed(&target(mean, 0.06), &partial(f64::from(count), minutes), WIDTH);
            prop_assert!(whole.quantiles[6] > f64::from(count), "{:?}", whole);
        }

        #[test]
        fn the_completed_window_is_never_below_the_partial_count(mean in 0.0f64..300.0, count in 0u32..500, minutes in 0i64..30) {
            let whole = completed(&target(mean, 0.06), &partial(f64::from(count), minutes), WIDTH);
            prop_assert!(whole.quantiles.is_sorted());
            prop_assert!(whole.mean >= f64::from(count) && whole.quantiles[0] >= f64::from(count));
        }
    }
}
