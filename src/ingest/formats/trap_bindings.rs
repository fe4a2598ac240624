//! Variable bindings and hosts of traps, in the forms of several programs.

use std::borrow::Cow;
use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::ingest::field::Field;
use crate::ingest::nested::{Pairs, scalars_are_default};
use crate::ingest::words::word;

/// Variable bindings in their order: an object by name or OID, or an array of objects with `oid` or `name`, and `value`.
#[derive(Debug, Default)]
pub(super) struct Bindings<'a>(pub(super) Vec<(Cow<'a, str>, Field<'a>)>);

/// Names of the key in an element of an array, in order of preference.
const NAMES: [&str; 5] = ["oid", "name", "mib_name", "variable", "key"];

impl<'a> Bindings<'a> {
    /// Takes one element of an array: `{oid, value}`, or one pair of a variable and its value.
    fn take(&mut self, pairs: Vec<(Cow<'a, str>, Value<'a>)>) {
        if let [(name, value)] = &pairs[..] {
            return self.0.push((name.clone(), value.0.clone()));
        }
        let find = |wanted: &str| pairs.iter().find(|(key, _)| key == wanted);
        let Some((_, value)) = find("value") else { return };
        let names =
            NAMES.iter().filter_map(|name| find(name)).filter_map(|(_, name)| match &name.0 {
                Field::Text(text) => Some(text.clone()),
                _ => None,
            });
        self.0.extend(names.map(|name| (name, value.0.clone())));
    }
}

/// The value of a variable: a scalar, or an object with the scalar as `value`.
#[derive(Debug, Default)]
struct Value<'a>(Field<'a>);

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }
    fn visit_unit<E>(self) -> Result<Value<'de>, E> {
        Ok(Value::default())
    }
    fn visit_bool<E>(self, value: bool) -> Result<Value<'de>, E> {
        Ok(Value(Field::Text(if value { "true" } else { "false" }.into())))
    }
    fn visit_i64<E>(self, number: i64) -> Result<Value<'de>, E> {
        Ok(Value(Field::Text(number.to_string().into())))
    }
    fn visit_u64<E>(self, number: u64) -> Result<Value<'de>, E> {
        Ok(Value(Field::Whole(number)))
    }
    fn visit_f64<E>(self, number: f64) -> Result<Value<'de>, E> {
        Ok(Value(Field::Number(number)))
    }
    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Value<'de>, E> {
        Ok(Value(Field::Text(text.into())))
    }
    fn visit_str<E>(self, text: &str) -> Result<Value<'de>, E> {
        Ok(Value(Field::Text(text.to_owned().into())))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value<'de>, A::Error> {
        let first = items.next_element::<Value<'de>>()?.unwrap_or_default();
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(first)
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value<'de>, A::Error> {
        let mut found = Value::default();
        while let Some(key) = entries.next_key::<Cow<'de, str>>()? {
            match &*key {
                "value" => found = entries.next_value()?,
                _ => _ = entries.next_value::<IgnoredAny>()?,
            }
        }
        Ok(found)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Value<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

/// An element of an array of bindings.
enum Item<'a> {
    Object(Vec<(Cow<'a, str>, Value<'a>)>),
    Row(Vec<Value<'a>>),
}

impl Default for Item<'_> {
    fn default() -> Self {
        Self::Row(Vec::new())
    }
}

struct AnyItem;

impl<'de> Visitor<'de> for AnyItem {
    type Value = Item<'de>;
    scalars_are_default!();

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Item<'de>, A::Error> {
        let mut row = Vec::new();
        while let Some(value) = items.next_element()? {
            row.push(value);
        }
        Ok(Item::Row(row))
    }
    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Item<'de>, A::Error> {
        let pairs: Pairs<_, _> = Pairs::deserialize(MapAccessDeserializer::new(entries))?;
        Ok(Item::Object(pairs.0))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Item<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyItem)
    }
}

struct AnyBindings;

impl<'de> Visitor<'de> for AnyBindings {
    type Value = Bindings<'de>;
    scalars_are_default!();

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Bindings<'de>, A::Error> {
        let mut bindings = Bindings::default();
        while let Some(item) = items.next_element::<Item<'de>>()? {
            match item {
                Item::Object(pairs) => bindings.take(pairs),
                // Name, value, and perhaps more.
                Item::Row(row) => {
                    let mut row = row.into_iter().map(|value| value.0);
                    if let (Some(Field::Text(name)), Some(value)) = (row.next(), row.next()) {
                        bindings.0.push((name, value));
                    }
                }
            }
        }
        Ok(bindings)
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Bindings<'de>, A::Error> {
        let mut bindings = Bindings::default();
        while let Some((name, value)) = entries.next_entry::<Cow<'de, str>, Value<'de>>()? {
            bindings.0.push((name, value.0));
        }
        Ok(bindings)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Bindings<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyBindings)
    }
}

/// A host: a text, or in the Elastic Common Schema an object.
#[derive(Debug, Default)]
pub(super) struct Host<'a>(Option<Cow<'a, str>>);

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
struct HostObject<'a> {
    #[serde(borrow)]
    ip: Field<'a>,
    name: Field<'a>,
    hostname: Field<'a>,
}

impl<'a> Host<'a> {
    pub(super) fn new(name: Option<Cow<'a, str>>) -> Self {
        Self(name)
    }

    pub(super) fn name(&self) -> Option<Cow<'_, str>> {
        self.0.as_deref().map(Cow::Borrowed)
    }
}

struct AnyHost;

impl<'de> Visitor<'de> for AnyHost {
    type Value = Host<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }
    fn visit_unit<E>(self) -> Result<Host<'de>, E> {
        Ok(Host::default())
    }
    fn visit_bool<E>(self, _: bool) -> Result<Host<'de>, E> {
        Ok(Host::default())
    }
    fn visit_i64<E>(self, _: i64) -> Result<Host<'de>, E> {
        Ok(Host::default())
    }
    fn visit_u64<E>(self, number: u64) -> Result<Host<'de>, E> {
        Ok(Host(Some(number.to_string().into())))
    }
    fn visit_f64<E>(self, _: f64) -> Result<Host<'de>, E> {
        Ok(Host::default())
    }
    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Host<'de>, E> {
        Ok(Host((!text.is_empty()).then_some(text.into())))
    }
    fn visit_str<E>(self, text: &str) -> Result<Host<'de>, E> {
        Ok(Host((!text.is_empty()).then(|| text.to_owned().into())))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Host<'de>, A::Error> {
        let first = items.next_element::<Host<'de>>()?.unwrap_or_default();
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(first)
    }
    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Host<'de>, A::Error> {
        let host = HostObject::deserialize(MapAccessDeserializer::new(entries))?;
        let names = [host.ip, host.name, host.hostname];
        Ok(Host(names.iter().find_map(word).map(|name| name.into_owned().into())))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Host<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyHost)
    }
}

/// Types that net-snmp writes before a value.
const TYPES: [&str; 14] = [
    "INTEGER",
    "STRING",
    "OID",
    "Timeticks",
    "Gauge32",
    "Counter32",
    "Counter64",
    "IpAddress",
    "Hex-STRING",
    "Unsigned32",
    "BITS",
    "Opaque",
    "Network Address",
    "Integer32",
];

/// A value without net-snmp's type and quotes: `3` for `INTEGER: 3`, `up` for `STRING: "up"`.
pub(super) fn value_of(text: &str) -> &str {
    let plain = match text.split_once(": ") {
        Some((kind, value)) if TYPES.contains(&kind.trim()) => value.trim(),
        _ => text.trim(),
    };
    plain.strip_prefix('"').and_then(|plain| plain.strip_suffix('"')).unwrap_or(plain)
}
