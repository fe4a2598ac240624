//! State that most threads of the service share.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::SyncSender;
use std::thread::JoinHandle;

use super::setup::Setup;
use super::threads::spawn;
use crate::clock::WallClock;
use crate::cluster::Leadership;
use crate::domain::Clock;
use crate::engine::Message;
use crate::input::Decoders;
use crate::output::pages::{Bell, Heartbeat, Lane, Overseer, Troubles};
use crate::output::receivers::Receivers;
use crate::output::{Pace, Sink, SinkWriter};
use crate::store::{EventLog, Reader, Store};
use crate::telemetry::{Health, Metrics};

pub(super) struct Shared {
    pub(super) log: Arc<EventLog>,
    pub(super) reader: Reader,
    pub(super) metrics: Arc<Metrics>,
    pub(super) health: Arc<Health>,
    pub(super) leadership: Arc<Leadership>,
    pub(super) decoders: Arc<Decoders>,
    pub(super) stop: Arc<AtomicBool>,
    /// The threads that were started.
    pub(super) threads: Vec<JoinHandle<()>>,
}

impl Shared {
    pub(super) fn open(setup: &Setup, store: &Store) -> anyhow::Result<Self> {
        let leadership = match setup.kafka {
            None => Leadership::alone(),
            Some(_) => Leadership::by_election(instance()),
        };
        Ok(Self {
            log: Arc::new(EventLog::open(&setup.store)?),
            reader: store.reader()?,
            metrics: Arc::default(),
            health: Arc::default(),
            leadership: Arc::new(leadership),
            decoders: Arc::new(Decoders::new(setup.decoder.clone())),
            stop: Arc::default(),
            threads: Vec::new(),
        })
    }

    /// Starts a thread. The service waits for its end when it stops.
    pub(super) fn spawn(
        &mut self,
        name: &str,
        run: impl FnOnce() + Send + 'static,
    ) -> anyhow::Result<()> {
        self.threads.push(spawn(name, run)?);
        Ok(())
    }

    /// Starts the thread that writes changes to a sink.
    pub(super) fn sink<S: Sink + 'static>(
        &mut self,
        sink: S,
        forecaster: &SyncSender<Message>,
    ) -> anyhow::Result<()> {
        let writer = SinkWriter {
            sink,
            reader: self.reader.clone(),
            leader: forecaster.clone(),
            health: self.health.clone(),
            metrics: self.metrics.clone(),
            leadership: self.leadership.clone(),
            stop: self.stop.clone(),
            pace: Pace::default(),
        };
        self.spawn(S::NAME, move || writer.run())
    }

    /// Starts the threads that deliver pages: one per receiver, and the overseer. `bell` wakes them.
    pub(super) fn pages(
        &mut self,
        receivers: Receivers,
        heartbeat: Option<Heartbeat>,
        clock: &Arc<dyn Clock>,
        forecaster: SyncSender<Message>,
        bell: &Arc<Bell>,
    ) -> anyhow::Result<()> {
        let names = receivers.keys().cloned().collect();
        let troubles = Arc::new(Troubles::new(self.health.clone()));
        for (name, (route, receiver)) in receivers {
            let lane = Lane {
                name: name.clone(),
                route,
                receiver,
                reader: self.reader.clone(),
                leader: forecaster.clone(),
                clock: clock.clone(),
                metrics: self.metrics.clone(),
                troubles: troubles.clone(),
                leadership: self.leadership.clone(),
                bell: bell.clone(),
                stop: self.stop.clone(),
            };
            self.spawn(&format!("pages {name}"), move || lane.run())?;
        }
        let overseer = Overseer {
            receivers: names,
            heartbeat,
            reader: self.reader.clone(),
            leader: forecaster,
            clock: clock.clone(),
            health: self.health.clone(),
            metrics: self.metrics.clone(),
            leadership: self.leadership.clone(),
            bell: bell.clone(),
            stop: self.stop.clone(),
        };
        self.spawn("outbox", move || overseer.run())
    }
}

/// A name for this instance, unique for each start.
fn instance() -> String {
    format!("{}-{}", std::process::id(), WallClock.now().millis())
}
