//! State that the request handlers share.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::{Semaphore, broadcast, mpsc, watch};

use super::auth::Access;
use super::problem::Problem;
use crate::cluster::Forwarder;
use crate::domain::{Clock, Keyed, Name, Timestamp, WindowWidth, Zone};
use crate::engine::{Command, CommandError, Leads, StreamEvent};
use crate::ingest;
use crate::input::Decoders;
use crate::staffing::Rules;
use crate::store::{EventLog, Reader};
use crate::telemetry::{Health, Metrics};
use crate::text::Language;
use crate::views::CalibrationCache;

impl From<CommandError> for Problem {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::NotFound => Self::not_found(error.to_string()),
            CommandError::Store(_) => Self::busy(error.to_string()),
            CommandError::Full(_) => Self::full(error.to_string()),
        }
    }
}

/// Writes events to a log outside this process: Kafka.
pub trait WriteEvents: Send + Sync {
    /// Writes all and waits until they are durable.
    ///
    /// # Errors
    /// Why one was not written; others may have been, and event ids make it harmless to write them again.
    fn write(&self, events: &[Keyed<'_>]) -> Result<(), WriteError>;

    /// Most bytes of one event or batch.
    fn bytes_max(&self) -> usize;
}

/// Why an event was not written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriteError {
    /// It is too large. Writing it again fails again.
    TooLarge(String),
    /// Another attempt may succeed.
    Failed(String),
}

/// How far a catch-up is, in thousandths; 1000 when it is done.
#[derive(Debug, Default)]
pub struct Progress(AtomicU32);

impl Progress {
    /// Sets the share that is done, 0 to 1.
    pub fn set(&self, share: f64) {
        self.0.store((share.clamp(0.0, 1.0) * 1000.0) as u32, Ordering::Relaxed);
    }

    /// The share that is done; `None` if there is nothing to catch up with.
    pub fn share(&self) -> Option<f64> {
        let thousandths = self.0.load(Ordering::Relaxed);
        (thousandths < 1000).then(|| f64::from(thousandths) / 1000.0)
    }
}

/// Properties that do not change while the service runs.
#[derive(Clone, Debug)]
pub struct ServiceInfo {
    pub version: &'static str,
    /// `demo` or `serve`.
    pub mode: &'static str,
    /// Speed of the clock relative to real time.
    pub speed: f64,
    /// When a demo's clock stops.
    pub stops_at: Option<Timestamp>,
    pub width: WindowWidth,
    pub zone: Zone,
    /// Language of texts for readers who ask for none.
    pub language: Language,
    pub regions: BTreeMap<Name, Zone>,
    /// Staffing profiles and teams.
    pub staffing: Arc<Rules>,
    pub body_bytes_max: usize,
    pub limits: ingest::Limits,
}

/// Everything that the handlers share.
#[derive(Clone)]
pub struct ApiState {
    pub reader: Reader,
    pub commands: mpsc::Sender<Command>,
    pub log: Arc<EventLog>,
    /// Where events are written instead of the local log, if configured.
    pub writer: Option<Arc<dyn WriteEvents>>,
    pub stream: broadcast::Sender<StreamEvent>,
    pub metrics: Arc<Metrics>,
    pub health: Arc<Health>,
    pub clock: Arc<dyn Clock>,
    pub info: Arc<ServiceInfo>,
    pub progress: Arc<Progress>,
    /// Called after events were appended, so that they are counted at once.
    pub wake: Arc<dyn Fn() + Send + Sync>,
    pub access: Access,
    pub leads: Arc<dyn Leads>,
    pub decoders: Arc<Decoders>,
    /// Forwards requests to the leader.
    pub forward: Forwarder,
    /// Expected against attained service level, as far as it was read.
    pub calibrations: Arc<CalibrationCache>,
    /// Places for live streams.
    pub streams: Arc<Semaphore>,
    /// Turns true when the service stops: live streams end.
    pub stopping: watch::Receiver<bool>,
}

impl ApiState {
    /// The zone of a region, `_all` included.
    pub fn zone(&self, region: &Name) -> Zone {
        self.info.regions.get(region).copied().unwrap_or(self.info.zone)
    }
}
