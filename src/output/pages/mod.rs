//! Delivery of pages: one lane per receiver, and an overseer.

mod bell;
mod circuit;
mod lane;
mod overseer;
#[cfg(test)]
mod tests;
mod trouble;

pub use bell::Bell;
pub use lane::Lane;
pub use overseer::{HEARTBEAT, Heartbeat, Overseer};
pub use trouble::Troubles;

#[cfg(test)]
pub(in crate::output) use tests::page as test_page;
