//! The log between counters and forecaster, read into the leader's inbox.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use super::engine::{Input, Report};
use crate::domain::{Offset, SourceId};
use crate::kafka::{self, KafkaProblem, LogMessage, LogReader, Settings, Wire};
use crate::telemetry::Health;
use crate::window::CommitPoint;

const WAIT: Duration = Duration::from_millis(200);
/// Messages that become one transaction, at most.
const MESSAGES_MAX: usize = 20_000;
const BACK_OFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(15));

/// What the thread works with.
pub struct LogFeed {
    pub settings: Settings,
    /// Where the store says that it goes on.
    pub next: Option<Offset>,
    pub leader: SyncSender<Input>,
    pub health: Arc<Health>,
    pub stop: Arc<AtomicBool>,
}

impl LogFeed {
    /// Runs until `stop` is set or the leader is gone.
    pub fn run(mut self) {
        let mut wait = BACK_OFF.0;
        while !self.stop.load(Ordering::Relaxed) {
            match self.follow() {
                Ok(()) => return,
                Err(problem) => {
                    kafka::report(&self.health, &problem.0);
                    std::thread::park_timeout(wait);
                    wait = (wait * 2).min(BACK_OFF.1);
                }
            }
        }
    }

    fn follow(&mut self) -> Result<(), KafkaProblem> {
        let sources = kafka::prepare(&self.settings, self.health.clone())?;
        let reader = LogReader::open(&self.settings, self.health.clone(), self.next)?;
        if self.leader.send(Input::Expect(sources)).is_err() {
            return Ok(());
        }
        while !self.stop.load(Ordering::Relaxed) {
            let messages = match reader.read(WAIT, MESSAGES_MAX) {
                Ok(messages) => messages,
                Err(problem) => {
                    kafka::report(&self.health, &problem.0);
                    continue;
                }
            };
            let Some((last, _)) = messages.last() else { continue };
            let next = last + 1;
            if self.leader.send(Input::Log(reports(messages), next)).is_err() {
                return Ok(());
            }
            self.next = Some(next);
        }
        Ok(())
    }
}

/// What each source said, in its order. Of several frontiers the last stands: each speaks of all that came before it.
fn reports(messages: Vec<LogMessage>) -> Vec<Report> {
    let mut by_source: BTreeMap<SourceId, Report> = BTreeMap::new();
    for (offset, wire) in messages {
        let wire = match wire {
            Ok(wire) => wire,
            Err(error) => {
                tracing::error!(offset, %error, "skipping a message of the log");
                continue;
            }
        };
        let source = wire.source().clone();
        let report = by_source.entry(source.clone()).or_insert_with(|| Report::new(source));
        match wire {
            Wire::Partial { partial, .. } => report.partials.push(partial),
            Wire::Alarm { position, event } => report.alarms.push((position, event)),
            Wire::Maintenance { position, event } => report.maintenance.push((position, event)),
            Wire::Dead { letter, place } => report.dead.push((letter, place)),
            Wire::Frontier { frontier, upto, .. } => {
                let upto = upto.unwrap_or(-1);
                let commit = CommitPoint {
                    resume_at: upto + 1,
                    closed: frontier.closed,
                    decided_upto: upto,
                };
                report.progress = Some((frontier, commit));
            }
        }
    }
    by_source.into_values().collect()
}
