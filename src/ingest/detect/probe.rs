//! Reads an object once: the fields of a native event, and the signature keys of all formats.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};

use super::signature::{Child, KeySeed, KeySet, Known, NestedKeys};
use super::table;
use crate::ingest::field::Field;
use crate::ingest::formats::native;

/// The result of one pass. Native events, which are the most frequent ones, need no second pass.
#[derive(Debug, Default)]
pub(in crate::ingest) struct Probe<'a> {
    pub(in crate::ingest) native: native::Fields<'a>,
    found: KeySet,
}

impl Probe<'_> {
    /// The format with a signature that the object contains.
    pub(super) fn format(&self) -> Option<&'static table::Format> {
        table::format(self.found)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Probe<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Object)
    }
}

struct Object;

impl<'de> Visitor<'de> for Object {
    type Value = Probe<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Probe<'de>, A::Error> {
        let (mut probe, signatures) = (Probe::default(), table::signatures());
        let mut seen: u64 = 0;
        while let Some(known) = entries.next_key_seed(KeySeed(|key: &str| signatures.known(key)))? {
            match known {
                Known::Native(key) => {
                    if probe.native.has(key) && !key.may_repeat() {
                        return Err(A::Error::duplicate_field(key.name()));
                    }
                    let field: Field<'de> = entries.next_value()?;
                    if field != Field::Absent {
                        probe.found |= signatures.of_native(key);
                    }
                    probe.native.put(key, field);
                }
                Known::Signature(index) => {
                    let (key, child) = signatures.at(index);
                    if seen & (1 << index) != 0 {
                        return Err(A::Error::duplicate_field(key));
                    }
                    seen |= 1 << index;
                    probe.found |= match child {
                        Child::Object(keys) => entries.next_value_seed(NestedKeys(keys))?,
                        Child::AnyKey(bit) => {
                            entries.next_value::<IgnoredAny>()?;
                            *bit
                        }
                        Child::Key(bit) => match entries.next_value::<Option<IgnoredAny>>()? {
                            Some(_) => *bit,
                            None => 0,
                        },
                    };
                }
                Known::Other => _ = entries.next_value::<IgnoredAny>()?,
            }
        }
        Ok(probe)
    }
}
