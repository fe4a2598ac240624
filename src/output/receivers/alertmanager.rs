//! Pages as alerts of Prometheus Alertmanager, API v2.
//!
//! Alertmanager forgets an alert that is not sent again, so open alerts are sent every minute. The labels identify an alert and
//! never change; what changes is in the annotations.

use std::time::Duration;

use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use super::http::{Http, JSON, Problem};
use super::message::{Message, is_over, link, severity_word};
use super::receiver::{Attempt, Receiver, Settings};
use crate::alert::{Alert, AlertSeverity, Notification, NotificationKind};
use crate::domain::Timestamp;

/// Name of this kind of receiver.
pub const KIND: &str = "alertmanager";

const REFRESH_EVERY: Duration = Duration::from_secs(60);
/// An alert that is not sent again ends after this time.
const KEEPS: Duration = Duration::from_secs(600);
const PATH: &str = "/api/v2/alerts";

/// Creates a receiver from its configuration.
pub fn make(settings: Settings) -> Result<Box<dyn Receiver>, Vec<Problem>> {
    let http = Http::new(&settings).map_err(|problem| vec![problem])?;
    let base = settings.url.0.trim_end_matches('/');
    let url = if base.ends_with(PATH) { base.to_owned() } else { format!("{base}{PATH}") };
    Ok(Box::new(Alertmanager { settings, url, http }))
}

struct Alertmanager {
    settings: Settings,
    url: String,
    http: Http,
}

impl Alertmanager {
    fn post(&self, alerts: &[Value], now: Timestamp) -> Attempt {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", JSON);
        if let Some(secret) = &self.settings.secret {
            let token = format!("Bearer {}", secret.text()).parse();
            token.map(|token| headers.insert("authorization", token)).ok();
        }
        match self.http.post(&self.url, headers, Value::from(alerts).to_string(), now) {
            Ok(answer) => Attempt { status: Some(answer.status), result: answer.by_status() },
            Err(attempt) => attempt,
        }
    }

    /// The alert in its present state, and the end of the alert with the other severity: the severity is a label, so these are
    /// two alerts for Alertmanager.
    fn forms(&self, page: &Notification, now: Timestamp) -> Vec<Value> {
        let alert = &page.alert;
        let message = Message::new(page, self.settings.language, &self.settings.public_url);
        let ends_at = if is_over(page) { alert.ended_at.unwrap_or(now) } else { now + KEEPS };
        let mut forms = vec![self.form(alert, alert.severity, ends_at, Some(&message))];
        if page.kind == NotificationKind::Escalated {
            let other = match alert.severity {
                AlertSeverity::Critical => AlertSeverity::Warning,
                AlertSeverity::Warning | AlertSeverity::Info => AlertSeverity::Critical,
            };
            forms.push(self.form(alert, other, now, None));
        }
        forms
    }

    fn form(
        &self,
        alert: &Alert,
        severity: AlertSeverity,
        ends_at: Timestamp,
        message: Option<&Message>,
    ) -> Value {
        let summary = message.map_or_else(String::new, |message| message.title.clone());
        let description = message.map_or_else(String::new, |message| message.lines.join("\n"));
        let mut labels = json!({
            "alertname": if alert.finding.is_none() { "SurgecastStaffing" } else { "SurgecastRule" },
            "rule": alert.rule,
            "region": alert.scope.region.as_str(),
            "service": alert.scope.service.as_str(),
            "severity": severity_word(severity),
        });
        if let Some(label) = alert.finding.as_ref().and_then(|found| found.label.as_deref()) {
            labels["subject"] = label.into();
        }
        json!({
            "labels": labels,
            "annotations": {
                "summary": summary,
                "description": description,
                "alert_id": alert.id,
                "agents_short": alert.agents_short.to_string(),
                "from": alert.from.to_string(),
                "to": alert.to.to_string(),
            },
            // The time at which it began: Alertmanager then does not wait for its group.
            "startsAt": alert.since.min(ends_at).to_string(),
            "endsAt": ends_at.to_string(),
            "generatorURL": link(alert, &self.settings.public_url),
        })
    }
}

impl Receiver for Alertmanager {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn deliver(&self, page: &Notification, now: Timestamp) -> Attempt {
        self.post(&self.forms(page, now), now)
    }

    fn refresh_every(&self) -> Option<Duration> {
        Some(REFRESH_EVERY)
    }

    fn refresh(&self, open: &[Alert], now: Timestamp) -> Attempt {
        if open.is_empty() {
            return Attempt::done(None);
        }
        let forms = open.iter().flat_map(|alert| {
            let page = Notification {
                id: alert.id.clone(),
                kind: NotificationKind::Firing,
                alert: alert.clone(),
                report: None,
            };
            self.forms(&page, now)
        });
        self.post(&forms.collect::<Vec<_>>(), now)
    }
}
