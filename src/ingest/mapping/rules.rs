//! Rules, and the order in which they are tried.

use serde::{Deserialize, Serialize};

use super::attributes::{Attribute, Attributes};
use super::error::MappingError;
use super::table::Table;
use crate::domain::Name;

/// Most rules of one mapping: each is tried on each event.
const RULES_MAX: usize = 64;

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

/// Fills `target` with what `table` says of `attribute`.
#[derive(Clone, Debug)]
pub struct MapRule {
    pub target: Target,
    pub attribute: Attribute,
    pub table: Table,
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
    pub(in crate::ingest) fn find(
        &self,
        target: Target,
        attributes: &Attributes<'_>,
    ) -> Option<Name> {
        self.rules.iter().filter(|rule| rule.target == target).find_map(|rule| {
            attributes.of(rule.attribute).find_map(|value| rule.table.find(value)).cloned()
        })
    }
}
