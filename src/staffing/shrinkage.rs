//! Seats and the people behind them.

/// People to schedule for seats to fill: `ceil(n / (1 − shrinkage))`, not `n · (1 + shrinkage)`.
pub fn with_shrinkage(positions: u32, shrinkage: f64) -> u32 {
    (f64::from(positions) / (1.0 - shrinkage) - 1e-9).ceil() as u32
}
