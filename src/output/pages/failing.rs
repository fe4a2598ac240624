//! Failing receivers, as one component of the service's health.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::telemetry::Health;

const COMPONENT: &str = "outbox";

/// Which receivers fail, and why.
#[derive(Debug)]
pub struct FailingReceivers {
    health: Arc<Health>,
    reasons: Mutex<BTreeMap<String, String>>,
}

impl FailingReceivers {
    /// Starts without failing receivers.
    pub fn new(health: Arc<Health>) -> Self {
        Self { health, reasons: Mutex::default() }
    }

    /// A receiver did not take a page.
    pub fn add(&self, receiver: &str, why: &str) {
        let mut reasons = self.reasons();
        reasons.insert(receiver.to_owned(), why.to_owned());
        self.show(&reasons);
    }

    /// A receiver took a page. Returns whether it had failed before.
    pub fn remove(&self, receiver: &str) -> bool {
        let mut reasons = self.reasons();
        let failed = reasons.remove(receiver).is_some();
        self.show(&reasons);
        failed
    }

    fn reasons(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        // A single insert or removal cannot be interrupted half-way.
        self.reasons.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn show(&self, reasons: &BTreeMap<String, String>) {
        if reasons.is_empty() {
            self.health.ready(COMPONENT);
            return;
        }
        let texts: Vec<String> =
            reasons.iter().map(|(receiver, why)| format!("{receiver}: {why}")).collect();
        self.health.degraded(COMPONENT, &texts.join("; "));
    }
}
