//! Least squares for a curve of straight lines between knots, none below zero, pulled towards a curve to start from.

use super::kernel::knot;

/// No strength is higher.
const MOST: f64 = 5.0;
/// Sweeps over the knots: neighbours only touch each other.
const SWEEPS: usize = 40;

/// Normal equations: each window touches the two knots beside it.
#[derive(Clone, Debug)]
pub(super) struct Curve<const N: usize> {
    own: [f64; N],
    /// Between a knot and the next.
    next: [f64; N],
    came: [f64; N],
}

impl<const N: usize> Default for Curve<N> {
    fn default() -> Self {
        Self { own: [0.0; N], next: [0.0; N], came: [0.0; N] }
    }
}

impl<const N: usize> Curve<N> {
    /// Adds a window `at` minutes: tickets that came, those that strength 1 would have brought, and one over the
    /// variance.
    pub(super) fn add(&mut self, knots: &[f64; N], at: f64, (came, full): (f64, f64), weight: f64) {
        let (i, part) = knot(knots, at);
        let (before, after) = ((1.0 - part) * full, part * full);
        self.own[i] += weight * before * before;
        self.own[i + 1] += weight * after * after;
        self.next[i] += weight * before * after;
        self.came[i] += weight * before * came;
        self.came[i + 1] += weight * after * came;
    }

    /// How much of a curve came, as least squares have it: what fits it best, times what it is, and its square.
    pub(super) fn amount(&self, curve: &[f64; N]) -> (f64, f64) {
        let (mut came, mut square) = (0.0, 0.0);
        for i in 0..N {
            let next = curve.get(i + 1).map_or(0.0, |next| 2.0 * self.next[i] * next);
            came += self.came[i] * curve[i];
            square += curve[i] * (self.own[i] * curve[i] + next);
        }
        (came, square)
    }

    /// Strengths by knot, from knot `first` on; those before stay. `pull`: tickets that `start` is worth at each knot.
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
                let came = self.came[i] - before - after + pull * start[i];
                found[i] = (came / (self.own[i] + pull)).clamp(0.0, MOST);
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
    fn a_curve_that_comes_back_is_found_and_nothing_seen_changes_nothing() {
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
        fn strengths_stay_between_nothing_and_the_most(
            windows in prop::collection::vec((0.0f64..2000.0, -500.0f64..500.0, 0.0f64..50.0, 0.0f64..2.0), 0..40),
            first in 0usize..2,
        ) {
            let start = [1.0, 0.5, 0.5, 0.2, 0.0];
            let mut curve = Curve::default();
            for (at, came, full, weight) in windows {
                curve.add(&AT, at, (came, full), weight);
            }
            let found = curve.solved(&start, &start, first, 60.0);
            prop_assert!(found.iter().all(|s| (0.0..=super::MOST).contains(s)), "{found:?}");
            prop_assert!(first == 0 || found[0] == start[0]);
        }
    }
}
