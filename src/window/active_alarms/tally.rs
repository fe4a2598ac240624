//! Counts of the effects of alarm messages.

/// Effects of raises and refusals since the tally was last taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Alarms that became active.
    pub began: u64,
    /// Raises of active alarms.
    pub repeated: u64,
    /// Clears that were cancelled by a raise.
    pub flapped: u64,
    /// Alarms that ended because a rebuilt list did not contain them.
    pub resynced: u64,
    /// Alarms that were refused because too many were active.
    pub refused: u64,
    /// Clears of alarms that were not known.
    pub unpaired: u64,
    /// Rebuilt lists that were refused because too many were pending.
    pub lists_refused: u64,
}

impl Tally {
    /// All counts by name, for metrics.
    pub fn counts(&self) -> [(&'static str, u64); 7] {
        [
            ("began", self.began),
            ("repeated", self.repeated),
            ("flapped", self.flapped),
            ("resynced", self.resynced),
            ("refused", self.refused),
            ("unpaired", self.unpaired),
            ("lists_refused", self.lists_refused),
        ]
    }
}
