//! Writes batches to the topics that `serve` reads. The key of a record is its alarm or ticket id.

use std::sync::Arc;

use super::play::{Answer, Target};
use crate::domain::Keyed;
use crate::ingest::{Decoder, Headers};
use crate::kafka::{self, KafkaProblem, Producer, Settings};
use crate::telemetry::Health;

/// A Kafka cluster.
pub(super) struct KafkaTarget {
    producer: Producer,
    settings: Settings,
    health: Arc<Health>,
    /// Whether the topics are known to exist.
    prepared: bool,
}

impl KafkaTarget {
    /// A target for a cluster. Connects at the first batch.
    ///
    /// # Errors
    /// [`KafkaProblem`] for invalid properties.
    pub(super) fn new(settings: Settings) -> Result<Self, KafkaProblem> {
        settings.check()?;
        let health = Arc::new(Health::default());
        let producer = Producer::open(&settings, health.clone())?;
        Ok(Self { producer, settings, health, prepared: false })
    }

    fn write(&mut self, events: &[Keyed<'_>]) -> Result<(), KafkaProblem> {
        if !self.prepared {
            kafka::prepare(&self.settings, self.health.clone())?;
            self.prepared = true;
        }
        self.producer.write(events)
    }
}

impl Target for KafkaTarget {
    fn post(&mut self, body: &[u8]) -> Answer {
        let decoder = Decoder::default();
        let mut rejected = Vec::new();
        let lines: Vec<&[u8]> = body.split(|byte| *byte == b'\n').collect();
        let mut events = Vec::with_capacity(lines.len());
        for (index, line) in lines.iter().enumerate() {
            match decoder.decode(line, &Headers::default(), None) {
                // The first event gives topic and key.
                Ok(decoded) => events.extend(decoded.first().map(|event| (event, *line))),
                Err(reject) => rejected.push((index, reject.to_string())),
            }
        }
        let keyed: Vec<_> = events
            .iter()
            .map(|(event, bytes)| Keyed { kind: event.kind(), key: event.key(), bytes })
            .collect();
        match self.write(&keyed) {
            Ok(()) => Answer::Accepted { rejected },
            // The cluster may come back. Writing twice is harmless, because events have ids.
            Err(problem) => Answer::Later { after: None, why: problem.to_string() },
        }
    }
}
