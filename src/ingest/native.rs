//! The native flat format: one JSON object an event.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::decoder::Frame;
use super::field::Field;
use super::mapping::Mapping;
use super::nested::Sub;
use super::read::{choice, free, id, name, required_time, text_of};
use super::reject::{Limits, Reject, object_text, parse};
use crate::domain::{
    AlarmAction, AlarmEvent, Event, EventKind, MaintenanceAction, MaintenanceEvent, Name, Scope,
    SeriesKey, Severity, TicketAction, TicketEvent, Timestamp,
};

/// The fields of all three kinds; a kind's reader takes those that concern it. And what tells the
/// standards' shapes, so that one pass over a native event is enough.
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
    pub(super) channel: Field<'a>,
    #[serde(borrow, default)]
    pub(super) device: Field<'a>,
    #[serde(borrow, default, rename = "type")]
    pub(super) alarm_type: Field<'a>,
    #[serde(borrow, default)]
    outcome: Field<'a>,
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
    #[serde(default)]
    specversion: Option<IgnoredAny>,
    #[serde(default)]
    event: Sub<Inner>,
    #[serde(default, rename = "eventList")]
    event_list: Option<IgnoredAny>,
    #[serde(default, rename = "notificationType")]
    notification_type: Option<IgnoredAny>,
    #[serde(default, rename = "eventTime")]
    event_time: Option<IgnoredAny>,
    #[serde(default)]
    variable_bindings: Option<IgnoredAny>,
    #[serde(default, rename = "alarmedObject")]
    alarmed_object: Option<IgnoredAny>,
    #[serde(default, rename = "perceivedSeverity")]
    perceived_severity: Option<IgnoredAny>,
    #[serde(default, rename = "ticketType")]
    ticket_type: Option<IgnoredAny>,
    #[serde(default)]
    description: Option<IgnoredAny>,
}

/// What `event` of VES and of TMF holds.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Inner {
    common_event_header: Option<IgnoredAny>,
    alarm: Option<IgnoredAny>,
    trouble_ticket: Option<IgnoredAny>,
}

/// Which shapes an object has the marks of.
pub(super) struct Marks {
    pub(super) cloud_event: bool,
    pub(super) ves: bool,
    pub(super) alarm_envelope: bool,
    pub(super) ticket_envelope: bool,
    pub(super) notification: bool,
    pub(super) trap: bool,
    pub(super) alarm: bool,
    pub(super) ticket: bool,
    pub(super) native: bool,
}

/// Reads one event. `hint` is the kind that topic or endpoint imply; a `kind` in the event wins.
///
/// # Errors
/// [`Reject`] with `Reason::Limit` for an event that is too large, `Reason::Malformed` for what is
/// no JSON object, `Reason::Field` for a field that is missing or cannot be used.
pub fn decode(bytes: &[u8], hint: Option<EventKind>, limits: &Limits) -> Result<Event, Reject> {
    let text = object_text(bytes, limits)?;
    let raw: Raw<'_> = parse(text)?;
    raw.event(&Frame::new(limits, &Mapping::NONE, hint))
}

impl Raw<'_> {
    pub(super) fn marks(&self) -> Marks {
        let inner = self.event.0.as_ref();
        let native = [&self.kind, &self.event_id, &self.ts];
        Marks {
            cloud_event: self.specversion.is_some(),
            ves: self.event_list.is_some()
                || inner.is_some_and(|event| event.common_event_header.is_some()),
            alarm_envelope: inner.is_some_and(|event| event.alarm.is_some()),
            ticket_envelope: inner.is_some_and(|event| event.trouble_ticket.is_some()),
            notification: self.notification_type.is_some() && self.event_time.is_some(),
            trap: self.variable_bindings.is_some(),
            alarm: self.alarmed_object.is_some() && self.perceived_severity.is_some(),
            ticket: self.ticket_type.is_some() && self.description.is_some(),
            native: native.iter().any(|field| **field != Field::Absent),
        }
    }

    /// Whether region, service and channel are not there, or empty.
    pub(super) fn absent_names(&self) -> [bool; 3] {
        [&self.region, &self.service, &self.channel].map(|field| match field {
            Field::Absent => true,
            Field::Text(text) => text.is_empty(),
            _ => false,
        })
    }

    pub(super) fn event(&self, frame: &Frame<'_>) -> Result<Event, Reject> {
        let words = [
            ("alarm", EventKind::Alarm),
            ("ticket", EventKind::Ticket),
            ("maintenance", EventKind::Maintenance),
        ];
        let kind = choice(&self.kind, "kind", &words)?
            .or(frame.hint)
            .ok_or_else(|| Reject::field("kind", "is missing: use alarm, ticket or maintenance"))?;
        match kind {
            EventKind::Alarm => self.alarm(frame).map(Event::Alarm),
            EventKind::Ticket => self.ticket(frame).map(Event::Ticket),
            EventKind::Maintenance => self.maintenance(frame).map(Event::Maintenance),
        }
    }

    fn alarm(&self, frame: &Frame<'_>) -> Result<AlarmEvent, Reject> {
        let event_id = required_id(&self.event_id, frame)?;
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
            ts: required_ts(&self.ts, frame)?,
            severity: severity.flatten().unwrap_or_default(),
            scope: Scope {
                region: name_or_unknown(&self.region, "region")?,
                service: name_or_unknown(&self.service, "service")?,
            },
            device: free(&self.device, "device", frame.limits)?,
            alarm_type: free(&self.alarm_type, "type", frame.limits)?,
            text: free(&self.text, "text", frame.limits)?,
        })
    }

    fn ticket(&self, frame: &Frame<'_>) -> Result<TicketEvent, Reject> {
        let actions = [
            ("create", TicketAction::Create),
            ("update", TicketAction::Update),
            ("resolve", TicketAction::Resolve),
            ("reopen", TicketAction::Reopen),
        ];
        choice(&self.outcome, "outcome", &OUTCOMES)?;
        Ok(TicketEvent {
            event_id: required_id(&self.event_id, frame)?,
            action: choice(&self.action, "action", &actions)?.unwrap_or_default(),
            ts: required_ts(&self.ts, frame)?,
            series: SeriesKey::new(
                name_or_unknown(&self.region, "region")?,
                name_or_unknown(&self.service, "service")?,
                name_or_unknown(&self.channel, "channel")?,
            ),
            priority: free(&self.priority, "priority", frame.limits)?,
            tier: free(&self.tier, "tier", frame.limits)?,
            text: free(&self.text, "text", frame.limits)?,
        })
    }

    fn maintenance(&self, frame: &Frame<'_>) -> Result<MaintenanceEvent, Reject> {
        let actions = [("plan", MaintenanceAction::Plan), ("cancel", MaintenanceAction::Cancel)];
        let event_id = required_id(&self.event_id, frame)?;
        let action = choice(&self.action, "action", &actions)?.unwrap_or_default();
        let ts = required_ts(&self.ts, frame)?;
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
            impact: free(&self.impact, "impact", frame.limits)?,
            text: free(&self.text, "text", frame.limits)?,
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

/// What became of a call. Each is a contact that came in, whether an agent took it or not, so that
/// none of them changes the action. A call that is told of twice, as `offered` and later as
/// `answered` or `abandoned`, counts once if both carry the `event_id` and the `ts` of the offer:
/// duplicates are known by their id within the window of their time.
const OUTCOMES: [(&str, ()); 3] = [("offered", ()), ("answered", ()), ("abandoned", ())];

fn required_id(field: &Field<'_>, frame: &Frame<'_>) -> Result<Box<str>, Reject> {
    match text_of(field, "event_id")?.or(frame.id) {
        Some(text) => id(text, "event_id"),
        None => Err(Reject::field("event_id", "is missing: it is the duplicate key")),
    }
}

fn required_ts(field: &Field<'_>, frame: &Frame<'_>) -> Result<Timestamp, Reject> {
    match (field, frame.ts) {
        (Field::Absent, Some(ts)) => Ok(ts),
        _ => required_time(field, "ts"),
    }
}

fn name_or_unknown(field: &Field<'_>, key: &str) -> Result<Name, Reject> {
    Ok(name(field, key)?.unwrap_or_else(Name::unknown))
}
