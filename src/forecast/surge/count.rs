//! Surges that came and calls that were out, one by one and counted.

use std::collections::BTreeMap;

use crate::domain::{SeriesKey, Timestamp};

/// A surge that came, as seen at one lead.
#[derive(Clone, Debug, PartialEq)]
pub struct Surge {
    pub series: SeriesKey,
    /// One of [`SURGE_LEADS`](super::SURGE_LEADS).
    pub lead_hours: u32,
    /// Start of the first and of the last two windows in a row above the quantile.
    pub start: Timestamp,
    pub upto: Timestamp,
    /// Whether the forecast of that lead called it.
    pub called: bool,
    /// Whether that forecast knew of alarms or planned work.
    pub alarmed: bool,
    /// Minutes from the first forecast that called it to its start.
    pub warned_minutes: Option<u32>,
}

/// Calls at one lead that count as one.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    pub series: SeriesKey,
    pub lead_hours: u32,
    /// Issue times of the first and the last forecast that called.
    pub first: Timestamp,
    pub upto: Timestamp,
    /// Whether what one of them called came.
    pub good: bool,
}

/// Surges and calls of one series at one lead, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SurgeCount {
    /// Surges that came, those of them with alarms or planned work known by then, and those called at the lead.
    pub surges: u32,
    pub alarmed: u32,
    pub hits: u32,
    /// Surges that any forecast called, and Σ minutes from the first such forecast to their start.
    pub warned: u32,
    pub warned_minutes: u64,
    /// Calls, and those after which nothing has come so far.
    pub calls: u32,
    pub false_calls: u32,
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
        count.hits += u32::from(surge.called);
        if let Some(minutes) = surge.warned_minutes {
            count.warned += 1;
            count.warned_minutes += u64::from(minutes);
        }
    }

    /// Adds a warning.
    pub fn call(&mut self, call: &Call) {
        let count = self.0.entry((call.series.clone(), call.lead_hours)).or_default();
        count.calls += 1;
        count.false_calls += u32::from(!call.good);
    }

    /// The counts of a series at a lead in hours; zeros where there are none.
    pub fn of(&self, series: &SeriesKey, lead_hours: u32) -> SurgeCount {
        self.0.get(&(series.clone(), lead_hours)).copied().unwrap_or_default()
    }
}
