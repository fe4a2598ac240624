//! Pages as webhooks after the Standard Webhooks specification: signed, with an id that stays the same.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;

use crate::alert::{Notice, NoticeKind};
use crate::domain::Timestamp;
use crate::store::DeliveryOutcome;

/// Paging is of use now or never: quick tries first, then every five minutes.
const TRIES_S: [u64; 4] = [1, 5, 15, 60];
const LATER: Duration = Duration::from_secs(300);
/// After this a person has to look.
const GIVE_UP_AFTER: Duration = Duration::from_secs(86_400);
const TIMEOUT: Duration = Duration::from_secs(15);

/// A signing key. Never shown.
#[derive(Clone)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// Reads `whsec_` and base64, or takes any other text as it is.
    pub fn new(text: &str) -> Self {
        let coded = text.trim().strip_prefix("whsec_");
        let key = coded.and_then(|coded| BASE64.decode(coded).ok());
        Self(key.unwrap_or_else(|| text.trim().as_bytes().to_vec()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// `v1,` and the base64 HMAC-SHA256 of `id.timestamp.body`.
pub fn signature(secret: &Secret, id: &str, timestamp_s: i64, body: &str) -> String {
    // HMAC takes a key of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&secret.0) else { return String::new() };
    mac.update(format!("{id}.{timestamp_s}.{body}").as_bytes());
    format!("v1,{}", BASE64.encode(mac.finalize().into_bytes()))
}

/// When to try again after `attempts` failed tries; `None` when it is time to give up.
pub fn next_try(created_at: Timestamp, now: Timestamp, attempts: u32) -> Option<Timestamp> {
    if now.since(created_at) >= GIVE_UP_AFTER {
        return None;
    }
    let wait = TRIES_S.get(attempts as usize).map_or(LATER, |s| Duration::from_secs(*s));
    Some(now + wait)
}

/// One receiver.
pub struct Webhook {
    url: String,
    secret: Option<Secret>,
    public_url: String,
    client: reqwest::blocking::Client,
}

impl Webhook {
    /// # Errors
    /// If the TLS set-up of this machine cannot be used.
    pub fn new(
        url: String,
        secret: Option<Secret>,
        public_url: String,
    ) -> Result<Self, reqwest::Error> {
        let client = reqwest::blocking::Client::builder()
            .timeout(TIMEOUT)
            // A redirect is a receiver that is set up wrongly, not one that was told.
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("surgecast/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { url, secret, public_url, client })
    }

    /// The body that is sent.
    pub fn body(&self, notice: &Notice) -> String {
        let kind = match notice.kind {
            NoticeKind::Firing => "alert.firing",
            NoticeKind::Worse => "alert.worse",
            NoticeKind::Resolved => "alert.resolved",
        };
        json!({
            "type": kind,
            "timestamp": notice.alert.updated_at.to_string(),
            "data": {
                "alert": &notice.alert,
                "title": notice.alert.title,
                "text": notice.alert.text,
                "url": format!("{}/#/", self.public_url),
            },
        })
        .to_string()
    }

    /// One try. Returns the HTTP status (0 for none) and what it means.
    pub fn deliver(
        &self,
        notice: &Notice,
        created_at: Timestamp,
        attempts: u32,
        now: Timestamp,
    ) -> (u16, DeliveryOutcome) {
        let body = self.body(notice);
        let mut request = self
            .client
            .post(&self.url)
            .header("content-type", "application/json")
            .header("webhook-id", &notice.id)
            .header("webhook-timestamp", now.secs().to_string());
        if let Some(secret) = &self.secret {
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
            _ => match next_try(created_at, now, attempts) {
                Some(at) => DeliveryOutcome::Retry { at, error },
                None => DeliveryOutcome::Dead { at: now, error },
            },
        };
        (status, outcome)
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

    #[test]
    fn tries_come_quickly_at_first_and_end_after_a_day() {
        let at = |s: i64| Timestamp::from_secs(1_767_225_600 + s);
        let waits: Vec<i64> = (0..6)
            .filter_map(|n| next_try(at(0), at(100), n))
            .map(|next| next.secs() - at(100).secs())
            .collect();
        assert_eq!(waits, [1, 5, 15, 60, 300, 300]);
        assert_eq!(next_try(at(0), at(86_400), 9), None);
    }
}
