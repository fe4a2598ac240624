//! The native flat format: one JSON object an event.

use serde::Deserialize;
use thiserror::Error;

use super::field::Field;
use crate::domain::{
    AlarmAction, AlarmEvent, Event, EventKind, MaintenanceAction, MaintenanceEvent, Name, Reason,
    Scope, SeriesKey, Severity, TicketAction, TicketEvent, Timestamp,
};

/// Deepest nesting that is looked into; what lies deeper is refused before a parser can recurse.
const DEPTH_MAX: usize = 64;
const EVENT_ID_CHARS_MAX: usize = 256;

/// What one event may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest event, in bytes.
    pub event_bytes: usize,
    /// Longest text that is kept, in characters; more is cut off.
    pub text_chars: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { event_bytes: 64 * 1024, text_chars: 1000 }
    }
}

/// Why bytes are no event.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}: {detail}", reason.as_str())]
pub struct Reject {
    pub reason: Reason,
    /// One line for a person: what was wrong and what would work.
    pub detail: String,
}

impl Reject {
    fn malformed(detail: impl Into<String>) -> Self {
        Self { reason: Reason::Malformed, detail: detail.into() }
    }

    fn field(name: &str, rest: impl std::fmt::Display) -> Self {
        Self { reason: Reason::Field, detail: format!("`{name}` {rest}") }
    }
}

/// The fields of all three kinds; a kind's reader takes those that concern it.
#[derive(Debug, Deserialize)]
pub(super) struct Raw<'a> {
    #[serde(borrow, default)]
    kind: Field<'a>,
    #[serde(borrow, default)]
    event_id: Field<'a>,
    #[serde(borrow, default)]
    alarm_id: Field<'a>,
    #[serde(borrow, default)]
    action: Field<'a>,
    #[serde(borrow, default)]
    ts: Field<'a>,
    #[serde(borrow, default)]
    severity: Field<'a>,
    #[serde(borrow, default)]
    region: Field<'a>,
    #[serde(borrow, default)]
    service: Field<'a>,
    #[serde(borrow, default)]
    channel: Field<'a>,
    #[serde(borrow, default)]
    device: Field<'a>,
    #[serde(borrow, default, rename = "type")]
    alarm_type: Field<'a>,
    #[serde(borrow, default)]
    priority: Field<'a>,
    #[serde(borrow, default)]
    tier: Field<'a>,
    #[serde(borrow, default)]
    starts_at: Field<'a>,
    #[serde(borrow, default)]
    ends_at: Field<'a>,
    #[serde(borrow, default)]
    impact: Field<'a>,
    #[serde(borrow, default)]
    text: Field<'a>,
}

/// Reads one event. `hint` is the kind that topic or endpoint imply; a `kind` in the event wins.
///
/// # Errors
/// [`Reject`] with [`Reason::Limit`] for an event that is too large, [`Reason::Malformed`] for what
/// is no JSON object, [`Reason::Field`] for a field that is missing or cannot be used.
pub fn decode(bytes: &[u8], hint: Option<EventKind>, limits: &Limits) -> Result<Event, Reject> {
    let text = object_text(bytes, limits)?;
    let raw: Raw<'_> = sonic_rs::from_str(text).map_err(|e| {
        let words = e.to_string();
        Reject::malformed(format!("not JSON: {}", words.lines().next().unwrap_or("cannot be read")))
    })?;
    raw.event(hint, limits)
}

/// What must hold before a parser sees the bytes.
pub(super) fn object_text<'a>(bytes: &'a [u8], limits: &Limits) -> Result<&'a str, Reject> {
    if bytes.len() > limits.event_bytes {
        let (found, most) = (bytes.len(), limits.event_bytes);
        let detail = format!("event of {found} bytes, the most is {most}");
        return Err(Reject { reason: Reason::Limit, detail });
    }
    let text = std::str::from_utf8(bytes).map_err(|e| {
        Reject::malformed(format!("not UTF-8 after {} bytes: send UTF-8", e.valid_up_to()))
    })?;
    if !text.trim_start_matches([' ', '\t', '\r', '\n']).starts_with('{') {
        return Err(Reject::malformed("not a JSON object: an event starts with `{`"));
    }
    if too_deep(bytes) {
        return Err(Reject::malformed(format!("nested deeper than {DEPTH_MAX} levels")));
    }
    Ok(text)
}

/// Whether brackets outside strings nest too deep. Most events have few brackets and are not walked.
fn too_deep(bytes: &[u8]) -> bool {
    let openers = bytes.iter().filter(|&&b| matches!(b, b'{' | b'[')).count();
    if openers <= DEPTH_MAX {
        return false;
    }
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for &byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => depth += 1,
            b'}' | b']' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEPTH_MAX {
            return true;
        }
    }
    false
}

impl Raw<'_> {
    pub(super) fn event(&self, hint: Option<EventKind>, limits: &Limits) -> Result<Event, Reject> {
        let words = [
            ("alarm", EventKind::Alarm),
            ("ticket", EventKind::Ticket),
            ("maintenance", EventKind::Maintenance),
        ];
        let kind = choice(&self.kind, "kind", &words)?
            .or(hint)
            .ok_or_else(|| Reject::field("kind", "is missing: use alarm, ticket or maintenance"))?;
        match kind {
            EventKind::Alarm => self.alarm(limits).map(Event::Alarm),
            EventKind::Ticket => self.ticket(limits).map(Event::Ticket),
            EventKind::Maintenance => self.maintenance(limits).map(Event::Maintenance),
        }
    }

    fn alarm(&self, limits: &Limits) -> Result<AlarmEvent, Reject> {
        let event_id = required_id(&self.event_id)?;
        let alarm_id = match text_of(&self.alarm_id, "alarm_id")? {
            Some(text) => id(text, "alarm_id")?,
            None => event_id.clone(),
        };
        let actions = [
            ("raise", AlarmAction::Raise),
            ("change", AlarmAction::Change),
            ("clear", AlarmAction::Clear),
        ];
        // X.733 and VES tell a clear by the severity, whatever the action says.
        let severity = choice(&self.severity, "severity", &SEVERITIES)?;
        let action = choice(&self.action, "action", &actions)?.unwrap_or_default();
        let cleared = severity == Some(None);
        Ok(AlarmEvent {
            event_id,
            alarm_id,
            action: if cleared { AlarmAction::Clear } else { action },
            ts: required_time(&self.ts, "ts")?,
            severity: severity.flatten().unwrap_or_default(),
            scope: Scope {
                region: name_or_unknown(&self.region, "region")?,
                service: name_or_unknown(&self.service, "service")?,
            },
            device: free(&self.device, "device", limits)?,
            alarm_type: free(&self.alarm_type, "type", limits)?,
            text: free(&self.text, "text", limits)?,
        })
    }

    fn ticket(&self, limits: &Limits) -> Result<TicketEvent, Reject> {
        let actions = [
            ("create", TicketAction::Create),
            ("update", TicketAction::Update),
            ("resolve", TicketAction::Resolve),
            ("reopen", TicketAction::Reopen),
        ];
        Ok(TicketEvent {
            event_id: required_id(&self.event_id)?,
            action: choice(&self.action, "action", &actions)?.unwrap_or_default(),
            ts: required_time(&self.ts, "ts")?,
            series: SeriesKey::new(
                name_or_unknown(&self.region, "region")?,
                name_or_unknown(&self.service, "service")?,
                name_or_unknown(&self.channel, "channel")?,
            ),
            priority: free(&self.priority, "priority", limits)?,
            tier: free(&self.tier, "tier", limits)?,
            text: free(&self.text, "text", limits)?,
        })
    }

    fn maintenance(&self, limits: &Limits) -> Result<MaintenanceEvent, Reject> {
        let actions = [("plan", MaintenanceAction::Plan), ("cancel", MaintenanceAction::Cancel)];
        let event_id = required_id(&self.event_id)?;
        let action = choice(&self.action, "action", &actions)?.unwrap_or_default();
        let ts = required_time(&self.ts, "ts")?;
        let starts_at = required_time(&self.starts_at, "starts_at")?;
        let ends_at = required_time(&self.ends_at, "ends_at")?;
        if starts_at >= ends_at {
            let rest = format!("({starts_at}) is not before `ends_at` ({ends_at})");
            return Err(Reject::field("starts_at", rest));
        }
        Ok(MaintenanceEvent {
            event_id,
            action,
            ts,
            starts_at,
            ends_at,
            region: name(&self.region, "region")?,
            service: name(&self.service, "service")?,
            impact: free(&self.impact, "impact", limits)?,
            text: free(&self.text, "text", limits)?,
        })
    }
}

/// Canonical severities and VES's NORMAL; `None` is a clear.
const SEVERITIES: [(&str, Option<Severity>); 7] = [
    ("critical", Some(Severity::Critical)),
    ("major", Some(Severity::Major)),
    ("minor", Some(Severity::Minor)),
    ("warning", Some(Severity::Warning)),
    ("indeterminate", Some(Severity::Indeterminate)),
    ("cleared", None),
    ("normal", None),
];

fn text_of<'f>(field: &'f Field<'_>, key: &str) -> Result<Option<&'f str>, Reject> {
    match field {
        Field::Absent => Ok(None),
        Field::Text(text) => Ok(Some(text)),
        other => Err(Reject::field(key, format!("is {}, it must be text", other.found()))),
    }
}

/// One of a few words, in any case.
fn choice<T: Copy>(field: &Field<'_>, key: &str, words: &[(&str, T)]) -> Result<Option<T>, Reject> {
    let Some(text) = text_of(field, key)? else { return Ok(None) };
    let found = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(text));
    found.map(|(_, value)| Some(*value)).ok_or_else(|| {
        let allowed: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        Reject::field(key, format!("is `{}`: use {}", shown(text), allowed.join(", ")))
    })
}

fn required_id(field: &Field<'_>) -> Result<Box<str>, Reject> {
    match text_of(field, "event_id")? {
        Some(text) => id(text, "event_id"),
        None => Err(Reject::field("event_id", "is missing: it is the duplicate key")),
    }
}

fn id(text: &str, key: &str) -> Result<Box<str>, Reject> {
    if text.is_empty() {
        return Err(Reject::field(key, "is empty: use 1 to 256 printable characters"));
    }
    if text.len() > EVENT_ID_CHARS_MAX && text.chars().count() > EVENT_ID_CHARS_MAX {
        return Err(Reject::field(key, "has more than 256 characters"));
    }
    if text.chars().any(char::is_control) {
        return Err(Reject::field(key, "has a control character: use printable ones"));
    }
    Ok(text.into())
}

fn required_time(field: &Field<'_>, key: &str) -> Result<Timestamp, Reject> {
    let parsed = match field {
        Field::Text(text) => Timestamp::parse(text),
        Field::Number(number) => Timestamp::from_epoch(*number),
        Field::Absent => {
            let rest = "is missing: use RFC 3339 or an epoch in s, ms or µs";
            return Err(Reject::field(key, rest));
        }
        Field::Other(found) => {
            let rest = format!("is {found}, it must be RFC 3339 text or an epoch number");
            return Err(Reject::field(key, rest));
        }
    };
    parsed.map_err(|e| {
        Reject::field(key, format!("cannot be read: {}", e.to_string().escape_debug()))
    })
}

/// A name, or `None` if the field is not there or empty.
fn name(field: &Field<'_>, key: &str) -> Result<Option<Name>, Reject> {
    match text_of(field, key)? {
        None | Some("") => Ok(None),
        Some(text) => Name::new(text).map(Some).map_err(|e| Reject::field(key, e)),
    }
}

fn name_or_unknown(field: &Field<'_>, key: &str) -> Result<Name, Reject> {
    Ok(name(field, key)?.unwrap_or_else(Name::unknown))
}

/// Free text, cut at the limit; empty is the same as absent.
fn free(field: &Field<'_>, key: &str, limits: &Limits) -> Result<Option<Box<str>>, Reject> {
    let Some(text) = text_of(field, key)? else { return Ok(None) };
    let end = match text.len() > limits.text_chars {
        true => text.char_indices().nth(limits.text_chars).map_or(text.len(), |(at, _)| at),
        false => text.len(),
    };
    Ok((end > 0).then(|| text[..end].into()))
}

/// What an event said, short and printable, for an error's text.
fn shown(text: &str) -> String {
    text.chars().take(40).flat_map(char::escape_debug).collect()
}
