//! Rules for issuing forecasts: zones and calendars, staffing, and the earliest times to issue and to notify.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::refit::Places;
use crate::alert::RuleSet;
use crate::anomaly::AnomalyRules;
use crate::domain::{Hours, Name, Timestamp, Zone};
use crate::forecast::{Calendar, Place};
use crate::staffing::{AdviceRules, Rules, Shift};

/// Generates a roster for the demo: returns the shifts of the day that starts at an instant.
pub type RosterSource = Arc<dyn Fn(Timestamp) -> Vec<Shift> + Send + Sync>;

/// Rules for issuing forecasts.
#[derive(Clone)]
pub struct IssueConfig {
    /// Zone of roll-ups over all regions, and of regions that are not in `zones`.
    pub zone: Zone,
    pub zones: BTreeMap<Name, Zone>,
    /// Holidays by region.
    pub calendars: BTreeMap<Name, Arc<Calendar>>,
    /// Holidays of regions that are not in `calendars`.
    pub calendar: Arc<Calendar>,
    /// Staffing profiles and teams.
    pub staffing: Arc<Rules>,
    /// Rules of anomalies.
    pub anomalies: AnomalyRules,
    /// Rules of recommendations.
    pub advice: Arc<AdviceRules>,
    /// How long the first plans wait for the staffing tables. With a duration of zero, the plans right after a start
    /// approximate chat. `None` for an instance that only counts: it makes no plans and builds no tables.
    pub tables_patience: Option<Duration>,
    /// Vintages are issued for windows that end here or later.
    pub vintages_from: Timestamp,
    /// Plans are made for windows that end here or later, so that boards show the agents of past days.
    pub plans_from: Timestamp,
    /// Alerts are raised for windows that end here or later.
    pub alerts_from: Timestamp,
    /// Pages are sent for windows that end here or later. Older windows are history.
    pub notify_from: Timestamp,
    /// Hours in which pages of warnings are held back, in the time zone of their region.
    pub quiet_hours: Option<Hours>,
    /// The limits of all rules except the lack of agents.
    pub alert_rules: Arc<RuleSet>,
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

    /// Whether vintages are issued for a window that ends at `end`.
    pub fn issues_at(&self, end: Timestamp) -> bool {
        end >= self.vintages_from
    }

    /// The zone of a region.
    pub fn zone_of(&self, region: &Name) -> Zone {
        self.zones.get(region).copied().unwrap_or(self.zone)
    }
}
