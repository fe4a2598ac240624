//! Maps attributes of events to region, service and channel.
//!
//! Events in formats of standards have devices, places, distinguished names and services. Rules map these to names. If no
//! rule matches, the name is `unknown`.

mod attributes;
mod error;
mod rows;
mod rules;
mod table;
#[cfg(test)]
mod tests;

pub use attributes::Attribute;
pub(super) use attributes::Attributes;
pub use error::MappingError;
pub use rules::{MapRule, Mapping, Target};
pub use table::Table;
