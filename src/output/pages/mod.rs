//! Delivery of pages: one lane per receiver, and an overseer.

mod circuit;
mod failing;
mod lane;
mod overseer;
mod signal;
#[cfg(test)]
mod tests;

pub use failing::FailingReceivers;
pub use lane::Lane;
pub use overseer::{HEARTBEAT, Heartbeat, Overseer};
pub use signal::PageSignal;

#[cfg(test)]
pub(in crate::output) use tests::page as test_page;
