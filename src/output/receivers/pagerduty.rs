//! Pages as events of PagerDuty, Events API v2. The routing key is the secret.

use std::time::Duration;

use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::http::{Answer, Http, Problem};
use super::message::{Message, chars, cut, is_over, severity_word};
use super::receiver::{Attempt, Fault, Limit, Receiver, Refusal, Secret, Settings};
use crate::alert::Notification;
use crate::domain::Timestamp;

/// Name of this kind of receiver.
pub const KIND: &str = "pagerduty";
/// Default URL for events.
pub const URL: &str = "https://events.pagerduty.com/v2/enqueue";

const KEY_CHARS_MAX: usize = 255;
const SUMMARY_CHARS_MAX: usize = 1024;

/// Creates a receiver from its configuration.
pub fn make(settings: Settings) -> Result<Box<dyn Receiver>, Vec<Problem>> {
    let Some(key) = settings.secret.clone() else {
        let why = "is missing: PagerDuty needs the routing key of an Events API v2 integration";
        return Err(vec![("secret_file", why.into())]);
    };
    let http = Http::new(&settings).map_err(|problem| vec![problem])?;
    Ok(Box::new(PagerDuty { settings, key, http }))
}

struct PagerDuty {
    settings: Settings,
    key: Secret,
    http: Http,
}

impl PagerDuty {
    fn body(&self, page: &Notification) -> String {
        let (alert, settings) = (&page.alert, &self.settings);
        let message = Message::new(page, settings.language, &settings.public_url);
        let action = if is_over(page) { "resolve" } else { "trigger" };
        json!({
            "routing_key": self.key.text(),
            "event_action": action,
            "dedup_key": dedup_key(&alert.id),
            "client": "surgecast",
            "client_url": settings.public_url,
            "links": [{"href": message.link, "text": "surgecast"}],
            "payload": {
                "summary": cut(&message.title, SUMMARY_CHARS_MAX, chars),
                "source": alert.scope.to_string(),
                "severity": severity_word(alert.severity),
                "timestamp": alert.updated_at.to_string(),
                "component": alert.scope.service.as_str(),
                "group": alert.scope.region.as_str(),
                "class": alert.rule,
                "custom_details": {
                    "text": message.lines.join("\n"),
                    "agents_short": alert.agents_short,
                    "from": alert.from.to_string(),
                    "to": alert.to.to_string(),
                },
            },
        })
        .to_string()
    }
}

/// The id of the alert, or its SHA-256 hash if it is too long.
fn dedup_key(id: &str) -> String {
    if chars(id) <= KEY_CHARS_MAX {
        return id.to_owned();
    }
    Sha256::digest(id.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// PagerDuty answers 202 with the status `success`. Compatible services may answer with an empty body.
fn read(answer: &Answer) -> Result<(), Refusal> {
    match answer.json().get("status").and_then(|status| status.as_str()) {
        None | Some("success") => Ok(()),
        Some(_) => {
            let (status, said) = (answer.status, answer.excerpt());
            let why = format!("PagerDuty answered {status} instead of `success`: {said}");
            Err(Refusal::new(Fault::Page, why))
        }
    }
}

impl Receiver for PagerDuty {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn deliver(&self, page: &Notification, now: Timestamp) -> Attempt {
        self.http.post_json(&self.settings.url.0, self.body(page), now, read)
    }

    fn limit(&self) -> Option<Limit> {
        Some(Limit { pages: 120, per: Duration::from_secs(60) })
    }
}
