//! What a lexicon holds, ready to be looked for.

use aho_corasick::automaton::StateID;
use aho_corasick::dfa::DFA;

use super::keys::Keys;
use super::starts::Starts;
use crate::domain::Topic;

/// What one word says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word {
    pub(super) topic: Topic,
    /// Zero for one that only sounds like its topic.
    pub(super) weight: u8,
    /// Whether a letter or digit in front makes it another word, and behind.
    pub(super) whole_left: bool,
    pub(super) whole_right: bool,
}

#[derive(Debug)]
pub(super) struct Words {
    pub(super) finder: DFA,
    /// Where the finder begins.
    pub(super) start: StateID,
    pub(super) starts: Option<Starts>,
    /// By the finder's pattern.
    pub(super) words: Vec<Word>,
    /// Keys of words, and single characters, that make no phrase.
    pub(super) ignored: Keys,
}
