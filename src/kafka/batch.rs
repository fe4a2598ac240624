//! Records under way: how many of a batch have no answer yet.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

use super::settings::KafkaProblem;

/// A batch on its way.
#[derive(Default)]
pub(super) struct Batch {
    state: Mutex<(usize, Option<KafkaProblem>)>,
    over: Condvar,
}

impl Batch {
    /// Changes how many are under way, and what became of one.
    pub(super) fn left(&self, change: impl FnOnce(&mut (usize, Option<KafkaProblem>))) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut state);
        self.over.notify_all();
    }

    /// Waits until nothing of it is under way; `sent` is what became of handing it over.
    pub(super) fn wait(&self, sent: Result<(), KafkaProblem>) -> Result<(), KafkaProblem> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        while state.0 > 0 {
            // Ends: each record is delivered or given up in time.
            state = self.over.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        sent.and(state.1.take().map_or(Ok(()), Err))
    }
}

/// One record of a batch.
pub struct Ticket(pub(super) Arc<Batch>);

impl Ticket {
    pub(super) fn done(self, problem: Option<KafkaProblem>) {
        self.0.left(|state| {
            state.0 -= 1;
            state.1 = state.1.take().or(problem);
        });
    }
}
