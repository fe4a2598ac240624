//! Reads and checks a lexicon file.

use std::collections::HashMap;

use aho_corasick::automaton::Automaton;
use aho_corasick::dfa::DFA;
use aho_corasick::{Anchored, MatchKind};
use serde::Deserialize;

use super::entry::Entry;
use super::error::{LexiconError, WORDS_MAX};
use super::keys::{Keys, key};
use super::plain::{is_dense, plain};
use super::starts::Starts;
use super::words::{Word, Words};
use crate::domain::Topic;

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Raw {
    outage: RawTopic,
    coverage: RawTopic,
    slow: RawTopic,
    billing: RawTopic,
    device: RawTopic,
    other: RawTopic,
    phrases: RawPhrases,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RawTopic {
    strong: Vec<String>,
    words: Vec<String>,
    weak: Vec<String>,
    not: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RawPhrases {
    ignore: Vec<String>,
}

/// Weights of the lists `strong`, `words`, `weak` and `not`.
const WEIGHTS: [u8; 4] = [4, 2, 1, 0];

pub(super) fn read(text: &str) -> Result<Words, LexiconError> {
    let raw: Raw = toml::from_str(text)
        .map_err(|error| LexiconError::Syntax(error.to_string().trim_end().to_owned()))?;
    let mut patterns: Vec<String> = Vec::new();
    let mut words: Vec<Word> = Vec::new();
    let mut known: HashMap<String, Topic> = HashMap::new();
    let topics = [&raw.outage, &raw.coverage, &raw.slow, &raw.billing, &raw.device, &raw.other];
    for (topic, lists) in Topic::EVERY.into_iter().zip(topics) {
        let lists = [&lists.strong, &lists.words, &lists.weak, &lists.not];
        for (weight, list) in WEIGHTS.into_iter().zip(lists) {
            for entry in list {
                let (pattern, word) = word(entry, topic, weight)?;
                if let Some(before) = known.insert(pattern.clone(), topic) {
                    let (topic, before) = (topic.as_str(), before.as_str());
                    return Err(LexiconError::Twice { topic, before, word: entry.clone() });
                }
                patterns.push(pattern);
                words.push(word);
            }
        }
    }
    if words.is_empty() {
        return Err(LexiconError::Empty);
    }
    // Customers often omit the apostrophe.
    for n in 0..words.len() {
        if patterns[n].contains('\'') {
            let without = patterns[n].replace('\'', "");
            if !known.contains_key(&without) {
                known.insert(without.clone(), words[n].topic);
                patterns.push(without);
                words.push(words[n]);
            }
        }
    }
    if words.len() > WORDS_MAX {
        return Err(LexiconError::Many);
    }
    let too_large = |error: String| LexiconError::Syntax(error);
    let finder = DFA::builder()
        .ascii_case_insensitive(true)
        .match_kind(MatchKind::Standard)
        .prefilter(false)
        .build(&patterns)
        .map_err(|error| too_large(error.to_string()))?;
    let start = finder.start_state(Anchored::No).map_err(|error| too_large(error.to_string()))?;
    let mut buffer = String::new();
    let ignored = raw.phrases.ignore.iter().map(|entry| key(plain(entry, &mut buffer)));
    let starts = Starts::new(patterns.iter().map(String::as_str));
    Ok(Words { finder, start, starts, words, ignored: Keys::new(ignored.collect()) })
}

/// Checks an entry. Returns its search pattern and its word.
fn word(entry: &str, topic: Topic, weight: u8) -> Result<(String, Word), LexiconError> {
    let wrong = |why| LexiconError::Word { topic: topic.as_str(), word: entry.to_owned(), why };
    let mut buffer = String::new();
    let misplaced = "has a * that is not at its end: `bill*` finds bills and billing";
    let Entry { stem, opens, whole_left, whole_right } =
        Entry::parse(plain(entry, &mut buffer), misplaced).map_err(wrong)?;
    if opens && stem.chars().next_back().is_none_or(|c| is_dense(c) || c == ' ') {
        return Err(wrong("has a * that is not needed: leave it out"));
    }
    let word = Word { topic, weight, whole_left, whole_right };
    Ok((stem.to_lowercase(), word))
}
