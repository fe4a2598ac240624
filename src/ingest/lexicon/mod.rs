//! Tickets' texts → topics, by words and phrases that a person may edit (`models/lexicon.toml`).
//!
//! A text belongs to the topic whose words weigh most in it. Of words that lie within each other the longest counts,
//! which is how a negation ("no longer slow") hides what it denies. Between topics that weigh the same the longest
//! phrase decides, then the order of [`Topic`]. Nothing depends on the order of lines, and only the first
//! 1,000 characters and 32 phrases of a text are looked at, so that none takes long.
//!
//! All words are looked for in one pass, by an Aho–Corasick automaton (Aho & Corasick, CACM 18(6), 1975).

mod error;
mod file;
mod keys;
mod plain;
mod spans;
mod starts;
#[cfg(test)]
mod tests;
mod unknown;
mod words;

use std::fmt;
use std::sync::{Arc, LazyLock};

pub use error::LexiconError;

use self::words::Words;
use crate::domain::{Listen, Phrase, Topic};

/// The lexicon that is part of the program.
const BUILT_IN: &str = include_str!("../../../models/lexicon.toml");

/// Sorts texts into topics. Cheap to clone.
#[derive(Clone)]
pub struct Lexicon(Arc<Words>);

impl Lexicon {
    /// Reads a lexicon as `models/lexicon.toml` is written.
    ///
    /// # Errors
    /// [`LexiconError`]: what is wrong, and where.
    pub fn from_toml(text: &str) -> Result<Self, LexiconError> {
        file::read(text).map(|words| Self(Arc::new(words)))
    }

    /// Number of words, spellings without an apostrophe included.
    pub fn len(&self) -> usize {
        self.0.words.len()
    }

    /// Never: an empty lexicon is an error.
    pub fn is_empty(&self) -> bool {
        self.0.words.is_empty()
    }

    /// The topic of a text; none for one that is empty or blank.
    pub fn classify(&self, text: &str) -> Option<Topic> {
        self.hear(text, None)
    }
}

impl Default for Lexicon {
    #[expect(
        clippy::expect_used,
        reason = "the lexicon is part of the program and a test reads it"
    )]
    fn default() -> Self {
        static KNOWN: LazyLock<Lexicon> = LazyLock::new(|| {
            Lexicon::from_toml(BUILT_IN).expect("a test reads the lexicon that is built in")
        });
        KNOWN.clone()
    }
}

impl fmt::Debug for Lexicon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lexicon").field("words", &self.len()).finish_non_exhaustive()
    }
}

impl Listen for Lexicon {
    fn hear(&self, text: &str, phrases: Option<&mut dyn FnMut(Phrase<'_>)>) -> Option<Topic> {
        let mut room = String::new();
        let text = plain::plain(text, &mut room);
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
