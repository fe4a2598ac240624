//! Starts the service: threads for sources, forecaster, sinks and outbox, and the state of the API.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{SyncSender, sync_channel};

use tokio::sync::{Semaphore, broadcast, mpsc, watch};

use super::running::Running;
use super::setup::Setup;
use super::shared::Shared;
use super::sources::{Counting, Sources};
use super::threads::bind;
use crate::api::{ApiState, Progress};
use crate::cluster::Forwarder;
use crate::engine::{Command, Engine, Forecaster, Message, StreamEvent};
use crate::output::OutlookTopic;
use crate::output::grafana::{GrafanaContext, GrafanaSink};
use crate::output::influxdb::{InfluxContext, InfluxSink};
use crate::store::{self, Store};
use crate::text::Texts;

/// Length of the queue of reports to the forecaster. It is short, so that a full store soon stops the readers.
const REPORTS_MAX: usize = 2;
const COMMANDS_MAX: usize = 256;
const STREAM_EVENTS_MAX: usize = 1024;
const STREAMS_MAX: usize = 64;
/// Length of the queue of commands to be replicated to standbys.
const REPLICATED_MAX: usize = 10_000;

/// Opens the listeners and the store, and starts all threads.
///
/// # Errors
/// Errors of listeners and the store, with what to do.
pub fn start(setup: Setup) -> anyhow::Result<Running> {
    let listener = bind(setup.listen, "--listen")?;
    let admin = setup.admin_listen.map(|address| bind(address, "--admin-listen")).transpose()?;
    store::check_before_start(&setup.store)?;
    let store = Store::open(&setup.store, setup.forecaster.width)?;
    start_with(setup, store, listener, admin)
}

/// Like [`start`], with a store and listeners that are open.
///
/// # Errors
/// Errors of the store and of clients.
pub fn start_with(
    mut setup: Setup,
    mut store: Store,
    listener: TcpListener,
    admin: Option<TcpListener>,
) -> anyhow::Result<Running> {
    let address = listener.local_addr()?;
    let mut shared = Shared::open(&setup, &mut store)?;
    let mut forecaster = Forecaster::open(setup.forecaster.clone(), store, shared.metrics.clone())?;
    let (inbox, reports) = sync_channel(REPORTS_MAX);
    let (replicated, receiver) = sync_channel(REPLICATED_MAX);
    let (commands, command_inbox) = mpsc::channel::<Command>(COMMANDS_MAX);
    let (stream, _) = broadcast::channel::<StreamEvent>(STREAM_EVENTS_MAX);
    let sources = Sources::new(&mut shared, &mut forecaster, setup.clock.clone(), inbox.clone());
    let Counting { wake, wakes, producers } = sources.start(&mut setup, address, receiver)?;
    let caught_up = Arc::new(AtomicBool::new(false));
    let (writer, topics) = producers.map(|found| (found.writer, found.topics)).unzip();
    start_sinks(&mut shared, &mut setup, topics.flatten(), &inbox)?;
    let engine = Engine {
        forecaster,
        inbox: reports,
        commands: command_inbox,
        stream: stream.clone(),
        clock: setup.steady.clone().map_or(setup.clock.clone(), |steady| steady),
        health: shared.health.clone(),
        metrics: shared.metrics.clone(),
        stop: shared.stop.clone(),
        caught_up: (setup.main_source.clone(), caught_up.clone()),
        periodic: setup.periodic,
        standbys: writer.is_some().then_some(replicated),
        leads: shared.leadership.clone(),
        sinks: BTreeMap::new(),
        limit_reported: false,
        alerts_changed: shared.page_signal.notifier(),
    };
    shared.spawn("leader", move || engine.run())?;
    shared.pages(setup.receivers, setup.heartbeat, &setup.clock, &setup.info.staffing, inbox)?;
    shared.watch_files(setup.store, setup.reloadable)?;
    let stopping = watch::Sender::new(false);
    let state = ApiState {
        reader: shared.reader,
        commands,
        log: shared.log.clone(),
        writer,
        stream,
        metrics: shared.metrics,
        health: shared.health,
        clock: setup.clock,
        info: Arc::new(setup.info),
        progress: Arc::new(Progress::default()),
        wake: wake.clone(),
        access: setup.access,
        leads: shared.leadership,
        decoders: shared.decoders,
        forward: Forwarder::new()?,
        calibrations: Arc::default(),
        streams: Arc::new(Semaphore::new(STREAMS_MAX)),
        stopping: stopping.subscribe(),
    };
    Ok(Running {
        address,
        admin: admin.as_ref().map(TcpListener::local_addr).transpose()?,
        log: shared.log,
        wake,
        progress: state.progress.clone(),
        caught_up,
        stop: shared.stop,
        health: state.health.clone(),
        state,
        tls: setup.tls,
        connections_max: setup.connections_max,
        stopping,
        listeners: (listener, admin),
        threads: shared.threads,
        wakes,
    })
}

fn influxdb(setup: &mut Setup, shared: &Shared) -> anyhow::Result<Option<InfluxSink>> {
    let Some(settings) = setup.influxdb.take() else { return Ok(None) };
    let context = InfluxContext {
        public_url: setup.public_url.clone(),
        texts: Texts::new(setup.info.language),
        alarms: setup.forecaster.alarms,
        width: setup.forecaster.width,
        staffing: setup.forecaster.issue.staffing.clone(),
        clock: setup.clock.clone(),
        metrics: shared.metrics.clone(),
    };
    Ok(Some(InfluxSink::new(settings, context)?))
}

fn grafana(setup: &mut Setup, inbox: &SyncSender<Message>) -> anyhow::Result<Option<GrafanaSink>> {
    let Some(settings) = setup.grafana.take() else { return Ok(None) };
    let context = GrafanaContext {
        public_url: setup.public_url.clone(),
        texts: Texts::new(setup.info.language),
        alarms: setup.forecaster.alarms,
        clock: setup.clock.clone(),
        leader: inbox.clone(),
    };
    Ok(Some(GrafanaSink::new(settings, context)?))
}

/// Starts the threads that write to InfluxDB, to Grafana, to the output topics and to the collector of traces.
fn start_sinks(
    shared: &mut Shared,
    setup: &mut Setup,
    topics: Option<OutlookTopic>,
    inbox: &SyncSender<Message>,
) -> anyhow::Result<()> {
    if let Some(influxdb) = influxdb(setup, shared)? {
        shared.health.degraded("influxdb", "not connected yet");
        shared.sink(influxdb, inbox)?;
    }
    if let Some(grafana) = grafana(setup, inbox)? {
        shared.health.degraded("grafana", "not connected yet");
        shared.sink(grafana, inbox)?;
    }
    shared.traces(setup.traces.take())?;
    topics.map_or(Ok(()), |topics| shared.sink(topics, inbox))
}
