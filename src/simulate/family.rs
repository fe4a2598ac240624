//! Response families: how complaints follow faults, and how alarms differ between outages and harmless groups.
//!
//! Families share ordinary days and rates of incidents but differ in the response, so that a model overfitted to one fails on
//! another.
//!
//! | | `exponential` (the default) | `long-tail` |
//! | --- | --- | --- |
//! | complaints begin | a log-normal 25 min after the first alarm | log-uniform, 4–90 min |
//! | rise and fall | exponential | log-normal reporting delays; power-law decay |
//! | unit of the excess | the series' average hour | mostly the hour's usual volume |
//! | night | no complaints before seven, then all at once | one in seven customers complains; the others between seven and ten |
//! | size | independent of alarms | larger for critical alarms and many devices |
//! | alarms of outages, of harmless groups | 4–21, 1–5: numbers differ, types do not | 2–10, 1–8: types differ (93 %), numbers hardly |
//!
//! Two more families have the alarms, onsets and lengths of `exponential`:
//!
//! - `two-humps` (`two_humps.rs`): half as many customers complain, in two humps (20 and 160 min). The second hump is larger in
//!   chat and e-mail than by phone. After the end three in ten complaints continue for hours.
//! - `rebound` (`rebound.rs`): complaints begin late, last as long as the fault, and return after its end. Customers do not
//!   notice a quarter of the faults. It is for final evaluation only: do not tune anything on it.

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

    /// Its name in flags.
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
            format!("`{text}` is not a family: use exponential, long-tail, two-humps or rebound")
        })
    }
}
