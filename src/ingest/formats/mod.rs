//! The formats of events, one file each; none of them knows who sent it or over what.
//!
//! What several share: [`alarm_draft`] (an alarm's keys), [`reference`] (references and names), [`tmf_envelope`].

mod alarm_draft;
pub(super) mod cloudevents;
pub(super) mod fault_mns;
#[cfg(test)]
mod laws;
pub(super) mod native;
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
