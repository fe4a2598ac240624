//! The replicated log between counting instances and forecasters: the topic `surgecast.partials`, one partition.
//!
//! Counting instances write partials, alarm state and dead letters, and after them the source's frontier. A forecaster
//! reads the whole log and resumes at the offset in its own store. Nothing is ever committed for this topic.

use std::sync::Arc;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::{Message as _, Offset, TopicPartitionList};

use super::context::Context;
use super::producer::{InFlight, Producer};
use super::settings::{KafkaProblem, Settings};
use super::wire::{EncodedWire, Wire, WireError};
use crate::domain::{DeadLetter, Offset as Position};
use crate::telemetry::Health;

const PARTITION: i32 = 0;
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// A read ends once its messages have this many bytes, because their consequences are one transaction.
const READ_BYTES_MAX: usize = 4 << 20;

/// Writes to the log, in order.
pub struct LogWriter {
    producer: Producer,
    topic: String,
    dead_letters: String,
}

impl LogWriter {
    /// Opens a writer.
    ///
    /// # Errors
    /// [`KafkaProblem`] for properties that cannot be used.
    pub fn open(settings: &Settings, health: Arc<Health>) -> Result<Self, KafkaProblem> {
        let producer = Producer::gapless(settings, health)?;
        let (topic, dead_letters) = (settings.partials(), settings.dead_letters());
        Ok(Self { producer, topic, dead_letters })
    }

    /// Writes messages and waits until all are acknowledged.
    ///
    /// # Errors
    /// [`KafkaProblem`]; then this writer must not be used again: later messages would overtake the lost ones.
    pub fn write(&self, messages: Vec<Wire>) -> Result<(), KafkaProblem> {
        self.send(messages.into_iter().map(Wire::encode)).wait()
    }

    /// Begins to write encoded messages. If [`InFlight::wait`] gives an error, this writer must not be used again.
    pub fn send(&self, messages: impl Iterator<Item = EncodedWire>) -> InFlight {
        let encoded =
            messages.map(|message| message.map_err(|error| KafkaProblem(error.to_string())));
        self.producer.send_to(&self.topic, PARTITION, encoded)
    }

    /// Writes dead letters to their topic and waits until all are acknowledged.
    ///
    /// # Errors
    /// [`KafkaProblem`], as for [`Self::write`].
    pub fn write_dead(&self, letters: &[DeadLetter]) -> Result<(), KafkaProblem> {
        self.producer.write_dead(&self.dead_letters, letters)
    }
}

/// The offset of a message, and the message or why it cannot be read.
pub type LogMessage = (Position, Result<Wire, WireError>);

/// Where reading begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// At the first message that the broker has.
    Start,
    /// After the last message.
    End,
    Offset(Position),
}

/// Reads the log from an offset on.
pub struct LogReader {
    inner: BaseConsumer<Context>,
    /// The only type of messages that it reads; `None` for all.
    only: Option<&'static str>,
    /// Offset after the last message that was read or skipped.
    position: Position,
    /// Offset after the last message that the log had when it was opened.
    end: Position,
    /// Why it cannot read on, once that is so.
    ended: Option<KafkaProblem>,
}

impl LogReader {
    /// Reads from `from` on; all messages, or only those of the type `only`.
    ///
    /// # Errors
    /// [`KafkaProblem`] if no broker answers, or if the log ends before `from`.
    pub fn open(
        settings: &Settings,
        health: Arc<Health>,
        from: From,
        only: Option<&'static str>,
    ) -> Result<Self, KafkaProblem> {
        let context = Context::new(settings.clone(), health);
        let mut config = settings.client();
        // The client requires a group's name although it joins none.
        config
            .set("group.id", format!("{}.log", settings.group))
            .set("enable.auto.commit", "false")
            .set("fetch.queue.backoff.ms", "100")
            // Messages are stored more slowly than they could be read.
            .set("queued.max.messages.kbytes", "8192")
            .set("auto.offset.reset", "error");
        let inner: BaseConsumer<Context> =
            config.create_with_context(context).map_err(|error| settings.problem(&error))?;
        let topic = settings.partials();
        let ends = inner.fetch_watermarks(&topic, PARTITION, ANSWER_WITHIN);
        let (low, high) = ends.map_err(|error| {
            while inner.poll(Duration::ZERO).is_some() {}
            inner.context().problem(&error)
        })?;
        let start = match from {
            From::Start => low,
            From::End => high,
            From::Offset(offset) => offset,
        };
        if start > high {
            return Err(KafkaProblem(format!(
                "{topic} ends at offset {high}, but was read up to {start}: the topic was deleted and created \
                 again. Start with another store, or restore the topic"
            )));
        }
        if start < low {
            tracing::error!(
                topic,
                start,
                low,
                "kafka: the log topic has lost the counts of a time in which no forecaster ran; these windows have no count"
            );
        }
        let mut list = TopicPartitionList::new();
        let start = start.max(low);
        list.add_partition_offset(&topic, PARTITION, Offset::Offset(start))
            .and_then(|()| inner.assign(&list))
            .map_err(|error| settings.problem(&error))?;
        Ok(Self { inner, only, position: start, end: high, ended: None })
    }

    /// Offset after the last message that was read or skipped.
    pub(super) fn position(&self) -> Position {
        self.position
    }

    /// Whether it has read everything that the log had when it was opened.
    pub(super) fn is_at_end(&self) -> bool {
        self.position >= self.end
    }

    /// Returns the next messages, at most `max` and about 4 MB. Waits up to `wait` for the first. After an error that the client retries
    /// by itself, it reports the error to health and returns the messages before it.
    ///
    /// # Errors
    /// [`KafkaProblem`] for an error that the client does not retry: open another reader.
    pub fn read(&mut self, wait: Duration, max: usize) -> Result<Vec<LogMessage>, KafkaProblem> {
        if let Some(problem) = self.ended.take() {
            return Err(problem);
        }
        let (mut messages, mut bytes_read) = (Vec::new(), 0);
        for polled in 0..max {
            if bytes_read >= READ_BYTES_MAX {
                break;
            }
            let wait = if polled == 0 { wait } else { Duration::ZERO };
            match self.inner.poll(wait) {
                None => break,
                Some(Ok(message)) => {
                    let bytes = message.payload().unwrap_or_default();
                    bytes_read += bytes.len();
                    self.position = message.offset() + 1;
                    let wire = match self.only {
                        Some(kind) => Wire::decode_only(kind, bytes).transpose(),
                        None => Some(Wire::decode(bytes)),
                    };
                    messages.extend(wire.map(|wire| (message.offset(), wire)));
                }
                Some(Err(KafkaError::PartitionEOF(_))) => {}
                Some(Err(error)) => {
                    let context = self.inner.context();
                    let problem = context.problem(&error);
                    context.mark_unhealthy(&problem.0);
                    let lost = KafkaError::MessageConsumption(Code::AutoOffsetReset);
                    if error == lost {
                        self.ended = Some(problem);
                    }
                    break;
                }
            }
        }
        Ok(messages)
    }

    /// Asks whether a broker answers for the log, and reports this to health. It ends an earlier error of the client.
    pub fn ask(&self) {
        let context = self.inner.context();
        let ends =
            self.inner.fetch_watermarks(&context.settings.partials(), PARTITION, ANSWER_WITHIN);
        match ends {
            Ok(_) => context.mark_healthy(),
            Err(error) => context.mark_unhealthy(&context.problem(&error).0),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use rdkafka::mocking::MockCluster;

    use super::*;
    use crate::kafka::Topics;

    /// A broker goes down and up during a read. An error must not lose the messages before it.
    #[test]
    fn an_error_loses_no_messages() {
        const MESSAGES: usize = 3000;
        let cluster = MockCluster::new(1).expect("a cluster");
        let topic = |name: &str| name.to_owned();
        let settings = Settings {
            brokers: cluster.bootstrap_servers(),
            group: "surgecast".into(),
            topics: Topics {
                alarms: topic("alarms"),
                tickets: topic("tickets"),
                maintenance: topic("maintenance"),
            },
            // Many small answers, with room for errors between them.
            properties: BTreeMap::from(
                [("max.partition.fetch.bytes", "600"), ("reconnect.backoff.ms", "5")]
                    .map(|(key, value)| (key.to_owned(), value.to_owned())),
            ),
        };
        cluster.create_topic(&settings.partials(), 1, 1).expect("a topic");
        let health = Arc::new(Health::default());
        let producer = Producer::open(&settings, health.clone()).expect("a producer");
        let records: Vec<Vec<u8>> = (0..MESSAGES).map(|n| format!("{n:060}").into()).collect();
        for some in records.chunks(5) {
            producer
                .send_to(&settings.partials(), PARTITION, some.iter().cloned().map(Ok))
                .wait()
                .expect("written");
        }
        let mut reader =
            LogReader::open(&settings, health.clone(), From::Start, None).expect("a reader");
        let wait = Duration::from_millis(200);
        let mut read = reader.read(wait, 7).expect("some");
        // The client's error follows the messages that it has fetched, so a later read meets it.
        cluster.broker_down(1).expect("down");
        read.extend(reader.read(wait, 700).expect("it goes on"));
        cluster.broker_up(1).expect("up");
        let mut empty = 0;
        while read.len() < MESSAGES && empty < 300 {
            let more = reader.read(wait, 700).expect("it goes on");
            empty += usize::from(more.is_empty());
            read.extend(more);
        }
        let offsets: Vec<i64> = read.into_iter().map(|(offset, _)| offset).collect();
        assert_eq!(offsets, (0..MESSAGES as i64).collect::<Vec<_>>());
        // Health reports the error until a broker answers again.
        reader.inner.context().mark_unhealthy("a broker that is down");
        assert_eq!(health.report().status, "failing");
        reader.ask();
        assert_eq!(health.report().status, "ready");
    }
}
