//! The consumer: one `BaseConsumer`, polled on one thread. A second thread asks for the partitions' end offsets.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::message::BorrowedMessage;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use super::commit::{encode_commit, with_generation};
use super::context::{Change, Context, Fetched, lock};
use super::counted::CountedSoFar;
use super::faults::{Fault, Faults};
use super::queue::{Queue, Received};
use super::settings::{KafkaProblem, Settings};
use super::watcher::{Watcher, look_at_settings};
use crate::domain::{Clock, Offset as Position, SourceId, Timestamp};
use crate::telemetry::Health;
use crate::window::CommitPoint;

/// The end of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// Offset after the last record that can be read.
    pub readable: Position,
    /// Offset after the last record. Records of an open transaction, and all records after it, cannot be read yet.
    pub high: Position,
    /// The clock time at which the broker was asked.
    pub at: Timestamp,
}

/// The ends of partitions.
pub type Ends = HashMap<SourceId, End>;

/// A member of the consumer group.
pub struct Consumer {
    /// Records of assigned partitions; `None` in elections, which read no records.
    queue: Option<Arc<Queue>>,
    inner: Arc<BaseConsumer<Context>>,
    ends: Arc<Mutex<Ends>>,
    /// Fetch positions at the last time that the queue was empty, and newer ones.
    drained: RefCell<[Fetched; 2]>,
    stop: Arc<AtomicBool>,
    watcher: Option<JoinHandle<()>>,
}

impl Consumer {
    /// Joins the group. A partition resumes at its commit; without one, after what `counted` knows, or at its beginning.
    ///
    /// # Errors
    /// [`KafkaProblem`] for properties that cannot be used.
    pub fn open(
        settings: &Settings,
        health: Arc<Health>,
        faults: Arc<Faults>,
        counted: Arc<CountedSoFar>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, KafkaProblem> {
        let topics = settings.topics.every().map(|(topic, _)| topic);
        let mut consumer =
            Self::join(settings, settings.client(), &settings.group, &topics, health)?;
        consumer.context().counts_with(faults, counted);
        // Before partitions are assigned: where they resume depends on it.
        look_at_settings(consumer.context());
        let queue = Queue::new(consumer.inner.clone()).map(Arc::new);
        let queue = queue.ok_or_else(|| KafkaProblem("no memory left for a queue".into()))?;
        // Nothing is assigned before the first poll.
        let forward: Weak<Queue> = Arc::downgrade(&queue);
        consumer.context().forward_to(forward);
        consumer.queue = Some(queue);
        let (inner, ends, stop) =
            (consumer.inner.clone(), consumer.ends.clone(), consumer.stop.clone());
        let thread = std::thread::Builder::new().name("kafka ends".into());
        let watcher = Watcher::new(inner, ends, stop, clock);
        let watcher = thread.spawn(move || watcher.run());
        consumer.watcher = Some(watcher.map_err(|e| KafkaProblem(format!("no thread left: {e}")))?);
        Ok(consumer)
    }

    /// Joins the group that elects the leader: the leader is the instance to which the group assigns the log's only
    /// partition. It keeps the partition while others join and leave, because a new instance may have an empty store.
    ///
    /// # Errors
    /// [`KafkaProblem`] for properties that cannot be used.
    pub fn election(settings: &Settings, health: Arc<Health>) -> Result<Self, KafkaProblem> {
        let group = format!("{}.leader", settings.group);
        let mut config = settings.client();
        config.set("partition.assignment.strategy", "cooperative-sticky");
        Self::join(settings, config, &group, &[&settings.partials()], health)
    }

    fn join(
        settings: &Settings,
        config: ClientConfig,
        group: &str,
        topics: &[&str],
        health: Arc<Health>,
    ) -> Result<Self, KafkaProblem> {
        let context = Context::new(settings.clone(), health);
        let inner: BaseConsumer<Context> = Self::config(settings, config, group)
            .create_with_context(context)
            .map_err(|error| settings.problem(&error))?;
        inner.subscribe(topics).map_err(|error| settings.problem(&error))?;
        let (ends, stop, drained) = (Arc::default(), Arc::default(), RefCell::default());
        Ok(Self { queue: None, inner: Arc::new(inner), ends, drained, stop, watcher: None })
    }

    /// Checks whether a consumer could be opened. Opens no connection.
    ///
    /// # Errors
    /// [`KafkaProblem`] for properties that cannot be used.
    pub fn check(settings: &Settings) -> Result<(), KafkaProblem> {
        let config = Self::config(settings, settings.client(), &settings.group);
        settings.try_create::<BaseConsumer>(config)
    }

    fn config(settings: &Settings, mut config: ClientConfig, group: &str) -> ClientConfig {
        let defaults = [
            // The records in memory are counted within hundredths of a second, so fetch again soon.
            ("fetch.queue.backoff.ms", "10"),
            ("fetch.message.max.bytes", "1048576"),
            ("queued.min.messages", "100000"),
            ("queued.max.messages.kbytes", "24576"),
            // A killed instance is replaced, or returns, within this time.
            ("session.timeout.ms", "10000"),
            // New partitions are assigned, and read from their beginnings, within this time.
            ("topic.metadata.refresh.interval.ms", "10000"),
            // Statistics carry the fetch positions.
            ("statistics.interval.ms", "1000"),
        ];
        for (key, value) in defaults {
            if !settings.properties.contains_key(key) {
                config.set(key, value);
            }
        }
        config
            .set("group.id", group)
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            // An offset that the broker does not have is an error. Never guess another one.
            .set("auto.offset.reset", "error");
        config
    }

    /// Returns the next records. Waits up to `wait` for the first. Rebalances happen in this call, before any record is
    /// taken. Errors are reported to health; the client retries by itself.
    pub fn batch(&self, wait: Duration) -> Vec<Received<'_>> {
        let context = self.inner.context();
        match self.serve(Duration::ZERO) {
            Ok(None) => {}
            // Such a record would overtake those that wait in the queue.
            Ok(Some(_)) => context.failed("a record bypassed its partition's queue"),
            Err(problem) => context.mark_unhealthy(&problem.0),
        }
        let Some(queue) = &self.queue else { return Vec::new() };
        let mut records = queue.take(wait);
        if records.is_empty() {
            self.drained();
        }
        records.retain(|record| match record.error() {
            None => true,
            Some(error) => {
                self.partition_error(record, &error);
                false
            }
        });
        records
    }

    /// Handles an error of one partition. Reading of the other partitions continues.
    fn partition_error(&self, record: &Received<'_>, error: &KafkaError) {
        let (context, source) = (self.context(), SourceId::new(record.topic(), record.partition()));
        match error {
            KafkaError::PartitionEOF(_) => {}
            // The new session finds out why, and where to go on.
            KafkaError::MessageConsumption(Code::AutoOffsetReset) => context.failed(&format!(
                "{source}: the broker does not have the next record any more: its topic was deleted and created again, \
                 or its retention is too short"
            )),
            // The thread that asks for ids of topics reports this.
            KafkaError::MessageConsumption(Code::UnknownTopicOrPartition | Code::UnknownTopic) => {}
            error if record.topic().is_empty() => {
                context.mark_unhealthy(&context.problem(error).0);
            }
            error => context.fault(&source, Fault::Read, Some(&context.problem(error).0)),
        }
    }

    /// Waits for rebalances and drops records.
    ///
    /// # Errors
    /// [`KafkaProblem`] if the group cannot be joined. The client retries by itself.
    pub fn poll(&self, wait: Duration) -> Result<(), KafkaProblem> {
        self.serve(wait).map(drop)
    }

    fn serve(&self, wait: Duration) -> Result<Option<BorrowedMessage<'_>>, KafkaProblem> {
        match self.inner.poll(wait) {
            None => Ok(None),
            Some(Ok(message)) => Ok(Some(message)),
            Some(Err(error)) => self.problem(&error).map_or(Ok(None), Err),
        }
    }

    /// Describes an error and what to do about it. The end of a partition is not an error. Missing topics are reported by
    /// the thread that asks for their ids.
    fn problem(&self, error: &KafkaError) -> Option<KafkaProblem> {
        match error {
            KafkaError::PartitionEOF(_)
            | KafkaError::MessageConsumption(Code::UnknownTopicOrPartition | Code::UnknownTopic) => {
                None
            }
            error => Some(self.inner.context().problem(error)),
        }
    }

    /// Called when the queue is empty: all records that were fetched before the previous call have been taken.
    fn drained(&self) {
        let [_, last] = self.drained.take();
        self.drained.replace([last, self.inner.context().fetched()]);
    }

    /// Changes of the assignment since the last call.
    pub fn changes(&self) -> Vec<Change> {
        let changes = self.inner.context().take_changes();
        if !changes.is_empty() {
            self.drained.take();
        }
        changes
    }

    /// Offsets before which all records have been taken, for partitions where this is known.
    pub fn read(&self) -> Fetched {
        self.drained.borrow()[0].clone()
    }

    /// End offsets of the partitions. The broker is asked about once a second.
    pub fn ends(&self) -> Ends {
        lock(&self.ends).clone()
    }

    /// A topic that was created again since its partitions were assigned. If there is none, all records that were taken before
    /// this call are from the topics of the assignment.
    ///
    /// # Errors
    /// [`KafkaProblem`] if no broker answers.
    pub fn recreated(&self) -> Result<Option<String>, KafkaProblem> {
        let context = self.context();
        let assigned = context.assigned_ids();
        if assigned.is_empty() {
            return Ok(None);
        }
        let topics: Vec<&str> = assigned.keys().map(String::as_str).collect();
        let now = context.topic_ids(&self.inner, &topics)?;
        Ok(assigned.into_iter().find_map(|(topic, id)| {
            let other = now.get(&topic).cloned().flatten();
            let is_other = other.zip(id).is_some_and(|(now, then)| now != then);
            is_other.then_some(topic)
        }))
    }

    /// Commits where each partition resumes, and the state that a restart needs.
    ///
    /// # Errors
    /// [`KafkaProblem`]; then the previous commit stays, and a restart counts more records again.
    pub fn commit(&self, points: &[(SourceId, CommitPoint)]) -> Result<(), KafkaProblem> {
        let problem = |error: KafkaError| self.inner.context().problem(&error);
        let mut list = TopicPartitionList::with_capacity(points.len());
        for (source, point) in points {
            let mut element = list.add_partition(source.topic_name(), source.partition);
            element.set_offset(Offset::Offset(point.resume_at)).map_err(problem)?;
            element.set_metadata(with_generation(encode_commit(point), source.generation()));
        }
        self.inner.commit(&list, CommitMode::Sync).map_err(problem)
    }

    /// Stops or resumes fetching of all assigned partitions. Polling keeps the membership.
    pub fn pause(&self, paused: bool) {
        let done = self
            .inner
            .assignment()
            .and_then(|all| if paused { self.inner.pause(&all) } else { self.inner.resume(&all) });
        if let Err(error) = done {
            tracing::warn!(%error, paused, "kafka: cannot pause or resume partitions");
        }
    }

    /// The context, which reports health.
    pub fn context(&self) -> &Context {
        self.inner.context()
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(watcher) = self.watcher.take() {
            watcher.thread().unpark();
            // A panic has been logged already.
            let _ = watcher.join();
        }
        self.inner.unsubscribe();
    }
}
