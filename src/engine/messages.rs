//! Messages to the forecaster from other threads, people and other instances, and events that it sends to the live
//! stream.

use std::sync::mpsc::SyncSender;

use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::progress::Progress;
use super::report::{AckHandle, Report};
use crate::alert::{Alert, DueReport, NotificationKind, Silence};
use crate::domain::{AuditEntry, MaintenanceEvent, Offset, SourceId, Timestamp};
use crate::forecast::{Adjustment, Nowcast};
use crate::staffing::{Answer as AdviceAnswer, Recommendation, Shift, TeamShift};
use crate::store::{Annotation, DeliveryOutcome, StoreError};

/// A message from another thread to the forecaster.
pub enum Message {
    /// A report of a reader in this process. The channel is bounded: while the forecaster cannot store, readers wait.
    Report(AckHandle),
    /// Reports from the replicated log, a command of the leader that follows them, and the log's next offset.
    Log { reports: Vec<Report>, command: Option<ReplicatedCommand>, next: Offset },
    /// Windows wait for these sources from now on.
    Expect(Vec<SourceId>),
    /// A sink has written all changes up to this one.
    Cursor(&'static str, i64),
    /// Outcomes of deliveries (notification id, receiver, outcome), and a channel that is notified once they are stored.
    Deliveries(Vec<(String, String, DeliveryOutcome)>, SyncSender<()>),
    /// Annotations to store, and a channel that is notified once they are; it is closed if they could not be stored.
    Annotations(Vec<Annotation>, SyncSender<()>),
}

/// Why a command was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    #[error("nothing that can still change has this id")]
    NotFound,
    #[error("cannot store it: {0}")]
    Store(String),
    #[error("cannot store it: {0}")]
    Full(String),
}

impl From<StoreError> for CommandError {
    fn from(error: StoreError) -> Self {
        let text = error.to_string();
        if error.is_full() { Self::Full(text) } else { Self::Store(text) }
    }
}

/// Channel for a command's answer.
pub type Reply<T> = oneshot::Sender<Result<T, CommandError>>;

/// A request of a person. The leader carries it out.
pub enum Command {
    Acknowledge {
        id: String,
        by: String,
        reply: Reply<Alert>,
    },
    Feedback {
        id: String,
        text: String,
        reply: Reply<Alert>,
    },
    PutRoster {
        shifts: Vec<Shift>,
        team_shifts: Vec<TeamShift>,
        reply: Reply<()>,
    },
    PutMaintenance {
        event: Box<MaintenanceEvent>,
        reply: Reply<()>,
    },
    PutAdjustment {
        adjustment: Box<Adjustment>,
        reply: Reply<()>,
    },
    DeleteAdjustment {
        id: String,
        reply: Reply<()>,
    },
    /// A person's answer to a recommendation.
    Answer {
        id: String,
        answer: AdviceAnswer,
        by: String,
        reply: Reply<Recommendation>,
    },
    /// Enters a silence; its id and times are completed here.
    Silence {
        silence: Box<Silence>,
        reply: Reply<Silence>,
    },
    /// Ends a silence early.
    EndSilence {
        id: String,
        by: String,
        reply: Reply<Silence>,
    },
    /// Sends a page again that was given up, to one receiver or to all receivers that did not get it.
    Resend {
        page: String,
        receiver: Option<String>,
        reply: Reply<()>,
    },
    /// A request with its entry of the audit trail. The entry is stored if the request is carried out. Its time is set then.
    Audited {
        entry: AuditEntry,
        command: Box<Command>,
    },
}

/// A change that does not follow from events. The leader carries it out, and standbys repeat it from the replicated log.
/// Carrying it out twice has no further effect. Its field names are part of the log's format.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ReplicatedCommand {
    Acknowledged {
        id: String,
        by: String,
        at: Timestamp,
    },
    Judged {
        id: String,
        text: String,
    },
    Roster {
        shifts: Vec<Shift>,
        /// Releases without teams skip this field.
        #[serde(default)]
        team_shifts: Vec<TeamShift>,
    },
    Maintenance {
        event: Box<MaintenanceEvent>,
        at: Timestamp,
    },
    /// A recommendation with a person's answer, as the leader decided it. Releases without recommendations skip this message.
    Answered {
        recommendation: Box<Recommendation>,
    },
    /// A silence as the leader decided it, entered or ended. Releases without silences skip this message.
    Silenced {
        silence: Box<Silence>,
    },
    /// The pages of an alert are no longer held back, or are held back from now on. Releases without silences skip this
    /// message.
    Released {
        alert: String,
        at: Timestamp,
    },
    /// Annotations that were written to Grafana, so that the next leader does not write them again. Releases without
    /// annotations skip this message.
    Annotated {
        rows: Vec<Annotation>,
    },
    Adjusted {
        adjustment: Box<Adjustment>,
    },
    Unadjusted {
        id: String,
    },
    /// An entry of the audit trail. Releases without an audit trail skip this message.
    Audit {
        entry: AuditEntry,
    },
    Nowcast {
        nowcasts: Vec<Nowcast>,
        at: Timestamp,
    },
    Delivered {
        notice: String,
        receiver: String,
        outcome: DeliveryOutcome,
    },
    /// Receivers are notified of an alert that nobody has acknowledged. Releases without escalation skip this message.
    Paged {
        alert: String,
        kind: NotificationKind,
        receivers: Vec<String>,
        at: Timestamp,
    },
    /// A report is sent to a receiver. Releases without scheduled reports skip this message.
    ReportDue {
        report: DueReport,
        receiver: String,
        at: Timestamp,
    },
    /// A page that was given up is sent again. Releases without resending skip this message.
    Resent {
        page: String,
        receivers: Vec<String>,
        at: Timestamp,
    },
    /// A sink has written all changes that follow from `progress`.
    Written {
        sink: String,
        progress: Progress,
    },
}

/// Sends a command's answer.
pub type Answer = Box<dyn FnOnce() + Send>;

/// Whether this instance leads, and who does.
pub trait Leads: Send + Sync {
    fn leads(&self) -> bool;
    /// The leader's address, such as `http://10.0.0.7:8080`.
    fn leader_url(&self) -> Option<String>;
}

/// An instance that always leads.
#[cfg(test)]
pub struct Leading;

#[cfg(test)]
impl Leads for Leading {
    fn leads(&self) -> bool {
        true
    }

    fn leader_url(&self) -> Option<String> {
        None
    }
}

/// An event of the live stream.
#[derive(Clone, Debug)]
pub enum StreamEvent {
    Windows {
        finalized_upto: Timestamp,
    },
    Vintages {
        issued_at: Timestamp,
    },
    Alert(Box<Alert>),
    /// Something else changed. Clients read the status again.
    Status,
}
