//! Call-backs of the clients: errors become health and log lines, rebalances become changes.

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

use super::batch::Ticket;
use super::commit::decode_commit;
use super::settings::{KafkaProblem, Settings};
use crate::domain::{Offset as Position, SourceId};
use crate::telemetry::Health;
use crate::window::CommitPoint;

/// The component in health and logs.
pub const COMPONENT: &str = "kafka";
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// A partition that this instance counts from now on, or no longer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Records follow from this offset on; with what was committed, if anything was.
    Assigned(SourceId, Position, Option<CommitPoint>),
    Revoked(SourceId),
    /// It cannot be told where a partition goes on: start over.
    Failed(KafkaProblem),
}

/// Notes that the cluster does not do what is asked of it, and says it once.
pub fn report(health: &Health, why: &str) {
    if health.failing(COMPONENT, why) {
        tracing::error!("{why}; trying again until it works, nothing is lost");
    }
}

/// Offset that is fetched next, by partition. Unlike that of the next record it leaves what no record is behind: the end
/// of a transaction, or one that was called off.
pub type Fetched = HashMap<SourceId, Position>;

/// A queue that records of partitions can be forwarded to.
pub(super) trait Forward: Send + Sync {
    /// Has what is fetched of a partition from now on put here. Returns whether that could be done.
    fn forward(&self, topic: &str, partition: i32) -> bool;
}

/// Shared by consumer, producer and admin client.
pub struct Context {
    pub(super) settings: Settings,
    health: Arc<Health>,
    changes: Mutex<Vec<Change>>,
    /// Whether there are any, for who asks after each record.
    changed: AtomicBool,
    /// Where fetching stands, as the client says about once a second.
    fetched: Mutex<Fetched>,
    /// Why the cluster lets nobody in, where it said so: what is asked of it then times out.
    cause: Mutex<Option<String>>,
    /// Where records of assigned partitions go, unless to the consumer's own queue.
    queue: OnceLock<Weak<dyn Forward>>,
}

impl Context {
    pub(super) fn new(settings: Settings, health: Arc<Health>) -> Self {
        let (changes, changed) = (Mutex::default(), AtomicBool::new(false));
        let (fetched, cause) = (Mutex::default(), Mutex::default());
        let queue = OnceLock::new();
        Self { settings, health, changes, changed, fetched, cause, queue }
    }

    /// An error with what to do about it.
    pub(super) fn problem(&self, error: &KafkaError) -> KafkaProblem {
        let unheard = error.rdkafka_error_code().is_some_and(is_silence);
        match lock(&self.cause).clone().filter(|_| unheard) {
            Some(cause) => KafkaProblem(cause),
            None => self.settings.problem(error),
        }
    }

    /// The cluster answers.
    pub fn well(&self) {
        *lock(&self.cause) = None;
        if self.health.ready(COMPONENT) {
            tracing::info!(brokers = self.settings.brokers, "Kafka answers");
        }
    }

    /// The cluster does not do what is asked of it.
    pub fn ill(&self, why: &str) {
        report(&self.health, why);
    }

    /// Puts the records of partitions that are assigned from now on there.
    pub(super) fn put_into(&self, queue: Weak<dyn Forward>) {
        // Once for each consumer.
        let _ = self.queue.set(queue);
    }

    /// Has the session start over.
    pub(super) fn failed(&self, why: &str) {
        self.change([Change::Failed(KafkaProblem(why.to_owned()))]);
    }

    pub(super) fn take_changes(&self) -> Vec<Change> {
        if !self.changed.swap(false, Ordering::Acquire) {
            return Vec::new();
        }
        std::mem::take(&mut *lock(&self.changes))
    }

    /// Where fetching stands of what is assigned.
    pub(super) fn fetched(&self) -> Fetched {
        lock(&self.fetched).clone()
    }

    /// An assignment that is over says nothing of the next one.
    fn forget_fetched(&self) {
        lock(&self.fetched).clear();
    }

    fn change(&self, changes: impl IntoIterator<Item = Change>) {
        lock(&self.changes).extend(changes);
        self.changed.store(true, Ordering::Release);
    }

    /// Where a partition goes on, given what was committed and what the broker still has.
    fn begin(
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
                "{source} ends at offset {high} and was counted up to {resume_at}: the topic was made anew. Give \
                 the new topic another name, or use another kafka.group"
            )));
        }
        if resume_at < low {
            tracing::error!(
                %source, resume_at, low, lost = low - resume_at,
                "the broker has deleted events that were not counted yet: lengthen the topic's retention"
            );
        }
        Ok((resume_at.max(low), Some(point)))
    }

    fn assigned(&self, consumer: &BaseConsumer<Self>, tpl: &TopicPartitionList) {
        self.forget_fetched();
        let mut list = TopicPartitionList::new();
        for element in tpl.elements() {
            let source = SourceId::new(element.topic(), element.partition());
            let (offset, point) = match self.begin(consumer, &source) {
                Ok(found) => found,
                Err(problem) => {
                    self.change([Change::Failed(problem)]);
                    continue;
                }
            };
            // Before anything is fetched: what lies in the consumer's queue stays there.
            let queue = self.queue.get().and_then(Weak::upgrade);
            if queue.is_some_and(|queue| !queue.forward(element.topic(), element.partition())) {
                self.failed(&format!("{source} has no queue to forward"));
                continue;
            }
            // Fails for an offset below zero only, which brokers do not give.
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
        let gone = tpl.elements();
        let gone = gone.iter().map(|e| Change::Revoked(SourceId::new(e.topic(), e.partition())));
        self.change(gone);
        let unassigned = match consumer.rebalance_protocol() {
            RebalanceProtocol::Cooperative => consumer.incremental_unassign(tpl),
            _ => consumer.unassign(),
        };
        if let Err(error) = unassigned {
            tracing::warn!(%error, "giving partitions back failed");
        }
    }
}

/// Codes that say that nobody answered, not why.
fn is_silence(code: Code) -> bool {
    matches!(
        code,
        Code::AllBrokersDown
            | Code::BrokerTransportFailure
            | Code::OperationTimedOut
            | Code::RequestTimedOut
            | Code::Resolve
    )
}

/// What is behind it is whole whoever panicked while holding it.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ClientContext for Context {
    /// librdkafka repeats itself while a broker is away: what matters comes as an error.
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        tracing::debug!(target: "librdkafka", ?level, facility, "{message}");
    }

    fn stats(&self, said: Statistics) {
        let topics = said.topics.values();
        let all = topics.flat_map(|topic| topic.partitions.values().map(move |p| (topic, p)));
        let fetched = all.filter(|(_, p)| p.partition >= 0 && p.next_offset >= 0);
        *lock(&self.fetched) = fetched
            .map(|(topic, p)| (SourceId::new(&topic.topic, p.partition), p.next_offset))
            .collect();
    }

    fn error(&self, error: KafkaError, reason: &str) {
        let Some(code) = error.rdkafka_error_code() else {
            tracing::warn!(%error, reason, "Kafka client");
            return;
        };
        match code {
            // One connection of several, or of an idle one: the cluster may still be there.
            Code::BrokerTransportFailure | Code::OperationTimedOut => {
                tracing::debug!(%error, reason, "Kafka client");
            }
            code if is_silence(code) => self.ill(&self.problem(&error).0),
            _ => {
                tracing::debug!(%error, reason, "Kafka client");
                let why = self.settings.explain(code);
                self.ill(&why);
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
                tracing::warn!(%code, "rebalance failed");
                self.revoked(consumer, tpl);
            }
        }
    }
}

impl ProducerContext for Context {
    type DeliveryOpaque = Box<Ticket>;

    fn delivery(&self, result: &DeliveryResult<'_>, ticket: Box<Ticket>) {
        ticket.done(result.as_ref().err().map(|(error, _)| self.problem(error)));
    }
}
