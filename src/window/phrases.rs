//! Phrases of one scope and window that several tickets share, counted in bounded room.
//!
//! What is kept is a function of the texts in their order alone, and a replay starts where the window did, so that it
//! ends with the same phrases and counts. A phrase counts from the second ticket that has it. Until then only its key is
//! held, as one of [`WAITING_MAX`]: when these are full they are all forgotten, and a phrase that comes back after
//! that is short by the tickets before. Once it counts it is never let go, so that what was sent of it stays true.

use std::collections::{BTreeMap, HashMap};

use super::{AggregationKey, Counts};
use crate::domain::{Phrase, Scope, Spoken};
use foldhash::fast::RandomState;

/// Phrases that count, of one scope, window and source: the first that two tickets share.
const PHRASES_MAX: usize = 64;
/// Phrases that one ticket had, waiting for a second.
const WAITING_MAX: usize = 256;
/// Texts of one scope, window and source that are looked at: in a flood the first thousand say it.
const TEXTS_MAX: u32 = 1_000;

/// A phrase that counts.
#[derive(Debug)]
struct Known {
    spelled: Box<str>,
    tickets: u32,
    changed: bool,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    /// The last text that had it, so that a text counts once.
    text: u32,
    /// Place among those that count.
    known: Option<u16>,
}

/// Phrases of one scope and window.
#[derive(Debug, Default)]
pub(super) struct Tally {
    texts: u32,
    entries: HashMap<u64, Entry, RandomState>,
    known: Vec<Known>,
}

impl Tally {
    /// Notes that a text follows. Returns whether its phrases are wanted.
    pub(super) fn begin(&mut self) -> bool {
        self.texts = self.texts.saturating_add(1);
        self.texts <= TEXTS_MAX
    }

    /// Takes a phrase of the text that has begun.
    pub(super) fn take(&mut self, phrase: Phrase<'_>) {
        let text = self.texts;
        if let Some(entry) = self.entries.get_mut(&phrase.key) {
            if std::mem::replace(&mut entry.text, text) == text {
                return;
            }
            match entry.known {
                Some(place) => {
                    let known = &mut self.known[usize::from(place)];
                    known.tickets += 1;
                    known.changed = true;
                }
                None if self.known.len() < PHRASES_MAX => {
                    entry.known = Some(self.known.len() as u16);
                    let spelled = phrase.spelled();
                    self.known.push(Known { spelled, tickets: 2, changed: true });
                }
                None => {}
            }
            return;
        }
        if self.entries.len() - self.known.len() >= WAITING_MAX {
            self.entries.retain(|_, entry| entry.known.is_some());
        }
        self.entries.insert(phrase.key, Entry { text, known: None });
    }

    /// Phrases whose count changed since the last call, with the tickets that have them.
    pub(super) fn changed(&mut self) -> impl Iterator<Item = (Box<str>, u32)> + '_ {
        self.known.iter_mut().filter_map(|known| {
            std::mem::take(&mut known.changed).then(|| (known.spelled.clone(), known.tickets))
        })
    }
}

/// What was said by scope, from the cells of a window. Scopes with tickets but without a text are there too.
pub fn spoken<'a>(
    cells: impl IntoIterator<Item = (&'a AggregationKey, &'a Counts)>,
) -> BTreeMap<Scope, Spoken> {
    let mut spoken: BTreeMap<Scope, Spoken> = BTreeMap::new();
    for (cell, counts) in cells {
        match cell {
            AggregationKey::Tickets(series) => {
                spoken.entry(series.scope()).or_default().add(&counts.topics);
            }
            AggregationKey::Phrase(scope, phrase) => {
                let spoken = spoken.entry(scope.clone()).or_default();
                spoken.phrases.push((phrase.clone(), counts.tickets));
            }
            AggregationKey::Alarms(_) | AggregationKey::Maintenance => {}
        }
    }
    spoken
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
    fn a_phrase_counts_once_a_text_and_from_the_second_on() {
        let mut tally = Tally::default();
        take(&mut tally, &[&[1, 1, 1, 2], &[3, 1], &[2]]);
        let said: Vec<_> = tally.changed().collect();
        assert_eq!(said, [("w1 x".into(), 2), ("w2 x".into(), 2)]);
        take(&mut tally, &[&[1]]);
        assert_eq!(tally.changed().collect::<Vec<_>>(), [("w1 x".into(), 3)]);
    }

    #[test]
    fn room_and_work_are_bounded() {
        let mut tally = Tally::default();
        for n in 0..3 * u64::from(TEXTS_MAX) {
            take(&mut tally, &[&[n, n + 1, n + 2]]);
        }
        assert!(tally.entries.len() <= PHRASES_MAX + WAITING_MAX, "{}", tally.entries.len());
        assert_eq!(tally.known.len(), PHRASES_MAX);
        assert!(tally.known.iter().all(|known| known.tickets == 3 || known.tickets == 2));
    }
}
