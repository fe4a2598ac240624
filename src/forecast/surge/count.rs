//! Records and counts of surges and warnings.

use std::collections::BTreeMap;

use crate::domain::{SeriesKey, Timestamp};

/// An actual surge, judged at one lead.
#[derive(Clone, Debug, PartialEq)]
pub struct Surge {
    pub series: SeriesKey,
    /// One of [`SURGE_LEADS`](super::SURGE_LEADS).
    pub lead_hours: u32,
    /// Starts of the first and of the last pair of windows above the quantile.
    pub start: Timestamp,
    pub upto: Timestamp,
    /// Hit: whether the forecast of that lead warned of it.
    pub hit: bool,
    /// Whether that forecast included alarms or planned work.
    pub alarmed: bool,
    /// Minutes from the first warning to the start of the surge; `None` without a warning.
    pub warned_minutes: Option<u32>,
}

/// Consecutive warnings at one lead that count as one warning.
#[derive(Clone, Debug, PartialEq)]
pub struct Warning {
    pub series: SeriesKey,
    pub lead_hours: u32,
    /// Issue times of the first and the last forecast that warned.
    pub first: Timestamp,
    pub upto: Timestamp,
    /// Whether a surge followed one of these warnings. If not, this is a false alarm.
    pub good: bool,
}

/// Counts of surges and warnings of one series at one lead.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SurgeCount {
    /// Actual surges, surges for which alarms or planned work were known at the lead, and surges with a warning at the lead
    /// (hits).
    pub surges: u32,
    pub alarmed: u32,
    pub hits: u32,
    /// Surges with a warning at any time, and Σ minutes from the first warning to their start.
    pub warned: u32,
    pub warned_minutes: u64,
    /// Warnings, and warnings without a surge so far.
    pub warnings: u32,
    pub false_alarms: u32,
}

/// Counts by series and lead in hours.
#[derive(Clone, Debug, Default)]
pub struct SurgeCounts(BTreeMap<(SeriesKey, u32), SurgeCount>);

impl SurgeCounts {
    /// Adds a surge.
    pub fn surge(&mut self, surge: &Surge) {
        let count = self.0.entry((surge.series.clone(), surge.lead_hours)).or_default();
        count.surges += 1;
        count.alarmed += u32::from(surge.alarmed);
        count.hits += u32::from(surge.hit);
        if let Some(minutes) = surge.warned_minutes {
            count.warned += 1;
            count.warned_minutes += u64::from(minutes);
        }
    }

    /// Adds a warning.
    pub fn warning(&mut self, warning: &Warning) {
        let count = self.0.entry((warning.series.clone(), warning.lead_hours)).or_default();
        count.warnings += 1;
        count.false_alarms += u32::from(!warning.good);
    }

    /// Counts of a series at a lead in hours, or zeros.
    pub fn of(&self, series: &SeriesKey, lead_hours: u32) -> SurgeCount {
        self.0.get(&(series.clone(), lead_hours)).copied().unwrap_or_default()
    }
}
