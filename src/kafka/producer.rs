//! The producer: keyed, idempotent, acknowledged once every in-sync replica has the record.

use std::sync::Arc;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _, ThreadedProducer};

use super::batch::{Batch, DeliveryHandle};
use super::context::Context;
use super::settings::{KafkaProblem, Settings};
use crate::domain::{DeadLetter, Keyed};
use crate::telemetry::Health;

/// Time after which librdkafka gives up on a record.
const DELIVER_WITHIN: Duration = Duration::from_secs(20);
const QUEUE_FULL_WAIT: Duration = Duration::from_millis(20);

/// Room for key, headers and what the client adds to a record.
const RECORD_HEAD_BYTES: usize = 4096;
/// Longest wait for a probe's answer.
const PROBE_WITHIN: Duration = Duration::from_secs(10);

/// A record with a key.
pub struct Outgoing<'a> {
    pub topic: &'a str,
    pub key: String,
    pub payload: Vec<u8>,
}

/// Records that were passed to the client.
#[must_use]
pub struct InFlight {
    batch: Arc<Batch>,
    /// Whether all records could be passed to the client.
    sent: Result<(), KafkaProblem>,
}

impl InFlight {
    /// Whether [`Self::wait`] returns at once.
    pub fn is_done(&self) -> bool {
        self.batch.is_done()
    }

    /// Waits until all records are acknowledged.
    ///
    /// # Errors
    /// [`KafkaProblem`] if a record could not be delivered, or the first error of the records that were sent.
    pub fn wait(self) -> Result<(), KafkaProblem> {
        self.batch.wait(self.sent)
    }
}

/// Writes records and waits for their acknowledgements.
pub struct Producer {
    inner: ThreadedProducer<Context>,
    settings: Settings,
}

impl Producer {
    /// Opens a producer.
    ///
    /// # Errors
    /// [`KafkaProblem`] for properties that cannot be used.
    pub fn open(settings: &Settings, health: Arc<Health>) -> Result<Self, KafkaProblem> {
        Self::create(settings, health, &[])
    }

    /// Opens a producer that never delivers a record after it has lost an earlier one. It buffers less in memory.
    ///
    /// # Errors
    /// [`KafkaProblem`] for properties that cannot be used.
    pub fn gapless(settings: &Settings, health: Arc<Health>) -> Result<Self, KafkaProblem> {
        Self::create(
            settings,
            health,
            &[("enable.gapless.guarantee", "true"), ("queue.buffering.max.kbytes", "16384")],
        )
    }

    fn create(
        settings: &Settings,
        health: Arc<Health>,
        more: &[(&str, &str)],
    ) -> Result<Self, KafkaProblem> {
        let context = Context::new(settings.clone(), health);
        let mut config = Self::config(settings);
        for (key, value) in more {
            config.set(*key, *value);
        }
        let inner =
            config.create_with_context(context).map_err(|error| settings.problem(&error))?;
        Ok(Self { inner, settings: settings.clone() })
    }

    /// Checks whether a producer could be opened. Opens no connection.
    ///
    /// # Errors
    /// [`KafkaProblem`] for properties that cannot be used.
    pub fn check(settings: &Settings) -> Result<(), KafkaProblem> {
        settings.try_create::<BaseProducer>(Self::config(settings))
    }

    fn config(settings: &Settings) -> ClientConfig {
        let mut config = settings.client();
        config
            .set("acks", "all")
            .set("enable.idempotence", "true")
            .set("linger.ms", "5")
            .set("compression.codec", "lz4")
            .set("queue.buffering.max.kbytes", "65536")
            .set("message.timeout.ms", DELIVER_WITHIN.as_millis().to_string());
        config
    }

    /// Most bytes of a record's value that the client accepts. A topic may accept less.
    pub fn value_bytes_max(&self) -> usize {
        self.settings.record_bytes_max().saturating_sub(RECORD_HEAD_BYTES)
    }

    /// Whether a record was refused because it is too large. Writing it again fails again.
    pub fn is_too_large(&self, problem: &KafkaProblem) -> bool {
        problem.0 == self.settings.explain(Code::MessageSizeTooLarge)
    }

    /// Writes events and waits until all are acknowledged.
    ///
    /// # Errors
    /// [`KafkaProblem`] if an event could not be delivered. Others may have been. Writing them again is harmless, because
    /// events have ids.
    pub fn write(&self, events: &[Keyed<'_>]) -> Result<(), KafkaProblem> {
        let topics = &self.settings.topics;
        self.deliver(events.iter().map(|event| {
            BaseRecord::with_opaque_to(topics.of(event.kind), ())
                .key(event.key.as_bytes())
                .payload(event.bytes)
        }))
    }

    /// Writes records to the partitions of their keys and waits until all are acknowledged.
    ///
    /// # Errors
    /// [`KafkaProblem`] if a record could not be delivered. Others may have been.
    pub fn write_keyed(&self, records: &[Outgoing<'_>]) -> Result<(), KafkaProblem> {
        self.deliver(records.iter().map(|record| {
            BaseRecord::with_opaque_to(record.topic, ())
                .key(record.key.as_bytes())
                .payload(record.payload.as_slice())
        }))
    }

    /// Asks the cluster for a topic's metadata. Writes nothing.
    ///
    /// # Errors
    /// [`KafkaProblem`] if no broker answers or the topic is not available.
    pub fn probe(&self, topic: &str) -> Result<(), KafkaProblem> {
        let found = self.inner.client().fetch_metadata(Some(topic), PROBE_WITHIN);
        let refused =
            found.and_then(|found| match found.topics().iter().find_map(|topic| topic.error()) {
                Some(code) => Err(KafkaError::MetadataFetch(code.into())),
                None => Ok(()),
            });
        refused.map_err(|error| self.inner.context().problem(&error))
    }

    /// Writes dead letters: the event's bytes, with the reason and the position as headers.
    ///
    /// # Errors
    /// [`KafkaProblem`] if one could not be delivered.
    pub fn write_dead(&self, topic: &str, letters: &[DeadLetter]) -> Result<(), KafkaProblem> {
        let places: Vec<[String; 4]> = letters.iter().map(place).collect();
        self.deliver(letters.iter().zip(&places).map(
            |(letter, [key, partition, offset, source])| {
                let header = |key, value| Header { key, value: Some(value) };
                let headers = OwnedHeaders::new_with_capacity(6)
                    .insert(header("reason", letter.reason.as_str()))
                    .insert(header("detail", letter.detail.as_str()))
                    .insert(header("source", source))
                    .insert(header("topic", letter.position.source.topic_name()))
                    .insert(header("partition", partition))
                    .insert(header("offset", offset));
                BaseRecord::with_opaque_to(topic, ())
                    .key(key.as_bytes())
                    .payload(&*letter.bytes)
                    .headers(headers)
            },
        ))
    }

    /// Passes records for one partition to the client, in order, as soon as it has room for them.
    /// [`InFlight::wait`] says whether they were acknowledged.
    pub fn send_to(
        &self,
        topic: &str,
        partition: i32,
        mut records: impl Iterator<Item = Result<Vec<u8>, KafkaProblem>>,
    ) -> InFlight {
        let batch = Arc::new(Batch::default());
        let sent = records.try_for_each(|bytes| {
            let bytes = bytes?;
            let record = BaseRecord::with_opaque_to(topic, ()).partition(partition);
            self.enqueue(record.payload(bytes.as_slice()), &batch)
        });
        InFlight { batch, sent }
    }

    fn deliver<'a>(
        &self,
        mut records: impl Iterator<Item = BaseRecord<'a, [u8], [u8], ()>>,
    ) -> Result<(), KafkaProblem> {
        let batch = Arc::new(Batch::default());
        let sent = records.try_for_each(|record| self.enqueue(record, &batch));
        batch.wait(sent)
    }

    fn enqueue(
        &self,
        record: BaseRecord<'_, [u8], [u8], ()>,
        batch: &Arc<Batch>,
    ) -> Result<(), KafkaProblem> {
        batch.update(|state| state.0 += 1);
        let BaseRecord { topic, partition, payload, key, timestamp, headers, .. } = record;
        let delivery_opaque = Box::new(DeliveryHandle(batch.clone()));
        let mut record =
            BaseRecord { topic, partition, payload, key, timestamp, headers, delivery_opaque };
        let mut waited = Duration::ZERO;
        loop {
            match self.inner.send(record) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(Code::QueueFull), back))
                    if waited < DELIVER_WITHIN =>
                {
                    record = back;
                    std::thread::park_timeout(QUEUE_FULL_WAIT);
                    waited += QUEUE_FULL_WAIT;
                }
                Err((error, back)) => {
                    back.delivery_opaque.done(None);
                    return Err(self.inner.context().problem(&error));
                }
            }
        }
    }
}

/// Key, partition, offset and source of a dead letter as text. Writing it again uses the same key.
fn place(letter: &DeadLetter) -> [String; 4] {
    let position = &letter.position;
    let (source, offset) = (position.source.to_string(), position.offset.to_string());
    let key = match letter.nth {
        0 => format!("{source}/{offset}"),
        nth => format!("{source}/{offset}/{nth}"),
    };
    [key, position.source.partition.to_string(), offset, source]
}

impl Drop for Producer {
    fn drop(&mut self) {
        // Records that are not delivered were never acknowledged.
        let _ = self.inner.flush(Duration::from_secs(1));
    }
}
