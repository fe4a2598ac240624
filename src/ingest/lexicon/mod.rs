//! Classifies tickets' texts by topic, with words and phrases that users can edit (`models/lexicon.toml`).
//!
//! Words have weights. A text belongs to the topic with the largest sum of weights. If one word contains another, only
//! the longer one counts, so that a negation ("no longer slow") hides the word in it. For equal sums, the topic with the
//! longest word wins, then the first topic in the order of [`Topic`]. The order of lines in the file does not matter.
//! Only the first 1,000 characters and 32 phrases of a text are examined, which bounds the time.
//!
//! An Aho–Corasick automaton finds all words in one pass (Aho & Corasick, CACM 18(6), 1975).

pub(in crate::ingest) mod entry;
mod error;
mod file;
mod keys;
pub(in crate::ingest) mod plain;
mod spans;
pub(in crate::ingest) mod starts;
#[cfg(test)]
mod tests;
mod unknown;
mod words;

use std::fmt;
use std::sync::{Arc, LazyLock};

pub use error::LexiconError;
pub(in crate::ingest) use error::WORDS_MAX;

use self::words::Words;
use crate::domain::{Phrase, TextClassifier, Topic};

/// The built-in lexicon.
const BUILT_IN: &str = include_str!("../../../models/lexicon.toml");

/// Classifies texts by topic. Cheap to clone.
#[derive(Clone)]
pub struct Lexicon(Arc<Words>);

impl Lexicon {
    /// Reads a lexicon in the format of `models/lexicon.toml`.
    ///
    /// # Errors
    /// [`LexiconError`] with the problem and the entry.
    pub fn from_toml(text: &str) -> Result<Self, LexiconError> {
        file::read(text).map(|words| Self(Arc::new(words)))
    }

    /// Number of words, including spellings without an apostrophe.
    pub fn len(&self) -> usize {
        self.0.words.len()
    }

    /// Always false, because an empty lexicon is an error.
    pub fn is_empty(&self) -> bool {
        self.0.words.is_empty()
    }

    /// The topic of a text; `None` for a blank text.
    pub fn topic(&self, text: &str) -> Option<Topic> {
        self.classify(text, None)
    }
}

impl Default for Lexicon {
    #[expect(
        clippy::expect_used,
        reason = "the lexicon is part of the program and a test reads it"
    )]
    fn default() -> Self {
        static KNOWN: LazyLock<Lexicon> = LazyLock::new(|| {
            Lexicon::from_toml(BUILT_IN).expect("a test reads the built-in lexicon")
        });
        KNOWN.clone()
    }
}

impl fmt::Debug for Lexicon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lexicon").field("words", &self.len()).finish_non_exhaustive()
    }
}

impl TextClassifier for Lexicon {
    fn classify(&self, text: &str, phrases: Option<&mut dyn FnMut(Phrase<'_>)>) -> Option<Topic> {
        let mut buffer = String::new();
        let text = plain::plain(text, &mut buffer);
        if text.is_empty() {
            return None;
        }
        let spans = spans::find(&self.0, text);
        if let Some(each) = phrases {
            unknown::phrases(text, &spans, &self.0.ignored, each);
        }
        Some(spans.topic())
    }
}
