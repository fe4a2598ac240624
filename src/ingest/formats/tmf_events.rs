//! Events of TMF Open APIs by their type, whatever name the payload has: the tasks of TMF642 (acknowledge, clear, comment,
//! group), and cases and incidents of ServiceNow, which are tickets.

use serde::Deserialize;
use sonic_rs::LazyValue;

use super::tmf_envelope::Envelope;
use super::{tmf621, tmf642};
use crate::ingest::decoded::Decoded;
use crate::ingest::field::Field;
use crate::ingest::frame::Frame;
use crate::ingest::read::no_choice;
use crate::ingest::reject::{Reject, batch_text, parse};
use crate::ingest::words::{letters, same, word};

/// `ClearAlarms`: the alarms that are cleared, by their ids.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Clear<'a> {
    #[serde(borrow)]
    alarm_pattern: Option<LazyValue<'a>>,
    state: Field<'a>,
}

/// States of a task that has been carried out.
const DONE: [&str; 5] = ["done", "completed", "complete", "succeeded", "finished"];

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
    let envelope: Envelope<'_> = parse(text)?;
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
            return clears(&envelope, name, &frame);
        }
        return tmf642::alarms(&envelope, None, &frame);
    }
    if TICKETS.iter().any(|word| name.contains(word)) {
        return tmf621::tickets(&envelope, None, &frame);
    }
    Err(no_choice("eventType", &event_type, &KNOWN))
}

/// One clear for each alarm of the patterns of the tasks. Later events of a task repeat its pattern, so of these only the event
/// with the state "done" clears again. Alarms may have been raised again before the task is deleted.
fn clears(envelope: &Envelope<'_>, name: &str, frame: &Frame<'_>) -> Result<Decoded, Reject> {
    let is_change = name.contains("change");
    let clear = |task: &[u8]| {
        let task: Clear<'_> = parse(batch_text(task)?)?;
        let is_done =
            word(&task.state).is_none_or(|state| DONE.iter().any(|done| same(done, &state)));
        if name.contains("delete") || is_change && (!is_done || task.alarm_pattern.is_none()) {
            return Ok(Decoded::Ignored { why: "a task that clears no alarm" });
        }
        let pattern = task.alarm_pattern.as_ref().map_or("[]", LazyValue::as_raw_str);
        tmf642::clears(envelope, pattern, frame)
    };
    match &envelope.objects(None, frame)?[..] {
        [one] => clear(one),
        all => Ok(Decoded::many(all.iter().map(|task| clear(task)))),
    }
}
