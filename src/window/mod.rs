//! Events → cumulative partials per partition ([`Aggregator`]) → merged, finalized windows ([`Merge`]).
//!
//! Neither has a clock. What an aggregator decides about an event depends only on the log prefix of its own
//! partition, so a replay decides the same. A merge keeps the newest partial of each source, so duplicates, replays
//! and zombies are harmless.

mod active_alarms;
mod aggregator;
mod beside;
mod counts;
#[cfg(test)]
mod fuzz;
mod key_index;
mod merge;
mod phrases;
#[cfg(test)]
mod tests;
mod watermark;

pub use active_alarms::{ActiveAlarm, AlarmBook, AlarmRules, STALE_AFTER, Tally, Transition};
pub use aggregator::{Aggregator, AggregatorConfig, CommitPoint, Outcome, Partial};
pub use beside::{Beside, KeptWindow};
pub use counts::{AggregationKey, Counts};
pub use merge::{FinalizedWindow, Frontier, Merge, MergeConfig, MergeState, Part, SourceProgress};
pub use phrases::text_counts;
pub use watermark::{Waiting, Watermark};
