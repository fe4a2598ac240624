//! Wakes the threads that deliver pages.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Notifies threads when the store has new pages.
#[derive(Debug, Default)]
pub struct Bell {
    rung: Mutex<u64>,
    heard: Condvar,
}

impl Bell {
    /// Wakes all waiting threads.
    pub fn ring(&self) {
        // A counter is consistent behind a poisoned lock too.
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.heard.notify_all();
    }

    /// A function that calls [`Self::ring`].
    pub fn ringer(self: &Arc<Self>) -> Box<dyn Fn() + Send> {
        let bell = self.clone();
        Box::new(move || bell.ring())
    }

    /// Waits until [`Self::ring`] is called after the count `seen`, but at most `at_most`. Returns the new count.
    pub fn wait(&self, seen: u64, at_most: Duration) -> u64 {
        let rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.heard.wait_timeout_while(rung, at_most, |rung| *rung == seen);
        let (rung, _) = waited.unwrap_or_else(PoisonError::into_inner);
        *rung
    }
}
