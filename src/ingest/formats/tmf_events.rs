//! Events of TMF Open APIs by their type, whatever name the payload has: the tasks of TMF642 (acknowledge, clear, comment,
//! group), and cases and incidents of ServiceNow, which are tickets.

use std::borrow::Cow;

use serde::Deserialize;
use sonic_rs::LazyValue;

use super::tmf_envelope::Envelope;
use super::tmf621::{self, Ticket};
use super::tmf642::{self, Alarm};
use crate::domain::AlarmAction;
use crate::ingest::decoded::Decoded;
use crate::ingest::frame::Frame;
use crate::ingest::nested::{List, Pairs, Sub};
use crate::ingest::read::no_choice;
use crate::ingest::reject::{Reject, parse};
use crate::ingest::words::letters;

/// The payload, not yet read.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Raw<'a> {
    #[serde(borrow)]
    event: Option<LazyValue<'a>>,
}

/// Nothing of the payload: only the rest of the envelope is read.
type Head<'a> = Envelope<'a, Nothing>;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Nothing {}

/// `ClearAlarms`: the alarms that are cleared, by their ids.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Clear<'a> {
    #[serde(borrow)]
    alarm_pattern: List<Alarm<'a>>,
}

/// Beginnings of the types of tasks that change no fault.
const NOTHING: [&str; 5] = ["ack", "unack", "comment", "group", "ungroup"];
/// Words of types of tickets.
const TICKETS: [&str; 5] = ["ticket", "case", "incident", "interaction", "problem"];

const KNOWN: [(&str, ()); 6] = [
    ("AlarmCreateEvent", ()),
    ("AlarmClearedEvent", ()),
    ("ClearAlarmsCreateEvent", ()),
    ("AckAlarmsCreateEvent", ()),
    ("TroubleTicketCreateEvent", ()),
    ("CaseCreateEvent", ()),
];

/// Decodes an event by its type.
pub(in crate::ingest) fn decode(text: &str, frame: Frame<'_>) -> Result<Decoded, Reject> {
    let envelope: Head<'_> = parse(text)?;
    let raw: Raw<'_> = parse(text)?;
    let event = raw.event.as_ref().map_or("", |event| event.as_raw_str());
    let event_type = envelope.event_type()?.unwrap_or_default();
    let name: String = letters(&event_type).collect();
    // Types of a vendor may have a prefix, as in `org.tmforum.AlarmCreateEvent`.
    let name = name.rsplit(['.', '/', ':']).next().unwrap_or_default();
    if name.contains("alarm") {
        if NOTHING.iter().any(|start| name.starts_with(start)) {
            return Ok(Decoded::Ignored {
                why: "an acknowledgement, comment or group changes no fault",
            });
        }
        if name.starts_with("clearalarm") {
            return clears(&envelope, event, &frame);
        }
        let alarm: Alarm<'_> = payload(event)?;
        let effect = envelope.effect(&tmf642::TYPES, &frame)?;
        return alarm.decode(effect, envelope.ts(&frame)?, envelope.event_id()?, &frame);
    }
    if TICKETS.iter().any(|word| name.contains(word)) {
        let ticket: Ticket<'_> = payload(event)?;
        let effect = envelope.effect(&tmf621::TYPES, &frame)?;
        return ticket.decode(
            effect,
            envelope.ts(&frame)?,
            envelope.event_id()?.as_deref(),
            &frame,
        );
    }
    Err(no_choice("eventType", &event_type, &KNOWN))
}

/// The only object within the payload, or the payload itself.
fn payload<'v, T: Default + Deserialize<'v>>(event: &'v str) -> Result<T, Reject> {
    let missing = || Reject::field("event", "is missing or not an object");
    if !event.starts_with('{') {
        return Err(missing());
    }
    let pairs: Pairs<Cow<'_, str>, LazyValue<'_>> = parse(event)?;
    if let [(_, inner)] = &pairs.0[..]
        && inner.as_raw_str().starts_with(['{', '['])
    {
        // The payload is a part of the event: look for it there, because the list of pairs ends here.
        let at = inner.as_raw_str().as_ptr() as usize - event.as_ptr() as usize;
        let inner = event.get(at..at + inner.as_raw_str().len()).unwrap_or(event);
        return parse::<Sub<T>>(inner)?.0.ok_or_else(missing);
    }
    parse(event)
}

/// One clear for each alarm of the pattern.
fn clears(envelope: &Head<'_>, event: &str, frame: &Frame<'_>) -> Result<Decoded, Reject> {
    let task: Clear<'_> = payload(event)?;
    let (ts, id) = (envelope.ts(frame)?, envelope.event_id()?);
    if task.alarm_pattern.0.is_empty() {
        return Err(Reject::field("alarmPattern", "names no alarm: send the ids of the alarms"));
    }
    // The id of a wrapper is for one event: with the same id, the clears would be duplicates.
    let frame = Frame { id: None, ..*frame };
    let clear =
        |alarm: &Alarm<'_>| alarm.decode(Some(Some(AlarmAction::Clear)), ts, id.clone(), &frame);
    Ok(Decoded::Many(task.alarm_pattern.0.iter().map(clear).collect()))
}
