//! The threads that count: one for each local source, and those that share work with other instances over Kafka.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel};

use super::setup::{Role, Setup};
use super::shared::Shared;
use crate::api::WriteEvents;
use crate::cluster::{Candidate, LogFeed};
use crate::domain::{Clock, Keyed};
use crate::engine::{Answer, Forecaster, Message, ReplicatedCommand};
use crate::input::tables::Reload;
use crate::input::{Feed, Intake, LocalFeed, SourceProcessor, Worker};
use crate::kafka::{self, LogFrom};
use crate::output::OutlookTopic;
use crate::telemetry::Health;
use crate::window::AggregatorConfig;

/// What the threads that count are started with.
pub(super) struct Sources<'a> {
    shared: &'a mut Shared,
    forecaster: &'a mut Forecaster,
    clock: Arc<dyn Clock>,
    inbox: SyncSender<Message>,
    wakes: Vec<Sender<()>>,
}

/// What was started.
pub(super) struct Counting {
    /// Wakes the source that reads the local event log.
    pub(super) wake: Arc<dyn Fn() + Send + Sync>,
    /// Sources end when these are dropped.
    pub(super) wakes: Vec<Sender<()>>,
    /// Where a cluster is configured: what writes to it.
    pub(super) producers: Option<Producers>,
}

/// What writes to Kafka besides the threads that count.
pub(super) struct Producers {
    /// `POST /events`.
    pub(super) writer: Arc<dyn WriteEvents>,
    /// The outlook topic, written by instances that forecast.
    pub(super) topics: Option<OutlookTopic>,
}

impl Producers {
    fn open(settings: &kafka::Settings, role: Role, health: &Arc<Health>) -> anyhow::Result<Self> {
        let producer = || kafka::Producer::open(settings, health.clone());
        let topics = match role {
            Role::Count => None,
            Role::Forecast | Role::Both => Some(OutlookTopic::new(producer()?, settings)),
        };
        Ok(Self { writer: Arc::new(Events(producer()?)), topics })
    }
}

/// `POST /events` where Kafka is configured.
struct Events(kafka::Producer);

impl WriteEvents for Events {
    fn write(&self, events: &[Keyed<'_>]) -> Result<(), String> {
        self.0.write(events).map_err(|problem| problem.to_string())
    }
}

impl<'a> Sources<'a> {
    pub(super) fn new(
        shared: &'a mut Shared,
        forecaster: &'a mut Forecaster,
        clock: Arc<dyn Clock>,
        inbox: SyncSender<Message>,
    ) -> Self {
        Self { shared, forecaster, clock, inbox, wakes: Vec::new() }
    }

    /// Starts everything that the set-up names. `commands` are those of this instance that standbys need.
    pub(super) fn start(
        mut self,
        setup: &mut Setup,
        address: SocketAddr,
        commands: Receiver<(ReplicatedCommand, Answer)>,
    ) -> anyhow::Result<Counting> {
        let local =
            self.local(Box::new(LocalFeed::new(self.shared.log.clone())), setup.aggregator)?;
        for (feed, aggregator) in std::mem::take(&mut setup.feeds) {
            self.local(feed, aggregator)?;
        }
        let mut producers = None;
        if let Some(settings) = setup.kafka.take() {
            // Before any client says why.
            self.shared.health.failing(kafka::COMPONENT, "not connected yet");
            producers = Some(Producers::open(&settings, setup.role, &self.shared.health)?);
            let url = setup.advertise.take().unwrap_or(format!("http://{address}"));
            self.cluster(settings.clone(), setup.role, url, commands)?;
            if setup.role != Role::Forecast {
                self.intake(settings, setup)?;
            }
        }
        if !setup.tables.is_empty() || setup.lexicon.is_some() {
            self.reload(setup)?;
        }
        let wake = Arc::new(move || {
            // Its worker may have stopped: then there is nobody to wake.
            let _ = local.send(());
        });
        Ok(Counting { wake, wakes: self.wakes, producers })
    }

    /// Starts a source where it was left. Returns how to wake it.
    fn local(
        &mut self,
        mut feed: Box<dyn Feed>,
        config: AggregatorConfig,
    ) -> anyhow::Result<Sender<()>> {
        let source = feed.source();
        let from = self.forecaster.commits().get(&source).copied();
        if let Some(commit) = from {
            feed.seek(commit.resume_at);
        }
        self.forecaster.expect(source.clone(), self.clock.now());
        let Shared { decoders, metrics, .. } = &*self.shared;
        let (decoders, metrics) = (decoders.clone(), metrics.clone());
        let (waker, wake): (Sender<()>, Receiver<()>) = channel();
        let worker = Worker {
            feed,
            counter: SourceProcessor::new(source.clone(), from, config, decoders, metrics),
            clock: self.clock.clone(),
            leader: self.inbox.clone(),
            wake,
            stop: self.shared.stop.clone(),
        };
        self.shared.spawn(&format!("source {}", source.topic), move || worker.run())?;
        self.wakes.push(waker.clone());
        Ok(waker)
    }

    /// Starts what counts partitions.
    fn intake(&mut self, settings: kafka::Settings, setup: &Setup) -> anyhow::Result<()> {
        let intake = Intake {
            settings,
            aggregator: setup.aggregator,
            held_max: setup.queue_events,
            decoders: self.shared.decoders.clone(),
            clock: self.clock.clone(),
            health: self.shared.health.clone(),
            metrics: self.shared.metrics.clone(),
            stop: self.shared.stop.clone(),
        };
        self.shared.spawn("kafka", move || intake.run())
    }

    /// Starts the reader of the replicated log and, where this instance forecasts, the candidate for leadership, which
    /// others reach at `url`.
    fn cluster(
        &mut self,
        settings: kafka::Settings,
        role: Role,
        url: String,
        commands: Receiver<(ReplicatedCommand, Answer)>,
    ) -> anyhow::Result<()> {
        let forecasts = role != Role::Count;
        let Shared { leadership, health, stop, .. } = &*self.shared;
        let (leadership, health, stop) = (leadership.clone(), health.clone(), stop.clone());
        let log = LogFeed {
            settings: settings.clone(),
            from: match self.forecaster.log_offset()? {
                _ if !forecasts => LogFrom::End,
                Some(next) => LogFrom::Offset(next),
                None => LogFrom::Start,
            },
            inbox: forecasts.then(|| self.inbox.clone()),
            leadership: leadership.clone(),
            health: health.clone(),
            stop: stop.clone(),
        };
        self.shared.spawn("log", move || log.run())?;
        if forecasts {
            let candidate = Candidate { settings, leadership, url, told: commands, health, stop };
            self.shared.spawn("candidate", move || candidate.run())?;
        }
        Ok(())
    }

    /// Watches the files that the decoder was made from.
    fn reload(&mut self, setup: &mut Setup) -> anyhow::Result<()> {
        let reload = Reload {
            tables: std::mem::take(&mut setup.tables),
            lexicon: setup.lexicon.take(),
            limits: setup.info.limits,
            decoders: self.shared.decoders.clone(),
            stop: self.shared.stop.clone(),
        };
        self.shared.spawn("tables", move || reload.run())
    }
}
