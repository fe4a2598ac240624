//! When a model is refitted: at fixed times, so that a forecast does not depend on the choice of other origins.

use std::time::Duration;

use crate::domain::WindowWidth;

/// One origin, and the refit before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// If set, the model is first refitted to windows before this one.
    pub refit: Option<i64>,
    /// Index of the first forecast point, one past the last known window.
    pub origin: i64,
}

/// Steps for ascending origins. Refits are due at UTC multiples of `every` (24 h: midnight UTC); refits that no origin needs
/// are left out. With `every` up to a window's width, every origin is refitted.
pub fn steps(width: WindowWidth, every: Duration, origins: &[i64]) -> Vec<Step> {
    let every = width.per(every).max(1) as i64;
    let mut fitted = None;
    origins
        .iter()
        .map(|origin| {
            let due = origin.div_euclid(every) * every;
            let refit = (fitted != Some(due)).then_some(due);
            fitted = Some(due);
            Step { refit, origin: *origin }
        })
        .collect()
}
