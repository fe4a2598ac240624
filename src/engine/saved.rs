//! Named values in the store.

use super::alarm_spells::SpellsBody;
use super::generations::Generations;
use crate::alert::RuleMemory;
use crate::domain::Offset;
use crate::forecast::surge::Threshold;
use crate::store::{StoreError, Tx};

/// Next offset of the replicated log.
pub const LOG_OFFSET: &str = "log_offset";
/// Alarm spells as of the last midnight.
pub const ALARM_SPELLS: &str = "spells";
/// The time up to which open windows have been examined.
pub const LOOKED_UPTO: &str = "looked_upto";
/// Start of the first window that is not final.
pub const NEXT_WINDOW: &str = "next_window";
/// The threshold of surge warnings.
pub const SURGE_THRESHOLD: &str = "surge_threshold";
/// Generations of Kafka's topics that were counted.
pub const GENERATIONS: &str = "generations";
/// History that the alert rules need.
pub const RULE_MEMORY: &str = "rule_memory";

/// A named value to store.
#[derive(Debug)]
pub enum Saved {
    /// [`LOG_OFFSET`].
    LogOffset(Offset),
    /// [`ALARM_SPELLS`].
    AlarmSpells(SpellsBody),
    /// [`LOOKED_UPTO`], milliseconds.
    LookedUpto(i64),
    /// [`NEXT_WINDOW`], milliseconds.
    NextWindow(i64),
    /// [`SURGE_THRESHOLD`].
    SurgeThreshold(Threshold),
    /// [`GENERATIONS`].
    Generations(Generations),
    /// [`RULE_MEMORY`].
    RuleMemory(RuleMemory),
}

impl Saved {
    /// Stores it under its name.
    ///
    /// # Errors
    /// [`StoreError`] if it could not be stored.
    pub fn put(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        match self {
            Self::LogOffset(next) => tx.put_state(LOG_OFFSET, next),
            Self::AlarmSpells(spells) => tx.put_state(ALARM_SPELLS, spells),
            Self::LookedUpto(millis) => tx.put_state(LOOKED_UPTO, millis),
            Self::NextWindow(millis) => tx.put_state(NEXT_WINDOW, millis),
            Self::SurgeThreshold(threshold) => tx.put_state(SURGE_THRESHOLD, threshold),
            Self::Generations(generations) => tx.put_state(GENERATIONS, generations),
            Self::RuleMemory(memory) => tx.put_state(RULE_MEMORY, memory),
        }
    }
}
