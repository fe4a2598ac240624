//! Level volatility: how far a day's level strays within hours, by itself.

use std::ops::Range;

use super::context::{Site, SiteContext};
use super::level::{LEVEL_HOURS, LEVEL_WEIGHT, shrunk};

/// Hours over which it is looked how far a level holds, and windows between two looks.
const HOLDS_HOURS: i64 = 6;
const LOOK_EVERY: usize = 29;
/// Spread of the ln of a level before anything is known, and looks that weigh as much.
pub(super) const VOLATILITY: f64 = 0.1;
const PRIOR_LOOKS: f64 = 100.0;
const VOLATILITY_MAX: f64 = 0.4;

/// How far a level strays within hours beyond what chance does to counts: standard deviation of its ln, from looks at
/// all sites and times between windows `from` and the origin. By medians: outages are rare.
pub(super) fn level_volatility(context: &SiteContext<'_>, from: i64) -> f64 {
    let per_hour = context.width.per_hour() as i64;
    let (before, after) = (LEVEL_HOURS * per_hour, HOLDS_HOURS * per_hour);
    let mut looks = Vec::new();
    for site in &context.sites {
        for index in (from + before..context.origin - after).step_by(LOOK_EVERY) {
            let [came, said, earlier] = sums(context, site, index - before..index);
            let (level, told) = (shrunk(came, said), said + LEVEL_WEIGHT);
            let [came, said, variance] = sums(context, site, index..index + after);
            let said = said * level;
            if came <= 0.0 || said < LEVEL_WEIGHT {
                continue;
            }
            let noise = variance / said.powi(2) + earlier / told.powi(2);
            looks.push(((came / said).ln().powi(2), noise));
        }
    }
    let found = spread(&looks);
    let n = looks.len() as f64;
    ((n * found + PRIOR_LOOKS * VOLATILITY) / (n + PRIOR_LOOKS)).clamp(0.02, VOLATILITY_MAX)
}

/// The spread beyond chance with which half of the looks lie where half of them should: (squared error, variance by
/// chance) each.
fn spread(looks: &[(f64, f64)]) -> f64 {
    let (mut low, mut high) = (0.0, VOLATILITY_MAX);
    for _ in 0..16 {
        let middle = f64::midpoint(low, high);
        let within =
            |(square, noise): &&(f64, f64)| *square < MEDIAN_OF_SQUARES * (noise + middle.powi(2));
        if 2 * looks.iter().filter(within).count() < looks.len() {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

/// Median of a squared standard normal.
const MEDIAN_OF_SQUARES: f64 = 0.455;

/// Tickets, expected ones and their variance, of all leaves.
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
