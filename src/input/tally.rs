//! Counters of events that wait until the report with these events is durable. A failed report is counted again, and its events
//! must not appear twice in the metrics.

use prometheus_client::metrics::counter::Counter;

/// A counter, and what is to be added to it.
#[derive(Debug)]
pub(super) struct Waiting {
    counter: Counter,
    more: u64,
}

impl Waiting {
    pub(super) fn new(counter: Counter) -> Self {
        Self { counter, more: 0 }
    }

    pub(super) fn inc(&mut self) {
        self.more += 1;
    }
}

/// What a report adds to counters.
#[derive(Debug, Default)]
#[must_use]
pub(super) struct Tally(Vec<(Counter, u64)>);

impl Tally {
    /// Takes what waits.
    pub(super) fn take<'w>(&mut self, waiting: impl IntoIterator<Item = &'w mut Waiting>) {
        let waiting = waiting.into_iter().filter(|waiting| waiting.more > 0);
        self.0.extend(waiting.map(|one| (one.counter.clone(), std::mem::take(&mut one.more))));
    }

    /// Adds it to the counters: the report is durable.
    pub(super) fn publish(self) {
        for (counter, more) in self.0 {
            counter.inc_by(more);
        }
    }
}
