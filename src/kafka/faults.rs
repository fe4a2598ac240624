//! Faults by partition and topic. A success in one of them says nothing about the others.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::{Arc, Mutex};

use super::context::{COMPONENT, lock};
use crate::telemetry::Health;

/// A kind of fault. Each kind is detected, and ends, independently of the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The topic does not exist.
    Missing,
    /// It is not known where counting resumes.
    Resume,
    /// Its records cannot be fetched.
    Read,
    /// Records wait, and none is read.
    Stuck,
    /// Its end is not known.
    End,
    /// Records were deleted before they were counted. Counting goes on.
    Gone,
    /// The topic was replaced before all its records were read, and it is not known how many. Counting goes on.
    Unknown,
    /// Another program is a member of the group, and reads partitions instead of surgecast.
    Shared,
    /// Records wait behind a transaction that does not end. Counting goes on once it ends.
    Open,
    /// The times of records and our clock differ. Counting goes on.
    Clock,
    /// Records carry their producers' time. Counting goes on.
    Time,
    /// Records with equal keys are deleted, counted or not. Counting goes on.
    Compacted,
}

impl Fault {
    fn is_failing(self) -> bool {
        !matches!(
            self,
            Self::Gone
                | Self::Unknown
                | Self::Shared
                | Self::Open
                | Self::Clock
                | Self::Time
                | Self::Compacted
        )
    }
}

/// The faults of all partitions and topics. They persist over sessions with the cluster.
pub struct Faults {
    health: Arc<Health>,
    found: Mutex<BTreeMap<String, BTreeMap<Fault, String>>>,
}

impl Faults {
    /// No faults.
    pub fn new(health: Arc<Health>) -> Self {
        Self { health, found: Mutex::default() }
    }

    /// Sets a fault of a partition or topic, or records that it is over. A change is logged once.
    pub fn set(&self, of: &impl Display, fault: Fault, why: Option<&str>) {
        let name = of.to_string();
        let mut found = lock(&self.found);
        let faults = found.entry(name.clone()).or_default();
        match why {
            Some(why) if faults.get(&fault).is_none_or(|before| before != why) => {
                faults.insert(fault, why.to_owned());
                match fault.is_failing() {
                    true => tracing::error!(of = name, "kafka: {why}"),
                    false => tracing::warn!(of = name, "kafka: {why}"),
                }
            }
            None if faults.remove(&fault).is_some() => {
                tracing::info!(of = name, ?fault, "kafka: works again");
            }
            _ => return,
        }
        self.show(&name, faults);
        if faults.is_empty() {
            found.remove(&name);
        }
    }

    /// Forgets the faults of a partition that this instance no longer counts.
    pub fn forget(&self, of: &impl Display) {
        let name = of.to_string();
        if lock(&self.found).remove(&name).is_some() {
            self.health.remove(&component(&name));
        }
    }

    /// Forgets all faults of partitions and topics that are not in `names`.
    pub fn keep(&self, names: &[String]) {
        let mut found = lock(&self.found);
        found.retain(|name, _| {
            let is_kept = names.contains(name);
            if !is_kept {
                self.health.remove(&component(name));
            }
            is_kept
        });
    }

    fn show(&self, name: &str, faults: &BTreeMap<Fault, String>) {
        let component = component(name);
        // The order of kinds is the order of their weight.
        _ = match faults.first_key_value() {
            None => self.health.remove(&component),
            Some((fault, why)) if fault.is_failing() => self.health.failing(&component, why),
            Some((_, why)) => self.health.degraded(&component, why),
        };
    }
}

fn component(name: &str) -> String {
    format!("{COMPONENT} {name}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::SourceId;
    use crate::telemetry::State;

    #[test]
    fn each_fault_ends_by_itself() {
        let health = Arc::new(Health::default());
        let faults = Faults::new(health.clone());
        let (a, b) = (SourceId::new("t", 0), SourceId::new("t", 1));
        let state = |of: &SourceId| health.report().components.get(&format!("kafka {of}")).cloned();
        faults.set(&a, Fault::End, Some("no end"));
        faults.set(&a, Fault::Read, Some("no rights"));
        faults.set(&a, Fault::Gone, Some("3 gone"));
        assert_eq!(state(&a), Some(State::Failing("no rights".into())));
        // Another partition works, and so does another part of this one.
        faults.set(&b, Fault::Read, None);
        faults.set(&a, Fault::End, None);
        assert_eq!(state(&a), Some(State::Failing("no rights".into())));
        assert_eq!(state(&b), None);
        faults.set(&a, Fault::Read, None);
        assert_eq!(state(&a), Some(State::Degraded("3 gone".into())));
        assert_eq!(health.report().status, "degraded");
        faults.set(&b, Fault::Stuck, Some("stuck"));
        faults.keep(&[a.to_string()]);
        assert_eq!((state(&b), health.report().status), (None, "degraded"));
        faults.forget(&a);
        assert_eq!((state(&a), health.report().status), (None, "ready"));
        // A topic's generation is not shown.
        faults.set(&a.in_generation(Some("0a~3")), Fault::Read, Some("x"));
        assert_eq!(state(&a), Some(State::Failing("x".into())));
    }
}
