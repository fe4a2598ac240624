//! Rules of issuing: where, from when on, and with which people.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::refit::Places;
use crate::domain::{Name, Timestamp, Zone};
use crate::forecast::{Calendar, Place};
use crate::staffing::{Profile, Shift};

/// Keeps a roster going where nobody enters one: shifts of the day that starts at an instant.
pub type RosterSource = Arc<dyn Fn(Timestamp) -> Vec<Shift> + Send + Sync>;

/// Rules of issuing.
#[derive(Clone)]
pub struct IssueConfig {
    /// Zone of roll-ups over all regions, and of regions that name none.
    pub zone: Zone,
    pub zones: BTreeMap<Name, Zone>,
    /// Holidays by region, and of regions that have none of their own.
    pub calendars: BTreeMap<Name, Arc<Calendar>>,
    pub calendar: Arc<Calendar>,
    /// By channel.
    pub profiles: BTreeMap<Name, Profile>,
    /// Vintages are issued for windows that end here or later.
    pub vintages_from: Timestamp,
    /// Plans are made and alerts raised for windows that end here or later.
    pub alerts_from: Timestamp,
    /// People are told of windows that end here or later: older ones are history, not news.
    pub told_from: Timestamp,
    pub roster: Option<RosterSource>,
}

impl IssueConfig {
    /// Zones and calendars of all regions.
    pub fn places(&self) -> Places {
        let named: BTreeSet<&Name> = self.zones.keys().chain(self.calendars.keys()).collect();
        let place = |region: &Name| Place {
            zone: self.zone_of(region),
            calendar: self.calendars.get(region).unwrap_or(&self.calendar).clone(),
        };
        Places {
            by_region: named.into_iter().map(|region| (region.clone(), place(region))).collect(),
            other: Place { zone: self.zone, calendar: self.calendar.clone() },
        }
    }

    /// The zone of a region.
    pub fn zone_of(&self, region: &Name) -> Zone {
        self.zones.get(region).copied().unwrap_or(self.zone)
    }
}
