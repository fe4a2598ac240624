//! Values that all standards use: enumerations in any spelling, composed ids, and times.

use std::borrow::Cow;

use xxhash_rust::xxh3::xxh3_128;

use super::field::Field;
use super::read::{id, no_choice, time};
use super::reject::Reject;
use crate::domain::{Severity, Timestamp};

/// Text, or a whole number as text, for fields of either type; `None` if the field is absent or empty.
pub(super) fn word_of<'f>(field: &'f Field<'_>, key: &str) -> Result<Option<Cow<'f, str>>, Reject> {
    match field {
        Field::Absent => Ok(None),
        Field::Text(text) => Ok((!text.is_empty()).then_some(Cow::Borrowed(&**text))),
        Field::Whole(number) => Ok(Some(Cow::Owned(number.to_string()))),
        other => {
            let rest = format!("is {}, it must be text or a whole number", other.found());
            Err(Reject::field(key, rest))
        }
    }
}

/// Like [`word_of`], for optional fields: a wrong type is treated as absent.
pub(super) fn word<'f>(field: &'f Field<'_>) -> Option<Cow<'f, str>> {
    word_of(field, "").ok().flatten()
}

/// The letters of an enumeration's value in lower case, without separators. TMF642 v4 has no enumeration:
/// `COMMUNICATIONS_ALARM`, `Communications Alarm` and `communicationsAlarm` are the same type.
pub(super) fn letters(text: &str) -> impl Iterator<Item = char> + '_ {
    let letters = text.chars().filter(|c| !matches!(c, ' ' | '_' | '-'));
    letters.map(|c| c.to_ascii_lowercase())
}

/// Whether two spellings are the same value of an enumeration.
pub(super) fn same(a: &str, b: &str) -> bool {
    letters(a).eq(letters(b))
}

/// A perceived severity of the standards. It includes *cleared*.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Perceived {
    Active(Severity),
    Cleared,
}

/// Perceived severities: the words of X.733, 28.532, TMF642 and VES, and the numbers of RFC 3877's
/// `ItuPerceivedSeverity`.
const PERCEIVED: [(&str, u64, Perceived); 7] = [
    ("critical", 3, Perceived::Active(Severity::Critical)),
    ("major", 4, Perceived::Active(Severity::Major)),
    ("minor", 5, Perceived::Active(Severity::Minor)),
    ("warning", 6, Perceived::Active(Severity::Warning)),
    ("indeterminate", 2, Perceived::Active(Severity::Indeterminate)),
    ("cleared", 1, Perceived::Cleared),
    ("normal", 1, Perceived::Cleared),
];

/// The severity in a field; `None` if the field is absent.
pub(super) fn perceived(field: &Field<'_>, key: &str) -> Result<Option<Perceived>, Reject> {
    let Some(text) = word_of(field, key)? else { return Ok(None) };
    let number = text.trim().parse::<u64>().ok();
    let is = |(word, code, _): &&(&str, u64, Perceived)| number == Some(*code) || same(word, &text);
    let found = PERCEIVED.iter().find(is).map(|(.., value)| Some(*value));
    found.ok_or_else(|| no_choice(key, &text, &PERCEIVED.map(|(word, ..)| (word, ()))))
}

/// One id from several parts: joined by `|` if that is unambiguous and a valid id, else a hash.
pub(super) fn joined(parts: &[&str]) -> Box<str> {
    let one = parts.len() == 1 || !parts.iter().any(|part| part.contains('|'));
    let text = if one { id(&parts.join("|"), "id").ok() } else { None };
    text.unwrap_or_else(|| hashed(parts))
}

/// An id by hashing: the same parts give the same id, on all machines and after restarts.
pub(super) fn hashed(parts: &[&str]) -> Box<str> {
    let mut bytes = Vec::with_capacity(parts.iter().map(|part| part.len() + 8).sum());
    for part in parts {
        // The length distinguishes ("ab", "c") from ("a", "bc").
        bytes.extend((part.len() as u64).to_le_bytes());
        bytes.extend(part.as_bytes());
    }
    format!("xxh3-{:032x}", xxh3_128(&bytes)).into()
}

/// Like [`time`], for formats of standards: also accepts Java's `+0000` for `+00:00`, and treats an empty text as absent.
pub(super) fn loose_time(field: &Field<'_>, key: &str) -> Result<Option<Timestamp>, Reject> {
    let Field::Text(text) = field else { return time(field, key) };
    if text.is_empty() {
        return Ok(None);
    }
    let split = text.len().checked_sub(5).and_then(|at| text.split_at_checked(at));
    if let Some((head, offset)) = split
        && let Some(digits) = offset.strip_prefix(['+', '-'])
        && digits.bytes().all(|b| b.is_ascii_digit())
        && head.contains('T')
    {
        let (hours, minutes) = offset.split_at(3);
        return time(&Field::Text(Cow::Owned(format!("{head}{hours}:{minutes}"))), key);
    }
    time(field, key)
}

/// The reject for an event without a time, in itself and in its wrapper.
pub(super) fn no_time(key: &str) -> Reject {
    Reject::field(key, "is missing: it is the event's time")
}
