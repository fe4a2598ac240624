//! What a text says that the lexicon does not know: pairs of words, and two or three characters of dense scripts.

use std::collections::HashSet;

use xxhash_rust::xxh3::xxh3_64;

use super::plain::{is_dense, is_joined};
use super::spans::Spans;
use crate::domain::Phrase;

/// Most phrases of one text.
const PHRASES_MAX: usize = 32;
/// Longer words are addresses or noise, and so are longer numbers.
const WORD_BYTES_MAX: usize = 24;
const DIGITS_MAX: usize = 4;

/// The key of a word, whatever the case of its ASCII letters; of other letters a plain text has small ones only.
pub(super) fn key(word: &str) -> u64 {
    let mut room = [0; WORD_BYTES_MAX];
    match room.get_mut(..word.len()) {
        Some(small) => {
            small.copy_from_slice(word.as_bytes());
            small.make_ascii_lowercase();
            xxh3_64(small)
        }
        None => xxh3_64(word.as_bytes()),
    }
}

struct Walk<'a> {
    text: &'a str,
    spans: &'a Spans,
    ignored: &'a HashSet<u64>,
    each: &'a mut dyn FnMut(Phrase<'_>),
    given: usize,
    /// Start, end and key of the word before, in the same sentence.
    before: Option<(usize, usize, u64)>,
    /// Starts of the last two characters of a dense script.
    dense: [Option<usize>; 2],
}

/// Hands over each phrase of a plain text that no word of the lexicon covers.
pub(super) fn phrases(
    text: &str,
    spans: &Spans,
    ignored: &HashSet<u64>,
    each: &mut dyn FnMut(Phrase<'_>),
) {
    let (before, dense) = (None, [None, None]);
    let mut walk = Walk { text, spans, ignored, each, given: 0, before, dense };
    let mut start: Option<usize> = None;
    for (at, c) in text.char_indices() {
        if is_joined(c) || (c == '\'' && start.is_some()) {
            start.get_or_insert(at);
            continue;
        }
        if let Some(start) = start.take() {
            walk.word(start, at);
        }
        if is_dense(c) {
            walk.dense(at, at + c.len_utf8());
            continue;
        }
        walk.dense = [None, None];
        if !matches!(c, ' ' | '-' | '/' | '_' | '"') {
            walk.before = None;
        }
        if walk.given >= PHRASES_MAX {
            return;
        }
    }
    if let Some(start) = start {
        walk.word(start, text.len());
    }
}

impl Walk<'_> {
    fn word(&mut self, start: usize, end: usize) {
        self.dense = [None, None];
        let word = &self.text[start..end];
        let number = word.bytes().all(|byte| byte.is_ascii_digit());
        if word.len() > WORD_BYTES_MAX || (number && word.len() > DIGITS_MAX) {
            self.before = None;
            return;
        }
        let this = key(word);
        if word.len() == 1 || self.ignored.contains(&this) {
            return;
        }
        if let Some((first, first_end, before)) = self.before.replace((start, end, this)) {
            let key = before.rotate_left(23) ^ this.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            self.give(first, start, Phrase { key, words: [&self.text[first..first_end], word] });
        }
    }

    fn dense(&mut self, start: usize, end: usize) {
        self.before = None;
        if self.ignored.contains(&key(&self.text[start..end])) {
            self.dense = [None, None];
            return;
        }
        let [second, first] = self.dense;
        for from in [second, first].into_iter().flatten() {
            let words = [&self.text[from..end], ""];
            self.give(from, start, Phrase { key: key(words[0]), words });
        }
        self.dense = [Some(start), second];
    }

    fn give(&mut self, first: usize, last: usize, phrase: Phrase<'_>) {
        if self.given < PHRASES_MAX && !self.spans.cover(first, last) {
            self.given += 1;
            (self.each)(phrase);
        }
    }
}
