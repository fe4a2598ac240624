//! Bytes → event, or a reject with a reason. Nothing else: no topic, no file, no clock.
//!
//! [`decode`] reads one event in surgecast's own flat format; [`split`] cuts a file or a request
//! into events.

mod field;
mod native;
mod read;
mod reject;
mod split;
#[cfg(test)]
mod tests;

pub use native::decode;
pub use reject::{Limits, Reject};
pub use split::{SplitError, split};
