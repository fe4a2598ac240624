//! Detects the format of an event and decodes it. [`table`] has a row for each format.

mod probe;
mod signature;
mod table;

pub(super) use probe::Probe;

use self::table::Read;
use super::decoded::Decoded;
use super::formats::cloudevents;
use super::frame::Frame;
use super::headers::Headers;
use super::reject::{Reject, object_text, parse};

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
    match headers.get("content-type") {
        Some(kind) if cloudevents::is_structured(kind) => {
            cloudevents::structured(object_text(bytes, frame.limits)?, frame, body)
        }
        _ => body(bytes, frame),
    }
}

/// Decodes an object of any format.
fn body(bytes: &[u8], frame: Frame<'_>) -> Result<Decoded, Reject> {
    let text = object_text(bytes, frame.limits)?;
    let probe: Probe<'_> = parse(text)?;
    match probe.format().map(|format| &format.read) {
        Some(Read::Text(read)) => read(text, frame),
        Some(Read::Wrapper(read)) => read(text, frame, body),
        Some(Read::Fields(read)) => read(&probe.native, frame),
        None => Err(table::unknown()),
    }
}

/// Whether a key belongs to the signature of a format other than the native one.
pub(super) fn is_signature_key(key: &str) -> bool {
    table::signatures().index(key).is_some()
}
