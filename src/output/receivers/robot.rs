//! Common code of the group robots of DingTalk, Feishu and WeCom: they report errors by a code in an answer with a successful
//! status.

use std::time::Duration;

use super::http::Answer;
use super::receiver::{Fault, Refusal};

/// How a robot reports errors.
pub struct Codes {
    /// The service's name.
    pub service: &'static str,
    /// Fields that may hold the code, in this order.
    pub code: &'static [&'static str],
    /// Field of the explanation.
    pub text: &'static str,
    /// Codes for too many messages, with the time to wait.
    pub throttled: &'static [(i64, Duration)],
    /// Codes for a refused message, such as one that is too long.
    pub page: &'static [i64],
}

impl Codes {
    /// # Errors
    /// A refusal unless the answer's code is 0.
    pub fn read(&self, answer: &Answer) -> Result<(), Refusal> {
        let json = answer.json();
        let code = self.code.iter().find_map(|field| json.get(field)?.as_i64());
        let Some(code) = code else {
            let why = format!(
                "{} answered {} without a code: {}",
                self.service,
                answer.status,
                answer.excerpt()
            );
            return Err(Refusal::new(Fault::Receiver, why));
        };
        if code == 0 {
            return Ok(());
        }
        let said = json.get(self.text).and_then(|text| text.as_str()).unwrap_or_default();
        let why = format!("{} answered with the error {code}: {said}", self.service);
        let wait = self.throttled.iter().find(|(known, _)| *known == code).map(|(_, wait)| *wait);
        let fault = if self.page.contains(&code) { Fault::Page } else { Fault::Receiver };
        Err(Refusal { why, fault, retry_after: answer.retry_after.or(wait) })
    }

    /// Like [`Codes::read`], for a service that reports throttling with an error status and a code in the body.
    ///
    /// # Errors
    /// A refusal unless status and code say that the message was taken.
    pub fn read_any(&self, answer: &Answer) -> Result<(), Refusal> {
        let by_status = answer.by_status();
        match (self.read(answer), by_status) {
            (Err(_), Err(status)) if answer.json().is_null() => Err(status),
            (Err(refusal), _) => Err(refusal),
            (Ok(()), by_status) => by_status,
        }
    }
}

/// The text, with the keyword that a robot requires in each message.
pub fn with_keyword(text: String, keyword: Option<&str>) -> String {
    match keyword.filter(|keyword| !text.contains(keyword)) {
        Some(keyword) => format!("{keyword} {text}"),
        None => text,
    }
}
