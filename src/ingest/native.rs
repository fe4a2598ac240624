//! The native flat format: one JSON object an event.

use serde::Deserialize;

use super::field::Field;
use super::read::{choice, free, id, name, required_time, text_of};
use super::reject::{Limits, Reject, object_text, parse};
use crate::domain::{
    AlarmAction, AlarmEvent, Event, EventKind, MaintenanceAction, MaintenanceEvent, Name, Scope,
    SeriesKey, Severity, TicketAction, TicketEvent,
};

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
}

/// Reads one event. `hint` is the kind that topic or endpoint imply; a `kind` in the event wins.
///
/// # Errors
/// [`Reject`] with `Reason::Limit` for an event that is too large, `Reason::Malformed` for what is
/// no JSON object, `Reason::Field` for a field that is missing or cannot be used.
pub fn decode(bytes: &[u8], hint: Option<EventKind>, limits: &Limits) -> Result<Event, Reject> {
    let text = object_text(bytes, limits)?;
    let raw: Raw<'_> = parse(text)?;
    raw.event(hint, limits)
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
        choice(&self.outcome, "outcome", &OUTCOMES)?;
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

/// What became of a call. Each is a contact that came in, whether an agent took it or not, so that
/// none of them changes the action. A call that is told of twice, as `offered` and later as
/// `answered` or `abandoned`, counts once if both carry the `event_id` and the `ts` of the offer:
/// duplicates are known by their id within the window of their time.
const OUTCOMES: [(&str, ()); 3] = [("offered", ()), ("answered", ()), ("abandoned", ())];

fn required_id(field: &Field<'_>) -> Result<Box<str>, Reject> {
    match text_of(field, "event_id")? {
        Some(text) => id(text, "event_id"),
        None => Err(Reject::field("event_id", "is missing: it is the duplicate key")),
    }
}

fn name_or_unknown(field: &Field<'_>, key: &str) -> Result<Name, Reject> {
    Ok(name(field, key)?.unwrap_or_else(Name::unknown))
}
