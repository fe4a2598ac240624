//! Wording that several commands share.

use std::fmt::Display;

/// `1 forecast`, `3 forecasts`.
pub fn plural<N: Display + PartialEq + From<u8>>(n: N, one: &str, more: &str) -> String {
    let noun = if n == N::from(1u8) { one } else { more };
    format!("{n} {noun}")
}
