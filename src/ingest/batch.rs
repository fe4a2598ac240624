//! Batches: several events in one object. Each is decoded by itself, and each has an outcome.

use super::decoded::Decoded;
use super::frame::Frame;
use super::reject::{Reject, object_text};
use super::split::split;

/// The elements of an array and of arrays within it. A value that is not an array is the only element.
///
/// # Errors
/// [`Reject`] if there are more elements than a batch may have.
pub(super) fn elements<'v>(
    key: &str,
    value: &'v str,
    frame: &Frame<'_>,
) -> Result<Vec<&'v [u8]>, Reject> {
    let mut all = Vec::new();
    flatten(value.trim_ascii().as_bytes(), &mut all)?;
    let (found, most) = (all.len(), frame.limits.batch_events);
    if found > most {
        return Err(Reject::limit(format!("`{key}` has {found} events: send at most {most}")));
    }
    Ok(all)
}

fn flatten<'v>(value: &'v [u8], all: &mut Vec<&'v [u8]>) -> Result<(), Reject> {
    if value.first() != Some(&b'[') {
        all.push(value);
        return Ok(());
    }
    let inner = split(value).map_err(|error| Reject::malformed(format!("not JSON: {error}")))?;
    inner.into_iter().try_for_each(|element| flatten(element, all))
}

/// Decodes the object in each element by itself. `decode` gets its text and its number in the batch; a single element
/// has no number, because it is not one of several.
pub(super) fn each(
    elements: &[&[u8]],
    frame: &Frame<'_>,
    decode: impl Fn(&str, Option<usize>, &Frame<'_>) -> Result<Decoded, Reject>,
) -> Result<Decoded, Reject> {
    if let [one] = elements {
        return decode(object_text(one, frame.limits)?, None, frame);
    }
    // The id of a wrapper is for one event: with the same id, the events of a batch would be duplicates.
    let frame = Frame { id: None, ..*frame };
    let one = |(nth, element): (usize, &&[u8])| {
        decode(object_text(element, frame.limits)?, Some(nth), &frame)
    };
    Ok(Decoded::many(elements.iter().enumerate().map(one)))
}
