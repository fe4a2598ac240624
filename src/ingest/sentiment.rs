//! The sentiment of tickets' texts, with words that users can edit (`models/sentiment.toml`).
//!
//! Each positive word counts 1, each negative one -1; the sign of the sum is the sentiment. A negation shortly before a word
//! cancels a negative word and reverses a positive one: "not bad" counts 0, "not happy" counts -1. If words overlap, the
//! longest one counts. Only the first 1,000 characters of a text are examined.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, LazyLock};

use aho_corasick::{AhoCorasick, Anchored, Input, Match, MatchKind, StartKind};
use serde::Deserialize;

use super::lexicon::entry::Entry;
use super::lexicon::plain::{is_dense, is_joined, plain};
use super::lexicon::starts::Starts;
use super::lexicon::{LexiconError, WORDS_MAX};
use crate::domain::Sentiment;

/// The built-in list.
const BUILT_IN: &str = include_str!("../../models/sentiment.toml");
/// Maximum number of words of a script with spaces between a negation and what it negates.
const WORDS_BETWEEN: usize = 2;
/// The same for a dense script, in characters.
const DENSE_BETWEEN: usize = 3;

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Raw {
    negative: Vec<String>,
    positive: Vec<String>,
    negations: Vec<String>,
    ignore: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Polarity {
    Negative,
    Positive,
    Negation,
    /// Makes the words inside it not count.
    Nothing,
}

#[derive(Clone, Copy, Debug)]
struct Word {
    polarity: Polarity,
    /// Whether a letter or digit beside it prevents a match.
    whole_left: bool,
    whole_right: bool,
}

struct Words {
    finder: AhoCorasick,
    words: Vec<Word>,
    /// Skips most words of an ASCII text, if no word of the list begins inside another word.
    starts: Option<Starts>,
}

/// Finds the sentiment of texts. Cheap to clone.
#[derive(Clone)]
pub struct SentimentWords(Arc<Words>);

impl SentimentWords {
    /// Reads a list in the format of `models/sentiment.toml`.
    ///
    /// # Errors
    /// [`LexiconError`] with the problem and the entry.
    pub fn from_toml(text: &str) -> Result<Self, LexiconError> {
        let raw: Raw = toml::from_str(text)
            .map_err(|error| LexiconError::Syntax(error.to_string().trim_end().to_owned()))?;
        let lists = [
            ("negative", Polarity::Negative, &raw.negative),
            ("positive", Polarity::Positive, &raw.positive),
            ("negations", Polarity::Negation, &raw.negations),
            ("ignore", Polarity::Nothing, &raw.ignore),
        ];
        if raw.negative.is_empty() && raw.positive.is_empty() {
            return Err(LexiconError::NoMood);
        }
        let (mut patterns, mut words, mut known) = (Vec::new(), Vec::new(), HashSet::new());
        for (list, polarity, entries) in lists {
            for entry in entries {
                let (pattern, word) = word(entry, list, polarity)?;
                if !known.insert(pattern.clone()) {
                    let word = entry.clone();
                    return Err(LexiconError::Twice { topic: list, before: "the file", word });
                }
                // Customers often omit the apostrophe.
                let without = pattern.replace('\'', "");
                if known.insert(without.clone()) {
                    patterns.push(without);
                    words.push(word);
                }
                patterns.push(pattern);
                words.push(word);
            }
        }
        if words.len() > WORDS_MAX {
            return Err(LexiconError::Many);
        }
        let finder = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::LeftmostLongest)
            .start_kind(StartKind::Both)
            .build(&patterns)
            .map_err(|error| LexiconError::Syntax(error.to_string()))?;
        let starts = Starts::new(patterns.iter().map(String::as_str));
        Ok(Self(Arc::new(Words { finder, words, starts })))
    }

    /// Number of words.
    pub fn len(&self) -> usize {
        self.0.words.len()
    }

    /// Always false, because an empty list is an error.
    pub fn is_empty(&self) -> bool {
        self.0.words.is_empty()
    }

    /// The sentiment of a text; `None` for a blank text.
    pub fn sentiment(&self, text: &str) -> Option<Sentiment> {
        let mut buffer = String::new();
        let text = plain(text, &mut buffer);
        if text.is_empty() {
            return None;
        }
        Some(match self.score(text) {
            ..0 => Sentiment::Negative,
            0 => Sentiment::Neutral,
            1.. => Sentiment::Positive,
        })
    }

    fn score(&self, text: &str) -> i32 {
        let (mut score, mut negated_at) = (0, None);
        let starts = self.0.starts.as_ref().filter(|_| text.is_ascii());
        let mut from = 0;
        while let Some(found) = self.0.next(text, from, starts) {
            from = found.end();
            let word = self.0.words[found.pattern()];
            let before = text[..found.start()].chars().next_back();
            let after = text[found.end()..].chars().next();
            if word.whole_left && before.is_some_and(is_joined)
                || word.whole_right && after.is_some_and(is_joined)
            {
                continue;
            }
            let is_negated =
                negated_at.is_some_and(|end: usize| is_near(&text[end..found.start()]));
            score += match (word.polarity, is_negated) {
                (Polarity::Negative, false) | (Polarity::Positive, true) => -1,
                (Polarity::Positive, false) => 1,
                (Polarity::Negative, true) | (Polarity::Negation | Polarity::Nothing, _) => 0,
            };
            negated_at = (word.polarity == Polarity::Negation).then_some(found.end());
        }
        score
    }
}

impl Words {
    /// The first word at or after `from`, the longest one that begins there.
    fn next(&self, text: &str, from: usize, starts: Option<&Starts>) -> Option<Match> {
        let rest = Input::new(text);
        let Some(starts) = starts else { return self.finder.find(rest.range(from..)) };
        let mut at = starts.next(text.as_bytes(), from);
        while at < text.len() {
            let here = rest.clone().range(at..).anchored(Anchored::Yes);
            if let Some(found) = self.finder.find(here) {
                return Some(found);
            }
            at = starts.next(text.as_bytes(), at + 1);
        }
        None
    }
}

/// Whether a negation applies to a word, given the text between them.
fn is_near(between: &str) -> bool {
    let is_stop = |c: char| {
        matches!(
            c,
            '.' | ',' | ';' | ':' | '!' | '?' | '。' | '，' | '；' | '：' | '！' | '？' | '、'
        )
    };
    let dense = between.chars().filter(|c| is_dense(*c)).count();
    let words = between.split_whitespace().count();
    !between.contains(is_stop) && dense <= DENSE_BETWEEN && words <= WORDS_BETWEEN
}

/// Checks an entry. Returns its search pattern and its word.
fn word(
    entry: &str,
    list: &'static str,
    polarity: Polarity,
) -> Result<(String, Word), LexiconError> {
    let wrong = |why| LexiconError::Word { topic: list, word: entry.to_owned(), why };
    let mut buffer = String::new();
    let misplaced = "has a * that is not at its end: `disappoint*` finds disappointed too";
    let Entry { stem, whole_left, whole_right, .. } =
        Entry::parse(plain(entry, &mut buffer), misplaced).map_err(wrong)?;
    Ok((stem.to_lowercase(), Word { polarity, whole_left, whole_right }))
}

impl Default for SentimentWords {
    #[expect(clippy::expect_used, reason = "the list is part of the program and a test reads it")]
    fn default() -> Self {
        static KNOWN: LazyLock<SentimentWords> = LazyLock::new(|| {
            SentimentWords::from_toml(BUILT_IN).expect("a test reads the built-in list")
        });
        KNOWN.clone()
    }
}

impl fmt::Debug for SentimentWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SentimentWords").field("words", &self.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_have_a_sentiment() {
        use Sentiment::{Negative, Neutral, Positive};
        let words = SentimentWords::default();
        let cases = [
            ("No internet since this morning", Neutral),
            ("This is ridiculous, I am very angry and want a refund", Negative),
            ("Third time I call!! Worst service ever", Negative),
            ("I'm not happy with this", Negative),
            ("im not really satisfied", Negative),
            ("not bad at all", Neutral),
            ("no, excellent work", Positive),
            ("Great support, everything works again, very happy", Positive),
            ("How do I change my plan?", Neutral),
            ("unhappy", Negative),
            ("Hapless router", Neutral),
            ("宽带断了，什么时候恢复", Neutral),
            ("太差劲了，我要投诉！", Negative),
            ("我对你们的服务非常不满意", Negative),
            ("没有很满意", Negative),
            ("师傅态度很好，非常满意", Positive),
            ("ＡＮＧＲＹ", Negative),
        ];
        for (text, sentiment) in cases {
            assert_eq!(words.sentiment(text), Some(sentiment), "{text}");
        }
        assert_eq!(words.sentiment("  "), None);
    }

    #[test]
    fn skipping_words_changes_no_score() {
        let Words { finder, words, starts } = &*SentimentWords::default().0;
        assert!(starts.is_some());
        let (finder, words) = (finder.clone(), words.clone());
        let plainly = SentimentWords(Arc::new(Words { finder, words, starts: None }));
        let skipping = SentimentWords::default();
        let raw: Raw = toml::from_str(BUILT_IN).expect("the list");
        let lists = [raw.negative, raw.positive, raw.negations, raw.ignore];
        let all: Vec<String> = lists.concat().iter().map(|own| own.replace('*', "")).collect();
        for first in &all {
            for second in &all {
                for text in [format!("{first} {second}"), format!("Un {first}s,{second}x")] {
                    assert_eq!(skipping.score(&text), plainly.score(&text), "{text}");
                }
            }
        }
    }

    #[test]
    fn a_list_of_ones_own_replaces_the_words() {
        let own = SentimentWords::from_toml(
            "negative = [\"snail*\"]\npositive = [\"turbo\"]\nnegations = [\"no\"]\nignore = [\"snail mail\"]",
        )
        .expect("a list");
        let of = |text| own.sentiment(text).expect("a text");
        assert_eq!(of("like snails"), Sentiment::Negative);
        assert_eq!(of("by snail mail"), Sentiment::Neutral);
        assert_eq!(of("no turbo"), Sentiment::Negative);
        assert_eq!(of("angry"), Sentiment::Neutral);
        let wrong = |text: &str| SentimentWords::from_toml(text).expect_err("is wrong").to_string();
        insta::assert_snapshot!(wrong("negations = [\"no\"]"), @r#"no words: add some, such as negative = ["angry", …]"#);
        insta::assert_snapshot!(wrong("negative = [\"a\"]\npositive = [\"A\"]"), @"[positive]: `A` is in [the file] too: keep one of them");
        insta::assert_snapshot!(wrong("negative = [\"a*b\"]"), @"[negative]: `a*b` has a * that is not at its end: `disappoint*` finds disappointed too");
    }
}
