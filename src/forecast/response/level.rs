//! How busy a site is just before something happens, against its baseline.

use std::ops::Range;

use super::context::{Site, SiteContext};

/// Hours that a level is taken from, and tickets that weigh as much as the baseline.
pub(super) const LEVEL_HOURS: i64 = 4;
pub(super) const LEVEL_WEIGHT: f64 = 30.0;

/// Busyness just before the episode: a busy day is no incident.
pub(super) fn level(
    context: &SiteContext<'_>,
    site: &Site<'_>,
    windows: Range<i64>,
    others: &dyn Fn(usize, i64) -> f64,
) -> f64 {
    let (mut came, mut said) = (0.0, 0.0);
    for index in windows {
        for (number, leaf) in site.leaves.iter().enumerate() {
            if let Some(count) = leaf.count(index, context.origin) {
                came += (count - others(number, index)).max(0.0);
                said += leaf.expected(index);
            }
        }
    }
    shrunk(came, said)
}

/// The level of tickets that came, pulled towards the baseline's.
pub(super) fn shrunk(came: f64, said: f64) -> f64 {
    ((came + LEVEL_WEIGHT) / (said + LEVEL_WEIGHT)).clamp(0.6, 1.6)
}
