//! Which pages a receiver gets.

use std::collections::BTreeSet;

use super::{Alert, AlertSeverity, Notification, NotificationKind};
use crate::domain::{Hours, Name, Timestamp};

/// A receiver's share of the pages. Without conditions it gets all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Route {
    /// Rules; all where none is named.
    pub rules: BTreeSet<String>,
    /// Regions; all where none is named.
    pub regions: BTreeSet<Name>,
    /// The least severity; all where none is given.
    pub min_severity: Option<AlertSeverity>,
    /// When someone is on duty, in the time zone of the alert's region; always where none is given.
    pub duty: Option<Hours>,
}

impl Route {
    /// Whether the receiver gets a page at `now`. That an alert is over is for those who heard of it, at any hour:
    /// `has_heard` says whether it did.
    pub fn takes(&self, page: &Notification, now: Timestamp, has_heard: bool) -> bool {
        if page.kind == NotificationKind::Resolved {
            return has_heard;
        }
        let alert = &page.alert;
        self.takes_alert(alert)
            && self.duty.as_ref().is_none_or(|duty| duty.covers(now, alert.zone))
    }

    /// Whether the receiver gets pages of an alert, at the hours of its duty.
    pub fn takes_alert(&self, alert: &Alert) -> bool {
        (self.rules.is_empty() || self.rules.contains(&alert.rule))
            && (self.regions.is_empty() || self.regions.contains(&alert.scope.region))
            && self.min_severity.is_none_or(|least| alert.severity >= least)
    }
}
