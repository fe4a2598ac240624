//! The formats of events, one file each. They do not depend on sender and transport.
//!
//! Several formats share [`alarm_draft`] (ids of alarms), [`reference`] (references and names) and [`tmf_envelope`].

mod alarm_draft;
pub(super) mod alertmanager;
#[cfg(test)]
mod batches;
pub(super) mod cloudevents;
pub(super) mod connect;
pub(super) mod fault_mns;
pub(super) mod life;
#[cfg(test)]
mod life_tests;
pub(super) mod logstash;
pub(super) mod native;
mod native_actions;
pub(super) mod o2;
#[cfg(test)]
mod properties;
mod reference;
#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod senders;
#[cfg(test)]
mod tests;
pub(super) mod tmf621;
pub(super) mod tmf642;
mod tmf_envelope;
pub(super) mod tmf_events;
pub(super) mod trap;
mod trap_bindings;
pub(super) mod trap_forms;
#[cfg(test)]
mod variants;
pub(super) mod ves;
