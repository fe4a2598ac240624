//! Pages as messages of a WeCom group robot.

use std::time::Duration;

use serde_json::json;

use super::http::{Http, Problem};
use super::message::{Message, bytes};
use super::receiver::{Attempt, Limit, Receiver, Settings};
use super::robot::Codes;
use crate::alert::Notification;
use crate::domain::Timestamp;

/// Name of this kind of receiver.
pub const KIND: &str = "wecom";

const TEXT_BYTES_MAX: usize = 2048;
const CODES: Codes = Codes {
    service: "WeCom",
    code: &["errcode"],
    text: "errmsg",
    throttled: &[(45_009, Duration::from_secs(60))],
    page: &[40_058, 44_004],
};

/// Creates a receiver from its configuration.
pub fn make(settings: Settings) -> Result<Box<dyn Receiver>, Vec<Problem>> {
    let http = Http::new(&settings).map_err(|problem| vec![problem])?;
    Ok(Box::new(WeCom { settings, http }))
}

struct WeCom {
    settings: Settings,
    http: Http,
}

impl WeCom {
    /// A text message. It has no markup, and is the only type that can mention mobile numbers.
    fn body(&self, page: &Notification) -> String {
        let Settings { language, public_url, mention, .. } = &self.settings;
        let message = Message::new(page, *language, public_url);
        let mobiles: Vec<&str> =
            mention.iter().map(|who| if who == "all" { "@all" } else { who.as_str() }).collect();
        json!({
            "msgtype": "text",
            "text": {
                "content": message.fit(TEXT_BYTES_MAX, bytes),
                "mentioned_mobile_list": mobiles,
            },
        })
        .to_string()
    }
}

impl Receiver for WeCom {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn deliver(&self, page: &Notification, now: Timestamp) -> Attempt {
        self.http.post_json(&self.settings.url.0, self.body(page), now, |answer| CODES.read(answer))
    }

    fn limit(&self) -> Option<Limit> {
        Some(Limit { pages: 20, per: Duration::from_secs(60) })
    }
}
