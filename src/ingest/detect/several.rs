//! Records with several events: a JSON array or NDJSON, as over HTTP.

use serde_json::value::RawValue;

use super::body;
use crate::ingest::decoded::Decoded;
use crate::ingest::frame::Frame;
use crate::ingest::reject::Reject;
use crate::ingest::split::split;

/// Most events of one record; as many as one request may hold.
const EVENTS_MAX: usize = 50_000;

/// Decodes the elements of an array.
pub(super) fn array(bytes: &[u8], frame: Frame<'_>) -> Result<Decoded, Reject> {
    let elements = split(bytes).map_err(|error| Reject::malformed(format!("not JSON: {error}")))?;
    all(&elements, frame)
}

/// Decodes NDJSON; `None` unless an object is followed by more. One bad line is one reject.
pub(super) fn lines(bytes: &[u8], frame: Frame<'_>) -> Option<Result<Decoded, Reject>> {
    let mut values = serde_json::Deserializer::from_slice(bytes).into_iter::<&RawValue>();
    let first = values.next()?.ok()?;
    let rest = bytes.get(values.byte_offset()..)?;
    if !first.get().starts_with('{') || rest.trim_ascii().is_empty() {
        return None;
    }
    let elements = split(bytes).unwrap_or_else(|_| {
        let lines = bytes.split(|byte| *byte == b'\n');
        lines.filter(|line| !line.trim_ascii().is_empty()).collect()
    });
    (elements.len() > 1).then(|| all(&elements, frame))
}

fn all(elements: &[&[u8]], frame: Frame<'_>) -> Result<Decoded, Reject> {
    let frame = frame.within()?;
    match elements {
        [] => Ok(Decoded::Ignored { why: "an empty array" }),
        [one] => body(one, frame),
        _ if elements.len() > EVENTS_MAX => {
            let found = elements.len();
            Err(Reject::limit(format!("record of {found} events: send at most {EVENTS_MAX}")))
        }
        _ => {
            // The id of a wrapper is for one event: with the same id, the events would be duplicates.
            let frame = Frame { id: None, ..frame };
            Ok(Decoded::many(elements.iter().map(|element| body(element, frame))))
        }
    }
}
