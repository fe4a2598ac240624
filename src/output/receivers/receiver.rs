//! The trait of receivers, and their settings.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::alert::{Alert, Notification, Route};
use crate::config;
use crate::domain::Timestamp;
use crate::text::Language;

/// A receiver of pages.
pub trait Receiver: Send + Sync {
    /// The name of its kind.
    fn kind(&self) -> &'static str;

    /// Tries once to deliver a page.
    fn deliver(&self, page: &Notification, now: Timestamp) -> Attempt;

    /// The maximum rate of pages, if it has one.
    fn limit(&self) -> Option<Limit> {
        None
    }

    /// How often an open alert has to be sent again; `None` if the receiver remembers alerts itself.
    fn refresh_every(&self) -> Option<Duration> {
        None
    }

    /// Sends again that these alerts are open.
    fn refresh(&self, _open: &[Alert], _now: Timestamp) -> Attempt {
        Attempt::done(None)
    }
}

/// Receivers by the names that the config gives them, each with the pages that it gets.
pub type Receivers = BTreeMap<String, (Route, Box<dyn Receiver>)>;

/// At most this many `pages` within `per`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    pub pages: u32,
    pub per: Duration,
}

/// One try to deliver a page.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    /// HTTP status, 0 if there was no answer; `None` for receivers without HTTP, which are not counted.
    pub status: Option<u16>,
    pub result: Result<(), Refusal>,
}

impl Attempt {
    /// The page was delivered.
    pub fn done(status: Option<u16>) -> Self {
        Self { status, result: Ok(()) }
    }

    /// The page was not delivered.
    pub fn failed(status: Option<u16>, refusal: Refusal) -> Self {
        Self { status, result: Err(refusal) }
    }
}

/// Why a page was not delivered.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// An explanation for people. It must not contain the receiver's address, which may contain a key.
    pub why: String,
    pub fault: Fault,
    /// The time to wait that the receiver asked for.
    pub retry_after: Option<Duration>,
}

impl Refusal {
    /// A refusal without a request to wait.
    pub fn new(fault: Fault, why: impl Into<String>) -> Self {
        Self { why: why.into(), fault, retry_after: None }
    }
}

/// The consequence of a failed try for later tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The receiver accepts nothing at present, so the next page would fail too.
    Receiver,
    /// It refused this page. Others may be delivered.
    Page,
    /// The receiver does not want this page again (HTTP status 410).
    Gone,
}

impl Fault {
    /// Its name in traces.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Receiver => "receiver",
            Self::Page => "page",
            Self::Gone => "gone",
        }
    }
}

/// The settings of a receiver in the configuration.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The address of the receiver. It may contain a key, so it must not be shown.
    pub url: Url,
    /// A signing secret, a routing key, a token or a password, by kind.
    pub secret: Option<Secret>,
    /// Base of links in pages.
    pub public_url: String,
    /// Language of pages.
    pub language: Language,
    /// A file of certificates that are trusted in addition to those of this machine.
    pub ca_file: Option<PathBuf>,
    /// Whether it may be at a link-local address.
    pub allow_link_local: bool,
    /// Mobile numbers that a robot mentions, or `all`.
    pub mention: Vec<String>,
    /// The word that a robot asks for in each message.
    pub keyword: Option<String>,
    /// Sender and recipients of e-mails.
    pub from: Option<String>,
    pub to: Vec<String>,
    /// User of the mail server.
    pub username: Option<String>,
}

/// A URL that is never shown, because it may contain a key.
#[derive(Clone, Default)]
pub struct Url(pub String);

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Url(…)")
    }
}

/// A secret of a receiver. Never shown.
#[derive(Clone)]
pub struct Secret(config::Secret);

impl Secret {
    /// A fixed key.
    pub fn new(text: &str) -> Self {
        Self(config::Secret::new(text))
    }

    /// The text, without blanks around it.
    pub fn text(&self) -> String {
        self.0.expose().trim().to_owned()
    }

    /// A signing key: reads `whsec_` and base64, or takes the bytes of any other text.
    pub fn key(&self) -> Vec<u8> {
        let text = self.text();
        let coded = text.strip_prefix("whsec_");
        let key = coded.and_then(|coded| BASE64.decode(coded).ok());
        key.unwrap_or_else(|| text.into_bytes())
    }
}

impl From<config::Secret> for Secret {
    fn from(secret: config::Secret) -> Self {
        Self(secret)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
