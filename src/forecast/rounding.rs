//! Rounding of shown and stored numbers.

/// Rounds to three decimals, the precision of the ledger.
pub fn rounded(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}
