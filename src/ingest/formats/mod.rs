//! The formats of events, one file each. They do not depend on sender and transport.
//!
//! Several formats share [`alarm_draft`] (ids of alarms), [`reference`] (references and names) and [`tmf_envelope`].

mod alarm_draft;
pub(super) mod cloudevents;
pub(super) mod fault_mns;
pub(super) mod native;
#[cfg(test)]
mod properties;
mod reference;
#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;
pub(super) mod tmf621;
pub(super) mod tmf642;
mod tmf_envelope;
pub(super) mod trap;
pub(super) mod ves;
