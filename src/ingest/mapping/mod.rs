//! Region, service and channel for events that carry none of ours.
//!
//! The standards name devices, places, distinguished names and services. Rules say which of those
//! lead to which name; what no rule knows stays `unknown`.

mod table;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use table::Table;

use crate::domain::{Name, NameError};

/// Most rules of one mapping: each is tried on each event.
const RULES_MAX: usize = 64;
/// Most attributes of one event that are looked up; more do not change what is known of it.
const ATTRIBUTES_MAX: usize = 64;

/// What a rule fills in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// Of alarms and tickets.
    Region,
    /// Of alarms and tickets.
    Service,
    /// Of tickets.
    Channel,
}

/// What a rule looks at. An event may hold several values of one, such as two affected services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Attribute {
    /// `device`, alarmedObject.id, objectInstance or href, sourceName, agent_addr.
    Device,
    /// TMF `place`: ids and names.
    Place,
    /// Distinguished name: 28.532 objectInstance, or the part of href after the host.
    Dn,
    /// TMF affectedService and relatedEntity: ids and names.
    Service,
    /// TMF relatedParty: ids and names.
    Party,
    /// TMF621 channel: ids and names.
    Channel,
    /// `type`, alarmType, ticketType and TMF621 category.
    Category,
    /// What sent it: sourceSystemId, systemDN, reportingEntityName.
    System,
}

/// Fills `target` with what `table` says of `attribute`.
#[derive(Clone, Debug)]
pub struct MapRule {
    pub target: Target,
    pub attribute: Attribute,
    pub table: Table,
}

/// Why a text is no table, or tables are no mapping. Lines count from 1, the header included.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum MappingError {
    #[error("the first line is `{0}`: it must be match,pattern,value")]
    Header(String),
    #[error("line {line}: {found} fields, a row has three: match,pattern,value")]
    Fields { line: usize, found: usize },
    #[error("line {line}: a quote is not closed")]
    Quote { line: usize },
    #[error("line {line}: text after a closing quote: quote the whole field")]
    AfterQuote { line: usize },
    #[error("line {line}: match `{found}`: use exact, prefix or regex")]
    Match { line: usize, found: String },
    #[error("line {line}: the pattern of an exact match is empty")]
    EmptyPattern { line: usize },
    #[error("line {line}: a pattern of {found} bytes, the most is {most}")]
    LongPattern { line: usize, found: usize, most: usize },
    #[error("line {line}: the pattern stands in an earlier line too")]
    Twice { line: usize },
    #[error("line {line}: regex: {why}")]
    Regex { line: usize, why: String },
    #[error("line {line}: value `{found}` {why}")]
    Value { line: usize, found: String, why: NameError },
    #[error("more than {most} {what}: use fewer, or prefixes")]
    Many { what: &'static str, most: usize },
}

/// Rules in the order in which they are tried.
#[derive(Clone, Debug, Default)]
pub struct Mapping {
    rules: Vec<MapRule>,
}

impl Mapping {
    /// No rule: everything stays as it came.
    pub const NONE: Self = Self { rules: Vec::new() };

    /// # Errors
    /// [`MappingError::Many`] for more than 64 rules.
    pub fn new(rules: Vec<MapRule>) -> Result<Self, MappingError> {
        if rules.len() > RULES_MAX {
            return Err(MappingError::Many { what: "rules", most: RULES_MAX });
        }
        Ok(Self { rules })
    }

    /// Whether there is nothing to look up, so that nobody need collect attributes.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// What the first rule that knows one of the event's attributes says.
    pub(super) fn find(&self, target: Target, attributes: &Attributes<'_>) -> Option<Name> {
        self.rules.iter().filter(|rule| rule.target == target).find_map(|rule| {
            let values = attributes.0.iter().filter(|(attribute, _)| *attribute == rule.attribute);
            values.into_iter().find_map(|(_, value)| rule.table.find(value)).cloned()
        })
    }
}

/// What is known of one event, for rules to look at.
#[derive(Debug, Default)]
pub(super) struct Attributes<'a>(Vec<(Attribute, Cow<'a, str>)>);

impl<'a> Attributes<'a> {
    pub(super) fn push(&mut self, attribute: Attribute, value: Option<Cow<'a, str>>) {
        if let Some(value) = value
            && self.0.len() < ATTRIBUTES_MAX
        {
            self.0.push((attribute, value));
        }
    }
}
