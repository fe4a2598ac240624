//! Non-negative least squares for a piecewise linear curve, shrunk towards a prior curve.

use super::kernel::knot;

/// Maximum strength.
const MOST: f64 = 5.0;
/// Number of sweeps of coordinate descent over the knots.
const SWEEPS: usize = 40;

/// Normal equations. Each window involves the two adjacent knots.
#[derive(Clone, Debug)]
pub(super) struct Curve<const N: usize> {
    /// Diagonal.
    own: [f64; N],
    /// Off-diagonal between a knot and the next one.
    next: [f64; N],
    /// Right-hand side.
    actual: [f64; N],
}

impl<const N: usize> Default for Curve<N> {
    fn default() -> Self {
        Self { own: [0.0; N], next: [0.0; N], actual: [0.0; N] }
    }
}

impl<const N: usize> Curve<N> {
    /// Adds a window at `at` minutes, with its actual tickets, its tickets at strength 1 (`full`), and 1 / variance as weight.
    pub(super) fn add(
        &mut self,
        knots: &[f64; N],
        at: f64,
        (actual, full): (f64, f64),
        weight: f64,
    ) {
        let (i, part) = knot(knots, at);
        let (before, after) = ((1.0 - part) * full, part * full);
        self.own[i] += weight * before * before;
        self.own[i + 1] += weight * after * after;
        self.next[i] += weight * before * after;
        self.actual[i] += weight * before * actual;
        self.actual[i + 1] += weight * after * actual;
    }

    /// Numerator and denominator of the least-squares factor of a curve.
    pub(super) fn amount(&self, curve: &[f64; N]) -> (f64, f64) {
        let (mut actual, mut square) = (0.0, 0.0);
        for i in 0..N {
            let next = curve.get(i + 1).map_or(0.0, |next| 2.0 * self.next[i] * next);
            actual += self.actual[i] * curve[i];
            square += curve[i] * (self.own[i] * curve[i] + next);
        }
        (actual, square)
    }

    /// Strengths by knot from knot `first` on; earlier knots keep theirs. `pull` is the weight of the prior curve `start`, in
    /// tickets per knot.
    pub(super) fn solved(
        &self,
        from: &[f64; N],
        start: &[f64; N],
        first: usize,
        pull: f64,
    ) -> [f64; N] {
        let mut found = *from;
        for _ in 0..SWEEPS {
            for i in first..N {
                let before = if i > 0 { self.next[i - 1] * found[i - 1] } else { 0.0 };
                let after = if i + 1 < N { self.next[i] * found[i + 1] } else { 0.0 };
                let actual = self.actual[i] - before - after + pull * start[i];
                found[i] = (actual / (self.own[i] + pull)).clamp(0.0, MOST);
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Curve;

    const AT: [f64; 5] = [0.0, 20.0, 60.0, 120.0, 300.0];

    #[test]
    fn a_curve_is_recovered_and_without_data_the_prior_stays() {
        let (start, truth) = ([1.0, 0.8, 0.5, 0.2, 0.1], [1.0, 0.3, 0.1, 0.9, 0.4]);
        let straight = |at: f64| {
            let i = AT.partition_point(|k| *k <= at).clamp(1, 4) - 1;
            truth[i] + (at - AT[i]) / (AT[i + 1] - AT[i]) * (truth[i + 1] - truth[i])
        };
        let mut curve = Curve::default();
        assert_eq!(curve.solved(&start, &start, 1, 60.0), start);
        for window in 0..200 {
            let at = f64::from(window % 20) * 15.0 + 7.5;
            curve.add(&AT, at, (40.0 * straight(at), 40.0), 1.0);
        }
        let found = curve.solved(&start, &start, 1, 60.0);
        for (found, truth) in found.iter().zip(truth) {
            assert!((found - truth).abs() < 0.02, "{found} {truth}");
        }
    }

    proptest! {
        #[test]
        fn strengths_stay_between_zero_and_the_maximum(
            windows in prop::collection::vec((0.0f64..2000.0, -500.0f64..500.0, 0.0f64..50.0, 0.0f64..2.0), 0..40),
            first in 0usize..2,
        ) {
            let start = [1.0, 0.5, 0.5, 0.2, 0.0];
            let mut curve = Curve::default();
            for (at, actual, full, weight) in windows {
                curve.add(&AT, at, (actual, full), weight);
            }
            let found = curve.solved(&start, &start, first, 60.0);
            prop_assert!(found.iter().all(|s| (0.0..=super::MOST).contains(s)), "{found:?}");
            prop_assert!(first == 0 || found[0] == start[0]);
        }
    }
}
