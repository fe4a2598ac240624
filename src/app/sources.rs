//! The threads that count: one for each local source, and those for Kafka's partitions.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel};
use std::sync::{Arc, Mutex};

use super::setup::{Role, Setup};
use super::shared::Shared;
use crate::api::{WriteError, WriteEvents};
use crate::cluster::{Candidate, LogFeed};
use crate::domain::{Clock, Keyed, SourceId};
use crate::engine::{Answer, Forecaster, Message, ReplicatedCommand, Report};
use crate::input::tables::Reload;
use crate::input::{Feed, FileFeed, Intake, LocalFeed, SourceProcessor, Worker};
use crate::kafka::{self, CountedSoFar, LogFrom};
use crate::output::OutlookTopic;
use crate::store::{FollowedFile, Pairing};
use crate::telemetry::Health;
use crate::text::Language;
use crate::window::{AggregatorConfig, CommitPoint};

/// Name of the local event log in health.
const EVENT_LOG: &str = "event log";

/// Starts the threads that count.
pub(super) struct Sources<'a> {
    shared: &'a mut Shared,
    forecaster: &'a mut Forecaster,
    clock: Arc<dyn Clock>,
    inbox: SyncSender<Message>,
    wakes: Vec<Sender<()>>,
}

/// Handles of the started threads.
pub(super) struct Counting {
    /// Wakes the source that reads the local event log.
    pub(super) wake: Arc<dyn Fn() + Send + Sync>,
    /// Sources end when these are dropped.
    pub(super) wakes: Vec<Sender<()>>,
    /// The producers, if a Kafka cluster is configured.
    pub(super) producers: Option<Producers>,
}

/// Producers for Kafka, in addition to those of the threads that count.
pub(super) struct Producers {
    /// Writes the events of `POST /events`.
    pub(super) writer: Arc<dyn WriteEvents>,
    /// Writes the outlook topic, on instances that forecast.
    pub(super) topics: Option<OutlookTopic>,
}

impl Producers {
    fn open(
        settings: &kafka::Settings,
        role: Role,
        language: Language,
        health: &Arc<Health>,
    ) -> anyhow::Result<Self> {
        let producer = || kafka::Producer::open(settings, health.clone());
        let topics = match role {
            Role::Count => None,
            Role::Forecast | Role::Both => Some(OutlookTopic::new(producer()?, settings, language)),
        };
        Ok(Self { writer: Arc::new(Events(producer()?)), topics })
    }
}

/// Writes the events of `POST /events` to Kafka.
struct Events(kafka::Producer);

impl WriteEvents for Events {
    fn write(&self, events: &[Keyed<'_>]) -> Result<(), WriteError> {
        self.0.write(events).map_err(|problem| match self.0.is_too_large(&problem) {
            true => WriteError::TooLarge(problem.to_string()),
            false => WriteError::Failed(problem.to_string()),
        })
    }

    fn bytes_max(&self) -> usize {
        self.0.value_bytes_max()
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

    /// Starts all sources of the set-up. `commands` receives this instance's commands for standbys.
    pub(super) fn start(
        mut self,
        setup: &mut Setup,
        address: SocketAddr,
        commands: Receiver<(ReplicatedCommand, Answer)>,
    ) -> anyhow::Result<Counting> {
        let source = self.local_source()?;
        let feed = LocalFeed::new(self.shared.log.clone(), source);
        let local = self.local(Box::new(feed), setup.aggregator)?;
        for (feed, aggregator) in std::mem::take(&mut setup.feeds) {
            self.local(feed, aggregator)?;
        }
        let mut given = Vec::new();
        for file in &setup.files {
            let feed = FileFeed::open(file, &setup.store)?;
            given.push(feed.source());
            self.local(Box::new(feed), setup.aggregator)?;
        }
        self.warn_left_out(&given, &setup.store)?;
        let mut producers = None;
        if let Some(settings) = setup.kafka.take() {
            // Until a client reports its state.
            self.shared.health.failing(kafka::COMPONENT, "not connected yet");
            producers = Some(Producers::open(
                &settings,
                setup.role,
                setup.info.language,
                &self.shared.health,
            )?);
            let url = setup.advertise.take().unwrap_or_else(|| {
                let scheme = if setup.tls.is_some() { "https" } else { "http" };
                format!("{scheme}://{address}")
            });
            let counted = Arc::new(match setup.role {
                // Its store does not follow the log.
                Role::Count => CountedSoFar::default(),
                _ => CountedSoFar::new(self.forecaster.log_offset()?, self.forecaster.counted()),
            });
            self.cluster(settings.clone(), setup.role, url, commands, counted.clone())?;
            if setup.role != Role::Forecast {
                self.intake(settings, setup, counted)?;
            }
        }
        let watched = setup.lexicon.is_some() || setup.sentiment.is_some();
        if !setup.tables.is_empty() || watched {
            self.reload(setup)?;
        }
        let wake = Arc::new(move || {
            // An error means that the worker has stopped.
            let _ = local.send(());
        });
        Ok(Counting { wake, wakes: self.wakes, producers })
    }

    /// The source of the local event log. It is a new one if a file of the store was removed or replaced.
    fn local_source(&mut self) -> anyhow::Result<SourceId> {
        let source = LocalFeed::source_id();
        let Pairing { generation, notice } = self.shared.pairing.clone();
        if let Some(notice) = notice {
            tracing::error!("event log: {notice}");
            self.shared.health.degraded(EVENT_LOG, &notice);
        }
        if generation.is_some() {
            let source = source.in_generation(generation.as_deref());
            self.forecaster.add_generations(&[Report::new(source)])?;
        }
        Ok(self.forecaster.current(&source))
    }

    /// The name under which a feed is counted, and where it resumes.
    fn resume(&mut self, feed: &dyn Feed) -> anyhow::Result<(SourceId, Option<CommitPoint>)> {
        let source = self.forecaster.current(&feed.source());
        let Some(commit) = self.forecaster.commits().get(&source).cloned() else {
            let begun = source.generation().and_then(|made| made.strip_prefix('~')?.parse().ok());
            return Ok((source, begun.map(CommitPoint::start)));
        };
        if feed.has(commit.resume_at) {
            return Ok((source, Some(commit)));
        }
        let at = feed.read_upto().max(commit.decided_upto + 1).max(commit.resume_at);
        let source = source.in_generation(Some(&format!("~{at}")));
        self.forecaster.add_generations(&[Report::new(source.clone())])?;
        Ok((source, Some(commit.after_gap(at))))
    }

    /// Starts a source at its commit. Returns a sender that wakes it.
    fn local(
        &mut self,
        mut feed: Box<dyn Feed>,
        config: AggregatorConfig,
    ) -> anyhow::Result<Sender<()>> {
        let (source, from) = self.resume(&*feed)?;
        if let Some(commit) = &from {
            feed.seek(commit.resume_at);
        }
        self.forecaster.expect(source.clone(), self.clock.now());
        let Shared { decoders, metrics, .. } = &*self.shared;
        let (decoders, metrics) = (decoders.clone(), metrics.clone());
        let (waker, wake): (Sender<()>, Receiver<()>) = channel();
        let worker = Worker {
            feed,
            processor: SourceProcessor::new(source.clone(), from, config, decoders, metrics),
            clock: self.clock.clone(),
            leader: self.inbox.clone(),
            wake,
            stop: self.shared.stop.clone(),
            health: self.shared.health.clone(),
        };
        self.shared.spawn(&format!("source {}", source.topic_name()), move || worker.run())?;
        self.wakes.push(waker.clone());
        Ok(waker)
    }

    /// Starts the threads that count Kafka's partitions.
    fn intake(
        &mut self,
        settings: kafka::Settings,
        setup: &Setup,
        counted: Arc<CountedSoFar>,
    ) -> anyhow::Result<()> {
        let intake = Intake {
            settings,
            counted,
            replaced: Mutex::default(),
            aggregator: setup.aggregator,
            held_max: setup.queue_events,
            decoders: self.shared.decoders.clone(),
            clock: self.clock.clone(),
            health: self.shared.health.clone(),
            faults: Arc::new(kafka::Faults::new(self.shared.health.clone())),
            metrics: self.shared.metrics.clone(),
            stop: self.shared.stop.clone(),
        };
        self.shared.spawn("kafka", move || intake.run())
    }

    /// Starts the reader of the replicated log. If this instance forecasts, also starts the candidate for leadership,
    /// which other instances reach at `url`.
    fn cluster(
        &mut self,
        settings: kafka::Settings,
        role: Role,
        url: String,
        commands: Receiver<(ReplicatedCommand, Answer)>,
        counted: Arc<CountedSoFar>,
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
            // An instance that counts asks for the ends of its topics.
            asks: role == Role::Forecast,
            leadership: leadership.clone(),
            counted: (role == Role::Both).then_some(counted),
            health: health.clone(),
            stop: stop.clone(),
        };
        self.shared.spawn("log", move || log.run())?;
        if forecasts {
            let candidate = Candidate { settings, leadership, url, commands, health, stop };
            self.shared.spawn("candidate", move || candidate.run())?;
        }
        Ok(())
    }

    /// Warns about files that were read before and are not among the inputs now.
    fn warn_left_out(&self, given: &[SourceId], store: &Path) -> anyhow::Result<()> {
        for name in FollowedFile::sources(store)? {
            if !given.iter().any(|source| source.topic_name() == name) {
                let file = name.strip_prefix("file:").unwrap_or(&name);
                tracing::warn!(
                    file,
                    "file: was read before, but --input does not name it now: its new lines are not counted"
                );
            }
        }
        Ok(())
    }

    /// Starts the thread that reads look-up tables and lexicon again when they change.
    fn reload(&mut self, setup: &mut Setup) -> anyhow::Result<()> {
        let reload = Reload {
            tables: std::mem::take(&mut setup.tables),
            lexicon: setup.lexicon.take(),
            sentiment: setup.sentiment.take(),
            limits: setup.info.limits,
            decoders: self.shared.decoders.clone(),
            health: self.shared.health.clone(),
            stop: self.shared.stop.clone(),
        };
        self.shared.spawn("tables", move || reload.run())
    }
}
