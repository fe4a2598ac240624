//! What was understood by a rule and not by a list: for a metric and the log. It does not change the result.

use std::cell::RefCell;

/// Most notes of one record.
const NOTES_MAX: usize = 16;

/// A list that a word was not in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Doubt {
    /// An unknown severity counts as indeterminate.
    Severity,
    /// An unknown type of event that names a known act is that act.
    EventType,
    /// An unknown outcome of a call is still a call.
    Outcome,
    /// An unknown kind gives way to the kind of its topic.
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

/// The notes of the records since they were last taken.
#[derive(Debug, Default)]
pub struct Notes(RefCell<Vec<Note>>);

impl Notes {
    /// Takes all notes.
    pub fn take(&self) -> Vec<Note> {
        self.0.take()
    }

    /// Whether there is none.
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
