//! Nested objects and lists in formats of standards. A value of the wrong type is treated as absent, so that a vendor's
//! extension does not cause a reject.

use std::borrow::Cow;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// An object, or the first one of an array; `None` for any other type. Use it only where there cannot be several events; arrays
/// of events are read by [`super::batch`].
#[derive(Debug)]
pub(super) struct Sub<T>(pub(super) Option<T>);

/// The items of an array. A single item is a list of one, because TMF621 v4 and v5 differ in `channel`. A text or a whole
/// number stands for an object with this name. The size limit of events bounds the number of items.
#[derive(Debug)]
pub(super) struct List<T>(pub(super) Vec<T>);

/// An item of a list that may be written as a text.
pub(super) trait FromName<'a> {
    /// The item with this name.
    fn of_text(text: Cow<'a, str>) -> Self;
}

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

impl<'de, T: Deserialize<'de> + FromName<'de>> Visitor<'de> for Seeker<List<T>> {
    type Value = List<T>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("any value")
    }
    fn visit_unit<E>(self) -> Result<List<T>, E> {
        Ok(List::default())
    }
    fn visit_bool<E>(self, _: bool) -> Result<List<T>, E> {
        Ok(List::default())
    }
    fn visit_i64<E>(self, number: i64) -> Result<List<T>, E> {
        Ok(List(vec![T::of_text(number.to_string().into())]))
    }
    fn visit_u64<E>(self, number: u64) -> Result<List<T>, E> {
        Ok(List(vec![T::of_text(number.to_string().into())]))
    }
    fn visit_f64<E>(self, _: f64) -> Result<List<T>, E> {
        Ok(List::default())
    }
    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<List<T>, E> {
        Ok(List(vec![T::of_text(text.into())]))
    }
    fn visit_str<E>(self, text: &str) -> Result<List<T>, E> {
        Ok(List(vec![T::of_text(text.to_owned().into())]))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<List<T>, A::Error> {
        let mut list = Vec::new();
        while let Some(List(inner)) = items.next_element::<List<T>>()? {
            match list.is_empty() {
                true => list = inner,
                false => list.extend(inner),
            }
        }
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

impl<'de, T: Deserialize<'de> + FromName<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Seeker::<Self>(PhantomData))
    }
}

impl<'de, K: Deserialize<'de>, V: Deserialize<'de>> Deserialize<'de> for Pairs<K, V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Seeker::<Self>(PhantomData))
    }
}
