//! Errors of a lexicon file.

use thiserror::Error;

/// Largest number of words of a lexicon.
pub(in crate::ingest) const WORDS_MAX: usize = 5_000;
/// Longest word or phrase, in characters.
pub(in crate::ingest) const WORD_CHARS_MAX: usize = 64;

/// The error for a text that is not a valid lexicon.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LexiconError {
    #[error("{0}")]
    Syntax(String),
    #[error("[{topic}]: `{word}` {why}")]
    Word { topic: &'static str, word: String, why: &'static str },
    #[error("[{topic}]: `{word}` is in [{before}] too: keep one of them")]
    Twice { topic: &'static str, before: &'static str, word: String },
    #[error("more than {WORDS_MAX} words: use fewer, or `word*` for several forms of one")]
    Many,
    #[error("no words: add some, such as negative = [\"angry\", …]")]
    NoMood,
    #[error("no words: add some, such as [outage] with words = [\"no internet\", …]")]
    Empty,
}
