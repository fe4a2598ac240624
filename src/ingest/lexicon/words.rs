//! The words of a lexicon, with the automaton that finds them.

use aho_corasick::automaton::StateID;
use aho_corasick::dfa::DFA;

use super::keys::Keys;
use super::starts::Starts;
use crate::domain::Topic;

/// One word or phrase of the lexicon.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word {
    pub(super) topic: Topic,
    /// Weight for the topic. Zero for entries of `not`, which only hide the words in them.
    pub(super) weight: u8,
    /// Whether a letter or digit before the word prevents a match.
    pub(super) whole_left: bool,
    /// Whether a letter or digit after the word prevents a match.
    pub(super) whole_right: bool,
}

#[derive(Debug)]
pub(super) struct Words {
    pub(super) finder: DFA,
    /// Start state of the finder.
    pub(super) start: StateID,
    pub(super) starts: Option<Starts>,
    /// Words by the finder's pattern id.
    pub(super) words: Vec<Word>,
    /// Keys of words and single characters that are never part of a phrase.
    pub(super) ignored: Keys,
}
