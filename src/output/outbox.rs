//! Delivers the outbox: every page is stored before its first try, and is retried until it is delivered.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;

use super::receivers::{Attempt, Receivers};
use crate::domain::Clock;
use crate::engine::{Leads, Message};
use crate::store::{DeliveryOutcome, OutboxRow, Reader};
use crate::telemetry::{Health, Metrics};

const LOOK_EVERY: Duration = Duration::from_millis(500);
const ROWS_MAX: usize = 100;

/// The thread's parts.
pub struct Outbox {
    pub reader: Reader,
    pub receivers: Receivers,
    pub leader: SyncSender<Message>,
    pub clock: Arc<dyn Clock>,
    pub metrics: Arc<Metrics>,
    pub health: Arc<Health>,
    pub leadership: Arc<dyn Leads>,
    pub stop: Arc<AtomicBool>,
}

impl Outbox {
    /// Runs until `stop` is set or the forecaster has ended.
    pub fn run(self) {
        while !self.stop.load(Ordering::Relaxed) {
            if !self.leadership.leads() {
                std::thread::park_timeout(LOOK_EVERY);
                continue;
            }
            match self.reader.outbox_due(self.clock.now(), ROWS_MAX) {
                Ok(rows) if rows.is_empty() => std::thread::park_timeout(LOOK_EVERY),
                Ok(rows) => {
                    if !self.round(&rows) {
                        return;
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot read the outbox");
                    std::thread::park_timeout(LOOK_EVERY);
                }
            }
        }
    }

    /// Tries each row once and lets the outcomes be stored before the next round.
    fn round(&self, rows: &[OutboxRow]) -> bool {
        let outcomes: Vec<_> = rows
            .iter()
            .map(|row| (row.notice.id.clone(), row.receiver.clone(), self.attempt(row)))
            .collect();
        let failed = outcomes.iter().find_map(|(_, receiver, outcome)| match outcome {
            DeliveryOutcome::Delivered { .. } => None,
            DeliveryOutcome::Retry { error, .. } | DeliveryOutcome::Dead { error, .. } => {
                Some(format!("{receiver}: {error}"))
            }
        });
        match failed {
            Some(reason) => self.health.degraded("outbox", &reason),
            None => self.health.ready("outbox"),
        };
        let (stored, wait) = sync_channel(1);
        if self.leader.send(Message::Deliveries(outcomes, stored)).is_err() {
            return false;
        }
        // Not stored in time: the same page may go out twice, with one id.
        let _ = wait.recv_timeout(Duration::from_secs(30));
        true
    }

    fn attempt(&self, row: &OutboxRow) -> DeliveryOutcome {
        let now = self.clock.now();
        let Some(receiver) = self.receivers.get(&row.receiver) else {
            let error = format!("the config names no receiver `{}` any more", row.receiver);
            return DeliveryOutcome::Dead { at: now, error };
        };
        let Attempt { status, outcome } = receiver.deliver(row, now);
        if let Some(status) = status {
            self.metrics.delivery(status);
        }
        if let DeliveryOutcome::Retry { error, .. } | DeliveryOutcome::Dead { error, .. } = &outcome
        {
            let (kind, receiver) = (receiver.kind(), &row.receiver);
            tracing::warn!(receiver, kind, status, error, "a page was not delivered");
        }
        outcome
    }
}
