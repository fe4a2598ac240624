//! The standards' shapes, one file each. None of them knows who sent it or over what.

mod alarm;
mod b64;
pub(super) mod cloudevents;
pub(super) mod fault_mns;
mod reference;
#[cfg(test)]
mod laws {
    mod tests;
}
#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;
mod tmf;
pub(super) mod tmf621;
pub(super) mod tmf642;
pub(super) mod trap;
pub(super) mod ves;
pub(super) mod words;
