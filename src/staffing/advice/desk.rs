//! Desks: teams, and series without a team, as recommendations see them.

use crate::domain::{SeriesKey, Timestamp, Zone};

/// One window of a desk's plan.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DeskWindow {
    pub start: Timestamp,
    /// Agents on the schedule whom the forecast's mean needs, and whom a high forecast (90 % quantile) needs. Both include the
    /// team's minimum.
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
    /// Agents beyond those needed, as a share of those whom a high forecast needs besides.
    pub(super) fn reserve(&self, share: f64) -> u32 {
        (f64::from(self.needed_high.saturating_sub(self.needed)) * share).round() as u32
    }
}

/// A team, or a series without a team.
#[derive(Clone, Debug, PartialEq)]
pub struct Desk {
    /// The team's name; else `region/service/channel`.
    pub name: String,
    /// What it serves; `_all` stands for every name.
    pub series: Vec<SeriesKey>,
    pub zone: Zone,
    /// Desks whose work its people can do, as indexes of the same list.
    pub helps: Vec<usize>,
    /// Whether callers can hear an announcement.
    pub can_announce: bool,
    /// The outage that brings contacts, if there is one.
    pub outage: Option<String>,
    pub windows: Vec<DeskWindow>,
}

/// The service that people attain in one window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Level {
    /// Expected over the forecast's quantiles.
    pub expected: f64,
    /// Probability that the target is met.
    pub met: f64,
}

/// Computes levels of service.
pub trait Service {
    /// Levels in each window of a desk, with so many people on its schedule in each, and arrivals multiplied by `factor`.
    fn levels(&mut self, desk: usize, people: &[f64], factor: f64) -> Vec<Level>;
}
