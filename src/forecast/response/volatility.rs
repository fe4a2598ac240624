//! Level volatility: how far the level changes within hours without incidents.

use std::ops::Range;

use super::context::{Site, SiteContext};
use super::level::{LEVEL_HOURS, LEVEL_WEIGHT, shrunk};

/// Hours over which changes of the level are measured, and number of windows between two samples.
const SPAN_HOURS: i64 = 6;
const SAMPLE_EVERY: usize = 29;
/// Prior standard deviation of the ln level, and its weight in samples.
pub(super) const VOLATILITY: f64 = 0.1;
const PRIOR_SAMPLES: f64 = 100.0;
const VOLATILITY_MAX: f64 = 0.4;

/// Level volatility beyond the noise of counts: standard deviation of the ln level within hours, from samples at all sites
/// between window `from` and the origin. It uses medians, which rare outages do not affect.
pub(super) fn level_volatility(context: &SiteContext<'_>, from: i64) -> f64 {
    let per_hour = context.width.per_hour() as i64;
    let (before, after) = (LEVEL_HOURS * per_hour, SPAN_HOURS * per_hour);
    let mut samples = Vec::new();
    for site in &context.sites {
        for index in (from + before..context.origin - after).step_by(SAMPLE_EVERY) {
            let [actual, expected, earlier] = sums(context, site, index - before..index);
            let (level, weight) = (shrunk(actual, expected), expected + LEVEL_WEIGHT);
            let [actual, expected, variance] = sums(context, site, index..index + after);
            let expected = expected * level;
            if actual <= 0.0 || expected < LEVEL_WEIGHT {
                continue;
            }
            let noise = variance / expected.powi(2) + earlier / weight.powi(2);
            samples.push(((actual / expected).ln().powi(2), noise));
        }
    }
    let found = spread(&samples);
    let n = samples.len() as f64;
    ((n * found + PRIOR_SAMPLES * VOLATILITY) / (n + PRIOR_SAMPLES)).clamp(0.02, VOLATILITY_MAX)
}

/// The standard deviation (beyond noise) for which half of the samples are below the median of their distribution. Each sample
/// is (squared error, variance of noise).
fn spread(samples: &[(f64, f64)]) -> f64 {
    let (mut low, mut high) = (0.0, VOLATILITY_MAX);
    for _ in 0..16 {
        let middle = f64::midpoint(low, high);
        let within =
            |(square, noise): &&(f64, f64)| *square < MEDIAN_OF_SQUARES * (noise + middle.powi(2));
        if 2 * samples.iter().filter(within).count() < samples.len() {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

/// Median of a squared standard normal.
const MEDIAN_OF_SQUARES: f64 = 0.455;

/// Tickets, expected tickets and their variance, over all leaves.
fn sums(context: &SiteContext<'_>, site: &Site<'_>, windows: Range<i64>) -> [f64; 3] {
    let mut sums = [0.0; 3];
    for index in windows {
        for leaf in &site.leaves {
            let Some(count) = leaf.count(index, context.origin) else { continue };
            let expected = leaf.expected(index);
            let all = [count, expected, leaf.variance(expected)];
            sums.iter_mut().zip(all).for_each(|(sum, x)| *sum += x);
        }
    }
    sums
}
