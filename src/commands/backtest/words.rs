//! Wording shared by reports and notes.

/// `3 forecasts`.
pub fn plural(n: usize, one: &str, more: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { more })
}
