//! A JSON field of any type, so that a reject can name a field of the wrong type.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The value of a field. `null` is the same as an absent field, and an array the same as its first element.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Field<'a> {
    #[default]
    Absent,
    Text(Cow<'a, str>),
    Number(f64),
    /// A whole number without loss of digits: 64-bit ids do not fit into a float.
    Whole(u64),
    /// The name of a type that is not valid for any field.
    Other(&'static str),
}

impl Field<'_> {
    /// The name of the type, for a reject.
    pub(super) fn found(&self) -> &'static str {
        match self {
            Self::Absent => "nothing",
            Self::Text(_) => "text",
            Self::Number(_) | Self::Whole(_) => "a number",
            Self::Other(words) => words,
        }
    }
}

/// Names of types in Avro's JSON (a union: `{"string":"x"}`) and in MongoDB's (`{"$date":…}`).
const TYPES: [&str; 9] =
    ["string", "int", "long", "float", "double", "$date", "$numberLong", "$numberInt", "$oid"];

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Field<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }
    fn visit_unit<E>(self) -> Result<Field<'de>, E> {
        Ok(Field::Absent)
    }
    fn visit_none<E>(self) -> Result<Field<'de>, E> {
        Ok(Field::Absent)
    }
    fn visit_bool<E>(self, _: bool) -> Result<Field<'de>, E> {
        Ok(Field::Other("true or false"))
    }
    fn visit_i64<E>(self, number: i64) -> Result<Field<'de>, E> {
        Ok(u64::try_from(number).map_or(Field::Number(number as f64), Field::Whole))
    }
    fn visit_u64<E>(self, number: u64) -> Result<Field<'de>, E> {
        Ok(Field::Whole(number))
    }
    fn visit_f64<E>(self, number: f64) -> Result<Field<'de>, E> {
        Ok(Field::Number(number))
    }
    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Field<'de>, E> {
        Ok(Field::Text(Cow::Borrowed(text)))
    }
    fn visit_str<E>(self, text: &str) -> Result<Field<'de>, E> {
        Ok(Field::Text(Cow::Owned(text.to_owned())))
    }
    fn visit_string<E>(self, text: String) -> Result<Field<'de>, E> {
        Ok(Field::Text(Cow::Owned(text)))
    }
    /// Some senders put a text into an array. The first element is the value of the field.
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Field<'de>, A::Error> {
        let first = items.next_element::<Field<'de>>()?.unwrap_or_default();
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(match first {
            Field::Other(_) => Field::Other("an array"),
            first => first,
        })
    }
    /// Some encoders put a value into an object that names its type. That value is the value of the field.
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Field<'de>, A::Error> {
        let (mut value, mut others) = (None, 0);
        while let Some(key) = entries.next_key::<Cow<'de, str>>()? {
            if value.is_none() && TYPES.contains(&&*key) {
                value = Some(entries.next_value::<Field<'de>>()?);
            } else {
                entries.next_value::<IgnoredAny>()?;
                others += 1;
            }
        }
        Ok(match value {
            Some(value) if others == 0 && !matches!(value, Field::Other(_)) => value,
            _ => Field::Other("an object"),
        })
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Field<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any)
    }
}
