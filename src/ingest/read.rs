//! Checks the values of fields. A reject names the invalid field.

use std::borrow::Cow;

use super::field::Field;
use super::reject::{Limits, Reject};
use super::words::same;
use crate::domain::{Moment, Name, Timestamp, Zone, unprintable};

const ID_CHARS_MAX: usize = 256;

/// Floats up to this one are read without loss, whatever parser reads them: 2^47.
const EXACT_MAX: f64 = 140_737_488_355_328.0;

/// Text, or a whole number as text; `None` if the field is absent.
pub(super) fn text_of<'f>(field: &'f Field<'_>, key: &str) -> Result<Option<Cow<'f, str>>, Reject> {
    match field {
        Field::Absent => Ok(None),
        Field::Text(text) => Ok(Some(Cow::Borrowed(text))),
        Field::Whole(number) => Ok(Some(Cow::Owned(number.to_string()))),
        // Adding zero makes -0 to 0.
        Field::Number(number) if number.abs() < EXACT_MAX && number.fract() == 0.0 => {
            Ok(Some(Cow::Owned((number + 0.0).to_string())))
        }
        Field::Number(number) if number.fract() == 0.0 => Err(Reject::field(
            key,
            "is a number with too many digits to keep them all: send it as text",
        )),
        other => Err(Reject::field(key, format!("is {}, it must be text", other.found()))),
    }
}

/// The value of a word in a list; the comparison ignores case and blanks.
pub(super) fn find<T: Copy>(text: &str, words: &[(&str, T)]) -> Option<T> {
    let exact = words.iter().find(|(word, _)| *word == text);
    exact.or_else(|| words.iter().find(|(word, _)| same(word, text))).map(|(_, value)| *value)
}

pub(super) fn no_choice<T>(key: &str, text: &str, words: &[(&str, T)]) -> Reject {
    let allowed: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    no_choice_of(key, text, &allowed)
}

/// The reject for a text that is not one of these words.
pub(super) fn no_choice_of(key: &str, text: &str, allowed: &[&str]) -> Reject {
    Reject::field(key, format!("is `{}`: use {}", shown(text), allowed.join(", ")))
}

pub(super) fn id(text: &str, key: &str) -> Result<Box<str>, Reject> {
    if is_plain_id(text) {
        return Ok(text.into());
    }
    if text.is_empty() {
        return Err(Reject::field(key, "is empty: use 1 to 256 printable characters"));
    }
    if text.len() > ID_CHARS_MAX && text.chars().count() > ID_CHARS_MAX {
        return Err(Reject::field(key, "has more than 256 characters"));
    }
    if text.chars().any(unprintable) {
        return Err(Reject::field(key, "has a control character: use printable ones"));
    }
    Ok(text.into())
}

/// Whether a text is a valid id.
pub(super) fn is_id(text: &str) -> bool {
    is_plain_id(text) || id(text, "").is_ok()
}

/// Whether a text is a valid id of ASCII, as nearly all ids are.
fn is_plain_id(text: &str) -> bool {
    let plain = |byte: &u8| (b' '..0x7f).contains(byte);
    (1..=ID_CHARS_MAX).contains(&text.len()) && text.as_bytes().iter().all(plain)
}

/// A time; `None` if the field is absent or empty. Times without an offset are on the clock of `zone`.
pub(super) fn time(field: &Field<'_>, key: &str, zone: Zone) -> Result<Option<Timestamp>, Reject> {
    let parsed = match field {
        Field::Absent => return Ok(None),
        Field::Text(text) if text.trim().is_empty() => return Ok(None),
        Field::Text(text) => Moment::read(text).and_then(|moment| moment.instant(zone)),
        Field::Number(number) => Timestamp::from_epoch(*number),
        Field::Whole(number) => Timestamp::from_epoch(*number as f64),
        Field::Other(found) => {
            let rest = format!("is {found}, it must be RFC 3339 text or an epoch number");
            return Err(Reject::field(key, rest));
        }
    };
    parsed.map(Some).map_err(|e| {
        Reject::field(key, format!("cannot be read: {}", e.to_string().escape_debug()))
    })
}

pub(super) fn required_time(field: &Field<'_>, key: &str, zone: Zone) -> Result<Timestamp, Reject> {
    let missing = || Reject::field(key, "is missing: use RFC 3339 or an epoch in s, ms, µs or ns");
    time(field, key, zone)?.ok_or_else(missing)
}

/// A name without surrounding blanks; `None` if the field is absent or empty.
pub(super) fn name(field: &Field<'_>, key: &str) -> Result<Option<Name>, Reject> {
    match text_of(field, key)?.as_deref().map(str::trim) {
        None | Some("") => Ok(None),
        Some(text) => Name::new(text).map(Some).map_err(|e| Reject::field(key, e)),
    }
}

/// Free text, cut at the limit; `None` if the field is absent or empty.
pub(super) fn free(
    field: &Field<'_>,
    key: &str,
    limits: &Limits,
) -> Result<Option<Box<str>>, Reject> {
    Ok(text_of(field, key)?.and_then(|text| cut(&text, limits)))
}

/// Text cut at the limit; `None` if it is empty.
pub(super) fn cut(text: &str, limits: &Limits) -> Option<Box<str>> {
    let end = match text.len() > limits.text_chars {
        true => text.char_indices().nth(limits.text_chars).map_or(text.len(), |(at, _)| at),
        false => text.len(),
    };
    (end > 0).then(|| text[..end].into())
}

/// A value of an event, shortened and printable, for an error text.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(40).flat_map(char::escape_debug).collect()
}
