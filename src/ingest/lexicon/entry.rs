//! An entry of a list of words.

use super::error::WORD_CHARS_MAX;
use super::plain::is_joined;

/// A word or a phrase of a list.
pub(in crate::ingest) struct Entry<'e> {
    /// The text of the entry, without the `*` at its end.
    pub(in crate::ingest) stem: &'e str,
    /// Whether the entry ends with `*`: it also finds longer words.
    pub(in crate::ingest) opens: bool,
    /// Whether it is found only at the beginning of a word.
    pub(in crate::ingest) whole_left: bool,
    /// Whether it is found only at the end of a word.
    pub(in crate::ingest) whole_right: bool,
}

impl<'e> Entry<'e> {
    /// Checks a normalized entry. `misplaced` is the error message for a `*` that is not at the end.
    ///
    /// # Errors
    /// What is wrong with the entry.
    pub(in crate::ingest) fn parse(
        text: &'e str,
        misplaced: &'static str,
    ) -> Result<Self, &'static str> {
        let (stem, opens) = match text.strip_suffix('*') {
            Some(stem) => (stem, true),
            None => (text, false),
        };
        if stem.is_empty() {
            return Err("is empty: use a word or a phrase");
        }
        if stem.chars().count() > WORD_CHARS_MAX {
            return Err("has more than 64 characters");
        }
        if stem.contains('*') {
            return Err(misplaced);
        }
        let whole_left = stem.chars().next().is_some_and(is_joined);
        let whole_right = !opens && stem.chars().next_back().is_some_and(is_joined);
        Ok(Self { stem, opens, whole_left, whole_right })
    }
}
