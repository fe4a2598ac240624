//! The roster: who is scheduled when, for a series or for a team.

use serde::{Deserialize, Serialize};

use super::{Profile, Shift};
use crate::domain::{Name, Timestamp};

/// People scheduled for a team over a time span.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TeamShift {
    pub team: Name,
    pub start: Timestamp,
    pub end: Timestamp,
    /// Gross people on the schedule.
    pub agents: u32,
    /// Number of these people who are known to be absent; `None` if absences are not known.
    pub absent: Option<u32>,
}

/// A stretch of time with people. The number is converted as if absences were as usual.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Presence {
    pub start: Timestamp,
    pub end: Timestamp,
    pub agents: f64,
}

impl From<&Shift> for Presence {
    fn from(shift: &Shift) -> Self {
        Self { start: shift.start, end: shift.end, agents: f64::from(shift.agents) }
    }
}

impl TeamShift {
    /// The people who are scheduled. If absences are known, they replace the usual absences: 18 people who are present count as
    /// 20, if one in ten is usually absent.
    pub fn presence(&self, profile: &Profile) -> Presence {
        let agents = match self.absent {
            None => f64::from(self.agents),
            Some(absent) => f64::from(self.agents.saturating_sub(absent)) / (1.0 - profile.absence),
        };
        Presence { start: self.start, end: self.end, agents }
    }
}

/// People in `start..end`. A shift that covers half of it counts with half of its people. `None` if the roster does not cover
/// it.
pub fn present(roster: &[Presence], start: Timestamp, end: Timestamp) -> Option<f64> {
    let within = |shift: &Presence| {
        let (from, to) = (shift.start.max(start), shift.end.min(end));
        (from < to).then(|| to.since(from).as_secs_f64() * shift.agents)
    };
    let mut shifts = roster.iter().filter_map(within).peekable();
    shifts.peek()?;
    Some(shifts.sum::<f64>() / end.since(start).as_secs_f64())
}
