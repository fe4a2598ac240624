//! Callbacks of the clients: errors become health and log lines, rebalances become changes of the assignment.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext, RebalanceProtocol};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::producer::{DeliveryResult, ProducerContext};
use rdkafka::statistics::Statistics;
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{Offset, TopicPartitionList};

use super::batch::DeliveryHandle;
use super::counted::CountedSoFar;
use super::faults::{Fault, Faults};
use super::resume::{Known, Resume, resume};
use super::settings::{KafkaProblem, Settings, is_no_answer};
use super::topic_ids::{TopicIds, topic_ids};
use crate::domain::{Offset as Position, SourceId};
use crate::telemetry::Health;

/// Name of the component in health and logs.
pub const COMPONENT: &str = "kafka";
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// A change of the assignment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// This instance counts the partition from here on.
    Assigned(SourceId, Resume),
    Revoked(SourceId),
    /// The topic does not exist any more.
    Deleted(String),
    /// The topic was deleted and created again: the session must start over.
    Recreated(String),
    /// The offset at which a partition resumes is unknown: the session must start over.
    Failed(KafkaProblem),
}

/// Marks Kafka as failing, and logs the reason once.
pub fn report(health: &Health, why: &str) {
    if health.failing(COMPONENT, why) {
        tracing::error!("kafka: {why}; retrying");
    }
}

/// Next offset to fetch, by partition. Unlike the offset after the last record, it is beyond markers of transactions and
/// aborted transactions.
pub type Fetched = HashMap<SourceId, Position>;

/// A queue to which the records of partitions can be forwarded.
pub(super) trait Forward: Send + Sync {
    /// Forwards records of a partition to this queue from now on. Returns whether that succeeded.
    fn forward(&self, topic: &str, partition: i32) -> bool;
}

/// Callbacks and state that the consumer, the producer and the admin client share.
pub struct Context {
    pub(super) settings: Settings,
    health: Arc<Health>,
    changes: Mutex<Vec<Change>>,
    /// Whether `changes` is not empty: cheap to ask after each batch.
    changed: AtomicBool,
    /// Fetch positions, from statistics of about once a second.
    fetched: Mutex<Fetched>,
    /// Offsets after the last records, from the same statistics. They include records of open transactions.
    highs: Mutex<Fetched>,
    /// Partitions that are not read, because it is not known where counting resumes.
    unresolved: Mutex<BTreeSet<SourceId>>,
    /// Why the cluster refuses the client, if it gave a reason. Later requests then only time out.
    cause: Mutex<Option<String>>,
    /// Queue for records of assigned partitions, if not the consumer's own.
    queue: OnceLock<Weak<dyn Forward>>,
    /// Faults by partition, in a consumer that counts.
    faults: OnceLock<Arc<Faults>>,
    /// What the group has counted, in a consumer that counts.
    counted: OnceLock<Arc<CountedSoFar>>,
    /// Ids of the topics when partitions were assigned.
    ids: Mutex<TopicIds>,
    /// Input topics whose old records the broker may delete one by one.
    compacted: Mutex<BTreeSet<String>>,
}

impl Context {
    pub(super) fn new(settings: Settings, health: Arc<Health>) -> Self {
        Self {
            settings,
            health,
            changes: Mutex::default(),
            changed: AtomicBool::new(false),
            fetched: Mutex::default(),
            highs: Mutex::default(),
            unresolved: Mutex::default(),
            cause: Mutex::default(),
            queue: OnceLock::new(),
            faults: OnceLock::new(),
            counted: OnceLock::new(),
            ids: Mutex::default(),
            compacted: Mutex::default(),
        }
    }

    /// Describes an error and what to do about it.
    pub(super) fn problem(&self, error: &KafkaError) -> KafkaProblem {
        let no_answer = error.rdkafka_error_code().is_some_and(is_no_answer);
        match lock(&self.cause).clone().filter(|_| no_answer) {
            Some(cause) => KafkaProblem(cause),
            None => self.settings.problem(error),
        }
    }

    pub(super) fn health(&self) -> Arc<Health> {
        self.health.clone()
    }

    /// Marks Kafka as healthy.
    pub fn mark_healthy(&self) {
        *lock(&self.cause) = None;
        if self.health.ready(COMPONENT) {
            tracing::info!(brokers = self.settings.brokers, "kafka: broker answers");
        }
    }

    /// Marks Kafka as unhealthy.
    pub fn mark_unhealthy(&self, why: &str) {
        report(&self.health, why);
    }

    /// Reports faults of partitions to `faults`. Partitions without a commit resume after what `counted` knows.
    pub(super) fn counts_with(&self, faults: Arc<Faults>, counted: Arc<CountedSoFar>) {
        // Called once for each consumer.
        let _ = self.faults.set(faults);
        let _ = self.counted.set(counted);
    }

    /// Sets a fault of a partition or topic, or records that it is over.
    pub fn fault(&self, of: &impl std::fmt::Display, fault: Fault, why: Option<&str>) {
        if let Some(faults) = self.faults.get() {
            faults.set(of, fault, why);
        }
    }

    /// Forgets the faults of partitions and topics that are not in `names`.
    pub(super) fn keep_faults(&self, names: &[String]) {
        if let Some(faults) = self.faults.get() {
            faults.keep(names);
        }
    }

    /// Ids of the topics when their partitions were assigned.
    pub fn assigned_ids(&self) -> TopicIds {
        lock(&self.ids).clone()
    }

    /// Sets which input topics are compacted.
    pub(super) fn set_compacted(&self, topics: BTreeSet<String>) {
        *lock(&self.compacted) = topics;
    }

    /// Forwards the records of partitions that are assigned from now on to `queue`.
    pub(super) fn forward_to(&self, queue: Weak<dyn Forward>) {
        // Called once for each consumer.
        let _ = self.queue.set(queue);
    }

    /// Makes the session start over.
    pub(super) fn failed(&self, why: &str) {
        self.change([Change::Failed(KafkaProblem(why.to_owned()))]);
    }

    /// Records that a topic is no longer the one that is counted.
    pub(super) fn lost_topic(&self, change: Change) {
        self.change([change]);
    }

    pub(super) fn take_changes(&self) -> Vec<Change> {
        if !self.changed.swap(false, Ordering::Acquire) {
            return Vec::new();
        }
        std::mem::take(&mut *lock(&self.changes))
    }

    /// Fetch positions of assigned partitions.
    pub(super) fn fetched(&self) -> Fetched {
        lock(&self.fetched).clone()
    }

    /// Offset after the last record of a partition, with the records of open transactions; `None` if it is not known.
    pub(super) fn high(&self, source: &SourceId) -> Option<Position> {
        lock(&self.highs).get(source).copied()
    }

    /// Drops fetch positions: they are not valid for the next assignment.
    fn forget_fetched(&self) {
        lock(&self.fetched).clear();
        lock(&self.highs).clear();
    }

    /// Partitions that are not read, because it is not known where counting resumes.
    pub(super) fn unresolved(&self) -> BTreeSet<SourceId> {
        lock(&self.unresolved).clone()
    }

    /// Asks again where counting of the unread partitions resumes. Once it is known for one of them, the session starts over.
    pub(super) fn ask_again(&self, consumer: &BaseConsumer<Self>) -> Result<(), KafkaProblem> {
        let mut log_is_read = false;
        for source in self.unresolved() {
            let ids = self.topic_ids(consumer, &[&*source.topic])?;
            match self.resume_at(consumer, &source, &ids, &mut log_is_read)? {
                Ok(_) => {
                    self.failed(&format!("{source}: it is known again where counting goes on"))
                }
                Err(problem) => self.fault(&source, Fault::Resume, Some(&problem.0)),
            }
        }
        Ok(())
    }

    fn change(&self, changes: impl IntoIterator<Item = Change>) {
        lock(&self.changes).extend(changes);
        self.changed.store(true, Ordering::Release);
    }

    /// Where a partition resumes, from its commit and the offsets that the broker has; or why it must not be read. Without a
    /// commit, the log is read to its end, unless `log_is_read` says that this was done.
    ///
    /// # Errors
    /// [`KafkaProblem`] if the broker does not answer.
    fn resume_at(
        &self,
        consumer: &BaseConsumer<Self>,
        source: &SourceId,
        ids: &TopicIds,
        log_is_read: &mut bool,
    ) -> Result<Result<Resume, KafkaProblem>, KafkaProblem> {
        let (topic, partition) = (&*source.topic, source.partition);
        let problem = |error: KafkaError| self.problem(&error);
        let (low, high) =
            consumer.fetch_watermarks(topic, partition, ANSWER_WITHIN).map_err(problem)?;
        let mut asked = TopicPartitionList::new();
        asked.add_partition(topic, partition);
        let found = consumer.committed_offsets(asked, ANSWER_WITHIN).map_err(problem)?;
        let found = found.elements();
        let commit = found.first().and_then(|element| {
            let Offset::Offset(offset) = element.offset() else { return None };
            Some((offset, element.metadata()))
        });
        let topic_id = ids.get(topic).and_then(Option::as_deref);
        let is_compacted = lock(&self.compacted).contains(topic);
        let counted = match (commit, self.counted.get()) {
            (None, Some(counted)) => {
                if !std::mem::replace(log_is_read, true) {
                    counted.read_on(&self.settings, self.health.clone())?;
                }
                counted.get(source)
            }
            _ => None,
        };
        let counted = counted.as_ref();
        let known = Known { low, high, topic_id, is_compacted, commit, counted };
        Ok(resume(source, &self.settings.group, &known))
    }

    /// Ids of the topics in a list, for a consumer that counts.
    fn ids_of(
        &self,
        consumer: &BaseConsumer<Self>,
        tpl: &TopicPartitionList,
    ) -> Result<TopicIds, KafkaProblem> {
        if self.queue.get().is_none() || tpl.count() == 0 {
            return Ok(TopicIds::new());
        }
        let elements = tpl.elements();
        let topics: BTreeSet<&str> = elements.iter().map(|element| element.topic()).collect();
        let topics: Vec<&str> = topics.into_iter().collect();
        self.topic_ids(consumer, &topics)
    }

    /// Ids of topics. Empty if the cluster does not provide them.
    pub(super) fn topic_ids(
        &self,
        consumer: &BaseConsumer<Self>,
        topics: &[&str],
    ) -> Result<TopicIds, KafkaProblem> {
        let found = topic_ids(consumer, topics, ANSWER_WITHIN);
        found.map_err(|code| self.problem(&KafkaError::MetadataFetch(code)))
    }

    fn assigned(&self, consumer: &BaseConsumer<Self>, tpl: &TopicPartitionList) {
        self.forget_fetched();
        let mut list = TopicPartitionList::new();
        let ids = self.ids_of(consumer, tpl).unwrap_or_else(|problem| {
            self.change([Change::Failed(problem)]);
            TopicIds::new()
        });
        let mut log_is_read = false;
        for element in tpl.elements() {
            let source = SourceId::new(element.topic(), element.partition());
            let resume = match self.resume_at(consumer, &source, &ids, &mut log_is_read) {
                Ok(Ok(found)) => found,
                // It stays unread until this changes. Other partitions are read.
                Ok(Err(problem)) => {
                    self.fault(&source, Fault::Resume, Some(&problem.0));
                    lock(&self.unresolved).insert(source);
                    continue;
                }
                Err(problem) => {
                    self.fault(&source, Fault::Resume, Some(&problem.0));
                    self.change([Change::Failed(problem)]);
                    continue;
                }
            };
            lock(&self.unresolved).remove(&source);
            self.fault(&source, Fault::Resume, None);
            self.fault(&source, Fault::Read, None);
            // This must happen before anything is fetched: records in the consumer's own queue would stay there.
            let queue = self.queue.get().and_then(Weak::upgrade);
            if queue.is_some_and(|queue| !queue.forward(element.topic(), element.partition())) {
                self.failed(&format!("cannot forward the queue of {source}"));
                continue;
            }
            // Fails only for a negative offset, which brokers never return.
            let _ = list.add_partition_offset(
                element.topic(),
                element.partition(),
                Offset::Offset(resume.at),
            );
            self.change([Change::Assigned(source, resume)]);
        }
        lock(&self.ids).extend(ids);
        let assigned = match consumer.rebalance_protocol() {
            RebalanceProtocol::Cooperative => consumer.incremental_assign(&list),
            _ => consumer.assign(&list),
        };
        if let Err(error) = assigned {
            self.change([Change::Failed(self.problem(&error))]);
        }
    }

    fn revoked(&self, consumer: &BaseConsumer<Self>, tpl: &TopicPartitionList) {
        self.forget_fetched();
        let revoked = tpl.elements();
        if let Some(faults) = self.faults.get() {
            let sources = revoked.iter().map(|e| SourceId::new(e.topic(), e.partition()));
            for source in sources {
                faults.forget(&source);
                lock(&self.unresolved).remove(&source);
            }
        }
        let revoked =
            revoked.iter().map(|e| Change::Revoked(SourceId::new(e.topic(), e.partition())));
        self.change(revoked);
        let unassigned = match consumer.rebalance_protocol() {
            RebalanceProtocol::Cooperative => consumer.incremental_unassign(tpl),
            _ => consumer.unassign(),
        };
        if let Err(error) = unassigned {
            tracing::warn!(%error, "kafka: cannot give partitions back");
        }
    }
}

/// Locks a mutex. Its value is valid even if a holder panicked.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ClientContext for Context {
    /// librdkafka repeats its messages while a broker is away. Errors that matter come through [`Self::error`].
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        tracing::debug!(target: "librdkafka", ?level, facility, "{message}");
    }

    fn stats(&self, statistics: Statistics) {
        let topics = statistics.topics.values();
        let all = topics.flat_map(|topic| topic.partitions.values().map(move |p| (topic, p)));
        let all = all.filter(|(_, p)| p.partition >= 0);
        let (mut fetched, mut highs) = (Fetched::new(), Fetched::new());
        for (topic, p) in all {
            let source = SourceId::new(&topic.topic, p.partition);
            if p.hi_offset >= 0 {
                highs.insert(source.clone(), p.hi_offset);
            }
            if p.next_offset >= 0 {
                fetched.insert(source, p.next_offset);
            }
        }
        (*lock(&self.fetched), *lock(&self.highs)) = (fetched, highs);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        let Some(code) = error.rdkafka_error_code() else {
            tracing::warn!(%error, reason, "kafka: client error");
            return;
        };
        match code {
            // One of several connections, or an idle one, was lost. The cluster may still be available.
            Code::BrokerTransportFailure | Code::OperationTimedOut => {
                tracing::debug!(%error, reason, "kafka: client error");
            }
            code if is_no_answer(code) => self.mark_unhealthy(&self.problem(&error).0),
            _ => {
                tracing::debug!(%error, reason, "kafka: client error");
                let why = self.settings.explain(code);
                self.mark_unhealthy(&why);
                *lock(&self.cause) = Some(why);
            }
        }
    }
}

impl ConsumerContext for Context {
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        err: RDKafkaRespErr,
        tpl: &mut TopicPartitionList,
    ) {
        match err {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => self.assigned(consumer, tpl),
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS => self.revoked(consumer, tpl),
            other => {
                let code: Code = other.into();
                tracing::warn!(%code, "kafka: rebalance failed");
                self.revoked(consumer, tpl);
            }
        }
    }
}

impl ProducerContext for Context {
    type DeliveryOpaque = Box<DeliveryHandle>;

    fn delivery(&self, result: &DeliveryResult<'_>, handle: Box<DeliveryHandle>) {
        handle.done(result.as_ref().err().map(|(error, _)| self.problem(error)));
    }
}
