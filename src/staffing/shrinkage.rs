//! The number of people who have to be scheduled to fill positions.

/// People to schedule for a number of positions: `ceil(n / (1 − shrinkage))`, not `n · (1 + shrinkage)`.
pub fn with_shrinkage(positions: u32, shrinkage: f64) -> u32 {
    (f64::from(positions) / (1.0 - shrinkage) - 1e-9).ceil() as u32
}
