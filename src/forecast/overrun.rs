//! Planned work that overruns its planned end. An overrun is not announced; active alarms show it.

use std::time::Duration;

use super::PlannedWork;
use crate::domain::{MaintenanceEvent, Scope, Severity, Timestamp};

/// Longest overrun. Alarms that are active for longer count as ordinary alarms.
const REACH: Duration = Duration::from_secs(12 * 3600);

impl PlannedWork {
    /// Whether the work applies to a region and service.
    pub fn covers(&self, scope: &Scope) -> bool {
        self.region.as_ref().is_none_or(|region| *region == scope.region)
            && self.service.as_ref().is_none_or(|service| *service == scope.service)
    }

    /// Whether the planned end has passed, but by less than the longest possible overrun.
    pub fn should_be_over(&self, now: Timestamp) -> bool {
        self.ends_at <= now && now < self.ends_at + REACH
    }

    /// Whether an alarm active at `now` was raised during the work although the work should be over.
    pub fn overruns_with(
        &self,
        scope: &Scope,
        severity: Severity,
        raised_at: Timestamp,
        now: Timestamp,
    ) -> bool {
        let during = (self.starts_at..self.ends_at).contains(&raised_at);
        // Alarms of severity warning are often active all day, so they do not count.
        self.should_be_over(now) && during && severity <= Severity::Minor && self.covers(scope)
    }
}

impl From<&MaintenanceEvent> for PlannedWork {
    fn from(event: &MaintenanceEvent) -> Self {
        Self {
            announced_at: event.ts,
            cancelled_at: None,
            starts_at: event.starts_at,
            ends_at: event.ends_at,
            region: event.region.clone(),
            service: event.service.clone(),
        }
    }
}
