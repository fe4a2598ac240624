//! Counts the fields of a JSON text, including duplicates.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// The number of fields in all objects of a JSON text.
pub(super) struct Fields(pub(super) usize);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Counting)
    }
}

struct Counting;

impl<'de> Visitor<'de> for Counting {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }
    fn visit_unit<E>(self) -> Result<Fields, E> {
        Ok(Fields(0))
    }
    fn visit_bool<E>(self, _: bool) -> Result<Fields, E> {
        Ok(Fields(0))
    }
    fn visit_i64<E>(self, _: i64) -> Result<Fields, E> {
        Ok(Fields(0))
    }
    fn visit_u64<E>(self, _: u64) -> Result<Fields, E> {
        Ok(Fields(0))
    }
    fn visit_f64<E>(self, _: f64) -> Result<Fields, E> {
        Ok(Fields(0))
    }
    fn visit_str<E>(self, _: &str) -> Result<Fields, E> {
        Ok(Fields(0))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Fields, A::Error> {
        let mut sum = 0;
        while let Some(Fields(n)) = items.next_element()? {
            sum += n;
        }
        Ok(Fields(sum))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Fields, A::Error> {
        let mut sum = 0;
        while let Some((_, Fields(n))) = entries.next_entry::<IgnoredAny, Fields>()? {
            sum += n + 1;
        }
        Ok(Fields(sum))
    }
}

/// The number of fields in a value of serde_json, which drops duplicates.
pub(super) fn fields_of(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(fields_of).sum(),
        Value::Object(fields) => fields.len() + fields.values().map(fields_of).sum::<usize>(),
        _ => 0,
    }
}
