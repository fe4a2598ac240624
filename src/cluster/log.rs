//! Reads the replicated log into the forecaster's inbox.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use crate::clock::Stopwatch;
use crate::cluster::Leadership;
use crate::domain::{Backoff, SourceId};
use crate::engine::{Message, ReplicatedCommand, Report};
use crate::kafka::{
    self, CountedSoFar, KafkaProblem, LogFrom, LogMessage, LogReader, Settings, Wire, sessions,
};
use crate::telemetry::Health;
use crate::window::CommitPoint;

const WAIT: Duration = Duration::from_millis(200);
/// Maximum number of messages of one transaction.
const MESSAGES_MAX: usize = 10_000;
const ASK_EVERY_S: f64 = 1.0;
const BACKOFF: Backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(15));

/// The thread that reads the replicated log.
pub struct LogFeed {
    pub settings: Settings,
    pub from: LogFrom,
    /// The forecaster's inbox. Without one, the thread only learns the leader's address.
    pub inbox: Option<SyncSender<Message>>,
    pub leadership: Arc<Leadership>,
    /// What the group has counted, if this instance counts and reads all messages.
    pub counted: Option<Arc<CountedSoFar>>,
    /// Whether it asks about once a second whether a broker answers, because no other thread of this instance does.
    pub asks: bool,
    pub health: Arc<Health>,
    pub stop: Arc<AtomicBool>,
}

impl LogFeed {
    /// Runs until `stop` is set or the forecaster has ended.
    pub fn run(mut self) {
        let (stop, health) = (self.stop.clone(), self.health.clone());
        sessions::run(&stop, &health, BACKOFF, || self.session());
    }

    fn session(&mut self) -> Result<(), KafkaProblem> {
        let sources = kafka::prepare(&self.settings, self.health.clone())?;
        let only = self.inbox.is_none().then_some("leader");
        let mut reader = LogReader::open(&self.settings, self.health.clone(), self.from, only)?;
        if self.inbox.as_ref().is_some_and(|inbox| inbox.send(Message::Expect(sources)).is_err()) {
            return Ok(());
        }
        let mut asked = Stopwatch::start();
        while !self.stop.load(Ordering::Relaxed) {
            let mut messages = reader.read(WAIT, MESSAGES_MAX)?;
            if self.asks && asked.seconds() >= ASK_EVERY_S {
                reader.ask();
                asked = Stopwatch::start();
            }
            // Commands keep their place between reports: a nowcast depends on the reports before it.
            while !messages.is_empty() {
                let is_replicated =
                    |(_, wire): &LogMessage| matches!(wire, Ok(Wire::Replicated { .. }));
                let upto =
                    messages.iter().position(is_replicated).map_or(messages.len(), |at| at + 1);
                let rest = messages.split_off(upto);
                if !self.forward(messages) {
                    return Ok(());
                }
                messages = rest;
            }
        }
        Ok(())
    }

    /// Sends messages to the forecaster. Returns false if it has ended.
    fn forward(&mut self, messages: Vec<LogMessage>) -> bool {
        let Some((last, _)) = messages.last() else { return true };
        let next = last + 1;
        if let Some(counted) = &self.counted {
            for (offset, wire) in &messages {
                wire.iter().for_each(|wire| counted.note(*offset, wire));
            }
        }
        let (reports, command) = self.sort(messages);
        // Without an inbox, another session begins at the end again: the leader repeats its address.
        let Some(inbox) = &self.inbox else { return true };
        self.from = LogFrom::Offset(next);
        inbox.send(Message::Log { reports, command, next }).is_ok()
    }

    /// Sorts messages into one report for each source, and a command of another instance, which can only be the last message.
    /// If there are several frontiers of a source, the last one counts, because it covers all earlier partials.
    fn sort(&self, messages: Vec<LogMessage>) -> (Vec<Report>, Option<ReplicatedCommand>) {
        let mut by_source: BTreeMap<SourceId, Report> = BTreeMap::new();
        let mut command = None;
        for (offset, wire) in messages {
            match wire {
                Ok(Wire::Leader { url, .. }) => self.leadership.set_leader_url(&url),
                Ok(Wire::Replicated { instance, .. }) if instance == self.leadership.instance => {}
                Ok(Wire::Replicated { what, .. }) => match serde_json::from_value(what) {
                    Ok(decoded) => command = Some(decoded),
                    Err(error) => {
                        tracing::error!(offset, %error, "log: unreadable command skipped");
                    }
                },
                Ok(wire) => {
                    let Some(source) = wire.source().cloned() else { continue };
                    let report =
                        by_source.entry(source.clone()).or_insert_with(|| Report::new(source));
                    add(report, wire);
                }
                Err(error) => tracing::error!(offset, %error, "log: unreadable message skipped"),
            }
        }
        (by_source.into_values().collect(), command)
    }
}

fn add(report: &mut Report, wire: Wire) {
    match wire {
        Wire::Partial { partial, .. } => report.partials.push(partial),
        Wire::Alarm { position, event } => report.alarms.push((position, event)),
        Wire::Rebuilt { position, list } => report.rebuilt.push((position, list)),
        Wire::Maintenance { position, event } => report.maintenance.push((position, event)),
        Wire::Tickets { batch, .. } => report.tickets.push(batch),
        Wire::Dead { letter, place } => report.dead.push((letter, place)),
        Wire::Frontier { frontier, upto, .. } => {
            let upto = upto.unwrap_or(-1);
            let closed = frontier.closed;
            let commit = CommitPoint { closed, decided_upto: upto, ..CommitPoint::start(upto + 1) };
            report.progress = Some((frontier, commit));
        }
        Wire::Leader { .. } | Wire::Replicated { .. } => {}
    }
}
