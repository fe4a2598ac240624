//! Which format an event is in, and what reads it: [`table`] has a row for each.

mod marks;
mod probe;
mod table;

pub(super) use probe::Probe;

use self::table::Read;
use super::decoded::Decoded;
use super::formats::cloudevents;
use super::frame::Frame;
use super::headers::Headers;
use super::reject::{Reject, object_text, parse};

/// Reads a record of any format. Headers may say that it is a CloudEvent; else its keys say what it is.
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

/// Reads an object of any format, whatever wraps it.
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

/// Whether a key that no native event has marks another format.
pub(super) fn is_mark(key: &str) -> bool {
    table::marks().number(key).is_some()
}
