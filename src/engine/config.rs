//! Rules of the forecaster.

use std::time::Duration;

use super::issue_config::IssueConfig;
use super::refit::RefitConfig;
use crate::alert::{Escalation, Route, Schedule};
use crate::domain::{Name, WindowWidth, Zone};
use crate::staffing::{Model, Profile};
use crate::store::CustomerKey;
use crate::tickets::TicketPolicy;
use crate::window::{
    AlarmRules, MergeConfig, SeriesTerms, ServedBy, ServiceGoal, Terms, TicketRules,
};

/// Rules of the forecaster.
#[derive(Clone)]
pub struct ForecasterConfig {
    pub width: WindowWidth,
    pub lateness: Duration,
    pub source_timeout: Duration,
    /// Maximum number of ticket series that are counted and forecast under their own names.
    pub series_max: usize,
    pub alarms: AlarmRules,
    pub tickets: TicketRules,
    /// How tickets are assessed.
    pub policy: TicketPolicy,
    /// The key for hashing customer ids; `None` for the key of the store.
    pub customer_key: Option<CustomerKey>,
    pub issue: IssueConfig,
    pub refit: Option<RefitConfig>,
    /// Whether open windows are examined. The resulting nowcasts depend on when events were read.
    pub nowcasts: bool,
    /// The receivers of pages by name, and which pages each gets.
    pub receivers: Vec<(String, Route)>,
    /// The receivers that are notified later, if nobody has acknowledged an alert.
    pub escalation: Escalation,
    /// Reports that are sent to receivers.
    pub reports: Vec<Schedule>,
}

impl ForecasterConfig {
    /// The service target by which the contacts of each series are judged, and the time zone of the series.
    pub fn terms(&self) -> Terms {
        let (staffing, zones) = (self.issue.staffing.clone(), self.issue.zones.clone());
        let other = self.issue.zone;
        Terms::new(self.width, move |series| SeriesTerms {
            goal: staffing.profile_of(series).map(goal),
            zone: zones.get(&series.region).copied().unwrap_or(other),
        })
    }

    /// The zone of a region.
    pub fn zone(&self, region: &Name) -> Zone {
        self.issue.zones.get(region).copied().unwrap_or(self.issue.zone)
    }

    /// Rules of merging partials.
    pub fn merge(&self) -> MergeConfig {
        MergeConfig {
            width: self.width,
            lateness: self.lateness,
            source_timeout: self.source_timeout,
            series_max: self.series_max,
        }
    }
}

/// The service goal of a profile.
fn goal(profile: &Profile) -> ServiceGoal {
    let by = match profile.model {
        Model::Deferred(_) => ServedBy::End,
        _ => ServedBy::Answer,
    };
    let within = profile.target.within.as_secs();
    ServiceGoal { by, within_seconds: u32::try_from(within).unwrap_or(u32::MAX) }
}
