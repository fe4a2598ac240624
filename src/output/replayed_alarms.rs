//! The forecaster's book of alarms, replayed from the stored messages: outputs see within seconds which alarms are active.

use std::collections::BTreeSet;

use crate::domain::{Offset, SourceId, Timestamp};
use crate::store::{Reader, StoreError};
use crate::window::{AlarmBook, AlarmRules, STALE_AFTER, Transition};

/// Number of messages that are read together.
const MESSAGES_MAX: usize = 10_000;

/// All alarms as of an instant that never moves back, and the messages after it.
pub(super) struct ReplayedAlarms {
    pub(super) book: AlarmBook,
    /// The instant up to which the book was advanced.
    pub(super) reached: Option<Timestamp>,
    /// Number of the newest stored message that was taken into the book.
    cursor: i64,
    /// Rebuilt lists that were taken into the book.
    lists: BTreeSet<(Timestamp, SourceId, Offset)>,
}

impl ReplayedAlarms {
    /// Starts without messages. The first [`Self::read`] takes all stored ones.
    pub(super) fn new(rules: AlarmRules) -> Self {
        Self { book: AlarmBook::new(rules), reached: None, cursor: 0, lists: BTreeSet::new() }
    }

    /// Takes the messages that are new in the store.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    pub(super) fn read(&mut self, reader: &Reader) -> Result<(), StoreError> {
        loop {
            let (cursor, messages) = reader.alarm_messages(self.cursor, MESSAGES_MAX)?;
            if messages.is_empty() {
                break;
            }
            messages.iter().for_each(|(position, event)| self.book.observe(position, event));
            self.cursor = cursor;
        }
        let from = self.reached.map_or(Timestamp::MIN, |reached| reached - STALE_AFTER);
        self.lists.retain(|(ts, ..)| *ts >= from);
        for (position, list) in reader.rebuilt_lists(from)? {
            if self.lists.insert((list.ts, position.source.clone(), position.offset)) {
                self.book.observe_rebuilt(&position, &list);
            }
        }
        Ok(())
    }

    /// Advances the book to `now`.
    pub(super) fn advance(&mut self, now: Timestamp, emit: impl FnMut(Transition<'_>)) {
        self.book.advance(now, emit);
        // The forecaster counts what alarms do.
        self.book.take_tally();
        self.reached = Some(now);
    }
}
