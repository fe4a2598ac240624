//! Events → cumulative partials per partition ([`Aggregator`]) → merged, finalized windows ([`Merge`]).
//!
//! Two machines without a clock. What a aggregator decides about an event depends only on the log prefix of
//! its own partition, so that a replay decides the same; what a merge holds is the newest partial of
//! each source, so that duplicates, replays and zombies are harmless.

mod active_alarms;
mod aggregator;
mod counts;
#[cfg(test)]
mod fuzz;
mod key_index;
mod merge;
mod phrases;
#[cfg(test)]
mod tests;

pub use active_alarms::{ActiveAlarm, AlarmBook, AlarmRules, STALE_AFTER, Tally, Transition};
pub use aggregator::{Aggregator, AggregatorConfig, CommitPoint, Outcome, Partial};
pub use counts::{AggregationKey, Counts};
pub use merge::{FinalizedWindow, Frontier, Merge, MergeConfig, MergeState, Part, SourceProgress};
pub use phrases::spoken;
