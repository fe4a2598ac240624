//! What a rule found: a level, the values of its sentences, and the sentences.

use serde::{Deserialize, Serialize};

use super::brief::Line;
use super::{Alert, AlertSeverity, AlertState, brief};
use crate::domain::{Scope, Timestamp, Topic};
use crate::text::{Args, Say, Texts, args};

/// A value in the sentences of a finding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Fact {
    /// A whole number.
    Count(u64),
    /// A number, shown with one decimal.
    Number(f64),
    /// A share from 0 to 1, shown in percent.
    Share(f64),
    At(Timestamp),
    /// A name from outside.
    Text(String),
    /// A channel by which customers reach the call centre.
    Channel(String),
    /// Topics of tickets.
    Topics(Vec<Topic>),
}

impl Fact {
    /// The value as JSON, for the API.
    pub fn json(&self) -> serde_json::Value {
        match self {
            Self::Count(n) => (*n).into(),
            Self::Number(n) => ((n * 100.0).round() / 100.0).into(),
            Self::Share(share) => ((share * 1e4).round() / 1e4).into(),
            Self::At(at) => at.to_string().into(),
            Self::Text(text) | Self::Channel(text) => text.as_str().into(),
            Self::Topics(topics) => topics.iter().map(|topic| topic.as_str()).collect(),
        }
    }
}

/// What a rule found in a scope.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The name of the source or other object, for rules that can have several alerts in a scope.
    pub label: Option<String>,
    /// The current value of what the rule measures, and the value from which an alert begins.
    pub level: f64,
    pub threshold: f64,
    /// The largest level so far.
    pub peak: f64,
    /// Which of the rule's sentences fits.
    pub variant: Option<String>,
    /// Arguments of the sentences, by name.
    pub facts: Vec<(String, Fact)>,
    /// Whether the newest window no longer shows it.
    pub is_over: bool,
    /// The id of the alert of missing agents in this scope, if that alert sends the pages.
    pub inhibited_by: Option<String>,
}

/// The id of a rule's message: `rule-alarm-storm-title`.
fn message(rule: &str, part: &str) -> String {
    format!("rule-{}-{part}", rule.replace('_', "-"))
}

/// `north/mobile`, `all regions`, `north, all services`.
fn place(scope: &Scope, texts: &Texts) -> String {
    match (scope.region.is_all(), scope.service.is_all()) {
        (false, false) => scope.to_string(),
        (true, true) => texts.text("name-all-regions", None),
        (true, false) => {
            let regions = texts.text("name-all-regions", None);
            texts.list([regions.as_str(), scope.service.as_str()])
        }
        (false, true) => {
            let services = texts.text("name-all-services", None);
            texts.list([scope.region.as_str(), services.as_str()])
        }
    }
}

impl Finding {
    fn args(&self, scope: &Scope, texts: &Texts) -> Option<Args<'static>> {
        let mut args = Args::new();
        args.set("scope", place(scope, texts));
        for (name, fact) in &self.facts {
            let name = name.clone();
            match fact {
                Fact::Count(n) => args.set(name, *n),
                Fact::Number(n) => args.set(name, texts.number(*n, 1)),
                Fact::Share(share) => args.set(name, texts.percent(Some(*share))),
                Fact::At(at) => args.set(name, texts.moment(*at)),
                Fact::Text(text) => args.set(name, brief::short(text).into_owned()),
                Fact::Channel(text) if text == crate::domain::ALL => {
                    args.set(name, texts.text("name-all-channels", None));
                }
                Fact::Channel(text) => args.set(name, texts.channel(text)),
                Fact::Topics(topics) => {
                    args.set(name, texts.list(topics.iter().map(|topic| texts.topic(*topic))));
                }
            }
        }
        Some(args)
    }

    /// Which message of a rule: `title`, or `title-high`.
    fn part(&self, part: &str) -> String {
        self.variant.as_ref().map_or_else(|| part.to_owned(), |kind| format!("{part}-{kind}"))
    }

    /// The subject of the finding: its label, or the region and service.
    fn about(&self, alert: &Alert, texts: &Texts) -> String {
        self.label.clone().unwrap_or_else(|| place(&alert.scope, texts))
    }

    /// The title of its alert.
    pub(super) fn title(&self, alert: &Alert, texts: &Texts) -> String {
        let is_resolved = alert.state == AlertState::Resolved;
        if is_resolved || self.is_over {
            let name = texts.text(&message(&alert.rule, "name"), None);
            let scope = self.about(alert, texts);
            let id = if is_resolved { "rule-title-resolved" } else { "rule-title-eased" };
            return texts.text(id, args!["scope" => scope, "rule" => name]);
        }
        let id = message(&alert.rule, &self.part("title"));
        let title = texts.text(&id, self.args(&alert.scope, texts));
        match alert.severity {
            AlertSeverity::Critical => texts.text("rule-title-critical", args!["title" => title]),
            AlertSeverity::Warning | AlertSeverity::Info => title,
        }
    }

    /// The lines of its alert, with their ranks.
    pub(super) fn lines(&self, alert: &Alert, texts: &Texts) -> Vec<Line> {
        let since = args![
            "at" => texts.moment(alert.as_of()),
            "zone" => alert.zone.to_string(),
            "since" => texts.moment(alert.since),
        ];
        let mut lines = vec![(0, texts.text("alert-as-of", since))];
        if self.is_over {
            lines.push((0, texts.text("rule-eased", None)));
        }
        let line = message(&alert.rule, &self.part("line"));
        lines.push((0, texts.text(&line, self.args(&alert.scope, texts))));
        // If the newest window no longer shows it, no action is needed: its times may be over.
        if !self.is_over {
            let action = message(&alert.rule, "action");
            lines.push((0, texts.text(&action, self.args(&alert.scope, texts))));
        }
        for cause in alert.because.iter().take(brief::CAUSES_SHOWN) {
            lines.push((5, texts.text("alert-because", args!["cause" => cause.say(texts)])));
        }
        if let Some(id) = &self.inhibited_by {
            lines.push((1, texts.text("rule-inhibited", args!["id" => id.as_str()])));
        }
        if alert.acknowledged_by.is_none() {
            lines.push((1, texts.text("rule-acknowledge", None)));
        }
        lines
    }

    /// The text once it is over.
    pub(super) fn resolved(&self, alert: &Alert, texts: &Texts) -> String {
        let args = args![
            "rule" => texts.text(&message(&alert.rule, "name"), None),
            "scope" => self.about(alert, texts),
            "from" => texts.moment(alert.since),
            "to" => texts.moment(alert.as_of()),
            "zone" => alert.zone.to_string(),
        ];
        texts.text("rule-resolved", args)
    }
}
