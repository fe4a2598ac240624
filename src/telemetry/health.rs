//! Health of the service by component.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

/// The state of a component.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "status", content = "reason", rename_all = "lowercase")]
pub enum State {
    /// It works.
    Ready,
    /// It works with limitations, for this reason. The service stays ready.
    Degraded(String),
    /// It does not work, for this reason. The service is not ready.
    Failing(String),
}

/// The health of the service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The worst state of a component: `ready`, `degraded` or `failing`.
    pub status: &'static str,
    pub components: BTreeMap<String, State>,
}

/// The states of all components. Workers set them, and probes read them.
#[derive(Debug, Default)]
pub struct Health(Mutex<BTreeMap<String, State>>);

impl Health {
    fn states(&self) -> MutexGuard<'_, BTreeMap<String, State>> {
        // A single insert cannot be interrupted half-way, so that the states behind a poisoned lock are consistent.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Marks a component as working. Returns whether its state changed, so that callers log a change once.
    pub fn ready(&self, component: &str) -> bool {
        self.set(component, State::Ready)
    }

    /// Marks a component as working again, if it is known. Components that never failed need not be shown.
    pub fn recovered(&self, component: &str) {
        if let Some(state) = self.states().get_mut(component) {
            *state = State::Ready;
        }
    }

    /// Marks a component as working with limitations; the service stays ready. Returns whether its state changed.
    pub fn degraded(&self, component: &str, reason: &str) -> bool {
        self.set(component, State::Degraded(reason.into()))
    }

    /// Marks a component as failing; the service is not ready. Returns whether its state changed.
    pub fn failing(&self, component: &str, reason: &str) -> bool {
        self.set(component, State::Failing(reason.into()))
    }

    /// Removes a component that no longer exists. Returns whether there was one.
    pub fn remove(&self, component: &str) -> bool {
        self.states().remove(component).is_some()
    }

    fn set(&self, component: &str, state: State) -> bool {
        let mut states = self.states();
        if states.get(component) == Some(&state) {
            return false;
        }
        states.insert(component.into(), state);
        true
    }

    /// The state of all components.
    pub fn report(&self) -> Report {
        let components = self.states().clone();
        let status = if components.values().any(|s| matches!(s, State::Failing(_))) {
            "failing"
        } else if components.values().any(|s| matches!(s, State::Degraded(_))) {
            "degraded"
        } else {
            "ready"
        };
        Report { status, components }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_component_decides() {
        let health = Health::default();
        health.ready("store");
        assert_eq!(health.report().status, "ready");
        health.degraded("outbox", "no answer");
        assert_eq!(health.report().status, "degraded");
        health.failing("store", "disk full");
        assert_eq!(health.report().status, "failing");
        health.ready("store");
        health.ready("outbox");
        assert_eq!(health.report().status, "ready");
        health.failing("kafka t[0]", "gone");
        assert!(health.remove("kafka t[0]") && !health.remove("kafka t[0]"));
        assert_eq!(health.report().status, "ready");
    }
}
