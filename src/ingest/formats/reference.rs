//! TMF references (`place`, `relatedParty`, `channel`, …) and 3GPP distinguished names.

use std::borrow::Cow;

use serde::Deserialize;

use super::life::customer_id;
use crate::ingest::field::Field;
use crate::ingest::mapping::{Attribute, Attributes};
use crate::ingest::nested::{FromName, List, Sub};
use crate::ingest::words::{same, word};

/// A reference of TMF Open APIs. In v5 some are nested in another object: `{role, place: {id}}`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Reference<'a> {
    #[serde(borrow)]
    pub(super) id: Field<'a>,
    pub(super) name: Field<'a>,
    pub(super) href: Field<'a>,
    role: Field<'a>,
    place: Sub<Box<Inner<'a>>>,
    entity: Sub<Box<Inner<'a>>>,
    #[serde(rename = "partyOrPartyRole")]
    party: Sub<Box<Inner<'a>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Inner<'a> {
    #[serde(borrow)]
    id: Field<'a>,
    name: Field<'a>,
}

impl<'de: 'a, 'a> FromName<'de> for Reference<'a> {
    /// Some senders write only the name or the id.
    fn of_text(text: Cow<'de, str>) -> Self {
        Self { id: Field::Text(text), ..Self::default() }
    }
}

/// Adds ids and names of `list` to the attributes: first all ids, which most look-up tables use.
pub(super) fn push_all<'a>(
    attributes: &mut Attributes<'a>,
    attribute: Attribute,
    list: &'a List<Reference<'_>>,
) {
    let inner = |item: &'a Reference<'_>| {
        [&item.place, &item.entity, &item.party].into_iter().filter_map(|sub| sub.0.as_ref())
    };
    for item in &list.0 {
        attributes.push(attribute, word(&item.id));
        inner(item).for_each(|inner| attributes.push(attribute, word(&inner.id)));
    }
    for item in &list.0 {
        attributes.push(attribute, word(&item.name));
        inner(item).for_each(|inner| attributes.push(attribute, word(&inner.name)));
    }
}

/// Id of the party with the role of the customer.
pub(super) fn customer(parties: &List<Reference<'_>>) -> Option<Box<str>> {
    let is_customer =
        |party: &&Reference<'_>| word(&party.role).is_some_and(|role| same(&role, "customer"));
    let party = parties.0.iter().find(is_customer)?;
    let id = word(&party.id).or_else(|| word(&party.party.0.as_ref()?.id))?;
    customer_id(&id).map(Into::into)
}

/// The distinguished name in a 28.532 `href`. Its path has the parts of the name:
/// `http://ems1/SubNetwork=1/ManagedElement=gNB17` is `SubNetwork=1,ManagedElement=gNB17`.
pub(super) fn dn_of_href(href: &str) -> Cow<'_, str> {
    let path = match href.split_once("://") {
        Some((_, rest)) => rest.split_once('/').map_or("", |(_, path)| path),
        None => href.trim_start_matches('/'),
    };
    // A path may begin with other parts, such as root and version of an API.
    let start = match path.find('=') {
        Some(equals) => path[..equals].rfind('/').map_or(0, |slash| slash + 1),
        None => return Cow::Borrowed(href),
    };
    let dn = &path[start..];
    if dn.contains('/') { Cow::Owned(dn.replace('/', ",")) } else { Cow::Borrowed(dn) }
}
