//! Randomised probability integral transform (PIT) of counts.
//!
//! A closed interval of whole numbers covers more than its nominal share: at three tickets per window the 80 % interval of a
//! perfect forecast covers 90 %. So an actual count y is distributed evenly over `[F(y − 1), F(y)]`. This is the expectation of
//! the randomised PIT, without random numbers (Czado, Gneiting and Held 2009, *Predictive model assessment for count data*).
//!
//! Only the mean and seven quantiles of F are known. They determine the bin unless y equals a quantile. In that case F is
//! taken from the negative binomial with the same mean and the nearest quantiles, within the limits of the forecast's
//! quantiles.

use crate::forecast::{ForecastPoint, QUANTILES, cumulative, quantiles};

/// Number of bins: between neighbouring quantiles, and two tails.
pub const BINS: usize = QUANTILES.len() + 1;

/// Candidate dispersions.
const DISPERSIONS: [f64; 18] = [
    0.0, 0.002, 0.004, 0.008, 0.015, 0.025, 0.04, 0.055, 0.075, 0.1, 0.14, 0.2, 0.3, 0.45, 0.7,
    1.0, 1.5, 2.5,
];

/// Distributes an actual count over the bins; the sum of the shares is 1.
pub fn bins(target: &ForecastPoint, actual: f64) -> [f64; BINS] {
    let quantiles = &target.quantiles;
    let mut found = [0.0; BINS];
    let below = quantiles.partition_point(|quantile| *quantile < actual);
    let upto = quantiles.partition_point(|quantile| *quantile <= actual);
    if below == upto {
        found[below] = 1.0;
        return found;
    }
    let dispersion = nearest_dispersion(target);
    let share = |level: usize| QUANTILES.get(level).copied();
    // The quantiles next to the ties bound F(y − 1) and F(y).
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

/// Share of a bin for a perfect forecast.
pub fn nominal(bin: usize) -> f64 {
    let upper = QUANTILES.get(bin).copied().unwrap_or(1.0);
    let lower = bin.checked_sub(1).and_then(|below| QUANTILES.get(below)).copied().unwrap_or(0.0);
    upper - lower
}

fn nearest_dispersion(target: &ForecastPoint) -> f64 {
    let distance = |dispersion: f64| -> f64 {
        let near = quantiles(target.mean, dispersion);
        near.iter().zip(target.quantiles).map(|(near, quantile)| (near - quantile).abs()).sum()
    };
    let distances = DISPERSIONS.map(distance);
    let least = distances.into_iter().fold(f64::INFINITY, f64::min);
    // For few tickets a range of dispersions has the same quantiles: take its middle.
    let nearest: Vec<f64> = std::iter::zip(DISPERSIONS, distances)
        .filter(|(_, distance)| *distance <= least)
        .map(|(dispersion, _)| dispersion)
        .collect();
    nearest.get(nearest.len() / 2).copied().unwrap_or_default()
}
