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

use super::commit::encode_commit;
use super::context::{Change, Context, Fetched, lock};
use super::queue::{Queue, Received};
use super::settings::{KafkaProblem, Settings};
use crate::domain::{Clock, Offset as Position, SourceId, Timestamp};
use crate::telemetry::Health;
use crate::window::CommitPoint;

const ANSWER_WITHIN: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// End offset of each partition, and the clock time at which the broker was asked for it.
pub type Ends = HashMap<SourceId, (Position, Timestamp)>;

/// A member of the consumer group.
pub struct Consumer {
    /// Records of assigned partitions; `None` in elections, which read no records.
    queue: Option<Arc<Queue>>,
    inner: Arc<BaseConsumer<Context>>,
    ends: Arc<Mutex<Ends>>,
    /// Fetch positions before the last time that the queue was empty, and those since.
    drained: RefCell<[Fetched; 2]>,
    stop: Arc<AtomicBool>,
    watcher: Option<JoinHandle<()>>,
}

impl Consumer {
    /// Joins the group. A partition resumes at its commit, or at its beginning.
    ///
    /// # Errors
    /// [`KafkaProblem`] for properties that cannot be used.
    pub fn open(
        settings: &Settings,
        health: Arc<Health>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, KafkaProblem> {
        let topics = settings.topics.every().map(|(topic, _)| topic);
        let mut consumer =
            Self::join(settings, settings.client(), &settings.group, &topics, health)?;
        let queue = Queue::new(consumer.inner.clone()).map(Arc::new);
        let queue = queue.ok_or_else(|| KafkaProblem("no memory left for a queue".into()))?;
        // Nothing is assigned before the first poll.
        let forward: Weak<Queue> = Arc::downgrade(&queue);
        consumer.context().forward_to(forward);
        consumer.queue = Some(queue);
        let (inner, ends, stop) =
            (consumer.inner.clone(), consumer.ends.clone(), consumer.stop.clone());
        let watcher = std::thread::Builder::new().name("kafka ends".into());
        let watcher = watcher.spawn(move || watch(&inner, &ends, &stop, &*clock));
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
                if let Some(problem) = self.problem(&error) {
                    context.mark_unhealthy(&problem.0);
                }
                false
            }
        });
        records
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

    /// Describes an error and what to do about it. The end of a partition is not an error.
    fn problem(&self, error: &KafkaError) -> Option<KafkaProblem> {
        match error {
            KafkaError::PartitionEOF(_) => None,
            KafkaError::MessageConsumption(Code::AutoOffsetReset) => {
                let text = "a partition no longer has the next offset to read: its topic was deleted and created \
                            again, or its retention is too short";
                Some(KafkaProblem(text.into()))
            }
            error => Some(self.inner.context().problem(error)),
        }
    }

    /// The queue is empty: all records that were fetched before the previous call have been taken.
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

    /// Offsets before which all records have been taken, of partitions for which that is known.
    pub fn read(&self) -> Fetched {
        self.drained.borrow()[0].clone()
    }

    /// End offsets of the partitions. The broker is asked about once a second.
    pub fn ends(&self) -> Ends {
        lock(&self.ends).clone()
    }

    /// Commits where each partition resumes, and the state that a restart needs.
    ///
    /// # Errors
    /// [`KafkaProblem`]; then the previous commit stays, and a restart counts more records again.
    pub fn commit(&self, points: &[(SourceId, CommitPoint)]) -> Result<(), KafkaProblem> {
        let problem = |error: KafkaError| self.inner.context().problem(&error);
        let mut list = TopicPartitionList::with_capacity(points.len());
        for (source, point) in points {
            let mut element = list.add_partition(&source.topic, source.partition);
            element.set_offset(Offset::Offset(point.resume_at)).map_err(problem)?;
            element.set_metadata(encode_commit(point));
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

/// Asks for the end offset of every assigned partition until `stop` is set.
fn watch(
    consumer: &BaseConsumer<Context>,
    ends: &Mutex<Ends>,
    stop: &AtomicBool,
    clock: &dyn Clock,
) {
    let context = consumer.context();
    while !stop.load(Ordering::Relaxed) {
        match round(consumer, clock) {
            Ok(found) if found.is_empty() => {}
            Ok(found) => {
                *lock(ends) = found;
                context.mark_healthy();
            }
            Err(error) => context.mark_unhealthy(&context.problem(&error).0),
        }
        std::thread::park_timeout(LOOK_EVERY);
    }
}

fn round(consumer: &BaseConsumer<Context>, clock: &dyn Clock) -> Result<Ends, KafkaError> {
    let mut found = Ends::new();
    for element in consumer.assignment()?.elements() {
        let at = clock.now();
        let (topic, partition) = (element.topic(), element.partition());
        let (_, end) = consumer.fetch_watermarks(topic, partition, ANSWER_WITHIN)?;
        found.insert(SourceId::new(topic, partition), (end, at));
    }
    Ok(found)
}
