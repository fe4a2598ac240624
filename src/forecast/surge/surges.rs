//! What one forecast says of surges.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::Timestamp;
use crate::forecast::rounding::rounded;

/// Share of that chance at which a call stays out.
pub const HOLDS: f64 = 0.25;
/// Surges, and calls, no further apart than this are one.
pub const APART: Duration = Duration::from_secs(6 * 3600);

/// What a forecast that alarms or planned work touch says of surges, by target.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Surges {
    /// The 99 % quantile without alarms, tickets.
    pub high: Vec<f64>,
    /// Chance of a surge in the span that begins with the target.
    pub chances: Vec<f64>,
    /// Chance of one within the horizon.
    pub any: f64,
    /// Whether one is called.
    pub is_out: bool,
}

impl Surges {
    /// Numbers are kept to thousandths, as the ledger keeps them: a restart has to judge as it would have been judged.
    pub fn new(high: &[f64], chances: &[f64], any: f64) -> Self {
        let thousandths =
            |numbers: &[f64]| -> Vec<f64> { numbers.iter().copied().map(rounded).collect() };
        let (high, chances) = (thousandths(high), thousandths(chances));
        Self { high, chances, any: rounded(any), is_out: false }
    }

    /// Calls a surge, at a chance of `least`, or does not. `last`: when a forecast of the series called one last.
    pub fn decide(&mut self, issued_at: Timestamp, last: Option<Timestamp>, least: f64) {
        let holds = last.is_some_and(|last| last + APART >= issued_at);
        self.is_out = is_out(self.any, least, holds);
    }
}

/// Whether a chance calls a surge where `least` does. `holds`: whether a call was out less than [`APART`] ago.
pub fn is_out(chance: f64, least: f64, holds: bool) -> bool {
    chance >= if holds { HOLDS * least } else { least }
}
