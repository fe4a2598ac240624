//! Distribution of absolute errors, in tickets.

use std::collections::BTreeMap;

/// Absolute errors in tickets, counted at three significant digits.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AbsoluteErrors {
    counts: BTreeMap<u64, u32>,
    n: u32,
}

/// Errors are stored in hundredths of a ticket.
const UNIT: f64 = 100.0;

impl AbsoluteErrors {
    /// Adds an error in tickets; NaN and infinity are ignored.
    pub fn add(&mut self, error: f64) {
        if !error.is_finite() {
            return;
        }
        let hundredths = error.abs() * UNIT;
        let digits = 10f64.powf((hundredths.max(1.0).log10().floor() - 2.0).max(0.0));
        let rounded = (hundredths / digits).round() * digits;
        *self.counts.entry(rounded as u64).or_default() += 1;
        self.n += 1;
    }

    /// The error that a `share` (0 to 1) of all errors do not exceed, tickets; `None` without errors.
    pub fn within(&self, share: f64) -> Option<f64> {
        let wanted = (f64::from(self.n) * share).ceil().max(1.0);
        let mut seen = 0.0;
        for (error, n) in &self.counts {
            seen += f64::from(*n);
            if seen >= wanted {
                return Some(*error as f64 / UNIT);
            }
        }
        None
    }
}
