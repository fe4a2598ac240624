//! What a customer complains about.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a ticket's text is about. The order decides between topics for which a text speaks as much.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Topic {
    /// Nothing works any more.
    Outage,
    /// No signal, or a weak one.
    Coverage,
    /// It works, but not well.
    Slow,
    Billing,
    /// The customer's own device, or an app.
    Device,
    /// Anything else that was said.
    Other,
}

impl Topic {
    /// All topics, in the order of their counts.
    pub const EVERY: [Self; TOPICS] =
        [Self::Outage, Self::Coverage, Self::Slow, Self::Billing, Self::Device, Self::Other];

    /// The text used in files and in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Outage => "outage",
            Self::Coverage => "coverage",
            Self::Slow => "slow",
            Self::Billing => "billing",
            Self::Device => "device",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Number of topics.
pub const TOPICS: usize = 6;

/// Two words that stand together, or a few characters of a script that writes no spaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Phrase<'a> {
    /// The same for the same words, whatever their case.
    pub key: u64,
    /// The words; the second is empty where there is but one.
    pub words: [&'a str; 2],
}

impl Phrase<'_> {
    /// As it is counted and shown: lower case, one space between words.
    pub fn spelled(&self) -> Box<str> {
        let [first, second] = self.words;
        let mut text = first.to_lowercase();
        if !second.is_empty() {
            text.push(' ');
            text.push_str(&second.to_lowercase());
        }
        text.into()
    }
}

/// What customers of one scope said in one window.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spoken {
    /// Tickets with a text, in the order of [`Topic::EVERY`].
    pub topics: [u32; TOPICS],
    /// Phrases that the lexicon does not know, with the tickets that have them.
    pub phrases: Vec<(Box<str>, u32)>,
}

impl Spoken {
    /// Adds a part's topics.
    pub fn add(&mut self, topics: &[u32; TOPICS]) {
        for (sum, n) in self.topics.iter_mut().zip(topics) {
            *sum = sum.saturating_add(*n);
        }
    }
}

/// Says what a text is about: pure, the same for the same text.
pub trait Listen: fmt::Debug + Send + Sync {
    /// The topic; none for a text that says nothing. Hands each phrase that it does not know to `phrases`, if asked.
    fn hear(&self, text: &str, phrases: Option<&mut dyn FnMut(Phrase<'_>)>) -> Option<Topic>;
}
