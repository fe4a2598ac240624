//! Surge probabilities of one forecast.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::Timestamp;
use crate::forecast::rounding::rounded;

/// Share of the threshold at which an active warning stays active.
pub const ACTIVE_SHARE: f64 = 0.25;
/// Surges that are at most this far apart count as one; so do warnings.
pub const APART: Duration = Duration::from_secs(6 * 3600);

/// Surge probabilities of a forecast that alarms or planned work affect.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Surges {
    /// By forecast point: the 99 % quantile without alarms, tickets.
    pub high: Vec<f64>,
    /// By forecast point: probability of a surge in the span that begins with it.
    #[serde(rename = "chances")]
    pub probabilities: Vec<f64>,
    /// Probability of a surge within the horizon.
    pub any: f64,
    /// Whether the forecast warns of a surge.
    #[serde(rename = "is_out")]
    pub warns: bool,
}

impl Surges {
    /// Rounds to thousandths as the ledger does, so that judgements are the same after a restart.
    pub fn new(high: &[f64], probabilities: &[f64], any: f64) -> Self {
        let thousandths =
            |numbers: &[f64]| -> Vec<f64> { numbers.iter().copied().map(rounded).collect() };
        let (high, probabilities) = (thousandths(high), thousandths(probabilities));
        Self { high, probabilities, any: rounded(any), warns: false }
    }

    /// Decides whether to warn at the threshold `least`. `last` is the issue time of the last forecast of the series that
    /// warned.
    pub fn decide(&mut self, issued_at: Timestamp, last: Option<Timestamp>, least: f64) {
        let is_active = last.is_some_and(|last| last + APART >= issued_at);
        self.warns = warns(self.any, least, is_active);
    }
}

/// Whether a forecast warns at a surge probability and a threshold. `is_active`: a warning is less than [`APART`] old.
pub fn warns(probability: f64, least: f64, is_active: bool) -> bool {
    probability >= if is_active { ACTIVE_SHARE * least } else { least }
}
