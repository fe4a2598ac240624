//! Phrases that several tickets of one scope and window share, counted in bounded memory.
//!
//! The result depends only on the texts and their order. A replay starts at the beginning of the window, so it ends with the
//! same phrases and counts. A phrase is counted from the second ticket on. Until then only its key is held, as one of
//! [`WAITING_MAX`] candidates. When there are too many, all candidates are dropped, so a phrase that occurs again later lacks
//! the earlier tickets. A phrase that is counted is never dropped, so partials that were sent stay correct.

use std::collections::{BTreeMap, HashMap};

use super::{AggregationKey, Counts};
use crate::domain::{Phrase, Scope, TextCounts};
use foldhash::fast::RandomState;

/// Maximum number of phrases that are counted for one scope, window and source: the first that two tickets share.
const PHRASES_MAX: usize = 64;
/// Maximum number of phrases that wait for a second ticket.
const WAITING_MAX: usize = 256;
/// Maximum number of texts of one scope, window and source whose phrases are counted. In a flood of tickets, the first thousand
/// are enough.
const TEXTS_MAX: u32 = 1_000;

/// A phrase that is counted.
#[derive(Debug)]
struct Counted {
    spelled: Box<str>,
    tickets: u32,
    changed: bool,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    /// Number of the last text that contained it, because a text counts once.
    text: u32,
    /// Position in [`Tally::counted`].
    counted: Option<u16>,
}

/// Phrases of one scope and window.
#[derive(Debug, Default)]
pub(super) struct Tally {
    texts: u32,
    entries: HashMap<u64, Entry, RandomState>,
    counted: Vec<Counted>,
}

impl Tally {
    /// Begins a text. Returns whether its phrases are counted.
    pub(super) fn begin(&mut self) -> bool {
        self.texts = self.texts.saturating_add(1);
        self.texts <= TEXTS_MAX
    }

    /// Counts a phrase of the text that has begun.
    pub(super) fn take(&mut self, phrase: Phrase<'_>) {
        let text = self.texts;
        if let Some(entry) = self.entries.get_mut(&phrase.key) {
            if std::mem::replace(&mut entry.text, text) == text {
                return;
            }
            match entry.counted {
                Some(position) => {
                    let counted = &mut self.counted[usize::from(position)];
                    counted.tickets += 1;
                    counted.changed = true;
                }
                None if self.counted.len() < PHRASES_MAX => {
                    entry.counted = Some(self.counted.len() as u16);
                    let spelled = phrase.text();
                    self.counted.push(Counted { spelled, tickets: 2, changed: true });
                }
                None => {}
            }
            return;
        }
        if self.entries.len() - self.counted.len() >= WAITING_MAX {
            self.entries.retain(|_, entry| entry.counted.is_some());
        }
        self.entries.insert(phrase.key, Entry { text, counted: None });
    }

    /// Phrases whose count changed since the last call, with their tickets.
    pub(super) fn changed(&mut self) -> impl Iterator<Item = (Box<str>, u32)> + '_ {
        self.counted.iter_mut().filter_map(|counted| {
            std::mem::take(&mut counted.changed).then(|| (counted.spelled.clone(), counted.tickets))
        })
    }
}

/// Topics and phrases of a window by scope. Scopes whose tickets have no text are included.
pub fn text_counts<'a>(
    counts: impl IntoIterator<Item = (&'a AggregationKey, &'a Counts)>,
) -> BTreeMap<Scope, TextCounts> {
    let mut sums: BTreeMap<Scope, TextCounts> = BTreeMap::new();
    for (key, n) in counts {
        match key {
            AggregationKey::Tickets(series) => {
                sums.entry(series.scope()).or_default().add(&n.topics);
            }
            AggregationKey::Phrase(scope, phrase) => {
                let sum = sums.entry(scope.clone()).or_default();
                sum.phrases.push((phrase.clone(), n.tickets));
            }
            AggregationKey::Alarms(_) | AggregationKey::Maintenance => {}
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(tally: &mut Tally, texts: &[&[u64]]) {
        for phrases in texts {
            if tally.begin() {
                for key in *phrases {
                    let word = format!("w{key}");
                    tally.take(Phrase { key: *key, words: [&word, "X"] });
                }
            }
        }
    }

    #[test]
    fn a_phrase_counts_once_a_text_from_the_second_text_on() {
        let mut tally = Tally::default();
        take(&mut tally, &[&[1, 1, 1, 2], &[3, 1], &[2]]);
        let changed: Vec<_> = tally.changed().collect();
        assert_eq!(changed, [("w1 x".into(), 2), ("w2 x".into(), 2)]);
        take(&mut tally, &[&[1]]);
        assert_eq!(tally.changed().collect::<Vec<_>>(), [("w1 x".into(), 3)]);
    }

    #[test]
    fn memory_and_work_are_bounded() {
        let mut tally = Tally::default();
        for n in 0..3 * u64::from(TEXTS_MAX) {
            take(&mut tally, &[&[n, n + 1, n + 2]]);
        }
        assert!(tally.entries.len() <= PHRASES_MAX + WAITING_MAX, "{}", tally.entries.len());
        assert_eq!(tally.counted.len(), PHRASES_MAX);
        assert!(tally.counted.iter().all(|counted| counted.tickets == 3 || counted.tickets == 2));
    }
}
