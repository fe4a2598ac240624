//! Topics and phrases of tickets' texts.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The topic of a ticket's text. Of topics with the same weight in a text, the first one in this order wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Topic {
    /// The service does not work.
    Outage,
    /// No signal, or a weak one.
    Coverage,
    /// The service works, but slowly or badly.
    Slow,
    Billing,
    /// The customer's own device, or an app.
    Device,
    /// Any other topic.
    Other,
}

impl Topic {
    /// All topics, in the order of their counts.
    pub const EVERY: [Self; TOPICS] =
        [Self::Outage, Self::Coverage, Self::Slow, Self::Billing, Self::Device, Self::Other];

    /// The name of the topic in files and in the API.
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

/// Two neighbouring words, or a few characters of a script without spaces, such as Chinese.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Phrase<'a> {
    /// A hash of the words, independent of their case.
    pub key: u64,
    /// The words; the second one is empty in a script without spaces.
    pub words: [&'a str; 2],
}

impl Phrase<'_> {
    /// The phrase in lower case with one space between words, as it is counted and shown.
    pub fn text(&self) -> Box<str> {
        let [first, second] = self.words;
        let mut text = first.to_lowercase();
        if !second.is_empty() {
            text.push(' ');
            text.push_str(&second.to_lowercase());
        }
        text.into()
    }
}

/// Counts of topics and phrases in the tickets' texts of one scope and window.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextCounts {
    /// Tickets with a text by topic, in the order of [`Topic::EVERY`].
    pub topics: [u32; TOPICS],
    /// Phrases outside the lexicon, each with the number of tickets that contain it.
    pub phrases: Vec<(Box<str>, u32)>,
}

impl TextCounts {
    /// Adds counts of topics.
    pub fn add(&mut self, topics: &[u32; TOPICS]) {
        for (sum, n) in self.topics.iter_mut().zip(topics) {
            *sum = sum.saturating_add(*n);
        }
    }
}

/// Classifies texts by topic. The result depends on the text alone.
pub trait TextClassifier: fmt::Debug + Send + Sync {
    /// The topic of a text; `None` for a blank text. Calls `phrases` with each phrase outside the lexicon.
    fn classify(&self, text: &str, phrases: Option<&mut dyn FnMut(Phrase<'_>)>) -> Option<Topic>;
}
