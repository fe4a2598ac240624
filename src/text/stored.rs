//! Stored texts: typed values, or sentences that earlier releases stored.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Texts;

/// A value that becomes a sentence when it is shown.
pub trait Say {
    /// The sentence, in the language and time zone of `texts`.
    fn say(&self, texts: &Texts) -> String;
}

/// A typed text as it is stored.
///
/// Its form is a string with the value as JSON. Any other string is a sentence that an earlier release stored in the same
/// place. It is shown unchanged.
#[derive(Clone, Debug, PartialEq)]
pub enum Stored<T> {
    /// The value.
    Value(T),
    /// A sentence of an earlier release, in English.
    Sentence(String),
}

impl<T> From<T> for Stored<T> {
    fn from(value: T) -> Self {
        Self::Value(value)
    }
}

impl<T: Say> Say for Stored<T> {
    fn say(&self, texts: &Texts) -> String {
        match self {
            Self::Value(value) => value.say(texts),
            Self::Sentence(sentence) => sentence.clone(),
        }
    }
}

impl<T: Serialize> Stored<T> {
    /// The form that is stored.
    ///
    /// # Errors A value that cannot be represented in JSON.
    pub fn to_form(&self) -> Result<String, serde_json::Error> {
        match self {
            Self::Value(value) => serde_json::to_string(value),
            Self::Sentence(sentence) => Ok(sentence.clone()),
        }
    }
}

impl<T: DeserializeOwned> Stored<T> {
    /// Reads the form that is stored.
    pub fn from_form(form: String) -> Self {
        serde_json::from_str(&form).map_or(Self::Sentence(form), Self::Value)
    }
}

impl<T: Serialize> Serialize for Stored<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_form().map_err(serde::ser::Error::custom)?.serialize(serializer)
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Stored<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from_form)
    }
}
