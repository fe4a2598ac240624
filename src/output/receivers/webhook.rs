//! Pages as webhooks after the Standard Webhooks specification: signed, with an id that is the same for each try.

use reqwest::header::{HeaderMap, HeaderValue};
use serde::Serialize;
use serde_json::json;

use super::http::{Http, Problem};
use super::message::{Message, ascii};
use super::receiver::{Attempt, Receiver, Secret, Settings};
use super::signature::hmac_base64;
use crate::alert::{
    Alert, AlertSeverity, AlertState, Incident, Notification, NotificationKind, Shortfall,
};
use crate::domain::{Scope, Timestamp};
use crate::text::Texts;
use crate::views::{AlertStep, Finding, IncidentNeed};

/// Name of this kind of receiver.
pub const KIND: &str = "webhook";

/// Creates a receiver from its configuration.
pub fn make(settings: Settings) -> Result<Box<dyn Receiver>, Vec<Problem>> {
    let made = Webhook::new(settings).map_err(|problem| vec![problem])?;
    Ok(Box::new(made))
}

/// `v1,` and the base64 HMAC-SHA256 of `id.timestamp.body`.
pub fn signature(secret: &Secret, id: &str, timestamp_s: i64, body: &str) -> String {
    let signed = hmac_base64(&secret.key(), &format!("{id}.{timestamp_s}.{body}"));
    format!("v1,{signed}")
}

/// An HTTP address that receives pages.
pub struct Webhook {
    settings: Settings,
    http: Http,
}

impl Webhook {
    /// # Errors
    /// If the URL or the TLS set-up of this machine cannot be used.
    pub fn new(settings: Settings) -> Result<Self, Problem> {
        let http = Http::new(&settings)?;
        Ok(Self { settings, http })
    }

    /// The body that is sent.
    pub fn body(&self, notice: &Notification) -> String {
        let kind = match notice.kind {
            NotificationKind::Firing => "alert.firing",
            NotificationKind::Escalated => "alert.worse",
            NotificationKind::Resolved => "alert.resolved",
            NotificationKind::Reminder => "alert.reminder",
            NotificationKind::Report => "report.due",
        };
        let texts = Texts::new(self.settings.language);
        let message = Message::new(notice, self.settings.language, &self.settings.public_url);
        if let Some(report) = &notice.report {
            return json!({
                "type": kind,
                "timestamp": notice.alert.updated_at.to_string(),
                "data": {
                    "title": report.title,
                    "text": report.text,
                    "html": report.html,
                    "url": message.link,
                },
            })
            .to_string();
        }
        let incident = Incident::of_page(notice);
        let incident = (incident.parts.len() > 1).then(|| IncidentNeed::from(&incident));
        json!({
            "type": kind,
            "timestamp": notice.alert.updated_at.to_string(),
            "data": {
                "alert": AlertForm::new(&notice.alert, &texts),
                "incident": incident,
                "title": message.title,
                "text": message.lines.join("\n"),
                "url": message.link,
            },
        })
        .to_string()
    }
}

/// An alert as receivers know it since the first release: fields are only added.
#[derive(Serialize)]
struct AlertForm<'a> {
    id: &'a str,
    rule: &'a str,
    severity: AlertSeverity,
    scope: &'a Scope,
    state: AlertState,
    since: Timestamp,
    updated_at: Timestamp,
    ended_at: Option<Timestamp>,
    from: Timestamp,
    to: Timestamp,
    agents_short: i32,
    shortfalls: &'a [Shortfall],
    because: Vec<String>,
    title: String,
    text: String,
    acknowledged_by: Option<&'a str>,
    feedback: Option<&'a str>,
    streak: u32,
    told_gap: i32,
    told_at: Option<Timestamp>,
    steps: Vec<AlertStep>,
    as_of: Timestamp,
    next_at: Option<Timestamp>,
    eased_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    finding: Option<Finding>,
}

impl<'a> AlertForm<'a> {
    fn new(alert: &'a Alert, texts: &Texts) -> Self {
        Self {
            id: &alert.id,
            rule: &alert.rule,
            severity: alert.severity,
            scope: &alert.scope,
            state: alert.state,
            since: alert.since,
            updated_at: alert.updated_at,
            ended_at: alert.ended_at,
            from: alert.from,
            to: alert.to,
            agents_short: alert.agents_short,
            shortfalls: &alert.shortfalls,
            because: alert.causes(texts),
            title: alert.title(texts),
            text: alert.body(texts),
            acknowledged_by: alert.acknowledged_by.as_deref(),
            feedback: alert.feedback.as_deref(),
            streak: alert.streak,
            told_gap: alert.notified_gap,
            told_at: alert.notified_at,
            steps: alert.need().iter().map(AlertStep::from).collect(),
            as_of: alert.as_of(),
            next_at: alert.trend.next_at,
            eased_at: alert.trend.eased_at,
            finding: alert.finding.as_deref().map(Finding::from),
        }
    }
}

impl Receiver for Webhook {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn deliver(&self, page: &Notification, now: Timestamp) -> Attempt {
        let body = self.body(page);
        // A header holds no other characters.
        let id = ascii(&page.id);
        let mut fields =
            vec![("webhook-id", id.clone()), ("webhook-timestamp", now.secs().to_string())];
        if let Some(secret) = &self.settings.secret {
            fields.push(("webhook-signature", signature(secret, &id, now.secs(), &body)));
        }
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static("application/json"));
        for (name, value) in fields {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
        match self.http.post(&self.settings.url.0, headers, body, now) {
            Ok(answer) => Attempt { status: Some(answer.status), result: answer.by_status() },
            Err(attempt) => attempt,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_signature_is_reproduced() {
        let secret = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let signed = signature(
            &secret,
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            r#"{"test": 2432232314}"#,
        );
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert_eq!(format!("{secret:?}"), "Secret(…)");
    }
}
