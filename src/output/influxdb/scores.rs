//! The measurement `accuracy`: scores, surges and warnings of a day.

use std::collections::BTreeMap;
use std::time::Duration;

use super::fields::Line;
use super::points;
use crate::domain::{DAY, Timestamp};
use crate::forecast::surge::{SURGE_LEADS, lead_minutes};
use crate::store::sums::surges;
use crate::store::{Filter, Reader, StoreError};

/// Days that are remembered. Older days seldom change.
const DAYS_MAX: usize = 8;

/// Writes the scores of days.
#[derive(Default)]
pub(super) struct Scores {
    /// What is known of the forecasts of each day, by its midnight.
    days: BTreeMap<Timestamp, CouldWarn>,
}

/// Whether a forecast issued on a day could warn of a surge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CouldWarn {
    Yes,
    /// None that was issued before this time could.
    NotBefore(Timestamp),
}

impl Scores {
    /// Scores, surges and warnings of a day in their present state.
    pub(super) fn lines(
        &mut self,
        reader: &Reader,
        day: Timestamp,
    ) -> Result<Vec<Line>, StoreError> {
        let span = (day, day + DAY);
        let counts = surges(reader, &Filter::default(), span)?;
        let warns = self.could_warn(reader, span)?;
        let mut lines = Vec::new();
        for (series, by_lead) in reader.scores_on(day)? {
            for hours in SURGE_LEADS {
                let lead = lead_minutes(hours, reader.width());
                let Some(score) = by_lead.get(&lead) else { continue };
                let counted = counts.of(&series, hours);
                let counted = (warns || counted != Default::default()).then_some(&counted);
                lines.extend(points::accuracy(&series, day, hours, &score.figures(), counted));
            }
        }
        Ok(lines)
    }

    /// Whether a forecast that was issued on a day so far could warn of a surge.
    ///
    /// It depends on all forecasts of the day and on nothing else: the points that a backlog of days writes are those that were
    /// written hour by hour. Before the first fit, only forecasts with active alarms can warn.
    fn could_warn(
        &mut self,
        reader: &Reader,
        (day, end): (Timestamp, Timestamp),
    ) -> Result<bool, StoreError> {
        let from = match self.days.get(&day) {
            Some(CouldWarn::Yes) => return Ok(true),
            Some(CouldWarn::NotBefore(at)) => *at,
            None => day,
        };
        let Some(newest) = reader.newest_issue()? else { return Ok(false) };
        let to = end.min(newest + Duration::from_millis(1));
        let found = reader.could_warn(from, to)?;
        let known = if found { CouldWarn::Yes } else { CouldWarn::NotBefore(to.max(from)) };
        self.days.insert(day, known);
        if self.days.len() > DAYS_MAX {
            self.days.pop_first();
        }
        Ok(found)
    }
}
