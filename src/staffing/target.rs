//! Service targets.

use std::time::Duration;

/// "80 % within 20 s", written `80/20`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ServiceTarget {
    /// Share answered in time, 0–1.
    pub fraction: f64,
    /// Longest wait of those.
    pub within: Duration,
}

/// Reads `80/20`: 80 % within 20 s.
pub fn parse_target(text: &str) -> Option<ServiceTarget> {
    let (percent, seconds) = text.split_once('/')?;
    let fraction = percent.trim().parse::<f64>().ok()? / 100.0;
    let within = seconds.trim().parse::<f64>().ok()?;
    ((0.01..1.0).contains(&fraction) && (0.0..=30.0 * 86_400.0).contains(&within))
        .then(|| ServiceTarget { fraction, within: Duration::from_secs_f64(within) })
}
