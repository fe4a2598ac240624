//! Messages to and from the forecaster: what other threads, people and other instances send it, and what it tells the
//! live stream.

use std::sync::mpsc::SyncSender;

use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::progress::Progress;
use super::report::{AckHandle, Report};
use crate::alert::Alert;
use crate::domain::{MaintenanceEvent, Offset, SourceId, Timestamp};
use crate::forecast::{Adjustment, Nowcast};
use crate::staffing::Shift;
use crate::store::{DeliveryOutcome, StoreError};

/// What other threads send the forecaster.
pub enum Message {
    /// From a reader of this process. The channel is bounded: while the forecaster cannot store, readers wait.
    Report(AckHandle),
    /// Reports read from the log, a command of the instance that leads which came after them, and where the log goes on.
    Log { reports: Vec<Report>, command: Option<ReplicatedCommand>, next: Offset },
    /// Windows wait for these from now on.
    Expect(Vec<SourceId>),
    /// A sink has come this far.
    Cursor(&'static str, i64),
    /// Tries of the outbox: (notice id, receiver, outcome), and whom to tell that they are stored.
    Deliveries(Vec<(String, String, DeliveryOutcome)>, SyncSender<()>),
}

/// Why a command was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    #[error("there is no such open alert or entry")]
    NotFound,
    #[error("it could not be stored: {0}")]
    Store(String),
}

impl From<StoreError> for CommandError {
    fn from(error: StoreError) -> Self {
        Self::Store(error.to_string())
    }
}

/// Where a command's answer goes.
pub type Reply<T> = oneshot::Sender<Result<T, CommandError>>;

/// Requests of people. The forecaster that leads carries them out.
pub enum Command {
    Acknowledge { id: String, by: String, reply: Reply<Alert> },
    Feedback { id: String, text: String, reply: Reply<Alert> },
    PutRoster { shifts: Vec<Shift>, reply: Reply<()> },
    PutMaintenance { event: Box<MaintenanceEvent>, reply: Reply<()> },
    PutAdjustment { adjustment: Box<Adjustment>, reply: Reply<()> },
    DeleteAdjustment { id: String, reply: Reply<()> },
}

/// A change that follows from no event: the forecaster that leads carries it out, and standbys do so after it. Carried
/// out twice it changes nothing more. Its field names are those of the replicated log.
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
    },
    Maintenance {
        event: Box<MaintenanceEvent>,
        at: Timestamp,
    },
    Adjusted {
        adjustment: Box<Adjustment>,
    },
    Unadjusted {
        id: String,
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
    /// A sink was told everything that follows from `progress`.
    Written {
        sink: String,
        progress: Progress,
    },
}

/// Gives a command its answer.
pub type Answer = Box<dyn FnOnce() + Send>;

/// Whether this instance is the one that answers.
pub trait Leads: Send + Sync {
    fn leads(&self) -> bool;
    /// Where the one that leads answers, such as `http://10.0.0.7:8080`.
    fn leader_url(&self) -> Option<String>;
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
    /// Something else changed: look at the status.
    Status,
}
