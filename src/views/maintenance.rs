//! Planned work.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::MaintenanceEvent;

/// Planned work.
#[derive(Debug, Serialize, ToSchema)]
pub struct Maintenance {
    pub id: String,
    pub starts_at: String,
    pub ends_at: String,
    /// `null` means all.
    pub region: Option<String>,
    pub service: Option<String>,
    pub impact: Option<String>,
    pub text: Option<String>,
    /// Alarms raised during the work that are still active after its planned end. Above 0, the work overruns.
    pub overrun_alarms: usize,
}

impl From<&MaintenanceEvent> for Maintenance {
    fn from(event: &MaintenanceEvent) -> Self {
        Self {
            id: event.event_id.to_string(),
            starts_at: event.starts_at.to_string(),
            ends_at: event.ends_at.to_string(),
            region: event.region.as_ref().map(ToString::to_string),
            service: event.service.as_ref().map(ToString::to_string),
            impact: event.impact.as_deref().map(str::to_owned),
            text: event.text.as_deref().map(str::to_owned),
            overrun_alarms: 0,
        }
    }
}
