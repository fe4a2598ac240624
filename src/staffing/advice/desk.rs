//! Desks: teams, and series without a team, in the form that recommendations use.

use crate::domain::{SeriesKey, Timestamp, Zone};

/// One window of a desk's plan.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DeskWindow {
    pub start: Timestamp,
    /// Agents on the schedule needed for the forecast's mean, and for a high forecast (90 % quantile). Both include the team's
    /// minimum.
    pub needed: u32,
    pub needed_high: u32,
    /// Agents on the roster; `None` without a roster.
    pub scheduled: Option<u32>,
    /// Whether it is open.
    pub is_open: bool,
    /// Expected contacts.
    pub arrivals: f64,
    /// People whose shift ended within the length of overtime before this window.
    pub just_ended: u32,
}

impl DeskWindow {
    /// Agents beyond the needed ones: a share of the additional agents that a high forecast needs.
    pub(super) fn reserve(&self, share: f64) -> u32 {
        (f64::from(self.needed_high.saturating_sub(self.needed)) * share).round() as u32
    }
}

/// A team, or a series without a team.
#[derive(Clone, Debug, PartialEq)]
pub struct Desk {
    /// The team's name; else `region/service/channel`.
    pub name: String,
    /// Series that the desk serves; `_all` stands for every name.
    pub series: Vec<SeriesKey>,
    pub zone: Zone,
    /// Desks whose work its people can do, as indexes in the same list.
    pub helps: Vec<usize>,
    /// Whether callers can hear an announcement.
    pub can_announce: bool,
    /// The outage that causes contacts, if there is one.
    pub outage: Option<String>,
    pub windows: Vec<DeskWindow>,
}

/// The service that a number of people attains in one window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Level {
    /// Expected service level over the forecast's quantiles.
    pub expected: f64,
    /// Probability that the target is met.
    pub met: f64,
}

/// Computes levels of service.
pub trait Service {
    /// Service levels in each window of a desk, for the given number of people on its schedule in each window, and arrivals
    /// multiplied by `factor`.
    fn levels(&mut self, desk: usize, people: &[f64], factor: f64) -> Vec<Level>;
}
