//! Whether the service works, component by component.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

/// How a component is doing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "status", content = "reason", rename_all = "lowercase")]
pub enum State {
    Ready,
    /// It goes on with less: the service stays ready.
    Degraded(String),
    /// It cannot do its job: the service is not ready.
    Failing(String),
}

/// The whole picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// `ready`, `degraded` or `failing`.
    pub status: &'static str,
    pub components: BTreeMap<String, State>,
}

/// States that workers set and probes read.
#[derive(Debug, Default)]
pub struct Health(Mutex<BTreeMap<String, State>>);

impl Health {
    fn states(&self) -> MutexGuard<'_, BTreeMap<String, State>> {
        // One insert is whole or absent: a poisoned lock holds good states.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Each of these returns whether it is news, which a log should tell once.
    pub fn ready(&self, component: &str) -> bool {
        self.set(component, State::Ready)
    }

    /// The component does less than it should, and the service goes on. Returns whether that is new.
    pub fn degraded(&self, component: &str, reason: &str) -> bool {
        self.set(component, State::Degraded(reason.into()))
    }

    /// The component does not work, and the service is not ready. Returns whether that is new.
    pub fn failing(&self, component: &str, reason: &str) -> bool {
        self.set(component, State::Failing(reason.into()))
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
        health.degraded("outbox", "nobody answers");
        assert_eq!(health.report().status, "degraded");
        health.failing("store", "disk full");
        assert_eq!(health.report().status, "failing");
        health.ready("store");
        health.ready("outbox");
        assert_eq!(health.report().status, "ready");
    }
}
