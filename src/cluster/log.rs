//! The log between counters and forecaster, read into the leader's inbox.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use crate::cluster::Leadership;
use crate::domain::{Backoff, SourceId};
use crate::engine::{Message, ReplicatedCommand, Report};
use crate::kafka::{self, KafkaProblem, LogFrom, LogMessage, LogReader, Settings, Wire, sessions};
use crate::telemetry::Health;
use crate::window::CommitPoint;

const WAIT: Duration = Duration::from_millis(200);
/// Messages that become one transaction, at most.
const MESSAGES_MAX: usize = 10_000;
const BACKOFF: Backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(15));

/// What the thread works with.
pub struct LogFeed {
    pub settings: Settings,
    pub from: LogFrom,
    /// Who forecasts from it; without, only who leads is heard.
    pub inbox: Option<SyncSender<Message>>,
    pub leadership: Arc<Leadership>,
    pub health: Arc<Health>,
    pub stop: Arc<AtomicBool>,
}

impl LogFeed {
    /// Runs until `stop` is set or the leader is gone.
    pub fn run(mut self) {
        let (stop, health) = (self.stop.clone(), self.health.clone());
        sessions::run(&stop, &health, BACKOFF, || self.follow());
    }

    fn follow(&mut self) -> Result<(), KafkaProblem> {
        let sources = kafka::prepare(&self.settings, self.health.clone())?;
        let mut reader = LogReader::open(&self.settings, self.health.clone(), self.from)?;
        if self.inbox.as_ref().is_some_and(|inbox| inbox.send(Message::Expect(sources)).is_err()) {
            return Ok(());
        }
        while !self.stop.load(Ordering::Relaxed) {
            let mut messages = reader.read(WAIT, MESSAGES_MAX)?;
            // What was told has its place between reports: nowcasts follow from those before them.
            while !messages.is_empty() {
                let is_replicated =
                    |(_, wire): &LogMessage| matches!(wire, Ok(Wire::Replicated { .. }));
                let upto =
                    messages.iter().position(is_replicated).map_or(messages.len(), |at| at + 1);
                let rest = messages.split_off(upto);
                if !self.hand_over(messages) {
                    return Ok(());
                }
                messages = rest;
            }
        }
        Ok(())
    }

    /// Hands messages to the leader; false if that is gone.
    fn hand_over(&mut self, messages: Vec<LogMessage>) -> bool {
        let Some((last, _)) = messages.last() else { return true };
        let next = last + 1;
        let (reports, told) = self.sort(messages);
        self.from = LogFrom::Offset(next);
        let Some(inbox) = &self.inbox else { return true };
        inbox.send(Message::Log { reports, command: told, next }).is_ok()
    }

    /// What each source said, in its order, and what another instance was told, with which the messages end. Of several
    /// frontiers of a source the last stands: each speaks of all that came before it.
    fn sort(&self, messages: Vec<LogMessage>) -> (Vec<Report>, Option<ReplicatedCommand>) {
        let mut by_source: BTreeMap<SourceId, Report> = BTreeMap::new();
        let mut last_told = None;
        for (offset, wire) in messages {
            match wire {
                Ok(Wire::Leader { url, .. }) => self.leadership.heard(&url),
                Ok(Wire::Replicated { instance, .. }) if instance == self.leadership.instance => {}
                Ok(Wire::Replicated { what, .. }) => match serde_json::from_value(what) {
                    Ok(told) => last_told = Some(told),
                    Err(error) => tracing::error!(offset, %error, "skipping a change"),
                },
                Ok(wire) => {
                    let Some(source) = wire.source().cloned() else { continue };
                    let report =
                        by_source.entry(source.clone()).or_insert_with(|| Report::new(source));
                    add(report, wire);
                }
                Err(error) => tracing::error!(offset, %error, "skipping a message of the log"),
            }
        }
        (by_source.into_values().collect(), last_told)
    }
}

fn add(report: &mut Report, wire: Wire) {
    match wire {
        Wire::Partial { partial, .. } => report.partials.push(partial),
        Wire::Alarm { position, event } => report.alarms.push((position, event)),
        Wire::Rebuilt { position, list } => report.rebuilt.push((position, list)),
        Wire::Maintenance { position, event } => report.maintenance.push((position, event)),
        Wire::Dead { letter, place } => report.dead.push((letter, place)),
        Wire::Frontier { frontier, upto, .. } => {
            let upto = upto.unwrap_or(-1);
            let closed = frontier.closed;
            let commit = CommitPoint { resume_at: upto + 1, closed, decided_upto: upto };
            report.progress = Some((frontier, commit));
        }
        Wire::Leader { .. } | Wire::Replicated { .. } => {}
    }
}
