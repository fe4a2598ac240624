//! What a step decides, as a value: changes of the store in the order in which they are written, and what the live stream
//! is told once they are stored.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::day_scores::DayScores;
use super::issued::{Issued, Plans};
use super::messages::StreamEvent;
use super::report::Report;
use super::saved::Saved;
use crate::alert::{Alert, Notification};
use crate::anomaly::Anomaly;
use crate::domain::{MaintenanceEvent, Offset, Position, SeriesKey, SourceId, Timestamp};
use crate::forecast::surge::{Call, Surge};
use crate::forecast::{Adjustment, Nowcast};
use crate::staffing::Shift;
use crate::store::{
    AdjustedScore, DeliveryOutcome, NowcastScore, PartialRecord, SourceRecord, WindowRecord,
};
use crate::window::AggregationKey;

/// One change of the store.
#[derive(Debug)]
pub enum StoreChange<'r> {
    /// What a report brought besides counts: alarms, rebuilt lists, planned work, dead letters.
    Events(&'r Report),
    /// Windows that were finalized, or revised after that.
    Windows(Vec<(AggregationKey, Timestamp, WindowRecord)>),
    PutPartials(Vec<PartialRecord>),
    /// Partials of windows that are final, whose sources will not change them again.
    DeletePartials(Vec<(Timestamp, AggregationKey, SourceId)>),
    Source(SourceRecord),
    Anomaly(Anomaly),
    /// Vintages of one time: the model's, and those that planners changed.
    Vintages(Arc<Issued>),
    /// Plans of the vintages of one time, and the outlook of every one of them.
    Plans(Arc<Issued>, Arc<Plans>),
    Nowcasts(Vec<Nowcast>),
    /// Nowcasts as planners changed them. Those of the model are [`StoreChange::Nowcasts`].
    AdjustedNowcasts(Arc<Issued>),
    /// Plans that follow from nowcasts.
    NowcastPlans(Arc<Issued>, Arc<Plans>),
    Shifts(Vec<Shift>),
    Alert(Box<Alert>),
    /// A page to every receiver.
    Notification(Notification),
    /// A page of an alert, unless the outbox holds one of that alert already.
    FirstNotification(Notification),
    Surge(Surge),
    Call(Call),
    /// The accuracy of a day has changed: sinks are told.
    Accuracy(Timestamp),
    Scores(DayScores),
    AdjustedScores {
        series: SeriesKey,
        day: Timestamp,
        by_lead: BTreeMap<u32, AdjustedScore>,
    },
    NowcastScore {
        series: SeriesKey,
        day: Timestamp,
        score: NowcastScore,
    },
    Maintenance(Position, Box<MaintenanceEvent>),
    PutAdjustment(Box<Adjustment>),
    DeleteAdjustment(String),
    /// What became of a try to deliver a page.
    Delivery {
        notice: String,
        receiver: String,
        outcome: DeliveryOutcome,
    },
    /// The change up to which a sink was told everything.
    Cursor {
        sink: String,
        seq: i64,
    },
    /// Small state, stored by name.
    Saved(Saved),
}

/// What one step decided.
#[derive(Debug, Default)]
pub struct Effects<'r> {
    /// In the order in which they are written.
    pub changes: Vec<StoreChange<'r>>,
    /// In the order in which they are told, after the commit.
    pub stream: Vec<StreamEvent>,
}

impl<'r> Effects<'r> {
    /// Adds a change of the store.
    pub fn put(&mut self, change: StoreChange<'r>) {
        self.changes.push(change);
    }

    /// Adds an event of the live stream.
    pub fn tell(&mut self, event: StreamEvent) {
        self.stream.push(event);
    }

    /// Adds what a later step decided.
    pub fn append(&mut self, later: Self) {
        self.changes.extend(later.changes);
        self.stream.extend(later.stream);
    }

    /// Adds where the log goes on, if reports or commands come from one.
    pub fn put_log_offset(&mut self, log: Option<Offset>) {
        if let Some(next) = log {
            self.put(StoreChange::Saved(Saved::LogOffset(next)));
        }
    }
}

impl<'r> From<StoreChange<'r>> for Effects<'r> {
    fn from(change: StoreChange<'r>) -> Self {
        Self { changes: vec![change], stream: Vec::new() }
    }
}
