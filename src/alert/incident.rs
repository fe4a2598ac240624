//! An incident: the agents that are missing in several services together, and the text of its page.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::brief;
use super::steps::{NeedStep, stretches};
use super::{Alert, AlertSeverity, AlertState, Cause, Notification};
use crate::domain::{Name, Scope, Timestamp};
use crate::text::{Say, Stored, Texts, args};

/// Maximum number of causes in a page.
const CAUSES_SHOWN: usize = 6;
/// Maximum number of services that have lines of their own.
const SERVICES_SHOWN: usize = 6;

/// Another service of an incident.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    pub scope: Scope,
    pub severity: AlertSeverity,
    pub to: Timestamp,
    /// Empty if the service no longer lacks agents.
    pub need: Vec<NeedStep>,
    pub because: Vec<Stored<Cause>>,
}

impl Part {
    /// The part of an alert.
    pub(super) fn of(alert: &Alert) -> Self {
        Self {
            scope: alert.scope.clone(),
            severity: alert.severity,
            to: alert.to,
            need: alert.need(),
            because: alert.because.clone(),
        }
    }
}

/// The services of an incident together.
#[derive(Clone, Debug, PartialEq)]
pub struct Incident {
    /// The leading alert first. Services that no longer lack agents are included.
    pub parts: Vec<Part>,
    /// How many agents are missing from when to when. The parts of a step are services.
    pub steps: Vec<NeedStep>,
}

impl Incident {
    /// The incident of a leading alert and of the other services.
    pub(super) fn of(lead: &Alert, others: &[Part]) -> Self {
        let parts: Vec<Part> = [Part::of(lead)].into_iter().chain(others.iter().cloned()).collect();
        let steps = together(&parts);
        Self { parts, steps }
    }

    /// The incident of a page.
    pub fn of_page(page: &Notification) -> Self {
        Self::of(&page.alert, &page.alert.paging.others)
    }

    /// Agents that are missing at the worst instant.
    pub fn agents_short(&self) -> i32 {
        self.steps.iter().map(|step| step.agents).max().unwrap_or(0)
    }

    /// `north/broadband, mobile`: the services that lack agents, or all services if none does.
    fn name(&self, texts: &Texts) -> String {
        let lacking: Vec<&Part> = self.lacking().collect();
        let shown = if lacking.is_empty() { self.parts.iter().collect() } else { lacking };
        let region = shown.first().map_or("", |part| part.scope.region.as_str());
        let services = texts.list(shown.iter().map(|part| part.scope.service.as_str()));
        format!("{region}/{services}")
    }

    /// The causes of the services that lack agents, each with its services.
    fn causes(&self) -> Vec<(&Stored<Cause>, Vec<&str>)> {
        let mut causes: Vec<(&Stored<Cause>, Vec<&str>)> = Vec::new();
        for part in self.lacking() {
            for cause in &part.because {
                let service = part.scope.service.as_str();
                match causes.iter_mut().find(|(known, _)| *known == cause) {
                    Some((_, services)) => services.push(service),
                    None => causes.push((cause, vec![service])),
                }
            }
        }
        causes
    }

    /// The services that lack agents.
    fn lacking(&self) -> impl Iterator<Item = &Part> {
        self.parts.iter().filter(|part| !part.need.is_empty())
    }
}

/// The sum of the needs of all services at each instant.
pub(super) fn together(parts: &[Part]) -> Vec<NeedStep> {
    let all = || parts.iter().flat_map(|part| part.need.iter());
    let bounds: BTreeSet<Timestamp> = all().flat_map(|step| [step.from, step.to]).collect();
    let bounds: Vec<Timestamp> = bounds.into_iter().collect();
    let mut steps: Vec<NeedStep> = Vec::new();
    for (from, to) in bounds.iter().zip(bounds.iter().skip(1)) {
        let mut by_service: BTreeMap<&Name, i32> = BTreeMap::new();
        for part in parts {
            let now = part.need.iter().filter(|step| step.from <= *from && *to <= step.to);
            for step in now {
                *by_service.entry(&part.scope.service).or_default() += step.agents;
            }
        }
        let mut channels: Vec<(Name, i32)> =
            by_service.into_iter().map(|(name, n)| (name.clone(), n)).collect();
        channels.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let agents = channels.iter().map(|(_, n)| n).sum();
        match steps.last_mut() {
            _ if agents == 0 => {}
            Some(last) if last.to == *from && last.channels == channels => last.to = *to,
            _ => steps.push(NeedStep { from: *from, to: *to, agents, channels }),
        }
    }
    steps
}

/// The text of a page: that of its alert, or of its incident if that has several services.
impl Notification {
    /// The title: one line that fits a phone's lock screen.
    pub fn title(&self, texts: &Texts) -> String {
        let alert = &self.alert;
        if alert.paging.others.is_empty() {
            return alert.title(texts);
        }
        let (texts, incident) = (alert.reader(texts), Incident::of_page(self));
        alert.title_of(incident.name(&texts), &incident.steps, &texts)
    }

    /// The text, one fact per line; with its title at most 300 words.
    pub fn body(&self, texts: &Texts) -> String {
        let alert = &self.alert;
        if alert.paging.others.is_empty() {
            return alert.body(texts);
        }
        let (local, incident) = (alert.reader(texts), Incident::of_page(self));
        if alert.state == AlertState::Resolved {
            let args = args![
                "scope" => incident.name(&local),
                "from" => local.moment(alert.since),
                "to" => local.moment(alert.as_of()),
                "zone" => alert.zone.to_string(),
            ];
            let resolved = local.text("incident-resolved", args);
            let left = brief::below_limits(&alert.notes.incident_below_limits, &local);
            return [resolved].into_iter().chain(left).collect::<Vec<_>>().join("\n");
        }
        let used = brief::words(&self.title(texts));
        let room = brief::WORDS_MAX.saturating_sub(used);
        brief::fit(lines(alert, &incident, &local), room, &local).join("\n")
    }
}

/// The lines of an incident that is not over.
fn lines(alert: &Alert, incident: &Incident, texts: &Texts) -> Vec<brief::Line> {
    let now = alert.as_of();
    let all = stretches(&incident.steps);
    let args = args![
        "at" => texts.moment(now),
        "zone" => alert.zone.to_string(),
        "since" => texts.moment(alert.since),
    ];
    let mut lines = vec![(0, texts.text("alert-as-of", args))];
    if all.is_empty() {
        let args = args!["at" => texts.moment(now), "n" => alert.paging.total];
        lines.push((0, texts.text("alert-gone", args)));
    }
    lines.extend(brief::missing(&all, now, texts).into_iter().map(|line| (1, line)));
    for (at, part) in incident.lacking().enumerate() {
        let rank = if at >= SERVICES_SHOWN { brief::BEYOND } else { 1 };
        let need = brief::headline(&part.need, now, texts).unwrap_or_default();
        let args = args!["service" => part.scope.service.as_str(), "need" => need];
        lines.push((rank, texts.text("incident-service", args)));
    }
    lines.extend(brief::people(&all, now, texts).into_iter().map(|line| (0, line)));
    let causes = || incident.lacking().flat_map(|part| part.because.iter());
    if !all.is_empty() {
        lines.push((0, brief::other_action(causes, texts)));
    }
    lines.extend(alert.advice_of(&incident.steps, texts));
    for (at, (cause, services)) in incident.causes().into_iter().enumerate() {
        let rank = if at >= CAUSES_SHOWN { brief::BEYOND } else { 5 };
        let args = args!["service" => texts.list(services), "cause" => cause.say(texts)];
        lines.push((rank, texts.text("incident-because", args)));
    }
    lines.extend(brief::complaints_later(alert, causes(), texts));
    let services = texts.list(incident.lacking().map(|part| part.scope.service.as_str()));
    if !services.is_empty() {
        let region = alert.scope.region.as_str();
        let args = args!["services" => services, "region" => region];
        lines.push((2, texts.text("incident-affected", args)));
    }
    if let Some(at) = alert.trend.next_at {
        lines.push((2, texts.text("alert-next", args!["at" => texts.moment(at)])));
    }
    if alert.acknowledged_by.is_none() {
        lines.push((1, texts.text("incident-acknowledge", None)));
    }
    lines
}
