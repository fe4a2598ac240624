//! Tasks for all receivers: giving up pages to receivers that the configuration no longer has, and the heartbeat by which
//! another service detects that this one is silent.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;

use super::signal::PageSignal;
use crate::clock::Stopwatch;
use crate::domain::Clock;
use crate::engine::{Leads, Message};
use crate::output::receivers::{Url, chain};
use crate::store::{DeliveryOutcome, Reader};
use crate::telemetry::{Health, Metrics};

const LOOK_EVERY: Duration = Duration::from_secs(1);
const ORPHANS_EVERY_S: f64 = 60.0;
const TIMEOUT: Duration = Duration::from_secs(10);
/// The component of `/ready`, and the receiver in metrics.
pub const HEARTBEAT: &str = "heartbeat";

/// A request that is sent regularly while the service works. Its receiver raises an alarm when the requests stop.
#[derive(Clone, Debug)]
pub struct Heartbeat {
    pub url: Url,
    pub every: Duration,
}

/// The parts of the thread.
pub struct Overseer {
    /// All receivers of the config.
    pub receivers: BTreeSet<String>,
    pub heartbeat: Option<Heartbeat>,
    pub reader: Reader,
    pub leader: SyncSender<Message>,
    pub clock: Arc<dyn Clock>,
    pub health: Arc<Health>,
    pub metrics: Arc<Metrics>,
    pub leadership: Arc<dyn Leads>,
    pub page_signal: Arc<PageSignal>,
    pub stop: Arc<AtomicBool>,
}

impl Overseer {
    /// Runs until `stop` is set or the forecaster has ended. Wakes the lanes when it ends.
    pub fn run(self) {
        let client = reqwest::blocking::Client::builder().timeout(TIMEOUT).build();
        let (mut looked, mut beat) = (None::<Stopwatch>, None::<Stopwatch>);
        while !self.stop.load(Ordering::Relaxed) {
            std::thread::park_timeout(LOOK_EVERY);
            if !self.leadership.leads() {
                continue;
            }
            if looked.as_ref().is_none_or(|watch| watch.seconds() >= ORPHANS_EVERY_S) {
                looked = Some(Stopwatch::start());
                if !self.give_up_orphans() {
                    break;
                }
            }
            let Some(heartbeat) = &self.heartbeat else { continue };
            let is_due = beat.as_ref().is_none_or(|w| w.seconds() >= heartbeat.every.as_secs_f64());
            if is_due && self.health.report().status != "failing" {
                beat = Some(Stopwatch::start());
                self.send_heartbeat(heartbeat, client.as_ref().ok());
            }
        }
        self.page_signal.notify();
    }

    /// Sends a heartbeat. A service that fails sends none.
    fn send_heartbeat(&self, heartbeat: &Heartbeat, client: Option<&reqwest::blocking::Client>) {
        let Some(client) = client else { return };
        let sent = client.get(&heartbeat.url.0).send().and_then(|answer| answer.error_for_status());
        match sent {
            Ok(_) => {
                self.metrics.page(HEARTBEAT, "delivered");
                self.health.ready(HEARTBEAT);
            }
            Err(error) => {
                let why = chain(&error.without_url());
                self.metrics.page(HEARTBEAT, "failed");
                if self.health.degraded(HEARTBEAT, &why) {
                    tracing::warn!(
                        error = why,
                        "the heartbeat was not delivered: check alerts.heartbeat.url"
                    );
                }
            }
        }
    }

    /// Gives up pages to receivers that are not in the configuration. Returns whether the forecaster still runs.
    fn give_up_orphans(&self) -> bool {
        let found = match self.reader.outbox_receivers() {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!(%error, "cannot read the outbox, trying again");
                return true;
            }
        };
        for receiver in found.iter().filter(|name| !self.receivers.contains(*name)) {
            let rows = self.reader.outbox_pending(receiver, usize::from(u16::MAX));
            let at = self.clock.now();
            let error = format!("the config names no receiver `{receiver}` any more");
            let outcomes: Vec<_> = rows
                .unwrap_or_default()
                .into_iter()
                .map(|row| {
                    let outcome = DeliveryOutcome::Dead { at, error: error.clone() };
                    (row.notice.id, row.receiver, outcome)
                })
                .collect();
            tracing::warn!(receiver, pages = outcomes.len(), "pages are given up: {error}");
            let (stored, _wait) = sync_channel(1);
            if self.leader.send(Message::Deliveries(outcomes, stored)).is_err() {
                return false;
            }
        }
        true
    }
}
