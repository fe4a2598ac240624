//! Phrases of a text outside the lexicon: pairs of words, and two or three characters of dense scripts.

use super::keys::{Keys, PRIME, key};
use super::plain::{is_dense, is_joined};
use super::spans::Spans;
use crate::domain::Phrase;

/// Largest number of phrases of one text.
const PHRASES_MAX: usize = 32;
/// Longest word of a phrase. Longer words are addresses or noise.
const WORD_BYTES_MAX: usize = 24;
/// Longest number in a phrase. Longer numbers are ids.
const DIGITS_MAX: usize = 4;

/// The kind of a character.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A letter or digit of a word.
    Joined,
    Apostrophe,
    /// A character of a dense script.
    Dense,
    /// A separator within a sentence.
    Soft,
    /// A separator that ends a phrase.
    Hard,
}

/// The kind of a character outside ASCII.
fn kind(c: char) -> Kind {
    match c {
        c if is_dense(c) => Kind::Dense,
        c if is_joined(c) => Kind::Joined,
        _ => Kind::Hard,
    }
}

/// The kinds of ASCII characters.
const ASCII: [Kind; 128] = {
    let mut kinds = [Kind::Hard; 128];
    let mut byte = 0;
    while byte < 128 {
        kinds[byte] = match byte as u8 {
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => Kind::Joined,
            b'\'' => Kind::Apostrophe,
            b' ' | b'-' | b'/' | b'_' | b'"' => Kind::Soft,
            _ => Kind::Hard,
        };
        byte += 1;
    }
    kinds
};

struct Walk<'a> {
    text: &'a str,
    spans: &'a Spans,
    ignored: &'a Keys,
    each: &'a mut dyn FnMut(Phrase<'_>),
    count: usize,
    /// Start, end and key of the previous word in the same sentence.
    before: Option<(usize, usize, u64)>,
    /// Starts of the last two characters of a dense script.
    dense: [Option<usize>; 2],
}

/// Calls `each` with the phrases of a normalized text that are not part of a word of the lexicon.
pub(super) fn phrases(text: &str, spans: &Spans, ignored: &Keys, each: &mut dyn FnMut(Phrase<'_>)) {
    let (before, dense) = (None, [None, None]);
    let mut walk = Walk { text, spans, ignored, each, count: 0, before, dense };
    let mut start: Option<usize> = None;
    let mut at = 0;
    while let Some(byte) = text.as_bytes().get(at) {
        let (kind, end) = match ASCII.get(usize::from(*byte)) {
            Some(kind) => (*kind, at + 1),
            None => {
                let c = text[at..].chars().next().unwrap_or(' ');
                (kind(c), at + c.len_utf8())
            }
        };
        if kind == Kind::Joined || (kind == Kind::Apostrophe && start.is_some()) {
            start.get_or_insert(at);
        } else {
            if let Some(start) = start.take() {
                walk.word(start, at);
            }
            match kind {
                Kind::Dense => walk.dense(at, end),
                Kind::Soft => walk.dense = [None, None],
                Kind::Joined | Kind::Apostrophe | Kind::Hard => {
                    (walk.dense, walk.before) = ([None, None], None);
                }
            }
            if walk.count >= PHRASES_MAX {
                return;
            }
        }
        at = end;
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
        if word.len() == 1 || self.ignored.contains(this) {
            return;
        }
        if let Some((first, first_end, before)) = self.before.replace((start, end, this)) {
            let key = (before.rotate_left(23) ^ this).wrapping_mul(PRIME);
            self.emit(first, start, Phrase { key, words: [&self.text[first..first_end], word] });
        }
    }

    fn dense(&mut self, start: usize, end: usize) {
        self.before = None;
        if self.ignored.contains(key(&self.text[start..end])) {
            self.dense = [None, None];
            return;
        }
        let [second, first] = self.dense;
        for from in [second, first].into_iter().flatten() {
            let words = [&self.text[from..end], ""];
            self.emit(from, start, Phrase { key: key(words[0]), words });
        }
        self.dense = [Some(start), second];
    }

    fn emit(&mut self, first: usize, last: usize, phrase: Phrase<'_>) {
        if self.count < PHRASES_MAX && !self.spans.cover(first, last) {
            self.count += 1;
            (self.each)(phrase);
        }
    }
}
