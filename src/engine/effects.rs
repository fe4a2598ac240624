//! The effects of a step, as values: changes of the store in the order in which they are written, and events of the live
//! stream, which are sent once the changes are stored.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::day_scores::DayScores;
use super::issued::{Issued, Plans};
use super::messages::StreamEvent;
use super::report::Report;
use super::saved::Saved;
use crate::alert::{Alert, Notification, Silence};
use crate::anomaly::Anomaly;
use crate::domain::{
    AuditEntry, MaintenanceEvent, Offset, Position, SeriesKey, SourceId, Timestamp,
};
use crate::forecast::surge::{Surge, Warning};
use crate::forecast::{Adjustment, Nowcast};
use crate::staffing::{Recommendation, Shift, TeamShift, Uncovered};
use crate::store::{
    AdjustedScore, Annotation, DeliveryOutcome, NowcastScore, PartialRecord, SourceRecord,
    WindowRecord,
};
use crate::tickets::AssessmentChanges;
use crate::window::{AggregationKey, AlarmTypes, FoldedPart, TicketChanges};

/// One change of the store.
#[derive(Debug)]
pub enum StoreChange<'r> {
    /// A report's events, without messages about tickets: alarms, rebuilt lists, planned work, dead letters.
    ///
    /// Late events with one of these keys are counted under its value.
    Events(&'r Report, BTreeMap<AggregationKey, AggregationKey>),
    /// A report's messages about tickets from this time on. Earlier ones have taken effect in the same transaction.
    TicketMessages(&'r Report, Option<Timestamp>),
    /// Changes in the book of tickets up to the end of the window that starts at this time.
    Tickets(Timestamp, TicketChanges),
    /// Alarms by type of the finalized window that starts at this time.
    AlarmTypes(Timestamp, AlarmTypes),
    /// Changes in priorities, SLA clocks and customers that follow from them.
    Assessments(AssessmentChanges),
    /// Windows that were finalized or revised.
    Windows(Vec<(AggregationKey, Timestamp, WindowRecord)>),
    PutPartials(Vec<PartialRecord>),
    /// Parts that are counted under another key.
    PutFolded(Vec<FoldedPart>),
    /// Partials of finalized windows whose sources will not change them again, or that are counted under another key.
    DeletePartials(Vec<(Timestamp, AggregationKey, SourceId)>),
    Source(SourceRecord),
    Anomaly(Anomaly),
    /// Vintages of one issue time: the model's, and adjusted ones.
    Vintages(Arc<Issued>),
    /// Plans of the vintages of one issue time, and an outlook for each vintage.
    Plans(Arc<Issued>, Arc<Plans>),
    Nowcasts(Vec<Nowcast>),
    /// Adjusted nowcasts. The model's are [`StoreChange::Nowcasts`].
    AdjustedNowcasts(Arc<Issued>),
    /// Plans that follow from nowcasts.
    NowcastPlans(Arc<Issued>, Arc<Plans>),
    Shifts(Vec<Shift>),
    Roster(Vec<Shift>, Vec<TeamShift>),
    Alert(Box<Alert>),
    Silence(Box<Silence>),
    Recommendation(Box<Recommendation>),
    /// Missing agents for whom there is no recommendation.
    Uncovered(Vec<Uncovered>),
    /// A page to every receiver.
    Notification(Notification),
    /// A page to every receiver, unless the outbox already holds a page of that alert.
    FirstNotification(Notification),
    Surge(Surge),
    Warning(Warning),
    /// The accuracy of a day has changed: sinks write it again.
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
    Audit(AuditEntry),
    /// A page to these receivers.
    Page(Notification, Vec<String>),
    /// Sends a page again that was given up.
    Resend {
        page: String,
        receivers: Vec<String>,
        at: Timestamp,
    },
    /// The outcome of an attempt to deliver a page.
    Delivery {
        notice: String,
        receiver: String,
        outcome: DeliveryOutcome,
    },
    /// The change up to which a sink has written everything.
    Cursor {
        sink: String,
        seq: i64,
    },
    /// Annotations that are in Grafana, or that will never be written to it.
    Annotations(Vec<Annotation>),
    /// A named value.
    Saved(Saved),
}

impl StoreChange<'_> {
    /// The anomaly, if the change is one.
    pub fn anomaly(&self) -> Option<&Anomaly> {
        match self {
            Self::Anomaly(anomaly) => Some(anomaly),
            _ => None,
        }
    }
}

/// The effects of one step.
#[derive(Debug, Default)]
pub struct Effects<'r> {
    /// Changes in the order in which they are written.
    pub changes: Vec<StoreChange<'r>>,
    /// Events in the order in which they are sent, after the commit.
    pub stream: Vec<StreamEvent>,
}

impl<'r> Effects<'r> {
    /// Adds a change of the store.
    pub fn put(&mut self, change: StoreChange<'r>) {
        self.changes.push(change);
    }

    /// Adds an event of the live stream.
    pub fn emit(&mut self, event: StreamEvent) {
        self.stream.push(event);
    }

    /// Adds the effects of a later step.
    pub fn append(&mut self, later: Self) {
        self.changes.extend(later.changes);
        self.stream.extend(later.stream);
    }

    /// Adds the next offset of the replicated log, if reports or commands come from it.
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
