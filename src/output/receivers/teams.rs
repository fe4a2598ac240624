//! Pages as adaptive cards of Microsoft Teams, by a workflow that takes webhook requests.

use std::time::Duration;

use serde_json::{Value, json};

use super::http::{Answer, Http, Problem};
use super::message::{Message, json_bytes};
use super::receiver::{Attempt, Fault, Limit, Receiver, Refusal, Settings};
use crate::alert::Notification;
use crate::domain::Timestamp;

/// Name of this kind of receiver.
pub const KIND: &str = "teams";

/// Maximum size of the text, with a block for each line. The whole card may have 28 KB.
const TEXT_BYTES_MAX: usize = 26_000;
const BLOCK_BYTES: usize = 80;

/// Creates a receiver from its configuration.
pub fn make(settings: Settings) -> Result<Box<dyn Receiver>, Vec<Problem>> {
    let http = Http::new(&settings).map_err(|problem| vec![problem])?;
    Ok(Box::new(Teams { settings, http }))
}

struct Teams {
    settings: Settings,
    http: Http,
}

impl Teams {
    /// The text is in text runs, which have no markup, so that names are not interpreted.
    fn body(&self, page: &Notification) -> String {
        let message = Message::new(page, self.settings.language, &self.settings.public_url);
        let text = message
            .fit(TEXT_BYTES_MAX, |text| json_bytes(text) + BLOCK_BYTES * text.lines().count());
        let blocks: Vec<Value> = text
            .lines()
            .enumerate()
            .map(|(at, line)| {
                let run = match at {
                    0 => json!({"type": "TextRun", "text": line, "weight": "Bolder", "size": "Medium"}),
                    _ => json!({"type": "TextRun", "text": line}),
                };
                json!({"type": "RichTextBlock", "inlines": [run]})
            })
            .collect();
        json!({
            "type": "message",
            "attachments": [{
                "contentType": "application/vnd.microsoft.card.adaptive",
                "content": {
                    "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                    "type": "AdaptiveCard",
                    "version": "1.4",
                    "body": blocks,
                    "actions": [{"type": "Action.OpenUrl", "title": "surgecast", "url": message.link}],
                },
            }],
        })
        .to_string()
    }
}

/// Checks for an error, which Teams may report with a successful status.
fn read(answer: &Answer) -> Result<(), Refusal> {
    let body = answer.body.to_lowercase();
    let error = answer.json().get("error").is_some_and(|error| !error.is_null());
    if !error && !body.contains("http error") && !body.contains("failed") {
        return Ok(());
    }
    let throttled = body.contains("429") || body.contains("throttl");
    let fault = if throttled { Fault::Receiver } else { Fault::Page };
    let why = format!("Teams answered {} with an error: {}", answer.status, answer.excerpt());
    Err(Refusal { why, fault, retry_after: answer.retry_after })
}

impl Receiver for Teams {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn deliver(&self, page: &Notification, now: Timestamp) -> Attempt {
        self.http.post_json(&self.settings.url.0, self.body(page), now, read)
    }

    fn limit(&self) -> Option<Limit> {
        Some(Limit { pages: 4, per: Duration::from_secs(1) })
    }
}
