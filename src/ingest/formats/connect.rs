//! Kafka Connect: the `JsonConverter` with schemas (`{"schema":…,"payload":…}`), and changes of Debezium.

use serde::Deserialize;
use sonic_rs::LazyValue;

use crate::ingest::decoded::Decoded;
use crate::ingest::frame::{Detect, Frame};
use crate::ingest::reject::{Reject, parse};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Envelope<'a> {
    #[serde(borrow)]
    payload: Option<LazyValue<'a>>,
}

/// Decodes the payload. It is null in a tombstone.
pub(in crate::ingest) fn decode(
    text: &str,
    frame: Frame<'_>,
    detect: Detect,
) -> Result<Decoded, Reject> {
    let envelope: Envelope<'_> = parse(text)?;
    inner(envelope.payload, frame, detect)
}

fn inner(
    value: Option<LazyValue<'_>>,
    frame: Frame<'_>,
    detect: Detect,
) -> Result<Decoded, Reject> {
    match value {
        Some(value) => detect(value.as_raw_str().as_bytes(), frame.within()?),
        None => Ok(Decoded::Null),
    }
}

/// A change of a row. The row before it and its source are not needed.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Change<'a> {
    #[serde(borrow)]
    after: Option<LazyValue<'a>>,
}

/// Decodes the row after a change. It is null after a deletion, which is like a tombstone.
pub(in crate::ingest) fn change(
    text: &str,
    frame: Frame<'_>,
    detect: Detect,
) -> Result<Decoded, Reject> {
    let change: Change<'_> = parse(text)?;
    inner(change.after, frame, detect)
}
