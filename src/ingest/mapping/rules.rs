//! Rules of a mapping.

use serde::{Deserialize, Serialize};

use super::attributes::{Attribute, Attributes};
use super::error::MappingError;
use super::table::Table;
use crate::domain::Name;

/// Largest number of rules of one mapping. All of them may be tried for each event.
const RULES_MAX: usize = 64;

/// The field that a rule fills in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// Region of alarms and tickets.
    Region,
    /// Service of alarms and tickets.
    Service,
    /// Channel of tickets.
    Channel,
}

/// Fills in `target` with the name that `table` has for `attribute`.
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
    /// A mapping without rules.
    pub const NONE: Self = Self { rules: Vec::new() };

    /// A mapping with these rules, in this order.
    ///
    /// # Errors
    /// [`MappingError::Many`] for more than 64 rules.
    pub fn new(rules: Vec<MapRule>) -> Result<Self, MappingError> {
        if rules.len() > RULES_MAX {
            return Err(MappingError::Many { what: "rules", most: RULES_MAX });
        }
        Ok(Self { rules })
    }

    /// Whether there are no rules. Then attributes are not needed.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The name from the first rule that matches one of the event's attributes.
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
