//! Numbers as they are shown and kept.

/// To three decimals: what is shown is what the ledger keeps.
pub fn rounded(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}
