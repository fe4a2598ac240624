//! Pages as messages of a Feishu or Lark group robot. With a secret, each try gets a new signature.

use std::time::Duration;

use reqwest::header::HeaderMap;
use serde_json::json;

use super::http::{Http, JSON, Problem};
use super::message::{Message, json_bytes};
use super::receiver::{Attempt, Limit, Receiver, Settings};
use super::robot::{Codes, with_keyword};
use super::signature::hmac_base64;
use crate::alert::Notification;
use crate::domain::Timestamp;

/// Name of this kind of receiver.
pub const KIND: &str = "feishu";

/// Maximum size of the text. The whole body may have 20 KB.
const TEXT_BYTES_MAX: usize = 18_000;
const WAIT: Duration = Duration::from_secs(10);
const CODES: Codes = Codes {
    service: "Feishu",
    code: &["code", "StatusCode"],
    text: "msg",
    throttled: &[(11_232, WAIT), (230_020, WAIT), (99_991_400, WAIT)],
    page: &[19_036, 19_024, 9_499],
};

/// Creates a receiver from its configuration.
pub fn make(settings: Settings) -> Result<Box<dyn Receiver>, Vec<Problem>> {
    if settings.mention.iter().any(|who| who != "all") {
        let why = "a Feishu robot cannot mention mobile numbers: use [\"all\"], or leave it out";
        return Err(vec![("mention", why.into())]);
    }
    let http = Http::new(&settings).map_err(|problem| vec![problem])?;
    Ok(Box::new(Feishu { settings, http }))
}

/// The signature of a time in seconds: HMAC-SHA256 of an empty text with the key `time\nsecret`.
pub fn signature(secret: &str, seconds: i64) -> String {
    hmac_base64(format!("{seconds}\n{secret}").as_bytes(), "")
}

struct Feishu {
    settings: Settings,
    http: Http,
}

impl Feishu {
    /// A text message. `<` in names is replaced, because it would begin a mention.
    fn body(&self, page: &Notification, now: Timestamp) -> String {
        let Settings { language, public_url, mention, keyword, secret, .. } = &self.settings;
        let message = Message::new(page, *language, public_url);
        let mut text = message.fit(TEXT_BYTES_MAX, json_bytes).replace('<', "＜");
        text = with_keyword(text, keyword.as_deref());
        if !mention.is_empty() {
            text.push_str("\n<at user_id=\"all\"></at>");
        }
        let mut body = json!({"msg_type": "text", "content": {"text": text}});
        if let Some(secret) = secret {
            body["timestamp"] = now.secs().to_string().into();
            body["sign"] = signature(&secret.text(), now.secs()).into();
        }
        body.to_string()
    }
}

impl Receiver for Feishu {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn deliver(&self, page: &Notification, now: Timestamp) -> Attempt {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", JSON);
        match self.http.post(&self.settings.url.0, headers, self.body(page, now), now) {
            Ok(answer) => Attempt { status: Some(answer.status), result: CODES.read_any(&answer) },
            Err(attempt) => attempt,
        }
    }

    fn limit(&self) -> Option<Limit> {
        Some(Limit { pages: 5, per: Duration::from_secs(3) })
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_signature_is_as_feishu_computes_it() {
        let signed = super::signature("SEC-test-secret", 1_700_000_000);
        assert_eq!(signed, "N/YfEei+5/EskDDCjSL3nvdh2x/Igb36CEA5Cc6MdHk=");
    }
}
