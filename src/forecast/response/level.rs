//! Level of a site just before an episode, relative to its baseline.

use std::ops::Range;

use super::context::{Site, SiteContext};

/// Hours before the episode that are used, and weight of the baseline in tickets.
pub(super) const LEVEL_HOURS: i64 = 4;
pub(super) const LEVEL_WEIGHT: f64 = 30.0;

/// The level just before the episode, so that a busy day is not mistaken for an incident.
pub(super) fn level(
    context: &SiteContext<'_>,
    site: &Site<'_>,
    windows: Range<i64>,
    others: &dyn Fn(usize, i64) -> f64,
) -> f64 {
    let (mut actual, mut expected) = (0.0, 0.0);
    for index in windows {
        for (number, leaf) in site.leaves.iter().enumerate() {
            if let Some(count) = leaf.count(index, context.origin) {
                actual += (count - others(number, index)).max(0.0);
                expected += leaf.expected(index);
            }
        }
    }
    shrunk(actual, expected)
}

/// The ratio of actual to expected tickets, shrunk towards 1.
pub(super) fn shrunk(actual: f64, expected: f64) -> f64 {
    ((actual + LEVEL_WEIGHT) / (expected + LEVEL_WEIGHT)).clamp(0.6, 1.6)
}
