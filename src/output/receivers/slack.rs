//! Pages as messages of Slack, by an incoming webhook.

use std::time::Duration;

use serde_json::json;

use super::http::{Answer, Http, Problem};
use super::message::{Message, chars, cut};
use super::receiver::{Attempt, Fault, Limit, Receiver, Refusal, Settings};
use crate::alert::Notification;
use crate::domain::Timestamp;

/// Name of this kind of receiver.
pub const KIND: &str = "slack";

const SECTION_CHARS_MAX: usize = 3000;
const TITLE_CHARS_MAX: usize = 600;

/// Creates a receiver from its configuration.
pub fn make(settings: Settings) -> Result<Box<dyn Receiver>, Vec<Problem>> {
    let http = Http::new(&settings).map_err(|problem| vec![problem])?;
    Ok(Box::new(Slack { settings, http }))
}

struct Slack {
    settings: Settings,
    http: Http,
}

impl Slack {
    /// The text is shown in notifications, the block in the channel. The block is plain text, so that names are not interpreted
    /// as markup.
    fn body(&self, page: &Notification) -> String {
        let message = Message::new(page, self.settings.language, &self.settings.public_url);
        let title = escaped(cut(&message.title, TITLE_CHARS_MAX, chars));
        let text = message.fit(SECTION_CHARS_MAX, chars);
        json!({
            "text": title,
            "blocks": [
                {"type": "section", "text": {"type": "plain_text", "emoji": false, "text": text}},
            ],
        })
        .to_string()
    }
}

/// A text without mark-up and mentions.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Slack answers `ok`.
fn read(answer: &Answer) -> Result<(), Refusal> {
    match answer.body.trim() {
        "ok" => Ok(()),
        _ => Err(Refusal::new(
            Fault::Page,
            format!("Slack answered {} instead of `ok`: {}", answer.status, answer.excerpt()),
        )),
    }
}

impl Receiver for Slack {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn deliver(&self, page: &Notification, now: Timestamp) -> Attempt {
        self.http.post_json(&self.settings.url.0, self.body(page), now, read)
    }

    fn limit(&self) -> Option<Limit> {
        Some(Limit { pages: 1, per: Duration::from_secs(1) })
    }
}
