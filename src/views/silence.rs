//! Silences of alerts, and the incidents that alerts form.

use serde::Serialize;
use utoipa::ToSchema;

use super::AlertStep;
use crate::alert;
use crate::domain::Timestamp;
use crate::text::Texts;

/// A span in which pages of some alerts are held back.
#[derive(Debug, Serialize, ToSchema)]
pub struct Silence {
    pub id: String,
    /// `null` means all, here and below.
    pub rule: Option<String>,
    pub region: Option<String>,
    pub service: Option<String>,
    pub starts_at: String,
    pub ends_at: String,
    /// Whether it also holds back pages of critical alerts. If not, they are sent all the same.
    pub critical: bool,
    pub comment: Option<String>,
    pub by: String,
    pub entered_at: String,
    /// Who ended it early.
    pub ended_by: Option<String>,
    /// Whether it is in force now.
    pub in_force: bool,
}

impl Silence {
    /// A silence as of an instant.
    pub fn new(s: &alert::Silence, now: Timestamp) -> Self {
        Self {
            id: s.id.clone(),
            rule: s.rule.clone(),
            region: s.region.as_ref().map(ToString::to_string),
            service: s.service.as_ref().map(ToString::to_string),
            starts_at: s.starts_at.to_string(),
            ends_at: s.ends_at.to_string(),
            critical: s.critical,
            comment: s.comment.clone(),
            by: s.by.clone(),
            entered_at: s.entered_at.to_string(),
            ended_by: s.ended_by.clone(),
            in_force: s.is_in_force(now),
        }
    }
}

/// The silence that holds back the pages of an alert.
#[derive(Debug, Serialize, ToSchema)]
pub struct Silenced {
    /// Id of the silence.
    pub id: String,
    pub by: String,
    pub until: String,
    pub comment: Option<String>,
}

impl From<&alert::Silenced> for Silenced {
    fn from(s: &alert::Silenced) -> Self {
        let (id, by, comment) = (s.id.clone(), s.by.clone(), s.comment.clone());
        Self { id, by, until: s.until.to_string(), comment }
    }
}

/// Pages of an alert that were held back and not sent since.
#[derive(Debug, Serialize, ToSchema)]
pub struct HeldPages {
    /// `silence`, `quiet_hours`, `planned_work` or `inhibited`.
    #[schema(value_type = String)]
    pub reason: alert::HoldReason,
    /// Until when, if that is known.
    pub until: Option<String>,
    pub pages: u32,
    /// When the first of them was held back.
    pub since: String,
}

impl From<&alert::Held> for HeldPages {
    fn from(held: &alert::Held) -> Self {
        Self {
            reason: held.reason,
            until: held.until.map(|at| at.to_string()),
            pages: held.pages,
            since: held.since.to_string(),
        }
    }
}

/// What one service of an incident lacks.
#[derive(Debug, Serialize, ToSchema)]
pub struct IncidentService {
    pub service: String,
    #[schema(value_type = String)]
    pub severity: alert::AlertSeverity,
    /// Empty if it lacks nobody any more.
    pub steps: Vec<AlertStep>,
}

/// Agents that the services of an incident lack together.
#[derive(Debug, Serialize, ToSchema)]
pub struct IncidentNeed {
    /// At the worst instant.
    pub agents_short: i32,
    pub services: Vec<IncidentService>,
}

impl From<&alert::Incident> for IncidentNeed {
    fn from(incident: &alert::Incident) -> Self {
        let service = |part: &alert::Part| IncidentService {
            service: part.scope.service.to_string(),
            severity: part.severity,
            steps: part.need.iter().map(AlertStep::from).collect(),
        };
        Self {
            agents_short: incident.agents_short(),
            services: incident.parts.iter().map(service).collect(),
        }
    }
}

/// Alerts of several services of a region with the same cause. They share their pages.
#[derive(Debug, Serialize, ToSchema)]
pub struct Incident {
    /// The id of the alert that began first. Its pages are those of the incident.
    pub id: String,
    pub region: String,
    #[schema(value_type = String)]
    pub severity: alert::AlertSeverity,
    #[schema(value_type = String)]
    pub state: alert::AlertState,
    pub since: String,
    pub title: String,
    pub text: String,
    pub acknowledged_by: Option<String>,
    #[serde(flatten)]
    pub need: IncidentNeed,
    /// Ids of its open alerts.
    pub alerts: Vec<String>,
}

/// The incidents that open alerts form, newest first.
pub fn incidents(open: &[alert::Alert], texts: &Texts) -> Vec<Incident> {
    let book = alert::AlertBook::restore(open.to_vec());
    let several = open.iter().filter(|alert| alert.leads() && alert.paging.incident.is_some());
    let incident = |lead: &alert::Alert| {
        let page = book.incident_page(lead);
        Incident {
            id: lead.id.clone(),
            region: lead.scope.region.to_string(),
            severity: page.alert.severity,
            state: lead.state,
            since: lead.since.to_string(),
            title: page.title(texts),
            text: page.body(texts),
            acknowledged_by: lead.acknowledged_by.clone(),
            need: IncidentNeed::from(&alert::Incident::of_page(&page)),
            alerts: book.members(&lead.id).map(|alert| alert.id.clone()).collect(),
        }
    };
    let mut incidents: Vec<Incident> = several.map(incident).collect();
    incidents.sort_by(|a, b| b.since.cmp(&a.since).then_with(|| a.id.cmp(&b.id)));
    incidents
}
