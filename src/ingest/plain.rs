//! A parser of plain JSON, which most records are. It is faster than a general one.
//!
//! It gives up for errors, and for keys with escapes. A general parser then reads the text from its start, so that the result and
//! the text of an error are always those of the general parser.

use serde::de::value::{BorrowedStrDeserializer, Error};
use serde::de::{self, Deserialize, DeserializeSeed, MapAccess, SeqAccess, Visitor};

use super::cursor::{Cursor, Value};

/// The value in a text; `None` if only a general parser can read it, or tell what is wrong.
pub(super) fn parse<'de, T: Deserialize<'de>>(text: &'de str) -> Option<T> {
    value(Cursor::new(text))
}

/// The same for a part of a text that was parsed before.
pub(super) fn parse_part<'de, T: Deserialize<'de>>(text: &'de str) -> Option<T> {
    value(Cursor::valid(text))
}

fn value<'de, T: Deserialize<'de>>(mut at: Cursor<'de>) -> Option<T> {
    at.space();
    let value = T::deserialize(Plain(&mut at)).ok()?;
    at.space();
    at.is_at_end().then_some(value)
}

/// The error for what is not plain. Nobody sees it.
fn not_plain() -> Error {
    de::Error::custom("not plain")
}

/// A value at a position.
struct Plain<'p, 'de>(&'p mut Cursor<'de>);

impl<'de> Plain<'_, 'de> {
    /// Lets the general parser read a value that is not plain.
    fn general<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let value = self.0.skip().ok_or_else(not_plain)?;
        let mut parser = sonic_rs::Deserializer::from_str(value);
        de::Deserializer::deserialize_any(&mut parser, visitor).map_err(|_| not_plain())
    }

    /// Skips the rest of `null`, `true` or `false`.
    fn word(&mut self, word: &[u8]) -> Result<(), Error> {
        self.0.word(word).ok_or_else(not_plain)
    }
}

impl<'de> de::Deserializer<'de> for Plain<'_, 'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Error> {
        let start = self.0.next;
        match self.0.peek() {
            Some(b'"' | b'1'..=b'9') => match self.0.value() {
                Some(Value::Text(text)) => visitor.visit_borrowed_str(text),
                Some(Value::Whole(number)) => visitor.visit_u64(number),
                None => {
                    self.0.next = start;
                    self.general(visitor)
                }
            },
            Some(b'{') => {
                self.0.next += 1;
                visitor.visit_map(Members { at: self.0, is_first: true })
            }
            Some(b'[') => {
                self.0.next += 1;
                visitor.visit_seq(Items { at: self.0, is_first: true })
            }
            Some(b'n') => self.word(b"null").and_then(|()| visitor.visit_unit()),
            Some(b't') => self.word(b"true").and_then(|()| visitor.visit_bool(true)),
            Some(b'f') => self.word(b"false").and_then(|()| visitor.visit_bool(false)),
            _ => self.general(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Error> {
        match self.0.peek() {
            Some(b'n') => self.word(b"null").and_then(|()| visitor.visit_none()),
            _ => visitor.visit_some(self),
        }
    }

    /// The only newtypes that events have are values that are not yet read.
    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        let value = self.0.skip().ok_or_else(not_plain)?;
        match value.starts_with('"') && value.contains('\\') {
            true => visitor.visit_str(value),
            false => visitor.visit_borrowed_str(value),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.0.skip().ok_or_else(not_plain)?;
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct enum identifier
    }
}

/// The members of an object after its opening brace.
struct Members<'p, 'de> {
    at: &'p mut Cursor<'de>,
    is_first: bool,
}

impl<'de> MapAccess<'de> for Members<'_, 'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        let is_first = std::mem::take(&mut self.is_first);
        let key = self.at.key(is_first).ok_or_else(not_plain)?;
        key.map(|key| seed.deserialize(BorrowedStrDeserializer::new(key))).transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        seed.deserialize(Plain(self.at))
    }
}

/// The items of an array after its opening bracket.
struct Items<'p, 'de> {
    at: &'p mut Cursor<'de>,
    is_first: bool,
}

impl<'de> SeqAccess<'de> for Items<'_, 'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        let is_first = std::mem::take(&mut self.is_first);
        match self.at.item(is_first).ok_or_else(not_plain)? {
            true => seed.deserialize(Plain(self.at)).map(Some),
            false => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::Value;
    use serde_json::value::RawValue;

    use super::{Cursor, parse, parse_part};
    use crate::domain::fuzz::fuzz;
    use crate::ingest::reject::batch_text;
    use crate::ingest::samples::SAMPLES;

    /// Objects with values that are not plain.
    const OTHERS: [&str; 4] = [
        r#"{"kind":"alarm","event_id":"n\u0031","ts":[1767225600.5,{"a":"}"}],"severity":null,"lat":-1.5,"note":"a \"quoted\" word"}"#,
        r#" { "event" : { "alarm" : null , "more" : [ ] } , "tags" : { "oid" : 1e3 } , "type" : false , "open" : 0 , "é" : true } "#,
        r#"{"schema":{},"payload":[{"a":1},[2,"x"]],"after":"","op":"c","n":12345678901234567890,"m":123456789012345678}"#,
        r#"{"a":[true,false,null,-0,0.5e-7,"\\"]}"#,
    ];

    fn all() -> Vec<&'static str> {
        SAMPLES.iter().map(|(_, text)| *text).chain(OTHERS).collect()
    }

    #[test]
    fn samples_are_plain() {
        for text in all() {
            assert!(parse::<Value>(text).is_some(), "{text}");
        }
    }

    #[test]
    fn errors_and_escapes_in_keys_are_left_to_the_general_parser() {
        for text in [
            r#"{"k\u0069nd":1}"#,
            r#"{"a":1"#,
            r#"{"a":1}x"#,
            r#"{"a":1,}"#,
            r#"{,"a":1}"#,
            r#"{"a" 1}"#,
            r#"{"a":}"#,
            r#"{"a":01}"#,
            r#"{"a":1.}"#,
            r#"{"a":1e}"#,
            r#"{"a":-}"#,
            r#"{"a":nul}"#,
            r#"{"a":[1,]}"#,
            r#"{"a":[,1]}"#,
            r#"{"a":[1 2]}"#,
            r#"{"a":"\x"}"#,
            r#"{"a":"\u12g4"}"#,
            "{\"a\":\"\n\"}",
            "",
        ] {
            assert_eq!(parse::<Value>(text), None, "{text}");
        }
    }

    #[test]
    fn fuzz_finds_no_difference_from_the_general_parser() {
        fuzz("plain JSON", &all(), |bytes| {
            // It refuses events that are nested too deeply.
            let Ok(text) = batch_text(bytes) else { return false };
            let Some(found) = parse::<Value>(text) else { return false };
            let general: Value = sonic_rs::from_str(text).expect("plain JSON is JSON");
            assert_eq!(found, general, "{text}");
            assert_eq!(parse_part::<Value>(text), Some(found), "{text}");
            let values: BTreeMap<&str, &RawValue> = serde_json::from_str(text).unwrap_or_default();
            for value in values.values().map(|value| value.get()) {
                // Both ways to skip it end after it.
                assert_eq!(Cursor::new(value).skip(), Some(value), "{text}");
                assert_eq!(Cursor::valid(value).skip(), Some(value), "{text}");
            }
            true
        });
    }
}
