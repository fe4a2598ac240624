//! Attributes of events, for the rules of a mapping.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// Largest number of attributes of one event. Further ones are ignored.
const ATTRIBUTES_MAX: usize = 64;

/// An attribute of an event. An event may have several values of one attribute, such as two affected services.
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
    /// The sending system: sourceSystemId, systemDN, reportingEntityName.
    System,
}

/// The attributes of one event.
#[derive(Debug, Default)]
pub(in crate::ingest) struct Attributes<'a>(Vec<(Attribute, Cow<'a, str>)>);

impl<'a> Attributes<'a> {
    pub(in crate::ingest) fn push(&mut self, attribute: Attribute, value: Option<Cow<'a, str>>) {
        if let Some(value) = value
            && self.0.len() < ATTRIBUTES_MAX
        {
            self.0.push((attribute, value));
        }
    }

    /// The values of one attribute, in their order in the event.
    pub(super) fn of(&self, attribute: Attribute) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(known, _)| *known == attribute).map(|(_, value)| &**value)
    }
}
