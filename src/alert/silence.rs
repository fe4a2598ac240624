//! Silences: spans in which people do not want the pages of some alerts.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Alert, AlertSeverity};
use crate::domain::{DAY, Name, Timestamp};

/// Maximum length of a silence.
pub const SILENCE_MAX: Duration = Duration::from_secs(31 * DAY.as_secs());

/// Holds back the pages of the alerts that it matches, during a span.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Silence {
    pub id: String,
    /// Only alerts of this rule; `None` for all. The same holds for region and service.
    pub rule: Option<String>,
    pub region: Option<Name>,
    pub service: Option<Name>,
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
    /// Whether it also holds back pages of critical alerts.
    pub critical: bool,
    pub comment: Option<String>,
    /// Who entered it, and when.
    pub by: String,
    pub entered_at: Timestamp,
    /// Who ended it early.
    pub ended_by: Option<String>,
}

/// The silence that holds back the pages of an alert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Silenced {
    pub id: String,
    pub by: String,
    pub until: Timestamp,
    pub comment: Option<String>,
}

impl Silence {
    /// Whether the silence is in force at an instant.
    pub fn is_in_force(&self, at: Timestamp) -> bool {
        self.starts_at <= at && at < self.ends_at
    }

    /// Whether it holds back the pages of an alert at an instant.
    pub(super) fn holds(&self, alert: &Alert, at: Timestamp) -> bool {
        let fits = |wanted: &Option<Name>, name: &Name| wanted.as_ref().is_none_or(|w| w == name);
        self.is_in_force(at)
            && (self.critical || alert.severity != AlertSeverity::Critical)
            && self.rule.as_ref().is_none_or(|rule| *rule == alert.rule)
            && fits(&self.region, &alert.scope.region)
            && fits(&self.service, &alert.scope.service)
    }

    /// The silence after a person ended it; `None` if it is over.
    pub fn ended(&self, by: &str, at: Timestamp) -> Option<Self> {
        let is_open = at < self.ends_at;
        is_open.then(|| Self { ends_at: at, ended_by: Some(by.to_owned()), ..self.clone() })
    }

    /// When it was last changed.
    pub(super) fn changed_at(&self) -> Timestamp {
        if self.ended_by.is_some() { self.ends_at } else { self.entered_at }
    }
}

impl From<&Silence> for Silenced {
    fn from(silence: &Silence) -> Self {
        let Silence { id, by, ends_at, comment, .. } = silence.clone();
        Self { id, by, until: ends_at, comment }
    }
}
