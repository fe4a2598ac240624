//! Pages as messages of a DingTalk group robot. With a secret, each try gets a new signature, because a signature is valid for
//! an hour.

use std::time::Duration;

use serde_json::json;

use super::http::{Http, Problem};
use super::message::{Message, json_bytes};
use super::receiver::{Attempt, Limit, Receiver, Settings};
use super::robot::{Codes, with_keyword};
use super::signature::hmac_base64;
use crate::alert::Notification;
use crate::domain::Timestamp;

/// Name of this kind of receiver.
pub const KIND: &str = "dingtalk";

/// Maximum size of the text. The whole body may have 20,000 bytes.
const TEXT_BYTES_MAX: usize = 18_000;
const BLOCKED: Duration = Duration::from_secs(600);
const CODES: Codes = Codes {
    service: "DingTalk",
    code: &["errcode"],
    text: "errmsg",
    throttled: &[(130_101, BLOCKED), (410_100, BLOCKED)],
    page: &[460_101, 101_002, 400_105],
};

/// Creates a receiver from its configuration.
pub fn make(settings: Settings) -> Result<Box<dyn Receiver>, Vec<Problem>> {
    let http = Http::new(&settings).map_err(|problem| vec![problem])?;
    Ok(Box::new(DingTalk { settings, http }))
}

/// The signature of a time in milliseconds: HMAC-SHA256 of `time\nsecret` with the secret as key.
pub fn signature(secret: &str, millis: i64) -> String {
    hmac_base64(secret.as_bytes(), &format!("{millis}\n{secret}"))
}

struct DingTalk {
    settings: Settings,
    http: Http,
}

impl DingTalk {
    /// A plain-text message, so that names are not interpreted as markup. It contains the keyword and the numbers to mention.
    fn body(&self, page: &Notification) -> String {
        let Settings { language, public_url, mention, keyword, .. } = &self.settings;
        let message = Message::new(page, *language, public_url);
        let (all, numbers): (Vec<&String>, Vec<&String>) =
            mention.iter().partition(|who| who.as_str() == "all");
        let mut text = message.fit(TEXT_BYTES_MAX, json_bytes);
        for number in &numbers {
            text.push_str(&format!("\n@{number}"));
        }
        text = with_keyword(text, keyword.as_deref());
        json!({
            "msgtype": "text",
            "text": {"content": text},
            "at": {"atMobiles": numbers, "isAtAll": !all.is_empty()},
        })
        .to_string()
    }

    fn url(&self, now: Timestamp) -> String {
        let url = &self.settings.url.0;
        let Some(secret) = &self.settings.secret else { return url.clone() };
        let sign = signature(&secret.text(), now.millis());
        let fields = [("timestamp", now.millis().to_string()), ("sign", sign)];
        reqwest::Url::parse_with_params(url, fields).map_or_else(|_| url.clone(), String::from)
    }
}

impl Receiver for DingTalk {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn deliver(&self, page: &Notification, now: Timestamp) -> Attempt {
        self.http.post_json(&self.url(now), self.body(page), now, |answer| CODES.read(answer))
    }

    fn limit(&self) -> Option<Limit> {
        Some(Limit { pages: 20, per: Duration::from_secs(60) })
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_signature_is_as_dingtalk_computes_it() {
        let signed = super::signature("SEC-test-secret", 1_700_000_000_000);
        assert_eq!(signed, "Mrhy389nC5p7fqYHgciQpNWFiBNjbTx4Rn5BqEH45jY=");
    }
}
