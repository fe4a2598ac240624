//! Detects the format of an event and decodes it. [`table`] has a row for each format.

mod probe;
mod several;
mod signature;
mod table;

pub(super) use probe::Probe;
pub use several::lines_of;

use self::signature::Known;
use self::table::Read;
use super::decoded::Decoded;
use super::foreign::{after_confluent, is_utf16, named, without_bom};
use super::formats::native::{self, Key};
use super::formats::{cloudevents, trap_forms};
use super::frame::Frame;
use super::headers::Headers;
use super::reject::{Reject, batch_text, parse, too_large};
use crate::domain::Reason;

/// The character before each JSON text of a sequence (RFC 7464).
const SEPARATOR: u8 = 0x1e;

/// Decodes a record of any format. Headers may identify a CloudEvent; otherwise the record's keys identify the format.
pub(super) fn record(
    bytes: &[u8],
    headers: &Headers<'_>,
    frame: Frame<'_>,
) -> Result<Decoded, Reject> {
    if headers.0.is_empty() {
        return body(bytes, frame);
    }
    let frame = Frame { event_type: headers.get("eventType"), ..frame };
    if headers.get("ce_specversion").is_some() {
        return cloudevents::binary(bytes, headers, frame, body);
    }
    let is_empty = bytes.trim_ascii().is_empty();
    let bytes = without_bom(bytes);
    match headers.get("content-type").filter(|_| !is_empty) {
        Some(kind) if cloudevents::is_structured(kind) => {
            cloudevents::structured(batch_text(bytes)?, frame, body)
        }
        _ => body(bytes, frame),
    }
}

/// Decodes an object of any format, or several of them.
fn body(bytes: &[u8], frame: Frame<'_>) -> Result<Decoded, Reject> {
    match bytes.trim_ascii_start().first() {
        // Some senders written in C count the zero at the end of a string.
        Some(b'{' | b'[') if bytes.ends_with(&[0]) && !is_utf16(bytes) => {
            body(without_zeros(bytes), frame)
        }
        Some(b'{') => match object(bytes, frame) {
            Err(reject) if matches!(reject.reason, Reason::Malformed | Reason::Limit) => {
                let is_utf16 = is_utf16(bytes);
                let reject = if is_utf16 { named(bytes) } else { reject };
                several::lines(bytes, frame).unwrap_or(Err(reject))
            }
            decoded => decoded,
        },
        Some(b'[') => several::array(bytes, frame),
        None => Ok(Decoded::Ignored { why: "an empty value" }),
        Some(_) => other(bytes, frame),
    }
}

/// Bytes without the zeros at their end.
fn without_zeros(mut bytes: &[u8]) -> &[u8] {
    while let Some(rest) = bytes.strip_suffix(&[0]) {
        bytes = rest;
    }
    bytes
}

/// Decodes bytes that do not begin with a JSON object or array.
fn other(bytes: &[u8], frame: Frame<'_>) -> Result<Decoded, Reject> {
    let rest = without_bom(bytes);
    if rest.len() < bytes.len() {
        return body(rest, frame);
    }
    if let Some(rest) = after_confluent(bytes).or_else(|| bytes.strip_prefix(&[SEPARATOR])) {
        return body(rest, frame);
    }
    if bytes.trim_ascii() == b"null" {
        return Ok(Decoded::Null);
    }
    if let Some(decoded) = several::by_lines(bytes, frame) {
        return decoded;
    }
    if bytes.len() > frame.limits.event_bytes {
        return Err(too_large(bytes, frame.limits));
    }
    match std::str::from_utf8(bytes) {
        // JSON within a JSON text.
        Ok(text) if text.trim_start().starts_with('"') => match parse::<String>(text) {
            Ok(inner) if inner.trim_start().starts_with(['{', '[']) => {
                body(inner.as_bytes(), frame.within()?)
            }
            Ok(inner) if inner.trim().is_empty() => Ok(Decoded::Ignored { why: "an empty value" }),
            _ => Err(named(bytes)),
        },
        Ok(text) if trap_forms::is_snmptrapd(text) => trap_forms::snmptrapd(text, &frame),
        _ => Err(named(bytes)),
    }
}

fn object(bytes: &[u8], frame: Frame<'_>) -> Result<Decoded, Reject> {
    let is_large = bytes.len() > frame.limits.event_bytes;
    let read = batch_text(bytes).and_then(|text| Ok((text, parse::<Probe<'_>>(text)?)));
    let (text, probe) = match read {
        Ok(found) => found,
        // Whatever it is, it is too large.
        Err(_) if is_large => return Err(too_large(bytes, frame.limits)),
        Err(reject) => return Err(reject),
    };
    match probe.format().map(|format| &format.read) {
        // These check the size of each event that they contain.
        Some(Read::Batch(read)) => read(text, frame),
        Some(Read::Wrapper(read)) => read(text, frame, body),
        _ if is_large => Err(too_large(bytes, frame.limits)),
        Some(Read::Record(_)) if probe.native.has(Key::Kind) && probe.native.has(Key::EventId) => {
            native::decode(&probe.native, frame)
        }
        Some(Read::Text(read) | Read::Record(read)) => read(text, frame),
        Some(Read::Fields(read)) => read(&probe.native, frame),
        None => Err(table::unknown()),
    }
}

/// Whether a key belongs to the signature of a format other than the native one.
pub(super) fn is_signature_key(key: &str) -> bool {
    matches!(table::signatures().known(key), Known::Signature(_))
}
