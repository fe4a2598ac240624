//! Writes batches to the topics that `serve` reads, keyed by alarm or ticket id.

use std::sync::Arc;

use super::play::{Answer, Target};
use crate::domain::Keyed;
use crate::ingest::{Decoder, Headers};
use crate::kafka::{self, KafkaProblem, Producer, Settings};
use crate::telemetry::Health;

/// A cluster.
pub(super) struct KafkaTarget {
    producer: Producer,
    settings: Settings,
    health: Arc<Health>,
    /// Whether the topics are known to be there.
    prepared: bool,
}

impl KafkaTarget {
    /// # Errors
    /// [`KafkaProblem`] for properties that cannot be used; nothing is connected to yet.
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
                // The first event decides on topic and key.
                Ok(decoded) => events.extend(decoded.first().map(|event| (event, *line))),
                Err(reject) => rejected.push((index, reject.to_string())),
            }
        }
        let keyed: Vec<_> = events
            .iter()
            .map(|(event, bytes)| Keyed { kind: event.kind(), key: event.key(), bytes })
            .collect();
        match self.write(&keyed) {
            Ok(()) => Answer::Taken { rejected },
            // It may come back, and ids make a second time harmless.
            Err(problem) => Answer::Later { after: None, why: problem.to_string() },
        }
    }
}
