//! One transaction of the writer.

use std::marker::PhantomData;

use super::{DeliveryOutcome, PartialRecord, SourceRecord, StoreError, WindowRecord};
use crate::alert::{Alert, Notice};
use crate::anomaly::Anomaly;
use crate::domain::{
    AlarmEvent, DeadLetter, MaintenanceEvent, Position, SeriesKey, SourceId, Timestamp,
};
use crate::forecast::{Score, Vintage};
use crate::staffing::{Outlook, Plan, Shift};
use crate::window::Cell;

/// All or nothing: what is put becomes visible and durable with [`Tx::commit`], and is forgotten without it.
///
/// Every method fails with a [`StoreError`] only; after an error drop the transaction.
pub struct Tx<'s> {
    store: PhantomData<&'s mut ()>,
}

impl Tx<'_> {
    /// How far a source has been merged; replaces what was there.
    pub fn put_source(&mut self, record: &SourceRecord) -> Result<(), StoreError> {
        let _ = (record,);
        todo!()
    }

    /// Partials of unfinished windows; a later one of the same window, cell and source replaces.
    pub fn put_partials(&mut self, rows: &[PartialRecord]) -> Result<(), StoreError> {
        let _ = (rows,);
        todo!()
    }

    /// Forgets partials, of windows that have settled.
    pub fn delete_partials(
        &mut self,
        keys: &[(Timestamp, Cell, SourceId)],
    ) -> Result<(), StoreError> {
        let _ = (keys,);
        todo!()
    }

    /// Windows by cell and start. Written at commit, one blob per cell and UTC day.
    pub fn put_windows(
        &mut self,
        rows: &[(Cell, Timestamp, WindowRecord)],
    ) -> Result<(), StoreError> {
        let _ = (rows,);
        todo!()
    }

    /// An alarm's transition, once per position; the newest (ts, source, offset) is its state.
    pub fn put_alarm(&mut self, position: &Position, event: &AlarmEvent) -> Result<(), StoreError> {
        let _ = (position, event);
        todo!()
    }

    /// Planned work; the newest (ts, source, offset) of an event id wins.
    pub fn put_maintenance(
        &mut self,
        position: &Position,
        event: &MaintenanceEvent,
    ) -> Result<(), StoreError> {
        let _ = (position, event);
        todo!()
    }

    /// What was not counted, once per position. `counted_in` is the cell and window start in which a late event
    /// would have been counted, where it could be decoded: it adds one to the window's `late`.
    pub fn put_dead_letter(
        &mut self,
        letter: &DeadLetter,
        counted_in: Option<(&Cell, Timestamp)>,
    ) -> Result<(), StoreError> {
        let _ = (letter, counted_in);
        todo!()
    }

    /// A forecast as issued. A second one of the same series and time is ignored: the first stands.
    pub fn put_vintage(&mut self, vintage: &Vintage) -> Result<(), StoreError> {
        let _ = (vintage,);
        todo!()
    }

    /// The newest plan and outlook of a series; an older one than is there is ignored.
    pub fn put_plan(&mut self, plan: Option<&Plan>, outlook: &Outlook) -> Result<(), StoreError> {
        let _ = (plan, outlook);
        todo!()
    }

    /// Adds to the scores of a series on a day (UTC midnight), by lead in minutes.
    pub fn put_scores(
        &mut self,
        series: &SeriesKey,
        day: Timestamp,
        by_lead: &[(u32, Score)],
    ) -> Result<(), StoreError> {
        let _ = (series, day, by_lead);
        todo!()
    }

    /// What was found abnormal; once per series, window and kind, a later one replaces.
    pub fn put_anomaly(&mut self, anomaly: &Anomaly) -> Result<(), StoreError> {
        let _ = (anomaly,);
        todo!()
    }

    /// An alert's present state, by id.
    pub fn put_alert(&mut self, alert: &Alert) -> Result<(), StoreError> {
        let _ = (alert,);
        todo!()
    }

    /// One outbox row per receiver, due at `at`; ignored where it is there already.
    pub fn put_notice(
        &mut self,
        notice: &Notice,
        receivers: &[String],
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let _ = (notice, receivers, at);
        todo!()
    }

    /// What became of a try.
    pub fn mark_delivery(
        &mut self,
        notice_id: &str,
        receiver: &str,
        outcome: &DeliveryOutcome,
    ) -> Result<(), StoreError> {
        let _ = (notice_id, receiver, outcome);
        todo!()
    }

    /// Makes a notice that was given up due again at `at`.
    pub fn resend(
        &mut self,
        notice_id: &str,
        receiver: &str,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let _ = (notice_id, receiver, at);
        todo!()
    }

    /// Replaces the shifts of the same series that overlap what is given, from its first start to its last end.
    pub fn put_shifts(&mut self, shifts: &[Shift]) -> Result<(), StoreError> {
        let _ = (shifts,);
        todo!()
    }

    /// Small named state: the clock, calibrations.
    pub fn put_blob(&mut self, key: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let _ = (key, bytes);
        todo!()
    }

    /// Makes it durable: synced to disk when this returns.
    pub fn commit(self) -> Result<(), StoreError> {
        todo!()
    }
}
