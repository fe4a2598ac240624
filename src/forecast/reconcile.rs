//! Forecast reconciliation: makes roll-ups the sums of their leaves.
//!
//! Weighted least squares with the forecasts' own variances (WLS_v of Wickramasuriya, Athanasopoulos and Hyndman 2019)
//! minimises `Σ (x_i − m_i)² / v_i` over leaves plus `Σ (Σ x_parts − M)² / V` over roll-ups, by conjugate gradients. So an
//! uncertain leaf changes much, and a certain leaf hardly changes. Quantiles shift with the mean.

use std::collections::BTreeMap;

use ndarray::Array1;

use super::spread::BAND_80_SDS;
use super::{ForecastPoint, History, Vintage, rounded};
use crate::domain::SeriesKey;

/// Maximum number of steps of the solver, and the share of the first residual at which it stops.
const STEPS: usize = 30;
const CLOSE: f64 = 1e-5;
/// Smallest variance, tickets².
const VARIANCE_MIN: f64 = 0.05;
/// Number of windows before the origin in which a roll-up must equal the sum of its leaves.
const ALIKE: i64 = 24;

/// A roll-up and its leaves.
#[derive(Debug)]
struct Sum {
    vintage: usize,
    parts: Vec<usize>,
}

/// Makes the means of roll-ups the sums of the means of their parts, window by window.
///
/// A roll-up that was not equal to the sum of the given leaves in the windows before `origin` is left unchanged.
pub(super) fn reconcile(
    vintages: &mut [Vintage],
    series: &BTreeMap<SeriesKey, History>,
    origin: i64,
) {
    let (leaves, sums) = structure(vintages, series, origin);
    if sums.is_empty() {
        return;
    }
    let targets = vintages.iter().map(|vintage| vintage.targets.len()).min().unwrap_or(0);
    for step in 0..targets {
        let at = |vintage: usize| &vintages[vintage].targets[step];
        let (forecasts, variances): (Vec<f64>, Vec<f64>) =
            leaves.iter().map(|leaf| (at(*leaf).mean, variance(at(*leaf)))).unzip();
        let wanted: Vec<(f64, f64)> = sums
            .iter()
            .map(|sum| (at(sum.vintage).mean, 1.0 / variance(at(sum.vintage))))
            .collect();
        let means = solve(&forecasts, &variances, &sums, &wanted);
        for (leaf, mean) in leaves.iter().zip(&means) {
            shift(&mut vintages[*leaf].targets[step], *mean);
        }
        for sum in &sums {
            let mean = sum.parts.iter().map(|p| vintages[leaves[*p]].targets[step].mean).sum();
            shift(&mut vintages[sum.vintage].targets[step], mean);
        }
    }
}

/// Positions of the leaves, and the roll-ups that are their sums.
fn structure(
    vintages: &[Vintage],
    series: &BTreeMap<SeriesKey, History>,
    origin: i64,
) -> (Vec<usize>, Vec<Sum>) {
    let mut leaves = Vec::new();
    let mut parts: BTreeMap<SeriesKey, Vec<usize>> = BTreeMap::new();
    for (number, vintage) in vintages.iter().enumerate() {
        if !vintage.series.is_roll_up() {
            for roll_up in vintage.series.roll_ups() {
                parts.entry(roll_up).or_default().push(leaves.len());
            }
            leaves.push(number);
        }
    }
    let actual = |vintage: &Vintage| -> f64 {
        let counts = series.get(&vintage.series);
        let count = |index| counts.map_or(f64::NAN, |c| f64::from(c.get(index)));
        (origin - ALIKE..origin).map(count).filter(|y| !y.is_nan()).sum()
    };
    let of_leaves: Vec<f64> = leaves.iter().map(|leaf| actual(&vintages[*leaf])).collect();
    let sums = vintages.iter().enumerate().filter_map(|(number, vintage)| {
        let parts = parts.remove(&vintage.series)?;
        let (whole, sum) = (actual(vintage), parts.iter().map(|p| of_leaves[*p]).sum::<f64>());
        ((whole - sum).abs() < 0.5 + 1e-3 * whole).then_some(Sum { vintage: number, parts })
    });
    let sums = sums.collect();
    (leaves, sums)
}

/// Variance from the 10 % and 90 % quantiles of a normal distribution.
fn variance(target: &ForecastPoint) -> f64 {
    let sd = (target.quantiles[5] - target.quantiles[1]) / BAND_80_SDS;
    // A mean of zero is a closed window: keep it.
    if target.mean <= 0.0 { 1e-9 } else { (sd * sd).max(target.mean).max(VARIANCE_MIN) }
}

/// Means of leaves closest to the forecasts of leaves and roll-ups, not below zero.
fn solve(forecasts: &[f64], variances: &[f64], sums: &[Sum], wanted: &[(f64, f64)]) -> Vec<f64> {
    // In units of a leaf's standard deviation, moves d: (1 + V½ S'WS V½) d = V½ S'W (M − S m).
    let sd: Vec<f64> = variances.iter().map(|v| v.sqrt()).collect();
    let spread = |sum: &Sum, value: f64, into: &mut Array1<f64>| {
        for part in &sum.parts {
            into[*part] += value * sd[*part];
        }
    };
    let mut residual = Array1::zeros(forecasts.len());
    for (sum, (mean, weight)) in sums.iter().zip(wanted) {
        let missing = mean - sum.parts.iter().map(|p| forecasts[*p]).sum::<f64>();
        spread(sum, weight * missing, &mut residual);
    }
    let mut moves = Array1::zeros(forecasts.len());
    let mut direction = residual.clone();
    let first = residual.dot(&residual);
    let mut square = first;
    for _ in 0..STEPS {
        if square <= CLOSE * CLOSE * first || square <= 1e-18 {
            break;
        }
        let mut image = direction.clone();
        for (sum, (_, weight)) in sums.iter().zip(wanted) {
            let whole: f64 = sum.parts.iter().map(|p| direction[*p] * sd[*p]).sum();
            spread(sum, weight * whole, &mut image);
        }
        let length = square / direction.dot(&image);
        moves.scaled_add(length, &direction);
        residual.scaled_add(-length, &image);
        let next = residual.dot(&residual);
        direction *= next / square;
        direction += &residual;
        square = next;
    }
    forecasts.iter().zip(moves).zip(sd).map(|((m, d), sd)| (m + d * sd).max(0.0)).collect()
}

/// Sets the mean of a forecast point, and moves its level and quantiles accordingly.
fn shift(target: &mut ForecastPoint, mean: f64) {
    let mean = rounded(mean);
    let by = mean - target.mean;
    target.mean = mean;
    target.explain();
    target.quantiles = target.quantiles.map(|q| (q + by).round().max(0.0));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{Timestamp, WindowWidth};

    const WIDTH: WindowWidth = WindowWidth::QUARTER;

    fn vintage(series: SeriesKey, mean: f64) -> Vintage {
        let quantiles = super::super::quantiles(mean, 0.03);
        let start = Timestamp::from_millis(0);
        let target =
            ForecastPoint { start, mean, quantiles, baseline: mean, level: 1.0, alarm_effect: 0.0 };
        Vintage {
            series,
            issued_at: start,
            targets: vec![target],
            members: Vec::new(),
            causes: Vec::new(),
            surges: None,
            fallback: None,
        }
    }

    /// Leaves of two regions, two services and one channel, their roll-ups, and a forecast of each.
    fn made(means: &[f64], off: &[f64]) -> (Vec<Vintage>, BTreeMap<SeriesKey, History>) {
        let mut series: BTreeMap<SeriesKey, (f64, f32)> = BTreeMap::new();
        for (i, mean) in means.iter().enumerate() {
            let key = format!("{}/{}/phone", ["east", "west"][i / 2], ["tv", "mobile"][i % 2]);
            let key = SeriesKey::parse(&key).expect("series");
            for roll_up in key.roll_ups() {
                let sum = series.entry(roll_up).or_default();
                *sum = (sum.0 + mean, sum.1 + 3.0);
            }
            series.insert(key, (*mean, 3.0));
        }
        let off = off.iter().cycle();
        let vintages = series.iter().zip(off).map(|((key, (mean, _)), off)| {
            let off = if key.is_roll_up() { *off } else { 1.0 };
            vintage(key.clone(), mean * off)
        });
        let vintages = vintages.collect();
        let history = |count| History { counts: vec![count; 30], ..History::new(WIDTH, -30) };
        let histories = series.into_iter().map(|(key, (_, count))| (key, history(count)));
        (vintages, histories.collect())
    }

    fn mean_of(vintages: &[Vintage], series: &str) -> f64 {
        let found = vintages.iter().find(|v| v.series.to_string() == series);
        found.expect("a vintage").targets[0].mean
    }

    proptest! {
        #[test]
        fn roll_ups_are_the_sums_of_their_parts(
            means in prop::collection::vec(0.0..200.0f64, 4),
            off in prop::collection::vec(0.3..3.0f64, 1..9),
        ) {
            let (mut vintages, series) = made(&means, &off);
            reconcile(&mut vintages, &series, 0);
            for whole in &vintages {
                let parts = vintages.iter().filter(|part| {
                    !part.series.is_roll_up() && part.series.roll_ups().any(|r| r == whole.series)
                });
                let sum: f64 = parts.map(|part| part.targets[0].mean).sum();
                let target = &whole.targets[0];
                if whole.series.is_roll_up() {
                    prop_assert!((sum - target.mean).abs() < 1e-6, "{sum} {target:?}");
                }
                prop_assert!(target.mean >= 0.0 && target.quantiles[0] >= 0.0);
                prop_assert!(target.quantiles.windows(2).all(|q| q[0] <= q[1]), "{target:?}");
            }
        }
    }

    #[test]
    fn consistent_forecasts_do_not_change() {
        let (mut vintages, series) = made(&[4.0, 50.0, 0.0, 7.0], &[1.0]);
        let before = vintages.clone();
        reconcile(&mut vintages, &series, 0);
        assert_eq!(before, vintages);
    }

    #[test]
    fn uncertain_parts_move_most_towards_their_roll_ups() {
        let (mut vintages, series) = made(&[2.0, 40.0, 0.0, 10.0], &[1.3]);
        reconcile(&mut vintages, &series, 0);
        let moved = |series, from: f64| mean_of(&vintages, series) - from;
        assert!(moved("east/mobile/phone", 40.0) > moved("east/tv/phone", 2.0));
        assert!(moved("east/tv/phone", 2.0) > 0.0);
        // Closed windows stay closed.
        assert_eq!(mean_of(&vintages, "west/tv/phone"), 0.0);
        assert!(mean_of(&vintages, "_all/_all/_all") < 1.3 * 52.0);
    }

    #[test]
    fn a_roll_up_with_parts_that_are_not_forecast_does_not_change() {
        let (mut vintages, mut series) = made(&[2.0, 40.0, 5.0, 10.0], &[1.3]);
        let all = SeriesKey::parse("_all/_all/_all").expect("series");
        series.insert(all, History { counts: vec![90.0; 30], ..History::new(WIDTH, -30) });
        reconcile(&mut vintages, &series, 0);
        assert_eq!(mean_of(&vintages, "_all/_all/_all"), 57.0 * 1.3);
    }
}
