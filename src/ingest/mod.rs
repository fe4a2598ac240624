//! Bytes → event, or a reject with a reason. Nothing else: no topic, no file, no clock.
//!
//! [`Decoder`] reads every shape that surgecast knows, and fills in region, service and channel with
//! a [`Mapping`]; [`Lexicon`] sorts tickets' texts into topics; [`decode`] reads one event in surgecast's own flat format; [`split`] cuts a file or
//! a request into events.

mod decoder;
mod field;
mod glance;
mod lexicon;
mod mapping;
mod native;
mod nested;
mod read;
mod reject;
mod shape;
mod split;
#[cfg(test)]
mod tests;

pub use decoder::{Decoded, Decoder, Headers};
pub use glance::Layout;
pub use lexicon::{Lexicon, LexiconError};
pub use mapping::{Attribute, MapRule, Mapping, MappingError, Table, Target};
pub use native::decode;
pub use reject::{Limits, Reject};
#[cfg(test)]
pub(crate) use shape::samples;
pub use split::{SplitError, split};
