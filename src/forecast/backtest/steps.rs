//! When a model is refitted: at fixed instants, so that which origins are asked for changes no forecast.

use std::time::Duration;

use crate::domain::WindowWidth;

/// One origin, and the refit that goes before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Refit from windows before this one first.
    pub refit: Option<i64>,
    /// Index of the first target, one past the last known window.
    pub origin: i64,
}

/// Steps for ascending origins. Refits are due at UTC multiples of `every` (24 h: midnight UTC); one that
/// no origin needs is left out. An `every` of a window's width or less refits at every origin.
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
