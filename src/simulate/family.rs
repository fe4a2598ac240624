//! Response families: how complaints follow faults, and what alarms give away.
//!
//! Operators that share ordinary days and rates of incidents but not the response, so that a model which
//! has learned one by heart fails on the other.
//!
//! | | `exponential` (the default) | `long-tail` |
//! | --- | --- | --- |
//! | complaints begin | a log-normal 25 min after the first alarm | log-uniform, 4–90 min |
//! | rise and fall | exponential | log-normal reporting delays; a power law's fade |
//! | excess in multiples of | the series' average hour | mostly the hour's own ordinary volume |
//! | night | nothing before seven, then at once | one in seven complains; the others between seven and ten |
//! | size | the same for all | worse for critical alarms and many devices |
//! | alarms of outages, of harmless groups | 4–21, 1–5: numbers tell, types do not | 2–10, 1–8: types tell (93 %), numbers hardly |
//!
//! Two more have alarms, onsets and lengths of `exponential`. In `two-humps` half as many complain, in two humps (20 and
//! 160 min), the second one in writing more than by phone, and three in ten of those who are left complain for hours after
//! the end (`two_humps.rs`). `rebound` is there for final figures only, and nothing is to be chosen by it: complaints come
//! late, stay as long as the fault does and come once more when it is gone; a quarter of the faults nobody notices
//! (`rebound.rs`).

use std::fmt;
use std::str::FromStr;

/// How complaints follow faults.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Family {
    #[default]
    Exponential,
    LongTail,
    TwoHumps,
    Rebound,
}

impl Family {
    /// All families.
    pub const EVERY: [Self; 4] = [Self::Exponential, Self::LongTail, Self::TwoHumps, Self::Rebound];

    /// Its name, as flags have it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exponential => "exponential",
            Self::LongTail => "long-tail",
            Self::TwoHumps => "two-humps",
            Self::Rebound => "rebound",
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Family {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::EVERY.into_iter().find(|family| family.as_str() == text);
        found.ok_or_else(|| {
            format!("`{text}` is no family: use exponential, long-tail, two-humps or rebound")
        })
    }
}
