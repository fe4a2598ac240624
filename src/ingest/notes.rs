//! Notes on words that are in no list and were read by a rule: for a metric and the log. They do not change the result.

use std::cell::RefCell;

/// Maximum number of notes of one record.
const NOTES_MAX: usize = 16;

/// The list that lacks a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Doubt {
    /// An unknown severity counts as indeterminate.
    Severity,
    /// An unknown event type that contains a known action is read as that action.
    EventType,
    /// An unknown outcome of a call is still a call.
    Outcome,
    /// An unknown kind is replaced by the kind of its topic.
    Kind,
}

impl Doubt {
    /// Every doubt.
    pub const EVERY: [Self; 4] = [Self::Severity, Self::EventType, Self::Outcome, Self::Kind];

    /// The name in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Severity => "severity",
            Self::EventType => "event_type",
            Self::Outcome => "outcome",
            Self::Kind => "kind",
        }
    }
}

/// A word that was in no list.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Note {
    pub doubt: Doubt,
    /// The word, shortened and printable.
    pub word: String,
    /// How it was read.
    pub read_as: &'static str,
}

/// The notes of the records since the last call of [`Self::take`].
#[derive(Debug, Default)]
pub struct Notes(RefCell<Vec<Note>>);

impl Notes {
    /// Takes all notes.
    pub fn take(&self) -> Vec<Note> {
        self.0.take()
    }

    /// Whether there are no notes.
    pub fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }

    pub(super) fn add(&self, doubt: Doubt, word: String, read_as: &'static str) {
        let mut notes = self.0.borrow_mut();
        if notes.len() < NOTES_MAX {
            notes.push(Note { doubt, word, read_as });
        }
    }
}
