//! Today's level: the ratio of recent counts to the profile, and how it fades.

use super::History;
use super::lookback::Lookback;

/// Weight of the prior ratio, in expected tickets.
const PRIOR_TICKETS: f64 = 12.0;
/// Half-life of the fast ratio's distance to the slow one, hours.
const FADE_HOURS: f64 = 2.5;

/// Level over two spans: the last hour and a half (`fast`) and the last day (`slow`).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Level {
    pub fast: f64,
    pub slow: f64,
}

impl Level {
    /// Ratios of actual tickets to the profile, shrunk towards 1 where volume is small.
    pub fn of(history: &History, lookback: &Lookback, profile: &[f64]) -> Self {
        let day = lookback.per_day as i64;
        let slow = ratio(history, lookback, profile, day, 1.0);
        let fast = ratio(history, lookback, profile, (day / 16).max(1), slow);
        Self { fast, slow }
    }

    /// The factor for a forecast point that starts `hours` after the origin.
    pub fn at(&self, hours: f64) -> f64 {
        let share = 0.5f64.powf(hours / FADE_HOURS);
        // Only a part of the day's level persists.
        let slow = 1.0 + 0.8 * (self.slow - 1.0);
        (share * self.fast + (1.0 - share) * slow).clamp(0.1, 10.0)
    }
}

fn ratio(history: &History, lookback: &Lookback, profile: &[f64], span: i64, prior: f64) -> f64 {
    let (mut actual, mut expected) = (0.0, 0.0);
    for index in lookback.origin - span..lookback.origin {
        let count = f64::from(history.get(index));
        if !count.is_nan() {
            actual += count;
            expected += profile[(index - lookback.first) as usize];
        }
    }
    (actual + PRIOR_TICKETS * prior) / (expected + PRIOR_TICKETS)
}
