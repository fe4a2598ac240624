//! Events → cumulative partials per partition ([`Aggregator`]) → merged, finalized windows ([`Merge`]).
//!
//! Neither uses a clock. The outcome of an event depends only on the log of its own partition up to the event, so a replay has
//! the same outcome. A merge keeps the newest partial of each source, so duplicates, replays and late writes of replaced
//! workers are harmless.

mod active_alarms;
mod aggregator;
mod beside;
mod counts;
mod entry;
mod folded;
#[cfg(test)]
mod fuzz;
mod key_index;
mod merge;
mod names;
mod open_window;
mod phrases;
mod restored;
#[cfg(test)]
mod tests;
mod ticket_book;
mod watermark;

pub use active_alarms::{
    ActiveAlarm, AlarmBook, AlarmRules, AlarmTypes, ENDED_KEPT, OTHER_TYPES, Pairing, STALE_AFTER,
    Tally, Transition, TypeCount, most_frequent, short_type,
};
pub use aggregator::{Aggregator, AggregatorConfig, CommitPoint, Outcome, Partial};
pub use beside::{Beside, KeptWindow};
pub use counts::{AggregationKey, Counts};
pub use entry::Part;
pub use folded::{Beyond, BeyondTally, FoldedPart};
pub use merge::{
    Applied, FinalizedWindow, Frontier, Merge, MergeConfig, MergeState, Refolded, SourceProgress,
};
pub use names::{CountedUnder, Names};
pub use phrases::text_counts;
pub use restored::{Restored, with_restored};
pub use ticket_book::{
    Attained, AttainedChange, Backlog, BacklogFlow, BacklogWindow, Mean, MessageKey, SeriesTerms,
    ServedBy, ServiceGoal, ServiceTimes, Terms, Ticket, TicketBook, TicketChanges, TicketRules,
    TicketTally, Total, Waits,
};
pub use watermark::{Waiting, Watermark};
