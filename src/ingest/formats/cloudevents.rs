//! CloudEvents 1.0, structured and binary: a wrapper with an id, a time and a type.

use std::borrow::Cow;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;
use sonic_rs::LazyValue;

use crate::ingest::decoded::Decoded;
use crate::ingest::field::Field;
use crate::ingest::frame::{Detect, Frame};
use crate::ingest::headers::Headers;
use crate::ingest::read::{shown, text_of};
use crate::ingest::reject::{Reject, parse};
use crate::ingest::words::{joined, loose_time, word};

/// Base64 of RFC 4648 with padding. Trailing bits are ignored.
pub(super) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical)
        .with_decode_allow_trailing_bits(true),
);

/// A CloudEvent in structured mode, in the JSON format.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Structured<'a> {
    #[serde(borrow)]
    id: Field<'a>,
    source: Field<'a>,
    specversion: Field<'a>,
    #[serde(rename = "type")]
    kind: Field<'a>,
    time: Field<'a>,
    datacontenttype: Field<'a>,
    data: Option<LazyValue<'a>>,
    data_base64: Field<'a>,
}

/// Whether a content type is that of a CloudEvent in JSON.
pub(in crate::ingest) fn is_structured(content_type: &str) -> bool {
    media(content_type).eq_ignore_ascii_case("application/cloudevents+json")
}

/// Decodes binary mode: the body is the data, and the headers have the context.
pub(in crate::ingest) fn binary(
    bytes: &[u8],
    headers: &Headers<'_>,
    frame: Frame<'_>,
    detect: Detect,
) -> Result<Decoded, Reject> {
    let header = |name| headers.get(name).map_or(Field::Absent, |text| Field::Text(text.into()));
    version(&header("ce_specversion"))?;
    json("content-type", headers.get("content-type"))?;
    let kind = header("ce_type");
    let context = Context {
        id: id(&header("ce_id"), &header("ce_source"))?,
        kind: word(&kind),
        time: header("ce_time"),
    };
    context.decode_data(frame, |frame| detect(bytes, frame))
}

/// Decodes structured mode: one object has context and data.
pub(in crate::ingest) fn structured(
    text: &str,
    frame: Frame<'_>,
    detect: Detect,
) -> Result<Decoded, Reject> {
    let event: Structured<'_> = parse(text)?;
    version(&event.specversion)?;
    json("datacontenttype", text_of(&event.datacontenttype, "datacontenttype")?.as_deref())?;
    let data: Cow<'_, [u8]> = match (&event.data, text_of(&event.data_base64, "data_base64")?) {
        (Some(data), _) => unquoted(data)?,
        (None, Some(text)) => Cow::Owned(
            BASE64
                .decode(&*text)
                .map_err(|_| Reject::field("data_base64", "is not padded base64 (RFC 4648)"))?,
        ),
        (None, None) => {
            return Err(Reject::field("data", "is missing, and so is `data_base64`: send one"));
        }
    };
    let context = Context {
        id: id(&event.id, &event.source)?,
        kind: word(&event.kind),
        time: event.time.clone(),
    };
    context.decode_data(frame, |frame| detect(&data, frame))
}

/// The JSON data. Some senders put it into a text.
fn unquoted<'v>(data: &'v LazyValue<'_>) -> Result<Cow<'v, [u8]>, Reject> {
    let raw = data.as_raw_str();
    if !raw.starts_with('"') {
        return Ok(Cow::Borrowed(raw.as_bytes()));
    }
    let text: String = parse(raw)?;
    Ok(Cow::Owned(text.into_bytes()))
}

/// The context attributes of a CloudEvent.
struct Context<'a> {
    id: Option<Box<str>>,
    kind: Option<Cow<'a, str>>,
    time: Field<'a>,
}

impl Context<'_> {
    /// Decodes the data. The context gives defaults for its fields.
    fn decode_data(
        &self,
        frame: Frame<'_>,
        read: impl FnOnce(Frame<'_>) -> Result<Decoded, Reject>,
    ) -> Result<Decoded, Reject> {
        let frame = frame.within()?;
        read(Frame {
            id: self.id.as_deref().or(frame.id),
            ts: loose_time(&self.time, "time", &frame)?.or(frame.ts),
            event_type: self.kind.as_deref().or(frame.event_type),
            ..frame
        })
    }
}

/// The event id: `source` and `id` together identify a CloudEvent.
fn id(id: &Field<'_>, source: &Field<'_>) -> Result<Option<Box<str>>, Reject> {
    let (id, source) = (text_of(id, "id")?, text_of(source, "source")?);
    let id = id.filter(|id| !id.is_empty());
    Ok(id.map(|id| joined(&[&source.unwrap_or_default(), &id])))
}

fn version(field: &Field<'_>) -> Result<(), Reject> {
    match text_of(field, "specversion")?.as_deref().map(str::trim) {
        Some("1.0" | "0.3" | "1") => Ok(()),
        Some(other) => Err(Reject::field("specversion", format!("is `{}`: use 1.0", shown(other)))),
        None => Err(Reject::field("specversion", "is missing: use 1.0")),
    }
}

/// Rejects a content type other than JSON.
fn json(key: &str, content_type: Option<&str>) -> Result<(), Reject> {
    let Some(kind) = content_type.map(media).filter(|kind| !kind.is_empty()) else {
        return Ok(());
    };
    let kind = kind.to_ascii_lowercase();
    if kind.ends_with("/json") || kind.ends_with("+json") {
        return Ok(());
    }
    Err(Reject::field(key, format!("is `{}`: send application/json", shown(&kind))))
}

/// A media type without its parameters.
fn media(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim()
}
