//! Deliveries of a batch: how many records have no answer yet.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

use super::settings::KafkaProblem;

/// A batch of records in flight.
#[derive(Default)]
pub(super) struct Batch {
    /// Records without an answer, and the first problem.
    state: Mutex<(usize, Option<KafkaProblem>)>,
    changed: Condvar,
}

impl Batch {
    /// Changes the number of records in flight and the first problem.
    pub(super) fn update(&self, change: impl FnOnce(&mut (usize, Option<KafkaProblem>))) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut state);
        self.changed.notify_all();
    }

    /// Whether no record is in flight.
    pub(super) fn is_done(&self) -> bool {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).0 == 0
    }

    /// Waits until no record is in flight. `sent` is the result of passing the records to the client.
    pub(super) fn wait(&self, sent: Result<(), KafkaProblem>) -> Result<(), KafkaProblem> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        while state.0 > 0 {
            // This loop ends, because the client delivers each record or gives it up in time.
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        sent.and(state.1.take().map_or(Ok(()), Err))
    }
}

/// One record of a batch.
pub struct DeliveryHandle(pub(super) Arc<Batch>);

impl DeliveryHandle {
    pub(super) fn done(self, problem: Option<KafkaProblem>) {
        self.0.update(|state| {
            state.0 -= 1;
            state.1 = state.1.take().or(problem);
        });
    }
}
