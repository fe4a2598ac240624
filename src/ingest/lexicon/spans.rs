//! Finds the lexicon's words in a text, and the topic with the largest weight.

use aho_corasick::Anchored;
use aho_corasick::automaton::Automaton;

use super::plain::is_joined;
use super::words::{Word, Words};
use crate::domain::{TOPICS, Topic};

/// Largest number of words of a text that count, without words inside longer ones.
const SPANS_MAX: usize = 16;

/// The position of a word in the text, in bytes.
#[derive(Clone, Copy, Debug)]
struct Span {
    start: u16,
    end: u16,
    topic: Topic,
    weight: u8,
}

/// The words found in a text, in order; none is inside another.
#[derive(Debug)]
pub(super) struct Spans {
    all: [Span; SPANS_MAX],
    len: usize,
}

const NONE: Span = Span { start: 0, end: 0, topic: Topic::Other, weight: 0 };

/// Finds a lexicon's words in a normalized text.
///
/// Steps through the automaton directly, because its iterator over overlapping matches takes twice the time. In ASCII
/// texts, skips words with a beginning that no word of the lexicon has.
#[inline(never)]
pub(super) fn find(words: &Words, text: &str) -> Spans {
    let mut spans = Spans { all: [NONE; SPANS_MAX], len: 0 };
    let finder = &words.finder;
    let starts = words.starts.as_ref().filter(|_| text.is_ascii());
    let (mut state, mut at) = (words.start, 0);
    while at < text.len() {
        if state == words.start
            && let Some(starts) = starts
        {
            at = starts.next(text.as_bytes(), at);
        }
        let Some(byte) = text.as_bytes().get(at) else { break };
        state = finder.next_state(Anchored::No, state, *byte);
        at += 1;
        if !finder.is_special(state) || !finder.is_match(state) {
            continue;
        }
        for n in 0..finder.match_len(state) {
            let pattern = finder.match_pattern(state, n);
            let word = words.words[pattern.as_usize()];
            let start = at - finder.pattern_len(pattern);
            if is_whole(word, text, start, at) && !spans.take(start, at, word) {
                return spans;
            }
        }
    }
    spans
}

/// Whether a match is a whole word, where the lexicon requires one.
fn is_whole(word: Word, text: &str, start: usize, end: usize) -> bool {
    let bytes = text.as_bytes();
    let left = !word.whole_left
        || match start.checked_sub(1).map(|at| bytes[at]) {
            None => true,
            Some(byte) if byte.is_ascii() => !byte.is_ascii_alphanumeric(),
            Some(_) => !text[..start].chars().next_back().is_some_and(is_joined),
        };
    left && (!word.whole_right
        || match bytes.get(end) {
            None => true,
            Some(byte) if byte.is_ascii() => !byte.is_ascii_alphanumeric(),
            Some(_) => !text[end..].chars().next().is_some_and(is_joined),
        })
}

impl Spans {
    /// Adds a word that ends at the end of the last one or later. Returns whether another word can be added.
    fn take(&mut self, start: usize, end: usize, word: Word) -> bool {
        // A normalized text has at most 1,000 characters of up to four bytes.
        let (start, end) = (start as u16, end as u16);
        while self.last().is_some_and(|last| last.start >= start) {
            self.len -= 1;
        }
        if self.last().is_some_and(|last| last.end == end) {
            return true;
        }
        let Some(free) = self.all.get_mut(self.len) else { return false };
        *free = Span { start, end, topic: word.topic, weight: word.weight };
        self.len += 1;
        true
    }

    fn last(&self) -> Option<&Span> {
        self.len.checked_sub(1).map(|last| &self.all[last])
    }

    /// Whether one word contains both positions.
    pub(super) fn cover(&self, first: usize, second: usize) -> bool {
        self.all[..self.len].iter().any(|span| {
            let span = usize::from(span.start)..usize::from(span.end);
            span.contains(&first) && span.contains(&second)
        })
    }

    /// The topic with the largest weight; for equal weights the one with the longest word, then the first one.
    pub(super) fn topic(&self) -> Topic {
        if self.len == 0 {
            return Topic::Other;
        }
        let mut weights = [(0u16, 0u16); TOPICS];
        for span in self.all[..self.len].iter().filter(|span| span.weight > 0) {
            let (weight, longest) = &mut weights[span.topic as usize];
            *weight += u16::from(span.weight);
            *longest = (*longest).max(span.end - span.start);
        }
        let mut best = (Topic::Other, (0, 0));
        for (topic, weight) in Topic::EVERY.into_iter().zip(weights) {
            if weight > best.1 {
                best = (topic, weight);
            }
        }
        best.0
    }
}
