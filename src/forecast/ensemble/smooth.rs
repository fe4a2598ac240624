//! Smoothing of profiles over neighbouring slots of the week: choice of the reach, and a sliding mean.

use super::frame::Frame;

/// Number of weeks used to choose the reach.
const WEEKS: usize = 9;
/// Maximum number of windows used to choose the reach.
const CASES_MAX: usize = 2500;
/// Candidate reaches besides 0, 1 and 2 slots, hours.
const HOURS: [usize; 4] = [1, 2, 4, 6];

/// The number of slots on either side for which the means of the other weeks predict a window best: few if counts change
/// abruptly between slots, many if they change slowly. `y` is NaN where unknown or closed.
pub(super) fn reach(frame: &Frame, y: &[f32]) -> usize {
    let hour = (frame.day / 24).max(1);
    let mut reaches = vec![0, 1, 2];
    reaches.extend(HOURS.map(|hours| hours * hour).into_iter().filter(|reach| *reach > 2));
    let from = y.len().saturating_sub(WEEKS * frame.week());
    let others = of_other_weeks(frame, y, from);
    let farthest = reaches.last().copied().unwrap_or(0);
    let cases = from + farthest..y.len().saturating_sub(farthest);
    let stride = frame.stride(cases.len(), CASES_MAX);
    let mut losses = vec![0.0; reaches.len()];
    for t in cases.step_by(stride).filter(|t| !others[*t - from].is_nan()) {
        for (loss, reach) in losses.iter_mut().zip(&reaches) {
            let near = &others[t - from - reach..=t - from + reach];
            *loss += triangle(near.iter().map(|y| f64::from(*y)), *reach)
                .map_or(0.0, |mean| (f64::from(y[t]) - mean).powi(2));
        }
    }
    let best = (0..reaches.len()).min_by(|a, b| losses[*a].total_cmp(&losses[*b]));
    best.map_or(0, |best| reaches[best])
}

/// For each window from `from` on: the mean count of its slot in the other weeks; NaN if unknown.
fn of_other_weeks(frame: &Frame, y: &[f32], from: usize) -> Vec<f32> {
    let mut sums = vec![(0.0, 0u32); frame.week()];
    let known = || y.iter().zip(&frame.slot).skip(from);
    for (y, slot) in known().filter(|(y, _)| !y.is_nan()) {
        let sum = &mut sums[usize::from(*slot)];
        *sum = (sum.0 + y, sum.1 + 1);
    }
    let others = known().map(|(y, slot)| match sums[usize::from(*slot)] {
        (sum, n) if n > 1 => (sum - y) / (n - 1) as f32,
        _ => f32::NAN,
    });
    others.collect()
}

/// Mean of `2 · reach + 1` values with triangular weights; `None` if all are NaN.
pub(super) fn triangle(values: impl Iterator<Item = f64>, reach: usize) -> Option<f64> {
    let (mut sum, mut weight) = (0.0, 0.0);
    for (step, value) in values.enumerate().filter(|(_, value)| !value.is_nan()) {
        let share = (reach + 1 - step.abs_diff(reach)) as f64;
        sum += share * value;
        weight += share;
    }
    (weight > 0.0).then(|| sum / weight)
}

/// Sum and number of values.
#[derive(Clone, Copy, Debug, Default)]
struct Sum(f64, f64);

impl Sum {
    fn add(&mut self, other: Self, sign: f64) {
        self.0 += sign * other.0;
        self.1 += sign * other.1;
    }
}

/// Sliding [`triangle`] over consecutive slots on a circle. It updates sums from one slot to the next, so it has to be told of
/// values that change ([`Self::changed`]).
#[derive(Clone, Debug)]
pub(super) struct Sliding {
    reach: usize,
    last: Option<usize>,
    /// Around the last slot: the triangular sum, the sum of the slots up to it, and the sum of the same number of slots after
    /// it.
    all: Sum,
    left: Sum,
    right: Sum,
}

impl Sliding {
    pub(super) fn new(reach: usize) -> Self {
        Self { reach, last: None, all: Sum(0.0, 0.0), left: Sum(0.0, 0.0), right: Sum(0.0, 0.0) }
    }

    /// Notes that the value of one of `n` slots changes. Sums that contain it are computed again.
    pub(super) fn changed(&mut self, slot: usize, n: usize) {
        let apart = self.last.map(|last| last.abs_diff(slot).min(n - last.abs_diff(slot)));
        if apart.is_some_and(|slots| slots <= self.reach + 1) {
            self.last = None;
        }
    }

    /// The mean around a slot.
    pub(super) fn mean(&mut self, values: &[f64], slot: usize) -> Option<f64> {
        let (n, reach) = (values.len(), self.reach);
        // Slot and offset are each less than a week.
        let at = |slot: usize| match values[if slot < n { slot } else { slot - n }] {
            value if value.is_nan() => Sum(0.0, 0.0),
            value => Sum(value, 1.0),
        };
        let follows = |last: usize| if last + 1 < n { last + 1 == slot } else { slot == 0 };
        if self.last.is_some_and(follows) {
            self.all.add(self.right, 1.0);
            self.all.add(self.left, -1.0);
            self.left.add(at(slot), 1.0);
            self.left.add(at(slot + n - 1 - reach), -1.0);
            self.right.add(at(slot), -1.0);
            self.right.add(at(slot + reach + 1), 1.0);
        } else {
            *self = Self::new(reach);
            for step in 0..=reach {
                let (before, after) = (at(slot + n - step), at(slot + step + 1));
                self.left.add(before, 1.0);
                self.right.add(after, 1.0);
                self.all.add(before, (reach + 1 - step) as f64);
                self.all.add(after, (reach - step) as f64);
            }
        }
        self.last = Some(slot);
        (self.all.1 > 0.5).then(|| self.all.0 / self.all.1)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::domain::{WindowWidth, Zone};
    use crate::forecast::Place;

    proptest! {
        #[test]
        fn the_sliding_mean_equals_the_mean_of_each_slot(
            values in prop::collection::vec(prop_oneof![3 => 0.0..900.0f64, 1 => Just(f64::NAN)], 168),
            reach in 0usize..24,
            jump in 0usize..168,
            changes in prop::collection::vec((0usize..200, 0usize..168, 0.0..900.0f64), 0..20),
        ) {
            let mut values = values;
            let mut sliding = Sliding::new(reach);
            for (n, slot) in (100..168).chain(0..60).chain(jump..168).enumerate() {
                for (_, changed, value) in changes.iter().filter(|(at, _, _)| *at == n) {
                    values[*changed] = *value;
                    sliding.changed(*changed, values.len());
                }
                let near = (0..=2 * reach).map(|step| values[(slot + 168 + step - reach) % 168]);
                match (sliding.mean(&values, slot), triangle(near, reach)) {
                    (Some(found), Some(right)) => prop_assert!((found - right).abs() < 1e-6),
                    (found, right) => prop_assert_eq!(found, right),
                }
            }
        }
    }

    #[test]
    fn abrupt_changes_are_kept_and_slow_changes_smoothed() {
        let zone = Zone::UTC;
        let place = Place { zone, calendar: std::sync::Arc::default() };
        let frame = Frame::new(&place, WindowWidth::QUARTER, 0, 6 * 672);
        let counts = |rate: &dyn Fn(usize) -> f64| -> Vec<f32> {
            let mut rng = ChaCha8Rng::seed_from_u64(7);
            (0..frame.len()).map(|t| (rate(t) + 40.0 * rng.random::<f64>()) as f32).collect()
        };
        let slow = |t: usize| 100.0 + 50.0 * (t as f64 * std::f64::consts::TAU / 672.0).sin();
        let abrupt = |t: usize| if t.is_multiple_of(3) { 900.0 } else { 100.0 };
        assert!(reach(&frame, &counts(&slow)) >= 4);
        assert_eq!(reach(&frame, &counts(&abrupt)), 0);
        assert_eq!(reach(&frame, &vec![f32::NAN; frame.len()]), 0);
        assert_eq!(reach(&frame, &[]), 0);
    }
}
