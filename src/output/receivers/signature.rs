//! Signatures of requests.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The base64 HMAC-SHA256 of a text.
pub fn hmac_base64(key: &[u8], text: &str) -> String {
    // HMAC takes a key of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return String::new() };
    mac.update(text.as_bytes());
    BASE64.encode(mac.finalize().into_bytes())
}
