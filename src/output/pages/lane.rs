//! One thread per receiver: each page was stored before its first try, and is tried until it is delivered or no longer matters.
//! A receiver that hangs delays only its own pages.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver as Stored, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::time::Duration;

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tracing::field;

use super::circuit::{Circuit, Next, outdated};
use super::failing::FailingReceivers;
use super::signal::PageSignal;
use crate::alert::{Alert, AlertBook, AlertState, Route};
use crate::domain::{Clock, Timestamp};
use crate::engine::{Leads, Message};
use crate::output::receivers::{Attempt, Fault, Receiver, Refusal};
use crate::report;
use crate::staffing::Rules;
use crate::store::{DeliveryOutcome, Filter, OutboxRow, Reader};
use crate::telemetry::{Metrics, fail, span};
use crate::views::OpenRecommendations;

/// Interval of checks for pages without a notification, for example for a page that a person sends again.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Interval of checks while the forecaster is storing outcomes.
const SHORT: Duration = Duration::from_millis(50);
/// Time limit for the forecaster to store an outcome. After it, the outcome is sent again.
const STORES_WITHIN: Duration = Duration::from_secs(60);
const ROWS_MAX: usize = 1000;
const OPEN_ALERTS_MAX: usize = 1000;

type Outcome = (String, String, DeliveryOutcome);

/// The parts of the thread.
pub struct Lane {
    /// The receiver's name in the config.
    pub name: String,
    pub route: Route,
    pub receiver: Box<dyn Receiver>,
    pub reader: Reader,
    /// Staffing profiles and teams, which reports name.
    pub rules: Arc<Rules>,
    pub leader: SyncSender<Message>,
    pub clock: Arc<dyn Clock>,
    pub metrics: Arc<Metrics>,
    pub failing: Arc<FailingReceivers>,
    pub leadership: Arc<dyn Leads>,
    pub page_signal: Arc<PageSignal>,
    pub stop: Arc<AtomicBool>,
}

/// The state of a lane between two looks.
struct Memory {
    circuit: Circuit,
    /// Outcomes that the forecaster has not stored yet, by page.
    unstored: BTreeMap<String, DeliveryOutcome>,
    /// The outcomes that the forecaster is storing: the channel for its answer, the pages, and the time limit.
    sent: Option<(Stored<()>, Vec<String>, Timestamp)>,
    refreshed_at: Option<Timestamp>,
    rng: ChaCha8Rng,
}

impl Memory {
    fn new(seed: u64) -> Self {
        Self {
            circuit: Circuit::default(),
            unstored: BTreeMap::new(),
            sent: None,
            refreshed_at: None,
            rng: ChaCha8Rng::seed_from_u64(seed),
        }
    }
}

impl Lane {
    /// Runs until `stop` is set or the forecaster has ended.
    pub fn run(self) {
        // For jitter only: several services do not come back at the same moment.
        let mut memory = Memory::new(u64::from(std::process::id()));
        let mut seen = 0;
        while !self.stop.load(Ordering::Relaxed) {
            if !self.leadership.leads() {
                memory.refreshed_at = None;
                seen = self.page_signal.wait(seen, LOOK_EVERY);
                continue;
            }
            let Some(wait) = self.look(&mut memory) else { return };
            if !wait.is_zero() {
                seen = self.page_signal.wait(seen, wait);
            }
        }
    }

    /// Tries at most one page. Returns how long there is nothing to do; `None` if the forecaster has ended.
    fn look(&self, memory: &mut Memory) -> Option<Duration> {
        let rows = match self.reader.outbox_pending(&self.name, ROWS_MAX) {
            Ok(rows) => rows,
            Err(error) => {
                tracing::warn!(%error, receiver = self.name, "cannot read the outbox, trying again");
                return Some(LOOK_EVERY);
            }
        };
        let now = self.clock.now();
        self.metrics.pages_pending(&self.name, rows.len() - memory.unstored.len().min(rows.len()));
        for (at, reason) in outdated(&rows, now) {
            let row = &rows[at];
            if !memory.unstored.contains_key(&row.notice.id) {
                tracing::warn!(
                    receiver = self.name,
                    page = row.notice.id,
                    "a page is given up: it {reason}"
                );
                self.metrics.page(&self.name, "given_up");
                let outcome = DeliveryOutcome::Dead { at: now, error: reason };
                memory.unstored.insert(row.notice.id.clone(), outcome);
            }
        }
        let next =
            memory.circuit.next(&rows, |row| memory.unstored.contains_key(&row.notice.id), now);
        let wait = match next {
            Next::Try(at) => {
                self.attempt(&rows[at], memory);
                Duration::ZERO
            }
            Next::Wait(until) => until.since(now).min(LOOK_EVERY),
            Next::Idle => {
                self.refresh(memory, now);
                LOOK_EVERY
            }
        };
        self.store(memory, now)?;
        Some(if memory.unstored.is_empty() { wait } else { wait.min(SHORT) })
    }

    fn attempt(&self, row: &OutboxRow, memory: &mut Memory) {
        let span = span!(
            "page.deliver",
            otel.kind = "client",
            receiver = self.name,
            kind = self.receiver.kind(),
            "http.response.status_code" = field::Empty,
        )
        .entered();
        let mut page = row.notice.clone();
        match OpenRecommendations::read(&self.reader) {
            Ok(open) => open.add_to(&mut page.alert),
            // The page matters more.
            Err(error) => {
                tracing::warn!(%error, page = page.id, "cannot read recommendations, the page goes without them");
            }
        }
        let written = report::scheduled(&self.reader, &page, &self.rules);
        let Attempt { status, result } = match written {
            Ok(report) => {
                page.report = report;
                self.receiver.deliver(&page, self.clock.now())
            }
            Err(error) => {
                let why = format!("the report cannot be written: {error}");
                Attempt::failed(None, Refusal::new(Fault::Page, why))
            }
        };
        let page = &page;
        let now = self.clock.now();
        if let Some(status) = status {
            self.metrics.delivery(status);
            span.record("http.response.status_code", i64::from(status));
        }
        let outcome = match result {
            Ok(()) => {
                memory.circuit.delivered(self.receiver.limit(), now);
                self.metrics.page(&self.name, "delivered");
                if self.failing.remove(&self.name) {
                    tracing::info!(receiver = self.name, "the receiver takes pages again");
                }
                DeliveryOutcome::Delivered { at: now }
            }
            Err(refusal) => {
                fail(&span, refusal.fault.as_str());
                let at = memory.circuit.failed(row, &refusal, now, memory.rng.random());
                self.metrics.page(&self.name, "failed");
                let (kind, receiver, error) = (self.receiver.kind(), &self.name, refusal.why);
                self.failing.add(receiver, &error);
                tracing::warn!(
                    receiver,
                    kind,
                    status,
                    page = page.id,
                    error,
                    "a page was not delivered"
                );
                match refusal.fault {
                    Fault::Gone => DeliveryOutcome::Dead { at: now, error },
                    Fault::Page | Fault::Receiver => DeliveryOutcome::Retry { at, error },
                }
            }
        };
        memory.unstored.insert(page.id.clone(), outcome);
    }

    /// Sends the open alerts again, to a receiver that forgets them.
    fn refresh(&self, memory: &mut Memory, now: Timestamp) {
        let Some(every) = self.receiver.refresh_every() else { return };
        if memory.refreshed_at.is_some_and(|at| now.since(at) < every) {
            return;
        }
        memory.refreshed_at = Some(now);
        let open = self.reader.alerts(&Filter::default(), true, OPEN_ALERTS_MAX, None);
        let recommended = OpenRecommendations::read(&self.reader);
        let open = match open.and_then(|open| Ok((open, recommended?))) {
            Ok((mut open, recommended)) => {
                open.iter_mut().for_each(|alert| recommended.add_to(alert));
                open
            }
            Err(error) => {
                tracing::warn!(%error, receiver = self.name, "cannot read the open alerts, trying again");
                return;
            }
        };
        let book = AlertBook::restore(open);
        // Alerts that follow in an incident are part of the page of the one that leads.
        let leads = book.open().filter(|alert| alert.leads() && alert.notified_at.is_some());
        let told = |alert: &Alert| alert.state != AlertState::Pending && self.takes(alert);
        let open: Vec<Alert> = leads.map(|lead| book.page_alert(lead)).filter(told).collect();
        let Attempt { status, result } = self.receiver.refresh(&open, now);
        if let Err(refusal) = result {
            let error = refusal.why;
            self.failing.add(&self.name, &error);
            tracing::warn!(receiver = self.name, status, error, "open alerts were not refreshed");
        } else if !open.is_empty() {
            self.failing.remove(&self.name);
        }
    }

    fn takes(&self, alert: &Alert) -> bool {
        let always = Route { duty: None, ..self.route.clone() };
        always.takes_alert(alert)
    }

    /// Asks the forecaster to store outcomes. Until they are stored, their pages are not tried again. `None` if the forecaster
    /// has ended.
    fn store(&self, memory: &mut Memory, now: Timestamp) -> Option<()> {
        if let Some((stored, pages, until)) = memory.sent.take() {
            match stored.try_recv() {
                Ok(()) => pages.iter().for_each(|page| _ = memory.unstored.remove(page)),
                Err(TryRecvError::Empty) if now < until => {
                    memory.sent = Some((stored, pages, until));
                }
                // Not stored in time: it is sent again. The same outcome twice counts once.
                Err(_) => {}
            }
        }
        if memory.sent.is_some() || memory.unstored.is_empty() {
            return Some(());
        }
        let outcomes: Vec<Outcome> = memory
            .unstored
            .iter()
            .map(|(page, outcome)| (page.clone(), self.name.clone(), outcome.clone()))
            .collect();
        let (stored, wait) = sync_channel(1);
        match self.leader.try_send(Message::Deliveries(outcomes, stored)) {
            Ok(()) => {
                let pages = memory.unstored.keys().cloned().collect();
                memory.sent = Some((wait, pages, now + STORES_WITHIN));
                Some(())
            }
            Err(TrySendError::Full(_)) => Some(()),
            Err(TrySendError::Disconnected(_)) => None,
        }
    }
}
