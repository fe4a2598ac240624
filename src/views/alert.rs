//! Alerts.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::{HeldPages, Key, Silenced};
use crate::alert;
use crate::domain::Name;
use crate::text::Texts;

/// The gap of one series at the worst instant of an alert.
#[derive(Debug, Serialize, ToSchema)]
pub struct Shortfall {
    #[serde(flatten)]
    pub key: Key,
    pub at: String,
    pub arrivals: f64,
    pub arrivals_low: f64,
    pub arrivals_high: f64,
    pub agents: u32,
    pub scheduled: u32,
    pub gap: i32,
    pub rostered: bool,
}

/// Agents of one channel that are missing.
#[derive(Debug, Serialize, ToSchema)]
pub struct StepChannel {
    pub channel: String,
    pub agents: i32,
}

/// Consecutive windows in which the same number of agents is missing.
#[derive(Debug, Serialize, ToSchema)]
pub struct AlertStep {
    pub from: String,
    pub to: String,
    /// Sum over the channels, the same at each instant of the step.
    pub agents: i32,
    pub channels: Vec<StepChannel>,
}

/// An alert of a region and service; `_all` where its rule is not about a single one.
#[derive(Debug, Serialize, ToSchema)]
pub struct Alert {
    pub id: String,
    pub rule: String,
    #[schema(value_type = String)]
    pub severity: alert::AlertSeverity,
    pub region: String,
    pub service: String,
    #[schema(value_type = String)]
    pub state: alert::AlertState,
    pub since: String,
    pub updated_at: String,
    pub ended_at: Option<String>,
    pub from: String,
    pub to: String,
    pub agents_short: i32,
    pub shortfalls: Vec<Shortfall>,
    pub because: Vec<String>,
    pub title: String,
    pub text: String,
    /// Who acknowledged it first, and when.
    pub acknowledged_by: Option<String>,
    pub acknowledged_at: Option<String>,
    pub feedback: Option<String>,
    /// How many agents are missing from when to when. Windows without a gap are in no step.
    pub steps: Vec<AlertStep>,
    /// The time as of which the alert's texts and numbers hold.
    pub as_of: String,
    /// The time of the next forecast.
    pub next_at: Option<String>,
    /// When its severity last decreased.
    pub eased_at: Option<String>,
    /// The silence that holds back its pages.
    pub silenced: Option<Silenced>,
    /// Its pages that were held back and not sent since. The pages of an incident are in the alert with the id of the incident.
    pub held: Option<HeldPages>,
    /// The id of its incident, if the incident has several alerts. It is the id of the alert that sends the pages for all of them.
    pub incident: Option<String>,
    /// Factor on the limits of its rule in its region and service, which follows from feedback.
    pub limit_factor: f64,
    /// What its rule found; `null` where agents are missing.
    pub finding: Option<Finding>,
}

/// What a rule found.
#[derive(Debug, Serialize, ToSchema)]
pub struct Finding {
    /// The name of the source, for a rule that can have several alerts in a region and service.
    pub label: Option<String>,
    /// The measured value. From `threshold` on, an alert begins. The unit depends on the rule.
    pub level: f64,
    pub threshold: f64,
    /// The largest level so far.
    pub peak: f64,
    /// The numbers, times and names of its text, by name.
    #[schema(value_type = Object)]
    pub facts: BTreeMap<String, serde_json::Value>,
    /// Whether the newest window no longer shows what the rule found.
    pub is_over: bool,
    /// The alert about missing agents that sends the pages instead.
    pub inhibited_by: Option<String>,
}

impl From<&alert::Finding> for Finding {
    fn from(found: &alert::Finding) -> Self {
        let facts = found.facts.iter().map(|(name, fact)| (name.clone(), fact.json()));
        Self {
            label: found.label.clone(),
            level: found.level,
            threshold: found.threshold,
            peak: found.peak,
            facts: facts.collect(),
            is_over: found.is_over,
            inhibited_by: found.inhibited_by.clone(),
        }
    }
}

impl From<&alert::NeedStep> for AlertStep {
    fn from(step: &alert::NeedStep) -> Self {
        let channels = step.channels.iter();
        let channel = |(channel, agents): &(Name, i32)| StepChannel {
            channel: channel.to_string(),
            agents: *agents,
        };
        Self {
            from: step.from.to_string(),
            to: step.to.to_string(),
            agents: step.agents,
            channels: channels.map(channel).collect(),
        }
    }
}

impl Alert {
    /// An alert, its texts in a reader's language.
    pub fn new(a: &alert::Alert, texts: &Texts) -> Self {
        let shortfalls = a.shortfalls.iter().map(|s| Shortfall {
            key: Key::from(&s.series),
            at: s.at.to_string(),
            arrivals: s.arrivals,
            arrivals_low: s.arrivals_low,
            arrivals_high: s.arrivals_high,
            agents: s.agents,
            scheduled: s.scheduled,
            gap: s.gap,
            rostered: s.rostered,
        });
        Self {
            id: a.id.clone(),
            rule: a.rule.clone(),
            severity: a.severity,
            region: a.scope.region.to_string(),
            service: a.scope.service.to_string(),
            state: a.state,
            since: a.since.to_string(),
            updated_at: a.updated_at.to_string(),
            ended_at: a.ended_at.map(|at| at.to_string()),
            from: a.from.to_string(),
            to: a.to.to_string(),
            agents_short: a.agents_short,
            shortfalls: shortfalls.collect(),
            because: a.causes(texts),
            title: a.title(texts),
            text: a.body(texts),
            acknowledged_by: a.acknowledged_by.clone(),
            acknowledged_at: a.acknowledged_at.map(|at| at.to_string()),
            feedback: a.feedback.clone(),
            steps: a.need().iter().map(AlertStep::from).collect(),
            as_of: a.as_of().to_string(),
            next_at: a.trend.next_at.map(|at| at.to_string()),
            eased_at: a.trend.eased_at.map(|at| at.to_string()),
            silenced: a.paging.silenced.as_ref().map(Silenced::from),
            held: a.paging.held.as_ref().map(HeldPages::from),
            incident: a.paging.incident.clone(),
            limit_factor: (alert::limit_factor(a.paging.tuning) * 100.0).round() / 100.0,
            finding: a.finding.as_deref().map(Finding::from),
        }
    }
}
