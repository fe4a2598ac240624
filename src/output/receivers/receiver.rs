//! The trait of receivers, and their settings.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::config;
use crate::domain::Timestamp;
use crate::store::{DeliveryOutcome, OutboxRow};
use crate::text::Language;

/// A receiver of pages.
pub trait Receiver: Send + Sync {
    /// The word of its kind.
    fn kind(&self) -> &'static str;

    /// Tries once to deliver a page.
    fn deliver(&self, page: &OutboxRow, now: Timestamp) -> Attempt;
}

/// Receivers by the names that the config gives them.
pub type Receivers = BTreeMap<String, Box<dyn Receiver>>;

/// One try to deliver a page.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    /// HTTP status, 0 if there was no answer; `None` for receivers without HTTP, which are not counted.
    pub status: Option<u16>,
    pub outcome: DeliveryOutcome,
}

/// What a config says about a receiver.
#[derive(Clone)]
pub struct Settings {
    /// Where pages go. It may hold a key: do not show it.
    pub url: String,
    /// The signing key of pages.
    pub secret: Option<Secret>,
    /// Base of links in pages.
    pub public_url: String,
    /// Language of pages.
    pub language: Language,
}

/// A signing key. Never shown.
#[derive(Clone)]
pub struct Secret(config::Secret);

impl Secret {
    /// A fixed key.
    pub fn new(text: &str) -> Self {
        Self(config::Secret::new(text))
    }

    /// The bytes to sign with: of `whsec_` and base64, or of any other text as it is.
    pub(super) fn key(&self) -> Vec<u8> {
        let text = self.0.expose();
        let coded = text.trim().strip_prefix("whsec_");
        let key = coded.and_then(|coded| BASE64.decode(coded).ok());
        key.unwrap_or_else(|| text.trim().as_bytes().to_vec())
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
