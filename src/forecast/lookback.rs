//! Windows at the same civil time in past weeks and days, computed once per zone and origin.

use std::time::Duration;

use super::HORIZON;
use crate::domain::{WindowWidth, Zone};

/// Weeks that the profile looks back.
pub const WEEKS: usize = 8;
/// Days that the fallback looks back.
pub const DAYS: usize = 7;
/// Span before the origin over which the level is estimated.
const LEVEL_REACH: Duration = Duration::from_secs(24 * 3600);

/// Window indices at the same civil time, for the last day and every forecast point.
#[derive(Clone, Debug)]
pub struct Lookback {
    /// Index of the first forecast point, one past the last known window.
    pub origin: i64,
    /// Index of the first slot.
    pub first: i64,
    /// Number of windows a day.
    pub per_day: usize,
    /// By slot: the same civil time 1 to 8 weeks before.
    pub weeks: Vec<[i64; WEEKS]>,
    /// By slot: the same civil time 1 to 7 days before.
    pub days: Vec<[i64; DAYS]>,
}

impl Lookback {
    /// For forecasts whose first forecast point is window `origin`.
    pub fn new(zone: Zone, width: WindowWidth, origin: i64) -> Self {
        let (known, targets) = (width.per(LEVEL_REACH) as i64, width.per(HORIZON) as i64);
        let first = origin - known;
        let slots = first..origin + targets;
        let before =
            |slot: i64, days: usize| width.index(zone.days_before(width.start(slot), days as u32));
        Self {
            origin,
            first,
            per_day: width.per(LEVEL_REACH),
            weeks: slots
                .clone()
                .map(|slot| std::array::from_fn(|week| before(slot, (week + 1) * 7)))
                .collect(),
            days: slots.map(|slot| std::array::from_fn(|day| before(slot, day + 1))).collect(),
        }
    }

    /// Number of forecast points.
    pub fn targets(&self) -> usize {
        self.weeks.len() - (self.origin - self.first) as usize
    }
}
