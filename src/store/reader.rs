//! Reading beside the writer.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::{
    Filter, OutboxRow, PartialRecord, SeriesInfo, SeriesWindow, SourceRecord, StandingAlarm,
    StoreError, WindowRecord,
};
use crate::alert::Alert;
use crate::anomaly::Anomaly;
use crate::domain::{
    AlarmEvent, DeadLetter, MaintenanceEvent, Position, Reason, SeriesKey, Timestamp, WindowWidth,
};
use crate::forecast::{Score, Vintage};
use crate::staffing::{Outlook, Plan, Shift};
use crate::window::Cell;

/// Sees what has been committed. Cheap to clone, shared by threads; blocks on disk, so not for async tasks directly.
///
/// Every method fails with a [`StoreError`] only.
#[derive(Clone)]
pub struct Reader {
    shared: Arc<()>,
}

impl Reader {
    /// Reads a store that another process may have open, for commands that only look.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        let _ = dir;
        todo!()
    }

    /// The width of the store's windows.
    pub fn width(&self) -> WindowWidth {
        let _ = &self.shared;
        todo!()
    }

    /// Hands every stored window that starts at or after `from` to `each`, cell by cell, in order of time.
    pub fn each_window(
        &self,
        from: Timestamp,
        mut each: impl FnMut(&Cell, Timestamp, WindowRecord),
    ) -> Result<(), StoreError> {
        let _ = (from, &mut each);
        todo!()
    }

    /// Every source that has reported.
    pub fn sources(&self) -> Result<Vec<SourceRecord>, StoreError> {
        todo!()
    }

    /// Partials of unfinished windows.
    pub fn partials(&self) -> Result<Vec<PartialRecord>, StoreError> {
        todo!()
    }

    /// Named state.
    pub fn blob(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let _ = (key,);
        todo!()
    }

    /// Every cell that has a window.
    pub fn cells(&self) -> Result<Vec<Cell>, StoreError> {
        todo!()
    }

    /// Ticket series: leaves and their roll-ups, in order.
    pub fn series(&self) -> Result<Vec<SeriesInfo>, StoreError> {
        todo!()
    }

    /// Windows of a cell that start in `from..to`; open ones are summed from partials.
    pub fn windows(
        &self,
        cell: &Cell,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<(Timestamp, WindowRecord)>, StoreError> {
        let _ = (cell, from, to);
        todo!()
    }

    /// Windows of a series that start in `from..to`, summed over the leaves and alarm scopes it covers.
    pub fn series_windows(
        &self,
        series: &SeriesKey,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<SeriesWindow>, StoreError> {
        let _ = (series, from, to);
        todo!()
    }

    /// The forecast issued at a time, or the newest.
    pub fn vintage(
        &self,
        series: &SeriesKey,
        issued_at: Option<Timestamp>,
    ) -> Result<Option<Vintage>, StoreError> {
        let _ = (series, issued_at);
        todo!()
    }

    /// Forecasts that have the window starting at `window` among their targets, oldest first.
    pub fn vintages_targeting(
        &self,
        series: &SeriesKey,
        window: Timestamp,
    ) -> Result<Vec<Vintage>, StoreError> {
        let _ = (series, window);
        todo!()
    }

    /// Forecasts of all series issued after a time, oldest first.
    pub fn vintages_since(&self, issued_after: Timestamp) -> Result<Vec<Vintage>, StoreError> {
        let _ = (issued_after,);
        todo!()
    }

    /// The newest plan.
    pub fn plan(&self, series: &SeriesKey) -> Result<Option<Plan>, StoreError> {
        let _ = (series,);
        todo!()
    }

    /// The newest outlook.
    pub fn outlook(&self, series: &SeriesKey) -> Result<Option<Outlook>, StoreError> {
        let _ = (series,);
        todo!()
    }

    /// The newest outlooks of the series that the filter admits.
    pub fn outlooks(&self, filter: &Filter) -> Result<Vec<Outlook>, StoreError> {
        let _ = (filter,);
        todo!()
    }

    /// Scores by day (UTC midnight, in `from_day..to_day`) and lead in minutes.
    pub fn scores(
        &self,
        series: &SeriesKey,
        from_day: Timestamp,
        to_day: Timestamp,
    ) -> Result<Vec<(Timestamp, u32, Score)>, StoreError> {
        let _ = (series, from_day, to_day);
        todo!()
    }

    /// Anomalies of windows that start in `from..to`, newest first, with the cursor to go on `after`.
    pub fn anomalies(
        &self,
        filter: &Filter,
        from: Timestamp,
        to: Timestamp,
        limit: usize,
        after: Option<i64>,
    ) -> Result<Vec<(i64, Anomaly)>, StoreError> {
        let _ = (filter, from, to, limit, after);
        todo!()
    }

    /// Alerts, newest first, going on after the id of one. Open ones are those not resolved, pending ones included.
    /// A filter's channel is ignored: alerts have none.
    pub fn alerts(
        &self,
        filter: &Filter,
        open_only: bool,
        limit: usize,
        after: Option<&str>,
    ) -> Result<Vec<Alert>, StoreError> {
        let _ = (filter, open_only, limit, after);
        todo!()
    }

    /// One alert.
    pub fn alert(&self, id: &str) -> Result<Option<Alert>, StoreError> {
        let _ = (id,);
        todo!()
    }

    /// Alarms standing as of `at`, told by transitions up to then: later ones are not looked at. Most severe first,
    /// then newest.
    pub fn standing_alarms(
        &self,
        filter: &Filter,
        at: Timestamp,
        limit: usize,
    ) -> Result<Vec<StandingAlarm>, StoreError> {
        let _ = (filter, at, limit);
        todo!()
    }

    /// Alarm transitions with event time in `from..to`, in order of (ts, source, offset).
    pub fn alarm_transitions(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<(Position, AlarmEvent)>, StoreError> {
        let _ = (from, to);
        todo!()
    }

    /// Dead letters, newest first, with the cursor to go on `after`.
    pub fn dead_letters(
        &self,
        reason: Option<Reason>,
        limit: usize,
        after: Option<i64>,
    ) -> Result<Vec<(i64, DeadLetter)>, StoreError> {
        let _ = (reason, limit, after);
        todo!()
    }

    /// Dead letters that are kept, by reason.
    pub fn dead_letter_counts(&self) -> Result<BTreeMap<Reason, u64>, StoreError> {
        todo!()
    }

    /// Planned work, not cancelled, that overlaps `from..to`, by start.
    pub fn maintenance(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<MaintenanceEvent>, StoreError> {
        let _ = (from, to);
        todo!()
    }

    /// Shifts that overlap `from..to`, by series and start.
    pub fn shifts(
        &self,
        filter: &Filter,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Shift>, StoreError> {
        let _ = (filter, from, to);
        todo!()
    }

    /// Pending deliveries that are due, most overdue first.
    pub fn outbox_due(&self, now: Timestamp, limit: usize) -> Result<Vec<OutboxRow>, StoreError> {
        let _ = (now, limit);
        todo!()
    }

    /// Deliveries whatever their state, newest first.
    pub fn outbox(&self, limit: usize) -> Result<Vec<OutboxRow>, StoreError> {
        let _ = (limit,);
        todo!()
    }

    /// Bytes that the database has on disk, without its write-ahead log.
    pub fn size_bytes(&self) -> Result<u64, StoreError> {
        todo!()
    }
}
