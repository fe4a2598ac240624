//! Service targets.

use std::time::Duration;

use super::profile::parse_seconds;

/// "80 % within 20 s", written `80/20`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ServiceTarget {
    /// Share answered in time, 0–1; 1 only for deferred work.
    pub fraction: f64,
    /// Maximum wait of these contacts.
    pub within: Duration,
}

/// Reads `80/20` (80 % within 20 s), `80/0` (80 % do not wait), `80/2m` or `100/6h`.
///
/// # Errors
/// What is wrong, and what would work.
pub fn parse_target(text: &str) -> Result<ServiceTarget, String> {
    let form = || {
        format!(
            "`{text}` is not a target: use PERCENT/TIME, such as 80/20 for 80 % within 20 s, or 100/6h"
        )
    };
    let (percent, within) = text.split_once('/').ok_or_else(form)?;
    let percent = percent.trim().trim_end_matches('%').trim_end();
    let percent = percent.parse::<f64>().ok().filter(|p| p.is_finite()).ok_or_else(form)?;
    if percent > 0.0 && percent < 1.0 {
        let meant = percent * 100.0;
        return Err(format!(
            "`{text}` means {percent} percent, less than 1: write the percentage, such as {meant}/{}",
            within.trim()
        ));
    }
    if !(1.0..=100.0).contains(&percent) {
        return Err(format!("`{text}`: use at least 1 % and at most 100 %, such as 80/20"));
    }
    let within = match parse_seconds(within) {
        Some(length) => length,
        None if parse_seconds(&within.replace('0', "1")).is_some() && is_zero(within) => {
            Duration::ZERO
        }
        None => return Err(form()),
    };
    Ok(ServiceTarget { fraction: percent / 100.0, within })
}

/// Whether a length is `0`, with a unit or without.
fn is_zero(text: &str) -> bool {
    let number = text.trim().trim_end_matches(|c: char| c.is_ascii_alphabetic());
    number.parse::<f64>().is_ok_and(|number| number == 0.0)
}
