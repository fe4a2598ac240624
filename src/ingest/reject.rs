//! Limits of an event, rejects, and checks before parsing.

use thiserror::Error;

use super::foreign::without_bom;
use super::plain;
use crate::domain::Reason;

/// Deepest nesting of an event. Deeper events are refused before a parser recurses.
const DEPTH_MAX: usize = 64;

/// Limits of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest event in bytes, also of each event of a batch.
    pub event_bytes: usize,
    /// Longest text in characters; longer texts are cut.
    pub text_chars: usize,
    /// Largest number of events in a batch.
    pub batch_events: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { event_bytes: 64 * 1024, text_chars: 1000, batch_events: 1000 }
    }
}

/// The reason why bytes are not a valid event.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}: {detail}", reason.as_str())]
pub struct Reject {
    pub reason: Reason,
    /// One line for a person: what is wrong and what would work.
    pub detail: String,
}

impl Reject {
    pub(super) fn malformed(detail: impl Into<String>) -> Self {
        Self { reason: Reason::Malformed, detail: detail.into() }
    }

    pub(super) fn limit(detail: impl Into<String>) -> Self {
        Self { reason: Reason::Limit, detail: detail.into() }
    }

    pub(super) fn field(name: &str, rest: impl std::fmt::Display) -> Self {
        Self { reason: Reason::Field, detail: format!("`{name}` {rest}") }
    }
}

/// Parses JSON text. The error has the first line of the parser's message.
pub(super) fn parse<'a, T: serde::Deserialize<'a>>(text: &'a str) -> Result<T, Reject> {
    if let Some(value) = plain::parse(text) {
        return Ok(value);
    }
    sonic_rs::from_str(text).map_err(|e| {
        let words = e.to_string();
        // The other lines quote the input, which may contain secrets.
        Reject::malformed(format!("not JSON: {}", words.lines().next().unwrap_or("cannot be read")))
    })
}

/// The same for an object of an event that [`parse`] has read before, to find its format. It is valid JSON, and is read faster.
pub(super) fn parse_part<'a, T: serde::Deserialize<'a>>(text: &'a str) -> Result<T, Reject> {
    plain::parse_part(text).map_or_else(|| parse(text), Ok)
}

/// The reject for an event that is too large.
pub(super) fn too_large(bytes: &[u8], limits: &Limits) -> Reject {
    let (found, most) = (bytes.len(), limits.event_bytes);
    Reject::limit(format!("event of {found} bytes: send at most {most} (`limits.event_bytes`)"))
}

/// Checks size, encoding, type and nesting before parsing.
pub(super) fn object_text<'a>(bytes: &'a [u8], limits: &Limits) -> Result<&'a str, Reject> {
    if bytes.len() > limits.event_bytes {
        return Err(too_large(bytes, limits));
    }
    batch_text(bytes)
}

/// Like [`object_text`], but without the size limit, which applies to each event of a batch.
pub(super) fn batch_text(bytes: &[u8]) -> Result<&str, Reject> {
    let bytes = without_bom(bytes);
    let text = std::str::from_utf8(bytes).map_err(|e| {
        Reject::malformed(format!("not UTF-8 after {} bytes: send UTF-8", e.valid_up_to()))
    })?;
    if !text.trim_start_matches([' ', '\t', '\r', '\n']).starts_with('{') {
        return Err(Reject::malformed("not a JSON object: an event starts with `{`"));
    }
    if too_deep(bytes) {
        return Err(Reject::malformed(format!("nested deeper than {DEPTH_MAX} levels")));
    }
    Ok(text)
}

/// Whether brackets outside strings are nested too deeply. Most events have few brackets and need no full check.
fn too_deep(bytes: &[u8]) -> bool {
    // The two opening brackets differ in one bit. The compiler makes a fast loop of sums that fit into a byte.
    let openers = |part: &[u8]| part.iter().map(|b| u8::from(b | 0x20 == b'{')).sum::<u8>();
    if bytes.chunks(255).map(|part| usize::from(openers(part))).sum::<usize>() <= DEPTH_MAX {
        return false;
    }
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for &byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => depth += 1,
            b'}' | b']' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEPTH_MAX {
            return true;
        }
    }
    false
}
