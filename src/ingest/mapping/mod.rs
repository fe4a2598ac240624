//! Region, service and channel for events that carry none of ours.
//!
//! The standards name devices, places, distinguished names and services. Rules say which of those
//! lead to which name; what no rule knows stays `unknown`.

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
