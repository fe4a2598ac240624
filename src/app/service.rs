//! The running service: threads for sources, leader and outbox; a runtime for HTTP; one way to stop.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;

use anyhow::Context;
use tokio::sync::{Semaphore, broadcast, mpsc};

use super::clock::WallClock;
use super::config::MapTable;
use super::engine::{
    Answer, Chore, Counter, Engine, Feed, Input, Leader, LeaderConfig, Told, Worker,
};
use super::feeds::LocalFeed;
use super::follower::{Follower, Sink};
use super::influx::InfluxSink;
use super::intake::Intake;
use super::leadership::{Candidate, Leadership};
use super::log::LogFeed;
use super::mapping::Reload;
use super::outbox::{Channel, Outbox};
use super::outlook_topic::OutlookTopic;
use crate::api::{
    ApiState, Command, Decoders, Progress, ServiceInfo, StreamEvent, TokenSet, WriteEvents,
};
use crate::domain::{Clock, Keyed, SourceId};
use crate::ingest::Decoder;
use crate::kafka::{self, LogFrom};
use crate::sink::influx::{InfluxClient, InfluxSettings};
use crate::store::{EventLog, Reader, Store};
use crate::telemetry::{Health, Metrics};
use crate::window::FoldConfig;

/// Reports that may wait for the leader: a few, so that a full store soon stops the readers.
const REPORTS_MAX: usize = 2;
const COMMANDS_MAX: usize = 256;
const STREAM_EVENTS_MAX: usize = 1024;
const STREAMS_MAX: usize = 64;
/// Changes that wait to be mirrored to those who follow.
const TOLD_MAX: usize = 10_000;

/// What an instance does of the work that several share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Role {
    /// Counts partitions and sends questions on to the leader
    Count,
    /// Forecasts: leads, or stands by to take over
    Forecast,
    #[default]
    Both,
}

/// A name that no other start has.
fn instance() -> String {
    format!("{}-{}", std::process::id(), WallClock.now().millis())
}

/// Everything that demo and service differ in.
pub struct Setup {
    pub listen: SocketAddr,
    pub admin_listen: Option<SocketAddr>,
    pub store: PathBuf,
    pub info: ServiceInfo,
    pub decoder: Decoder,
    /// Look-up tables that `decoder` was made with, to be read again when they change.
    pub tables: Vec<MapTable>,
    /// The lexicon's file, likewise, if it is not the one that is built in.
    pub lexicon: Option<PathBuf>,
    pub leader: LeaderConfig,
    pub fold: FoldConfig,
    /// Sources besides the local event log, each with its rules.
    pub feeds: Vec<(Box<dyn Feed>, FoldConfig)>,
    /// The cluster that events are read from and written to, if there is one.
    pub kafka: Option<kafka::Settings>,
    /// Events held before the log hears of them.
    pub queue_events: usize,
    /// What this instance does of the work that a cluster shares.
    pub role: Role,
    /// Where other instances reach this one; where it listens, if nothing is said.
    pub advertise: Option<String>,
    pub influxdb: Option<InfluxSettings>,
    /// Base of links in what goes out.
    pub public_url: String,
    pub channels: BTreeMap<String, Channel>,
    pub tokens: Option<Arc<TokenSet>>,
    pub clock: Arc<dyn Clock>,
    pub chore: Chore,
    /// The source whose first end ends the catch-up.
    pub main_source: SourceId,
}

/// A service that listens and counts, until [`Running::wait`] returns.
pub struct Running {
    pub address: SocketAddr,
    pub admin: Option<SocketAddr>,
    /// The event log, for events that come another way than HTTP.
    pub log: Arc<EventLog>,
    pub wake: Arc<dyn Fn() + Send + Sync>,
    pub progress: Arc<Progress>,
    pub caught_up: Arc<AtomicBool>,
    pub stop: Arc<AtomicBool>,
    state: ApiState,
    listeners: (TcpListener, Option<TcpListener>),
    threads: Vec<JoinHandle<()>>,
    _wakes: Vec<Sender<()>>,
}

/// Takes the addresses and the store, and starts all threads.
///
/// # Errors
/// What could not be opened, with what to do about it.
pub fn start(setup: Setup) -> anyhow::Result<Running> {
    let listener = bind(setup.listen)?;
    let admin = setup.admin_listen.map(bind).transpose()?;
    let store = Store::open(&setup.store, setup.leader.width)?;
    start_with(setup, store, listener, admin)
}

/// As [`start`], with a store that is open already.
///
/// # Errors
/// What could not be opened.
pub fn start_with(
    setup: Setup,
    store: Store,
    listener: TcpListener,
    admin: Option<TcpListener>,
) -> anyhow::Result<Running> {
    let (metrics, health) = (Arc::new(Metrics::default()), Arc::new(Health::default()));
    let stop = Arc::new(AtomicBool::new(false));
    let log = Arc::new(EventLog::open(&setup.store)?);
    let reader = store.reader()?;
    let leader = Leader::open(setup.leader, store, metrics.clone())?;
    health.ready("store");
    let (inbox, reports) = sync_channel(REPORTS_MAX);
    let alone = setup.kafka.is_none();
    let leadership = Arc::new(match alone {
        true => Leadership::alone(),
        false => Leadership::among_others(instance()),
    });
    let (others, told) = sync_channel(TOLD_MAX);
    let (commands, command_inbox) = mpsc::channel::<Command>(COMMANDS_MAX);
    let (stream, _) = broadcast::channel::<StreamEvent>(STREAM_EVENTS_MAX);
    let decoders = Arc::new(Decoders::new(setup.decoder));
    let mut parts = Parts {
        leader,
        clock: setup.clock.clone(),
        metrics: metrics.clone(),
        inbox: inbox.clone(),
        stop: stop.clone(),
        decoders: decoders.clone(),
        threads: Vec::new(),
        wakes: Vec::new(),
    };
    let local = parts.worker(Box::new(LocalFeed::new(log.clone())), setup.fold)?;
    for (feed, fold) in setup.feeds {
        parts.worker(feed, fold)?;
    }
    let mut topics = None;
    let writer = match setup.kafka {
        None => None,
        Some(settings) => {
            // Before any client says why.
            health.failing(kafka::COMPONENT, "not connected yet");
            if setup.role != Role::Count {
                let producer = kafka::Producer::open(&settings, health.clone())?;
                topics = Some((producer, settings.clone()));
            }
            let producer = kafka::Producer::open(&settings, health.clone())?;
            let url = setup.advertise.unwrap_or(format!("http://{}", listener.local_addr()?));
            let cluster = Cluster { settings, leadership: leadership.clone(), url, told };
            let held_max = setup.queue_events;
            parts.cluster(cluster, setup.role, (setup.fold, held_max), &health)?;
            Some(Arc::new(Events(producer)) as Arc<dyn WriteEvents>)
        }
    };
    let Parts { leader, mut threads, wakes, .. } = parts;
    if !setup.tables.is_empty() || setup.lexicon.is_some() {
        let (tables, lexicon) = (setup.tables, setup.lexicon);
        let (limits, stop) = (setup.info.limits, stop.clone());
        let reload = Reload { tables, lexicon, limits, decoders: decoders.clone(), stop };
        threads.push(spawn("tables", move || reload.run())?);
    }
    let caught_up = Arc::new(AtomicBool::new(false));
    let engine = Engine {
        leader,
        inbox: reports,
        commands: command_inbox,
        stream: stream.clone(),
        clock: setup.clock.clone(),
        health: health.clone(),
        metrics: metrics.clone(),
        stop: stop.clone(),
        caught_up: (setup.main_source, caught_up.clone()),
        chore: setup.chore,
        others: (!alone).then_some(others),
        leads: leadership.clone(),
        sinks: BTreeMap::new(),
    };
    threads.push(spawn("leader", move || engine.run())?);
    let following = Following {
        reader: reader.clone(),
        leader: inbox.clone(),
        health: health.clone(),
        metrics: metrics.clone(),
        leadership: leadership.clone(),
        stop: stop.clone(),
    };
    if let Some(settings) = setup.influxdb {
        health.degraded("influxdb", "not connected yet");
        let client = InfluxClient::new(settings)?;
        let sink = InfluxSink { client, public_url: setup.public_url };
        threads.push(following.start(sink)?);
    }
    if let Some((producer, settings)) = topics {
        threads.push(following.start(OutlookTopic::new(producer, &settings))?);
    }
    let outbox = Outbox {
        reader: reader.clone(),
        channels: setup.channels,
        leader: inbox,
        clock: setup.clock.clone(),
        metrics: metrics.clone(),
        health: health.clone(),
        leadership: leadership.clone(),
        stop: stop.clone(),
    };
    threads.push(spawn("outbox", move || outbox.run())?);
    let wake: Arc<dyn Fn() + Send + Sync> = Arc::new(move || {
        // Its worker may have stopped: then there is nobody to wake.
        let _ = local.send(());
    });
    let progress = Arc::new(Progress::default());
    let state = ApiState {
        reader,
        commands,
        log: log.clone(),
        writer,
        stream,
        metrics,
        health,
        clock: setup.clock,
        info: Arc::new(setup.info),
        progress: progress.clone(),
        wake: wake.clone(),
        tokens: setup.tokens,
        leads: leadership,
        decoders: decoders.clone(),
        forward: crate::api::forward_client()?,
        streams: Arc::new(Semaphore::new(STREAMS_MAX)),
    };
    Ok(Running {
        address: listener.local_addr()?,
        admin: admin.as_ref().map(TcpListener::local_addr).transpose()?,
        log,
        wake,
        progress,
        caught_up,
        stop,
        state,
        listeners: (listener, admin),
        threads,
        _wakes: wakes,
    })
}

/// What threads that follow the journal are made of.
struct Following {
    reader: Reader,
    leader: SyncSender<Input>,
    health: Arc<Health>,
    metrics: Arc<Metrics>,
    leadership: Arc<Leadership>,
    stop: Arc<AtomicBool>,
}

impl Following {
    fn start<S: Sink + 'static>(&self, sink: S) -> anyhow::Result<JoinHandle<()>> {
        let follower = Follower {
            sink,
            reader: self.reader.clone(),
            leader: self.leader.clone(),
            health: self.health.clone(),
            metrics: self.metrics.clone(),
            leadership: self.leadership.clone(),
            stop: self.stop.clone(),
        };
        spawn(S::NAME, move || follower.run())
    }
}

/// What workers are made of.
struct Parts {
    leader: Leader,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    inbox: SyncSender<Input>,
    stop: Arc<AtomicBool>,
    decoders: Arc<Decoders>,
    threads: Vec<JoinHandle<()>>,
    wakes: Vec<Sender<()>>,
}

impl Parts {
    /// Starts a source where it was left. Returns how to wake it.
    fn worker(
        &mut self,
        mut feed: Box<dyn Feed>,
        config: FoldConfig,
    ) -> anyhow::Result<Sender<()>> {
        let source = feed.source();
        let from = self.leader.commits().get(&source).copied();
        if let Some(commit) = from {
            feed.seek(commit.resume_at);
        }
        self.leader.expect(source.clone(), self.clock.now());
        let (decoders, metrics) = (self.decoders.clone(), self.metrics.clone());
        let (waker, wake): (Sender<()>, Receiver<()>) = channel();
        let worker = Worker {
            feed,
            counter: Counter::new(source.clone(), from, config, decoders, metrics),
            clock: self.clock.clone(),
            leader: self.inbox.clone(),
            wake,
            stop: self.stop.clone(),
        };
        self.threads.push(spawn(&format!("source {}", source.topic), move || worker.run())?);
        self.wakes.push(waker.clone());
        Ok(waker)
    }

    /// Starts the threads that share work with other instances.
    fn cluster(
        &mut self,
        cluster: Cluster,
        role: Role,
        (fold, held_max): (FoldConfig, usize),
        health: &Arc<Health>,
    ) -> anyhow::Result<()> {
        let Cluster { settings, leadership, url, told } = cluster;
        let forecasts = role != Role::Count;
        let log = LogFeed {
            settings: settings.clone(),
            from: match self.leader.log_offset()? {
                _ if !forecasts => LogFrom::End,
                Some(next) => LogFrom::Offset(next),
                None => LogFrom::Start,
            },
            inbox: forecasts.then(|| self.inbox.clone()),
            leadership: leadership.clone(),
            health: health.clone(),
            stop: self.stop.clone(),
        };
        self.threads.push(spawn("log", move || log.run())?);
        if forecasts {
            let (settings, health, stop) = (settings.clone(), health.clone(), self.stop.clone());
            let candidate = Candidate { settings, leadership, url, told, health, stop };
            self.threads.push(spawn("candidate", move || candidate.run())?);
        }
        if role != Role::Forecast {
            let intake = Intake {
                settings,
                fold,
                held_max,
                decoders: self.decoders.clone(),
                clock: self.clock.clone(),
                health: health.clone(),
                metrics: self.metrics.clone(),
                stop: self.stop.clone(),
            };
            self.threads.push(spawn("kafka", move || intake.run())?);
        }
        Ok(())
    }
}

/// What an instance shares with others, and how it is known to them.
struct Cluster {
    settings: kafka::Settings,
    leadership: Arc<Leadership>,
    url: String,
    told: Receiver<(Told, Answer)>,
}

/// `POST /events` where Kafka is configured.
struct Events(kafka::Producer);

impl WriteEvents for Events {
    fn write(&self, events: &[Keyed<'_>]) -> Result<(), String> {
        self.0.write(events).map_err(|problem| problem.to_string())
    }
}

/// Starts a named thread.
///
/// # Errors
/// If the system has none left.
pub fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> anyhow::Result<JoinHandle<()>> {
    let name: String = name.chars().take(15).collect();
    Ok(std::thread::Builder::new().name(name).spawn(run)?)
}

/// Takes an address.
///
/// # Errors
/// Says which, and what to do.
pub fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind(address).with_context(|| {
        format!("cannot listen on {address}: stop what uses it, or choose another with --listen")
    })?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

impl Running {
    /// Serves until Ctrl-C or SIGTERM, then ends all threads cleanly.
    ///
    /// # Errors
    /// If the runtime cannot be started.
    pub fn wait(self) -> anyhow::Result<()> {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let Self { state, listeners: (listener, admin), stop, threads, _wakes, .. } = self;
        runtime.block_on(async {
            let api = tokio::net::TcpListener::from_std(listener)?;
            let router = crate::api::router(state.clone());
            tokio::spawn(async move { axum::serve(api, router).await });
            if let Some(admin) = admin {
                let admin = tokio::net::TcpListener::from_std(admin)?;
                let router = crate::api::admin_router(state);
                tokio::spawn(async move { axum::serve(admin, router).await });
            }
            stopped().await
        })?;
        tracing::info!("stopping");
        stop.store(true, Ordering::Relaxed);
        // Open streams would be waited for: they are cut instead.
        runtime.shutdown_background();
        drop(_wakes);
        for thread in threads {
            // A thread that panicked has said so.
            let _ = thread.join();
        }
        Ok(())
    }
}

async fn stopped() -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        _ = terminate.recv() => {}
    }
    Ok(())
}
