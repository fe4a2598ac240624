//! Nested objects and lists in formats of standards. A value of the wrong type is treated as absent, so that a vendor's
//! extension does not cause a reject.

use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Largest number of list items that are kept. They are only used for look-ups.
const ITEMS_MAX: usize = 64;

/// An object, or the first of an array; `None` for any other type.
#[derive(Debug)]
pub(super) struct Sub<T>(pub(super) Option<T>);

/// The objects of an array. A single object is a list of one, because TMF621 v4 and v5 differ in `channel`.
#[derive(Debug)]
pub(super) struct List<T>(pub(super) Vec<T>);

/// The key-value pairs of an object in their order. The size limit of events bounds their number.
#[derive(Debug)]
pub(super) struct Pairs<K, V>(pub(super) Vec<(K, V)>);

impl<T> Default for Sub<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K, V> Default for Pairs<K, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

/// Visits scalars as the default value.
macro_rules! scalars_are_default {
    () => {
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("any value")
        }
        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }
        fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }
        fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }
        fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }
        fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }
        fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }
    };
}
pub(super) use scalars_are_default;

struct Seeker<C>(PhantomData<C>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Seeker<Sub<T>> {
    type Value = Sub<T>;
    scalars_are_default!();

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Sub<T>, A::Error> {
        let first = items.next_element::<Sub<T>>()?.unwrap_or_default();
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(first)
    }
    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Sub<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(entries)).map(|value| Sub(Some(value)))
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Seeker<List<T>> {
    type Value = List<T>;
    scalars_are_default!();

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<List<T>, A::Error> {
        let mut list = Vec::new();
        while list.len() < ITEMS_MAX {
            match items.next_element::<Sub<T>>()? {
                Some(item) => list.extend(item.0),
                None => return Ok(List(list)),
            }
        }
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(List(list))
    }
    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<List<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(entries)).map(|value| List(vec![value]))
    }
}

impl<'de, K: Deserialize<'de>, V: Deserialize<'de>> Visitor<'de> for Seeker<Pairs<K, V>> {
    type Value = Pairs<K, V>;
    scalars_are_default!();

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Pairs<K, V>, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Pairs::default())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Pairs<K, V>, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = entries.next_entry()? {
            pairs.push(pair);
        }
        Ok(Pairs(pairs))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Sub<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Seeker::<Self>(PhantomData))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Seeker::<Self>(PhantomData))
    }
}

impl<'de, K: Deserialize<'de>, V: Deserialize<'de>> Deserialize<'de> for Pairs<K, V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Seeker::<Self>(PhantomData))
    }
}
