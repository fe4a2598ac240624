//! What the handlers work with.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::{Semaphore, broadcast, mpsc, oneshot};

use super::auth::TokenSet;
use super::decoders::Decoders;
use super::problem::Problem;
use crate::alert::Alert;
use crate::domain::{Clock, Keyed, MaintenanceEvent, Name, Timestamp, WindowWidth, Zone};
use crate::forecast::Adjustment;
use crate::ingest;
use crate::staffing::Shift;
use crate::store::{EventLog, Reader};
use crate::telemetry::{Health, Metrics};

/// Why a command was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    #[error("there is no such open alert or entry")]
    NotFound,
    #[error("it could not be stored: {0}")]
    Store(String),
}

impl From<CommandError> for Problem {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::NotFound => Self::not_found(error.to_string()),
            CommandError::Store(_) => Self::busy(error.to_string()),
        }
    }
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

/// A log elsewhere that takes events: Kafka.
pub trait WriteEvents: Send + Sync {
    /// Writes all and waits until they are durable.
    ///
    /// # Errors
    /// Why one was not written; others may have been, and event ids make it harmless to write them again.
    fn write(&self, events: &[Keyed<'_>]) -> Result<(), String>;
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

/// How far a catch-up is, in thousandths; 1000 when it is done.
#[derive(Debug, Default)]
pub struct Progress(AtomicU32);

impl Progress {
    pub fn set(&self, share: f64) {
        self.0.store((share.clamp(0.0, 1.0) * 1000.0) as u32, Ordering::Relaxed);
    }

    /// `None` when there is nothing to catch up with.
    pub fn share(&self) -> Option<f64> {
        let thousandths = self.0.load(Ordering::Relaxed);
        (thousandths < 1000).then(|| f64::from(thousandths) / 1000.0)
    }
}

/// What does not change while the service runs.
#[derive(Clone, Debug)]
pub struct ServiceInfo {
    pub version: &'static str,
    /// `demo` or `serve`.
    pub mode: &'static str,
    /// Clock seconds a second.
    pub speed: f64,
    pub width: WindowWidth,
    pub zone: Zone,
    pub regions: BTreeMap<Name, Zone>,
    pub body_bytes_max: usize,
    pub limits: ingest::Limits,
}

/// Everything that the handlers share.
#[derive(Clone)]
pub struct ApiState {
    pub reader: Reader,
    pub commands: mpsc::Sender<Command>,
    pub log: Arc<EventLog>,
    /// Where events go instead of the log, if there is such a place.
    pub writer: Option<Arc<dyn WriteEvents>>,
    pub stream: broadcast::Sender<StreamEvent>,
    pub metrics: Arc<Metrics>,
    pub health: Arc<Health>,
    pub clock: Arc<dyn Clock>,
    pub info: Arc<ServiceInfo>,
    pub progress: Arc<Progress>,
    /// Called after events were appended, so that they are counted at once.
    pub wake: Arc<dyn Fn() + Send + Sync>,
    pub tokens: Option<Arc<TokenSet>>,
    pub leads: Arc<dyn Leads>,
    pub decoders: Arc<Decoders>,
    /// Sends questions on to the one that leads.
    pub forward: reqwest::Client,
    /// Places for live streams.
    pub streams: Arc<Semaphore>,
}

impl ApiState {
    /// The zone of a region, `_all` included.
    pub fn zone(&self, region: &Name) -> Zone {
        self.info.regions.get(region).copied().unwrap_or(self.info.zone)
    }
}
