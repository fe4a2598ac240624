//! `[forecast]`: the interval between fits, and the length of the backfill.

use std::time::Duration;

use crate::config::Reader;
use crate::domain::{DAY, HOUR, MINUTE};

/// `[forecast]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forecast {
    /// Length of the history before the start for which vintages are issued, so that accuracy is known at once.
    pub backfill: Duration,
    /// Interval between fits of the models.
    pub refit: Duration,
}

impl Forecast {
    /// Reads the section.
    pub fn read(section: Reader<'_>) -> Self {
        let forecast = Self {
            backfill: section.length("backfill", Duration::ZERO..=400 * DAY).unwrap_or(7 * DAY),
            refit: section.length("refit", 5 * MINUTE..=7 * DAY).unwrap_or(6 * HOUR),
        };
        section.finish();
        forecast
    }
}
