//! State that most threads of the service share.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use std::thread::JoinHandle;
use std::time::Duration;

use super::clock_watch::ClockWatch;
use super::reload::{self, Reloadable};
use super::setup::Setup;
use super::threads::spawn;
use super::warm_start::warm_start;
use crate::clock::{SteadyClock, WallClock};
use crate::cluster::Leadership;
use crate::domain::Clock;
use crate::engine::Message;
use crate::input::Decoders;
use crate::output::pages::{FailingReceivers, HEARTBEAT, Heartbeat, Lane, Overseer, PageSignal};
use crate::output::receivers::Receivers;
use crate::output::{Pace, RefusedPoints, Sink, SinkWriter};
use crate::staffing::Rules;
use crate::store::{self, EventLog, FilesInUse, Pairing, Reader, Store, StoreError};
use crate::telemetry::{Exporter, Health, Metrics};

/// Interval of the check that the store's files are still in their place.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// The component of `/ready`.
const STORE_FOLDER: &str = "store folder";

pub(super) struct Shared {
    pub(super) log: Arc<EventLog>,
    pub(super) pairing: Pairing,
    pub(super) reader: Reader,
    pub(super) metrics: Arc<Metrics>,
    pub(super) health: Arc<Health>,
    pub(super) leadership: Arc<Leadership>,
    pub(super) decoders: Arc<Decoders>,
    pub(super) stop: Arc<AtomicBool>,
    /// Set by SIGHUP.
    hung_up: Arc<AtomicBool>,
    /// Rung when there may be new pages.
    pub(super) page_signal: Arc<PageSignal>,
    /// The store's folder.
    store: PathBuf,
    clock: Arc<dyn Clock>,
    /// The threads that were started.
    pub(super) threads: Vec<JoinHandle<()>>,
}

impl Shared {
    pub(super) fn open(setup: &Setup, store: &mut Store) -> anyhow::Result<Self> {
        let leadership = match setup.kafka {
            None => Leadership::alone(),
            Some(_) => Leadership::by_election(instance()),
        };
        let log = EventLog::open(&setup.store)?;
        let pairing = store.pair(&log)?;
        store.note_boot()?;
        store.keep_texts(setup.texts_kept);
        let health = Arc::<Health>::default();
        health.ready("store");
        let mut shared = Self {
            log: Arc::new(log),
            pairing,
            reader: store.reader()?,
            metrics: Arc::new(Metrics::of(health.clone())),
            health,
            leadership: Arc::new(leadership),
            decoders: Arc::new(Decoders::new(setup.decoder.clone())),
            stop: Arc::default(),
            hung_up: reload::on_hang_up()?,
            page_signal: Arc::default(),
            store: setup.store.clone(),
            clock: setup.clock.clone(),
            threads: Vec::new(),
        };
        shared.watch_clock(setup.steady.clone())?;
        warm_start(setup, store, &shared.metrics);
        Ok(shared)
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
        let (clock, health) = (self.clock.clone(), self.health.clone());
        self.metrics.begin_sink(S::NAME);
        let writer = SinkWriter {
            sink,
            refused: RefusedPoints::new(S::NAME, &self.store, clock, health),
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

    /// Starts the threads that look for damage in the store's files, and that read secrets again.
    pub(super) fn watch_files(
        &mut self,
        store: PathBuf,
        reloadable: Vec<Reloadable>,
    ) -> anyhow::Result<()> {
        self.watch_folder(store.clone())?;
        self.check(store)?;
        self.reload(reloadable)
    }

    fn check(&mut self, dir: PathBuf) -> anyhow::Result<()> {
        let (health, stop) = (self.health.clone(), self.stop.clone());
        self.spawn("check", move || match store::check(&dir, &|| stop.load(Ordering::Relaxed)) {
            Ok(complete) => tracing::debug!(complete, "store: checked for damage"),
            Err(error) => {
                if matches!(error, StoreError::Corrupt { .. }) {
                    store::mark_suspect(&dir);
                }
                health.failing("store files", &error.to_string());
                tracing::error!(%error, "store: the check for damage failed");
            }
        })
    }

    /// Starts the thread that notices files of the store that are removed or replaced while they are in use.
    fn watch_folder(&mut self, dir: PathBuf) -> anyhow::Result<()> {
        let (health, stop) = (self.health.clone(), self.stop.clone());
        let files = FilesInUse::of(&dir);
        self.spawn("store folder", move || {
            while !stop.load(Ordering::Relaxed) {
                std::thread::park_timeout(LOOK_EVERY);
                match files.misplaced() {
                    None => health.recovered(STORE_FOLDER),
                    Some(text) if health.failing(STORE_FOLDER, &text) => {
                        tracing::error!("store: {text}");
                    }
                    Some(_) => {}
                }
            }
        })
    }

    /// Starts the thread that reports jumps of the clock.
    fn watch_clock(&mut self, steady: Option<Arc<SteadyClock>>) -> anyhow::Result<()> {
        let Some(clock) = steady else { return Ok(()) };
        let (health, metrics) = (self.health.clone(), self.metrics.clone());
        let watch = ClockWatch { clock, health, metrics, stop: self.stop.clone() };
        self.spawn("clock", move || watch.run())
    }

    /// Starts the thread that reads secrets again.
    fn reload(&mut self, all: Vec<Reloadable>) -> anyhow::Result<()> {
        let (hung_up, stop) = (self.hung_up.clone(), self.stop.clone());
        let health = self.health.clone();
        self.spawn("secrets", move || reload::run(&all, &hung_up, &stop, &health))
    }

    /// Starts the thread that sends traces, if there is a collector.
    pub(super) fn traces(&mut self, exporter: Option<Exporter>) -> anyhow::Result<()> {
        let Some(exporter) = exporter else { return Ok(()) };
        let (health, metrics) = (self.health.clone(), self.metrics.clone());
        let stop = self.stop.clone();
        metrics.begin_spans();
        self.spawn("otlp", move || exporter.run(&health, &metrics, &stop))
    }

    /// Starts the threads that deliver pages: one per receiver, and the overseer. A signal wakes them.
    pub(super) fn pages(
        &mut self,
        receivers: Receivers,
        heartbeat: Option<Heartbeat>,
        clock: &Arc<dyn Clock>,
        rules: &Arc<Rules>,
        forecaster: SyncSender<Message>,
    ) -> anyhow::Result<()> {
        let names = receivers.keys().cloned().collect();
        if heartbeat.is_some() {
            self.metrics.begin_receiver(HEARTBEAT);
        }
        let failing = Arc::new(FailingReceivers::new(self.health.clone()));
        for (name, (route, receiver)) in receivers {
            self.metrics.begin_receiver(&name);
            let lane = Lane {
                name: name.clone(),
                route,
                receiver,
                reader: self.reader.clone(),
                rules: rules.clone(),
                leader: forecaster.clone(),
                clock: clock.clone(),
                metrics: self.metrics.clone(),
                failing: failing.clone(),
                leadership: self.leadership.clone(),
                page_signal: self.page_signal.clone(),
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
            page_signal: self.page_signal.clone(),
            stop: self.stop.clone(),
        };
        self.spawn("outbox", move || overseer.run())
    }
}

/// A name for this instance, unique for each start.
fn instance() -> String {
    format!("{}-{}", std::process::id(), WallClock.now().millis())
}
