//! One pass over an object: the fields of a native event, and the marks of every format.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};

use super::marks::{Found, KeySeed, Mark, Within};
use super::table;
use crate::ingest::field::Field;
use crate::ingest::formats::native;

/// What one pass finds: most events are native, and need no second one.
#[derive(Debug, Default)]
pub(in crate::ingest) struct Probe<'a> {
    pub(in crate::ingest) native: native::Fields<'a>,
    found: Found,
}

impl Probe<'_> {
    /// The format that the object has the marks of.
    pub(super) fn format(&self) -> Option<&'static table::Format> {
        table::format(self.found)
    }
}

/// What a key says.
enum Known {
    Native(native::Key),
    Mark(usize),
    Nothing,
}

fn known(key: &str) -> Known {
    match native::Key::of(key) {
        Some(key) => Known::Native(key),
        None => table::marks().number(key).map_or(Known::Nothing, Known::Mark),
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
        let (mut probe, marks) = (Probe::default(), table::marks());
        let mut seen: u64 = 0;
        while let Some(known) = entries.next_key_seed(KeySeed(known))? {
            match known {
                Known::Native(key) => {
                    if probe.native.has(key) {
                        return Err(A::Error::duplicate_field(key.name()));
                    }
                    let field: Field<'de> = entries.next_value()?;
                    if field != Field::Absent {
                        probe.found |= marks.of_native(key);
                    }
                    probe.native.put(key, field);
                }
                Known::Mark(number) => {
                    let (key, mark) = marks.at(number);
                    if seen & (1 << number) != 0 {
                        return Err(A::Error::duplicate_field(key));
                    }
                    seen |= 1 << number;
                    probe.found |= match mark {
                        Mark::Object(keys) => entries.next_value_seed(Within(keys))?,
                        Mark::Key(bit) => match entries.next_value::<Option<IgnoredAny>>()? {
                            Some(_) => *bit,
                            None => 0,
                        },
                    };
                }
                Known::Nothing => _ = entries.next_value::<IgnoredAny>()?,
            }
        }
        Ok(probe)
    }
}
