//! Today's level: how much busier than usual the recent windows were, and how long that lasts.

use super::History;
use super::lookback::Lookback;

/// Tickets that a span must expect before its own ratio weighs as much as none at all.
const PRIOR_TICKETS: f64 = 12.0;
/// Hours after which the fast ratio has faded by half towards the slow one.
const FADE_HOURS: f64 = 2.5;

/// Busyness seen in two spans: the last hour and a half, and the last day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Level {
    pub fast: f64,
    pub slow: f64,
}

impl Level {
    /// Ratios of what came to what the profile expected, pulled towards 1 by volume.
    pub fn of(history: &History, lookback: &Lookback, profile: &[f64]) -> Self {
        let day = lookback.per_day as i64;
        let slow = ratio(history, lookback, profile, day, 1.0);
        let fast = ratio(history, lookback, profile, (day / 16).max(1), slow);
        Self { fast, slow }
    }

    /// The factor for a target that starts `hours` after the origin.
    pub fn at(&self, hours: f64) -> f64 {
        let share = 0.5f64.powf(hours / FADE_HOURS);
        // A day's level carries on, but not all of it.
        let slow = 1.0 + 0.8 * (self.slow - 1.0);
        (share * self.fast + (1.0 - share) * slow).clamp(0.1, 10.0)
    }
}

fn ratio(history: &History, lookback: &Lookback, profile: &[f64], span: i64, prior: f64) -> f64 {
    let (mut came, mut expected) = (0.0, 0.0);
    for index in lookback.origin - span..lookback.origin {
        let count = f64::from(history.get(index));
        if !count.is_nan() {
            came += count;
            expected += profile[(index - lookback.first) as usize];
        }
    }
    (came + PRIOR_TICKETS * prior) / (expected + PRIOR_TICKETS)
}
