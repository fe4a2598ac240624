//! Scores of vintages against the truth, as sums that add up.

use serde::{Deserialize, Serialize};

/// Sums over scored windows; dividing them gives the figures that people see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Scored windows.
    pub n: u32,
    /// Σ actual.
    pub actual: f64,
    /// Σ |actual − median|.
    pub absolute: f64,
    /// Σ (mean − actual).
    pub bias: f64,
    /// Σ |actual − last week's count|, and Σ actual over the windows where that count is known.
    pub naive_absolute: f64,
    pub naive_actual: f64,
    /// Σ over windows and quantiles of the pinball loss.
    pub pinball: f64,
    /// Windows inside the closed 80 % and 95 % intervals.
    pub inside80: u32,
    pub inside95: u32,
    /// Σ of the expected |y − median| of a Poisson count with the forecast's mean: the noise floor.
    pub floor: f64,
}
