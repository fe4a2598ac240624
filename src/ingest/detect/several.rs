//! Records with several events: a JSON array or NDJSON, as over HTTP.

use serde_json::value::RawValue;

use super::body;
use crate::ingest::decoded::Decoded;
use crate::ingest::frame::Frame;
use crate::ingest::reject::Reject;
use crate::ingest::split::split;

/// Maximum number of events of one record; as many as one request may hold.
const EVENTS_MAX: usize = 50_000;

/// Decodes the elements of an array.
pub(super) fn array(bytes: &[u8], frame: Frame<'_>) -> Result<Decoded, Reject> {
    let elements = split(bytes).map_err(|error| Reject::malformed(format!("not JSON: {error}")))?;
    all(&elements, frame)
}

/// Decodes NDJSON; `None` for other bytes. One bad line is one reject.
pub(super) fn lines(bytes: &[u8], frame: Frame<'_>) -> Option<Result<Decoded, Reject>> {
    objects(bytes, frame).or_else(|| by_lines(bytes, frame))
}

/// Decodes lines of which at least half are whole objects; `None` for other bytes. So a bad first line does not affect the
/// others, and an object that was printed over several lines and then cut off is one reject.
pub(super) fn by_lines(bytes: &[u8], frame: Frame<'_>) -> Option<Result<Decoded, Reject>> {
    let lines: Vec<&[u8]> = lines_of(bytes).collect();
    let is_object = |line: &&&[u8]| {
        let value = serde_json::from_slice::<&RawValue>(line);
        value.is_ok_and(|value| value.get().starts_with('{'))
    };
    let whole = lines.iter().filter(is_object).count();
    (lines.len() > 1 && whole > 0 && 2 * whole >= lines.len()).then(|| all(&lines, frame))
}

/// Lines with content. A line that was cut out of an array may end with the comma behind its object.
pub fn lines_of(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let lines = bytes.split(|byte| *byte == b'\n').map(|line| {
        let line = line.trim_ascii_end();
        line.strip_suffix(b",").filter(|rest| rest.ends_with(b"}")).unwrap_or(line)
    });
    lines.filter(|line| !line.trim_ascii().is_empty())
}

/// Decodes an object that is followed by others.
fn objects(bytes: &[u8], frame: Frame<'_>) -> Option<Result<Decoded, Reject>> {
    let mut values = serde_json::Deserializer::from_slice(bytes).into_iter::<&RawValue>();
    let first = values.next()?.ok()?;
    let rest = bytes.get(values.byte_offset()..)?;
    if !first.get().starts_with('{') || rest.trim_ascii().is_empty() {
        return None;
    }
    let elements = split(bytes).unwrap_or_else(|_| lines_of(bytes).collect());
    (elements.len() > 1 || rest.trim_ascii() == b",").then(|| all(&elements, frame))
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
