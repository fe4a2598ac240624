//! Pages as webhooks after the Standard Webhooks specification: signed, with an id that stays the same.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use serde_json::json;
use sha2::Sha256;

use super::receiver::{Attempt, Receiver, Secret, Settings};
use super::schedule::after_failure;
use crate::alert::{Alert, AlertSeverity, AlertState, Notification, NotificationKind, Shortfall};
use crate::domain::{Scope, Timestamp};
use crate::store::{DeliveryOutcome, OutboxRow};
use crate::text::Texts;

/// The word of this kind.
pub const KIND: &str = "webhook";

const TIMEOUT: Duration = Duration::from_secs(15);

/// Makes one as a config has it.
pub fn make(settings: Settings) -> Result<Box<dyn Receiver>, String> {
    let made = Webhook::new(settings);
    let made = made.map_err(|error| format!("cannot set up HTTPS: {}", error.without_url()))?;
    Ok(Box::new(made))
}

/// `v1,` and the base64 HMAC-SHA256 of `id.timestamp.body`.
pub fn signature(secret: &Secret, id: &str, timestamp_s: i64, body: &str) -> String {
    // HMAC takes a key of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&secret.key()) else { return String::new() };
    mac.update(format!("{id}.{timestamp_s}.{body}").as_bytes());
    format!("v1,{}", BASE64.encode(mac.finalize().into_bytes()))
}

/// An HTTP address that takes pages.
pub struct Webhook {
    settings: Settings,
    client: reqwest::blocking::Client,
}

impl Webhook {
    /// # Errors
    /// If the TLS set-up of this machine cannot be used.
    pub fn new(settings: Settings) -> Result<Self, reqwest::Error> {
        let client = reqwest::blocking::Client::builder()
            .timeout(TIMEOUT)
            // A redirect is a receiver that is set up wrongly, not one that was told.
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("surgecast/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { settings, client })
    }

    /// The body that is sent.
    pub fn body(&self, notice: &Notification) -> String {
        let kind = match notice.kind {
            NotificationKind::Firing => "alert.firing",
            NotificationKind::Escalated => "alert.worse",
            NotificationKind::Resolved => "alert.resolved",
        };
        let texts = Texts::new(self.settings.language);
        let (title, text) = (notice.alert.title(&texts), notice.alert.body(&texts));
        json!({
            "type": kind,
            "timestamp": notice.alert.updated_at.to_string(),
            "data": {
                "alert": AlertForm::new(&notice.alert, &texts),
                "title": title,
                "text": text,
                "url": format!("{}/#/", self.settings.public_url),
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
        }
    }
}

impl Receiver for Webhook {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn deliver(&self, page: &OutboxRow, now: Timestamp) -> Attempt {
        let notice = &page.notice;
        let body = self.body(notice);
        let mut request = self
            .client
            .post(&self.settings.url)
            .header("content-type", "application/json")
            .header("webhook-id", &notice.id)
            .header("webhook-timestamp", now.secs().to_string());
        if let Some(secret) = &self.settings.secret {
            let signed = signature(secret, &notice.id, now.secs(), &body);
            request = request.header("webhook-signature", signed);
        }
        let (status, error) = match request.body(body).send() {
            Ok(response) => (response.status().as_u16(), response.status().to_string()),
            // The address may hold a key: it is not repeated.
            Err(error) => (0, error.without_url().to_string()),
        };
        let outcome = match status {
            200..300 => DeliveryOutcome::Delivered { at: now },
            410 => DeliveryOutcome::Dead { at: now, error: "the receiver is gone (410)".into() },
            _ => after_failure(page, now, error),
        };
        Attempt { status: Some(status), outcome }
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
