//! How many alarms did what.

/// What raises came to, and what was not kept, since it was last asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Alarms that began to stand.
    pub began: u64,
    /// Raises of alarms that stood.
    pub repeated: u64,
    /// Clears that were taken back.
    pub flapped: u64,
    /// Alarms that are over since their rebuilt list did not have them.
    pub resynced: u64,
    /// Alarms that were not kept, since too many stood.
    pub refused: u64,
    /// Rebuilt lists that were not kept, since too many waited.
    pub lists_refused: u64,
}

impl Tally {
    /// Its numbers by name.
    pub fn counts(&self) -> [(&'static str, u64); 6] {
        [
            ("began", self.began),
            ("repeated", self.repeated),
            ("flapped", self.flapped),
            ("resynced", self.resynced),
            ("refused", self.refused),
            ("lists_refused", self.lists_refused),
        ]
    }
}
