//! Values that all standards use: enumerations in any spelling, composed ids, and times.

use std::borrow::Cow;

use xxhash_rust::xxh3::xxh3_128;

use super::acts::{Act, act, words};
use super::field::Field;
use super::frame::Frame;
use super::notes::Doubt;
use super::read::{find, is_id, shown, text_of, time};
use super::reject::Reject;
use crate::domain::{Moment, Severity, TimeError, Timestamp};

/// The text without surrounding blanks, or a number as text, for fields of either type; `None` if the field is absent or blank.
pub(super) fn word_of<'f>(field: &'f Field<'_>, key: &str) -> Result<Option<Cow<'f, str>>, Reject> {
    let trimmed = text_of(field, key)?.map(|text| match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    });
    Ok(trimmed.filter(|text| !text.is_empty()))
}

/// Like [`word_of`], for optional fields: a wrong type is treated as absent.
pub(super) fn word<'f>(field: &'f Field<'_>) -> Option<Cow<'f, str>> {
    word_of(field, "").ok().flatten()
}

/// The letters of an enumeration's value in lower case, without separators. TMF642 v4 has no enumeration:
/// `COMMUNICATIONS_ALARM`, `Communications Alarm` and `communicationsAlarm` are the same type.
pub(super) fn letters(text: &str) -> impl Iterator<Item = char> + '_ {
    let letters = text.chars().filter(|c| !matches!(c, '_' | '-') && !c.is_whitespace());
    letters.map(|c| c.to_ascii_lowercase())
}

/// Whether two spellings are the same value of an enumeration.
pub(super) fn same(a: &str, b: &str) -> bool {
    // The first letter decides for most words of a list.
    if let (Some(first), Some(other)) = (a.as_bytes().first(), b.as_bytes().first())
        && first.is_ascii_alphanumeric()
        && other.is_ascii_alphanumeric()
        && !first.eq_ignore_ascii_case(other)
    {
        return false;
    }
    a.eq_ignore_ascii_case(b) || letters(a).eq(letters(b))
}

/// A perceived severity of the standards. It includes *cleared*.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Perceived {
    /// The alarm is active with this severity.
    Active(Severity),
    /// The alarm is over.
    Cleared,
}

const CRITICAL: Perceived = Perceived::Active(Severity::Critical);
const MAJOR: Perceived = Perceived::Active(Severity::Major);
const MINOR: Perceived = Perceived::Active(Severity::Minor);
const WARNING: Perceived = Perceived::Active(Severity::Warning);
const INDETERMINATE: Perceived = Perceived::Active(Severity::Indeterminate);

/// Severities: the words of X.733, 28.532, TMF642 and VES, and words that monitoring systems use instead.
const PERCEIVED: [(&str, Perceived); 36] = [
    ("critical", CRITICAL),
    ("major", MAJOR),
    ("minor", MINOR),
    ("warning", WARNING),
    ("indeterminate", INDETERMINATE),
    ("cleared", Perceived::Cleared),
    ("normal", Perceived::Cleared),
    ("clear", Perceived::Cleared),
    ("clr", Perceived::Cleared),
    ("ok", Perceived::Cleared),
    ("emergency", CRITICAL),
    ("fatal", CRITICAL),
    ("disaster", CRITICAL),
    ("page", CRITICAL),
    ("crit", CRITICAL),
    ("error", MAJOR),
    ("high", MAJOR),
    ("medium", MINOR),
    ("average", MINOR),
    ("warn", WARNING),
    ("low", WARNING),
    ("info", INDETERMINATE),
    ("unknown", INDETERMINATE),
    ("紧急", CRITICAL),
    ("严重", CRITICAL),
    ("重要", MAJOR),
    ("主要", MAJOR),
    ("次要", MINOR),
    ("一般", MINOR),
    ("提示", WARNING),
    ("警告", WARNING),
    ("清除", Perceived::Cleared),
    ("已清除", Perceived::Cleared),
    ("恢复", Perceived::Cleared),
    ("已恢复", Perceived::Cleared),
    ("未知", INDETERMINATE),
];

/// The numbers of a list of severities; the first is that of zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Numbers(&'static [Option<Perceived>]);

/// `ItuPerceivedSeverity` of RFC 3877: numbers of all formats but O-RAN O2.
pub(super) const RFC_3877: Numbers = Numbers(&[
    None,
    Some(Perceived::Cleared),
    Some(INDETERMINATE),
    Some(CRITICAL),
    Some(MAJOR),
    Some(MINOR),
    Some(WARNING),
]);
/// `PerceivedSeverity` of O-RAN O2 (O2ims alarm events).
pub(super) const O_RAN_O2: Numbers = Numbers(&[
    Some(CRITICAL),
    Some(MAJOR),
    Some(MINOR),
    Some(WARNING),
    Some(INDETERMINATE),
    Some(Perceived::Cleared),
]);

/// The severity that a word or a number of RFC 3877 means, in any case and with blanks; `None` for others.
pub fn severity(text: &str) -> Option<Perceived> {
    of_word(text, RFC_3877)
}

fn of_word(text: &str, numbers: Numbers) -> Option<Perceived> {
    // `3`, `3.0`, and the text of an SNMP enumeration: `critical(3)`.
    let text = text.trim().trim_matches(['"', '\'']);
    let word = text.split_once('(').map_or(text, |(word, _)| word);
    let word = word.trim_end_matches("告警");
    if let Some(found) = find(word, &PERCEIVED) {
        return Some(found);
    }
    let number = text.strip_suffix(".0").unwrap_or(text).parse::<usize>().ok()?;
    numbers.0.get(number).copied().flatten()
}

/// Words that reverse the meaning of another word.
const NEGATIONS: [&str; 4] = ["not", "no", "non", "never"];

/// The act that a state or severity names. Words such as `unresolved` and `not cleared` name none.
pub(super) fn plain_act(text: &str) -> Option<Act> {
    let is_negated = |word: &String| NEGATIONS.contains(&&**word) || word.starts_with("un");
    if words(text).iter().any(is_negated) { None } else { act(text) }
}

/// The severity that a text with more than one word names, such as `2 - Major` and `major alarm`; or *cleared* for a word
/// that names an end, such as `resolved`. `None` if it names none, or several.
fn of_phrase(text: &str) -> Option<Perceived> {
    let all = words(text);
    if all.iter().any(|word| NEGATIONS.contains(&&**word)) {
        return None;
    }
    let mut named = all.iter().filter_map(|word| find(word, &PERCEIVED));
    match named.next() {
        Some(first) => named.all(|other| other == first).then_some(first),
        None => (plain_act(text) == Some(Act::End)).then_some(Perceived::Cleared),
    }
}

/// The word for a severity.
fn name_of(perceived: Perceived) -> &'static str {
    PERCEIVED
        .iter()
        .find(|(_, known)| *known == perceived)
        .map_or("indeterminate", |(word, _)| *word)
}

/// The severity in a field; `None` if the field is absent. An unknown one is indeterminate, and noted.
pub(super) fn perceived(field: &Field<'_>, frame: &Frame<'_>) -> Option<Perceived> {
    perceived_by(field, frame, RFC_3877)
}

/// Like [`perceived`], with the numbers of another list.
pub(super) fn perceived_by(
    field: &Field<'_>,
    frame: &Frame<'_>,
    numbers: Numbers,
) -> Option<Perceived> {
    let text = match text_of(field, "") {
        Ok(text) => text.filter(|text| !text.trim().is_empty())?,
        Err(_) => Cow::Borrowed(field.found()),
    };
    Some(of_word(&text, numbers).unwrap_or_else(|| {
        let found = of_phrase(&text).unwrap_or(INDETERMINATE);
        frame.notes.add(Doubt::Severity, shown(&text), name_of(found));
        found
    }))
}

/// One id from several parts: joined by `|` if that is unambiguous and a valid id, else a hash.
pub(super) fn joined(parts: &[&str]) -> Box<str> {
    let text = match parts {
        [part] => is_id(part).then(|| (*part).into()),
        _ if parts.iter().any(|part| part.as_bytes().contains(&b'|')) => None,
        _ => Some(parts.join("|")).filter(|text| is_id(text)).map(String::into_boxed_str),
    };
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
    let digits = xxh3_128(&bytes).to_be_bytes();
    let mut id = String::with_capacity(37);
    id.push_str("xxh3-");
    for digit in digits.into_iter().flat_map(|byte| [byte >> 4, byte & 15]) {
        id.push(char::from(b"0123456789abcdef"[usize::from(digit)]));
    }
    id.into()
}

/// Words that mean that there is no time, by their letters. Zeros mean the same: `0000-00-00T00:00:00Z`.
const NO_TIMES: [&str; 17] = [
    "",
    "t",
    "z",
    "tz",
    "utc",
    "na",
    "nan",
    "nat",
    "null",
    "nil",
    "none",
    "never",
    "unknown",
    "undefined",
    "notset",
    "notavailable",
    "notapplicable",
];

/// Whether a field has a placeholder instead of a time: `N/A`, `-`, `none`, `0`, or a date of zeros.
fn is_placeholder(field: &Field<'_>) -> bool {
    match field {
        Field::Whole(number) => *number == 0,
        Field::Number(number) => *number == 0.0,
        Field::Text(text) => {
            let has_digit = text.chars().any(|c| c.is_numeric() && c != '0');
            let letters = || text.chars().filter(|c| c.is_alphabetic());
            let letters = || letters().map(|c| c.to_ascii_lowercase());
            !has_digit && NO_TIMES.iter().any(|known| letters().eq(known.chars()))
        }
        Field::Absent | Field::Other(_) => false,
    }
}

/// A time; `None` if the field is absent, empty or a placeholder.
pub(super) fn loose_time(
    field: &Field<'_>,
    key: &str,
    frame: &Frame<'_>,
) -> Result<Option<Timestamp>, Reject> {
    if is_placeholder(field) {
        return Ok(None);
    }
    time(field, key, frame.zone)
}

/// Whether a field holds a time, perhaps one that cannot be read. `0001-01-01T00:00:00Z` means no time in some programming
/// languages.
pub(super) fn has_time(field: &Field<'_>, frame: &Frame<'_>) -> bool {
    match field {
        Field::Text(text) => {
            !matches!(
                Moment::read(text).and_then(|moment| moment.instant(frame.zone)),
                Err(TimeError::Range)
            ) && !is_placeholder(field)
        }
        other => matches!(time(other, "", frame.zone), Ok(Some(_))),
    }
}

/// The reject for an event without a time, in itself and in its wrapper.
pub(super) fn no_time(key: &str) -> Reject {
    Reject::field(key, "is missing: it is the event's time")
}
