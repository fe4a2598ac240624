//! Wakes the threads that deliver pages.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Notifies threads when the store has new pages.
#[derive(Debug, Default)]
pub struct PageSignal {
    count: Mutex<u64>,
    changed: Condvar,
}

impl PageSignal {
    /// Wakes all waiting threads.
    pub fn notify(&self) {
        // A counter is consistent behind a poisoned lock too.
        *self.count.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.changed.notify_all();
    }

    /// A function that calls [`Self::notify`].
    pub fn notifier(self: &Arc<Self>) -> Box<dyn Fn() + Send> {
        let page_signal = self.clone();
        Box::new(move || page_signal.notify())
    }

    /// Waits until [`Self::notify`] is called after the count `seen`, but at most `at_most`. Returns the new count.
    pub fn wait(&self, seen: u64, at_most: Duration) -> u64 {
        let count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_timeout_while(count, at_most, |count| *count == seen);
        let (count, _) = waited.unwrap_or_else(PoisonError::into_inner);
        *count
    }
}
