//! Where an outcome falls within its forecast: the probability integral transform of counts.
//!
//! A closed interval of whole numbers holds more than its nominal share: at three tickets a window the 80 %
//! interval of a perfect forecast covers nine in ten. So an outcome y is spread evenly over
//! `[F(y − 1), F(y)]`, as a randomised transform would on average (Czado, Gneiting and Held 2009,
//! *Predictive model assessment for count data*): no dice, the same expectation, less noise.
//!
//! Of F only the mean and seven quantiles are known. That decides all but ties with a quantile; for these F
//! is read from the negative binomial with that mean whose quantiles are the nearest, as far as it agrees
//! with the quantiles that were said.

use crate::forecast::{ForecastPoint, QUANTILES, cumulative, quantiles};

/// Shares of the outcomes between neighbouring quantiles, the two tails included.
pub const BINS: usize = QUANTILES.len() + 1;

/// Dispersions that are tried.
const DISPERSIONS: [f64; 18] = [
    0.0, 0.002, 0.004, 0.008, 0.015, 0.025, 0.04, 0.055, 0.075, 0.1, 0.14, 0.2, 0.3, 0.45, 0.7,
    1.0, 1.5, 2.5,
];

/// How much of an outcome lies in each bin; adds up to 1.
pub fn bins(target: &ForecastPoint, actual: f64) -> [f64; BINS] {
    let said = &target.quantiles;
    let mut found = [0.0; BINS];
    let below = said.partition_point(|quantile| *quantile < actual);
    let upto = said.partition_point(|quantile| *quantile <= actual);
    if below == upto {
        found[below] = 1.0;
        return found;
    }
    let dispersion = nearest_dispersion(target);
    let share = |level: usize| QUANTILES.get(level).copied();
    // The quantiles that are no tie say F(y − 1) < p of the first tie, and F(y) < p of the next above.
    let lowest = below.checked_sub(1).and_then(share).unwrap_or(0.0);
    let low = cumulative(target.mean, dispersion, actual - 1.0).clamp(lowest, QUANTILES[below]);
    let highest = share(upto).unwrap_or(1.0);
    let high = cumulative(target.mean, dispersion, actual).clamp(QUANTILES[upto - 1], highest);
    if high - low < 1e-9 {
        found[below] = 1.0;
        return found;
    }
    let mut from = 0.0;
    for (bin, part) in found.iter_mut().enumerate() {
        let to = share(bin).unwrap_or(1.0);
        *part = (high.min(to) - low.max(from)).max(0.0) / (high - low);
        from = to;
    }
    found
}

/// The share that a bin holds of a perfect forecast's outcomes.
pub fn nominal(bin: usize) -> f64 {
    let upper = QUANTILES.get(bin).copied().unwrap_or(1.0);
    let lower = bin.checked_sub(1).and_then(|below| QUANTILES.get(below)).copied().unwrap_or(0.0);
    upper - lower
}

fn nearest_dispersion(target: &ForecastPoint) -> f64 {
    let distance = |dispersion: f64| -> f64 {
        let near = quantiles(target.mean, dispersion);
        near.iter().zip(target.quantiles).map(|(near, said)| (near - said).abs()).sum()
    };
    let distances = DISPERSIONS.map(distance);
    let least = distances.into_iter().fold(f64::INFINITY, f64::min);
    // Quantiles of few tickets are the same for a range of dispersions: its middle is off the least.
    let nearest: Vec<f64> = std::iter::zip(DISPERSIONS, distances)
        .filter(|(_, distance)| *distance <= least)
        .map(|(dispersion, _)| dispersion)
        .collect();
    nearest.get(nearest.len() / 2).copied().unwrap_or_default()
}
