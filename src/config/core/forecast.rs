//! `[forecast]`: when models are fitted, and how far back vintages go.

use std::time::Duration;

use crate::config::Reader;
use crate::domain::{DAY, HOUR, MINUTE};

/// `[forecast]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forecast {
    /// How far back vintages are issued over history that was there before, so that accuracy is known.
    pub backfill: Duration,
    /// How often models are fitted anew.
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
