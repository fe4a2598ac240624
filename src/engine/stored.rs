//! What a step may read: the store as it was before the current transaction.

use std::collections::BTreeMap;

use super::alarm_spells::REACH;
use super::report::Report;
use crate::alert::Alert;
use crate::domain::{MaintenanceAction, MaintenanceEvent, Timestamp};
use crate::forecast::PlannedWork;
use crate::store::{Reader, RestoredTickets, StoreError, WindowRecord};
use crate::window::{AggregationKey, Counts};

/// Committed data. Writes of the current transaction are not visible.
pub trait Stored {
    /// The record of a key's window, if it is stored.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be read.
    fn window(
        &self,
        key: &AggregationKey,
        start: Timestamp,
    ) -> Result<Option<WindowRecord>, StoreError>;

    /// Restored tickets of windows that start on a UTC day.
    ///
    /// # Errors
    /// [`StoreError`] if they cannot be read.
    fn restored_on(&self, day: Timestamp) -> Result<RestoredTickets, StoreError>;

    /// The newest event of each planned work that ends after `from`.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be read.
    fn maintenance(&self, from: Timestamp) -> Result<Vec<MaintenanceEvent>, StoreError>;

    /// An alert by id, resolved ones included.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be read.
    fn alert(&self, id: &str) -> Result<Option<Alert>, StoreError>;
}

impl Stored for Reader {
    fn window(
        &self,
        key: &AggregationKey,
        start: Timestamp,
    ) -> Result<Option<WindowRecord>, StoreError> {
        let rows = self.windows(key, start, self.width().end(start))?;
        Ok(rows.into_iter().next().map(|(_, record)| record))
    }

    fn restored_on(&self, day: Timestamp) -> Result<RestoredTickets, StoreError> {
        Self::restored_on(self, day)
    }

    fn maintenance(&self, from: Timestamp) -> Result<Vec<MaintenanceEvent>, StoreError> {
        Self::maintenance(self, from, Timestamp::MAX)
    }

    fn alert(&self, id: &str) -> Result<Option<Alert>, StoreError> {
        Self::alert(self, id)
    }
}

/// Looks up counts of finalized windows; zero for other windows. Restored tickets are not among them, so that nothing is added to
/// these.
pub fn final_counts(stored: &dyn Stored) -> impl Fn(&AggregationKey, Timestamp) -> Counts + '_ {
    move |key, start| {
        let record = stored.window(key, start).ok().flatten();
        record.filter(|record| record.settled).map(|record| record.counted()).unwrap_or_default()
    }
}

/// Planned work that ends after the beginning of the history that models learn from. Windows before `next` are final. It
/// includes work in `reports`, which is not stored yet.
///
/// # Errors
/// [`StoreError`] if it cannot be read.
pub fn planned_work(
    stored: &dyn Stored,
    next: Option<Timestamp>,
    reports: &[Report],
) -> Result<Vec<PlannedWork>, StoreError> {
    let Some(next) = next else { return Ok(Vec::new()) };
    let mut known: BTreeMap<Box<str>, MaintenanceEvent> = BTreeMap::new();
    let before = stored.maintenance(next - REACH)?;
    let reported = reports.iter().flat_map(|report| &report.maintenance);
    for event in before.into_iter().chain(reported.map(|(_, event)| event.clone())) {
        let newer = known.get(&event.event_id).is_none_or(|other| other.ts <= event.ts);
        if newer {
            known.insert(event.event_id.clone(), event);
        }
    }
    let planned = known.into_values().filter(|e| e.action == MaintenanceAction::Plan);
    let mut work: Vec<PlannedWork> = planned.map(|event| PlannedWork::from(&event)).collect();
    work.sort_by_key(|work| (work.starts_at, work.ends_at, work.announced_at));
    Ok(work)
}
