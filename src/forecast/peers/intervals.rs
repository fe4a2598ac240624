//! Quantiles from augurs' central intervals.

use augurs::{Forecast, Predict};

use crate::domain::WindowWidth;
use crate::forecast::HORIZON;

/// Levels of central intervals, and the indices of their limits in the quantiles.
const LEVELS: [(f64, usize, usize); 3] = [(0.95, 0, 6), (0.8, 1, 5), (0.5, 2, 4)];

/// Maximum number of steps of a forecast: the number of windows of the horizon, without closed windows.
pub fn reach(width: WindowWidth) -> usize {
    width.per(HORIZON)
}

/// Point forecast and quantiles by step; `None` if the model fails or returns a value that is not finite.
pub fn quantiles<P: Predict>(fitted: &P, steps: usize) -> Option<Vec<[f64; 7]>> {
    let mut found = vec![[0.0; 7]; steps];
    for (level, low, high) in LEVELS {
        let Forecast { point, intervals } = fitted.predict(steps, level).ok()?;
        let intervals = intervals?;
        for (step, quantiles) in found.iter_mut().enumerate() {
            quantiles[3] = *point.get(step)?;
            quantiles[low] = *intervals.lower.get(step)?;
            quantiles[high] = *intervals.upper.get(step)?;
        }
    }
    found.iter().flatten().all(|quantile| quantile.is_finite()).then_some(found)
}
