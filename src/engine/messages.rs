//! Messages to and from the forecaster: what other threads, people and other instances send it, and what it tells the
//! live stream.

use std::sync::mpsc::SyncSender;

use tokio::sync::oneshot;

use super::commands::ReplicatedCommand;
use super::report::{AckHandle, Report};
use crate::alert::Alert;
use crate::domain::{MaintenanceEvent, Offset, SourceId, Timestamp};
use crate::forecast::Adjustment;
use crate::staffing::Shift;
use crate::store::DeliveryOutcome;

/// What other threads send the leader.
pub enum Message {
    /// From a reader of this process. The channel is bounded: while the leader cannot store, readers wait.
    Report(AckHandle),
    /// Reports read from the log, what another instance, which leads, was told after them, and where the log goes on.
    Log { reports: Vec<Report>, told: Option<ReplicatedCommand>, next: Offset },
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

/// Where a command's answer goes.
pub type Reply<T> = oneshot::Sender<Result<T, CommandError>>;

/// What people tell the system. The leader carries it out.
pub enum Command {
    Acknowledge { id: String, by: String, reply: Reply<Alert> },
    Feedback { id: String, text: String, reply: Reply<Alert> },
    PutRoster { shifts: Vec<Shift>, reply: Reply<()> },
    PutMaintenance { event: Box<MaintenanceEvent>, reply: Reply<()> },
    PutAdjustment { adjustment: Box<Adjustment>, reply: Reply<()> },
    DeleteAdjustment { id: String, reply: Reply<()> },
}

/// Whether this instance is the one that answers.
pub trait Leads: Send + Sync {
    fn leads(&self) -> bool;
    /// Where the one that leads answers, such as `http://10.0.0.7:8080`.
    fn leader_url(&self) -> Option<String>;
}

/// What the live stream tells.
#[derive(Clone, Debug)]
pub enum StreamEvent {
    Windows {
        settled_upto: Timestamp,
    },
    Vintages {
        issued_at: Timestamp,
    },
    Alert(Box<Alert>),
    /// Something else changed: look at the status.
    Status,
}
