//! The demo's simulated operator as a source: its log is generated as it is read.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::domain::{Offset, SourceId, Timestamp};
use crate::input::{Feed, Record};
use crate::simulate::{Operator, SimEvent};

const HOUR_MS: i64 = 3_600_000;

/// The events of a simulated operator, hour by hour.
pub struct OperatorFeed {
    operator: Operator,
    first_hour: i64,
    hour: i64,
    /// Events of the current hour that are not read yet, newest first.
    rest: Vec<SimEvent>,
    loaded: bool,
    /// Events with offsets below this were read before.
    from: Offset,
    /// Time (ms) up to which events have been read, for a progress bar.
    progress: Arc<AtomicI64>,
}

impl OperatorFeed {
    /// Reads events from `start`; `progress` is set to the time of the newest event that was read.
    pub fn new(operator: Operator, start: Timestamp, progress: Arc<AtomicI64>) -> Self {
        let first_hour = start.millis().div_euclid(HOUR_MS);
        let (rest, loaded) = (Vec::new(), false);
        Self { operator, first_hour, hour: first_hour, rest, loaded, from: 0, progress }
    }
}

impl Feed for OperatorFeed {
    fn source(&self) -> SourceId {
        SourceId::new("demo", 0)
    }

    fn seek(&mut self, offset: Offset) {
        self.hour = SimEvent::hour_of(offset).max(self.first_hour);
        self.loaded = false;
        self.from = offset;
    }

    fn poll(&mut self, now: Timestamp, max: usize) -> anyhow::Result<Vec<Record>> {
        let mut records = Vec::new();
        while records.len() < max && self.hour * HOUR_MS < now.millis() {
            if !self.loaded {
                self.rest = self.operator.hour(self.hour);
                self.rest.retain(|event| event.offset >= self.from);
                self.rest.reverse();
                self.loaded = true;
            }
            while records.len() < max && self.rest.last().is_some_and(|e| e.append_at <= now) {
                let Some(event) = self.rest.pop() else { break };
                self.progress.store(event.append_at.millis(), Ordering::Relaxed);
                records.push(Record {
                    offset: event.offset,
                    appended_at: event.append_at,
                    hint: Some(event.kind),
                    bytes: event.line,
                });
            }
            if !self.rest.is_empty() || (self.hour + 1) * HOUR_MS > now.millis() {
                break;
            }
            self.hour += 1;
            self.loaded = false;
        }
        Ok(records)
    }
}
