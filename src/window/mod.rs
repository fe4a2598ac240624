//! Events → cumulative partials per partition ([`Fold`]) → merged, settled windows ([`Merge`]).
//!
//! Two machines without a clock. What a fold decides about an event depends only on the log prefix of
//! its own partition, so that a replay decides the same; what a merge holds is the newest partial of
//! each source, so that duplicates, replays and zombies are harmless.

mod cells;
mod counts;
mod fold;
#[cfg(test)]
mod fuzz;
mod merge;
mod phrases;
mod standing;
#[cfg(test)]
mod tests;

pub use counts::{Cell, Counts};
pub use fold::{CommitPoint, Fate, Fold, FoldConfig, Partial};
pub use merge::{Frontier, Merge, MergeConfig, MergeState, Part, Settled, SourceProgress};
pub use phrases::spoken;
pub use standing::{AlarmBook, AlarmRules, STALE_AFTER, Standing, Tally, Transition};
