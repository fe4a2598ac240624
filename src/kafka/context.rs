//! Callbacks of the clients: errors become health and log lines, rebalances become changes of the assignment.

use std::collections::HashMap;
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
use super::commit::decode_commit;
use super::settings::{KafkaProblem, Settings};
use crate::domain::{Offset as Position, SourceId};
use crate::telemetry::Health;
use crate::window::CommitPoint;

/// Name of the component in health and logs.
pub const COMPONENT: &str = "kafka";
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// A change of the assignment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// This instance counts the partition from this offset on; with the commit, if there is one.
    Assigned(SourceId, Position, Option<CommitPoint>),
    Revoked(SourceId),
    /// The offset at which a partition resumes is unknown: the session must start over.
    Failed(KafkaProblem),
}

/// Marks Kafka as failing, and logs the reason once.
pub fn report(health: &Health, why: &str) {
    if health.failing(COMPONENT, why) {
        tracing::error!("kafka: {why}; retrying, nothing is lost");
    }
}

/// Next offset to fetch, by partition. Unlike the offset after the last record it is past the ends of transactions and
/// past aborted transactions.
pub type Fetched = HashMap<SourceId, Position>;

/// A queue to which the records of partitions can be forwarded.
pub(super) trait Forward: Send + Sync {
    /// Forwards records of a partition to this queue from now on. Returns whether that succeeded.
    fn forward(&self, topic: &str, partition: i32) -> bool;
}

/// Callbacks and state that consumer, producer and admin client share.
pub struct Context {
    pub(super) settings: Settings,
    health: Arc<Health>,
    changes: Mutex<Vec<Change>>,
    /// Whether `changes` is not empty: cheap to ask after each batch.
    changed: AtomicBool,
    /// Fetch positions, from statistics of about once a second.
    fetched: Mutex<Fetched>,
    /// Why the cluster refuses the client, if it gave a reason. Later requests then only time out.
    cause: Mutex<Option<String>>,
    /// Queue for records of assigned partitions, if not the consumer's own.
    queue: OnceLock<Weak<dyn Forward>>,
}

impl Context {
    pub(super) fn new(settings: Settings, health: Arc<Health>) -> Self {
        let (changes, changed) = (Mutex::default(), AtomicBool::new(false));
        let (fetched, cause) = (Mutex::default(), Mutex::default());
        let queue = OnceLock::new();
        Self { settings, health, changes, changed, fetched, cause, queue }
    }

    /// Describes an error and what to do about it.
    pub(super) fn problem(&self, error: &KafkaError) -> KafkaProblem {
        let no_answer = error.rdkafka_error_code().is_some_and(is_no_answer);
        match lock(&self.cause).clone().filter(|_| no_answer) {
            Some(cause) => KafkaProblem(cause),
            None => self.settings.problem(error),
        }
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

    /// Forwards the records of partitions that are assigned from now on to `queue`.
    pub(super) fn forward_to(&self, queue: Weak<dyn Forward>) {
        // Called once for each consumer.
        let _ = self.queue.set(queue);
    }

    /// Makes the session start over.
    pub(super) fn failed(&self, why: &str) {
        self.change([Change::Failed(KafkaProblem(why.to_owned()))]);
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

    /// Drops fetch positions: they are not valid for the next assignment.
    fn forget_fetched(&self) {
        lock(&self.fetched).clear();
    }

    fn change(&self, changes: impl IntoIterator<Item = Change>) {
        lock(&self.changes).extend(changes);
        self.changed.store(true, Ordering::Release);
    }

    /// The offset at which a partition resumes, from its commit and the offsets that the broker has.
    fn resume_at(
        &self,
        consumer: &BaseConsumer<Self>,
        source: &SourceId,
    ) -> Result<(Position, Option<CommitPoint>), KafkaProblem> {
        let (topic, partition) = (&*source.topic, source.partition);
        let problem = |error: KafkaError| self.problem(&error);
        let (low, high) =
            consumer.fetch_watermarks(topic, partition, ANSWER_WITHIN).map_err(problem)?;
        let mut asked = TopicPartitionList::new();
        asked.add_partition(topic, partition);
        let found = consumer.committed_offsets(asked, ANSWER_WITHIN).map_err(problem)?;
        let Some((resume_at, metadata)) = found.elements().first().and_then(|element| {
            let Offset::Offset(offset) = element.offset() else { return None };
            Some((offset, element.metadata().to_owned()))
        }) else {
            return Ok((low, None));
        };
        let point = decode_commit(resume_at, &metadata)
            .map_err(|error| KafkaProblem(format!("{source}: {error}")))?;
        if resume_at > high {
            return Err(KafkaProblem(format!(
                "{source} ends at offset {high}, but was counted up to {resume_at}: its topic was deleted and \
                 created again. Give the new topic another name, or use another kafka.group"
            )));
        }
        if resume_at < low {
            tracing::error!(
                %source, resume_at, low, lost = low - resume_at,
                "kafka: the broker deleted events before they were counted; lengthen the topic's retention"
            );
        }
        Ok((resume_at.max(low), Some(point)))
    }

    fn assigned(&self, consumer: &BaseConsumer<Self>, tpl: &TopicPartitionList) {
        self.forget_fetched();
        let mut list = TopicPartitionList::new();
        for element in tpl.elements() {
            let source = SourceId::new(element.topic(), element.partition());
            let (offset, point) = match self.resume_at(consumer, &source) {
                Ok(found) => found,
                Err(problem) => {
                    self.change([Change::Failed(problem)]);
                    continue;
                }
            };
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
                Offset::Offset(offset),
            );
            self.change([Change::Assigned(source, offset, point)]);
        }
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

/// Whether a code only means that no broker answered, without a reason.
fn is_no_answer(code: Code) -> bool {
    matches!(
        code,
        Code::AllBrokersDown
            | Code::BrokerTransportFailure
            | Code::OperationTimedOut
            | Code::RequestTimedOut
            | Code::Resolve
    )
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
        let fetched = all.filter(|(_, p)| p.partition >= 0 && p.next_offset >= 0);
        *lock(&self.fetched) = fetched
            .map(|(topic, p)| (SourceId::new(&topic.topic, p.partition), p.next_offset))
            .collect();
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
