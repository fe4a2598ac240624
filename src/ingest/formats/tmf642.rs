//! TMF642 v4 and v5: alarms, in an event envelope or bare.

use std::borrow::Cow;

use serde::Deserialize;
use sonic_rs::LazyValue;

use super::alarm_draft::Draft;
use super::reference::{Reference, dn_of_href, push_all};
use super::tmf_envelope::{Envelope, Types};
use crate::domain::{AlarmAction, Timestamp};
use crate::ingest::acts::Act;
use crate::ingest::batch::elements;
use crate::ingest::decoded::Decoded;
use crate::ingest::field::Field;
use crate::ingest::frame::Frame;
use crate::ingest::mapping::Attribute;
use crate::ingest::nested::List;
use crate::ingest::reject::{Reject, object_text, parse, parse_part};
use crate::ingest::words::{
    Perceived, has_time, loose_time, no_time, perceived, plain_act, same, word, word_of,
};

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Alarm<'a> {
    #[serde(borrow)]
    id: Field<'a>,
    external_alarm_id: Field<'a>,
    alarm_id: Field<'a>,
    alarm_type: Field<'a>,
    perceived_severity: Field<'a>,
    probable_cause: Field<'a>,
    specific_problem: Field<'a>,
    alarm_details: Field<'a>,
    alarmed_object: List<Reference<'a>>,
    source_system_id: Field<'a>,
    state: Field<'a>,
    alarm_raised_time: Field<'a>,
    alarm_changed_time: Field<'a>,
    alarm_cleared_time: Field<'a>,
    alarm_reporting_time: Field<'a>,
    place: List<Reference<'a>>,
    affected_service: List<Reference<'a>>,
    related_party: List<Reference<'a>>,
}

/// The effect of an event type; `None` for types that do not change a fault.
pub(super) type Effect = Option<AlarmAction>;

pub(super) const TYPES: Types<Effect> = Types {
    known: &KNOWN,
    named: 5,
    acts: &[
        (Act::Begin, Some(AlarmAction::Raise), "AlarmCreateEvent"),
        (Act::Reopen, Some(AlarmAction::Raise), "AlarmCreateEvent"),
        (Act::Change, Some(AlarmAction::Change), "AlarmStateChangeEvent"),
        (Act::End, Some(AlarmAction::Clear), "AlarmClearedEvent"),
        (Act::Nothing, None, "AlarmCommentEvent"),
    ],
};

const KNOWN: [(&str, Effect); 13] = [
    ("AlarmCreate", Some(AlarmAction::Raise)),
    ("AlarmAttributeValueChange", Some(AlarmAction::Change)),
    ("AlarmStateChange", Some(AlarmAction::Change)),
    ("AlarmCleared", Some(AlarmAction::Clear)),
    // A deleted alarm gets no clear.
    ("AlarmDelete", Some(AlarmAction::Clear)),
    // ServiceNow uses this type for both changes.
    ("AlarmUpdate", Some(AlarmAction::Change)),
    ("AlarmRaised", Some(AlarmAction::Raise)),
    ("AlarmChange", Some(AlarmAction::Change)),
    ("AlarmClear", Some(AlarmAction::Clear)),
    ("AlarmAcknowledge", None),
    ("AlarmUnacknowledge", None),
    ("AlarmAckStateChange", None),
    ("AlarmComment", None),
];
/// Decodes an alarm in an envelope.
pub(in crate::ingest) fn envelope(text: &str, frame: Frame<'_>) -> Result<Decoded, Reject> {
    let envelope: Envelope<'_> = parse_part(text)?;
    alarms(&envelope, Some("alarm"), &frame)
}

/// Decodes the alarms of an envelope: usually one.
pub(super) fn alarms(
    envelope: &Envelope<'_>,
    key: Option<&str>,
    frame: &Frame<'_>,
) -> Result<Decoded, Reject> {
    let (effect, ts) = (envelope.effect(&TYPES, frame)?, envelope.ts(frame)?);
    envelope.each(key, frame, |text, _, frame| {
        parse_part::<Alarm<'_>>(text)?.decode(effect, ts, envelope.event_id()?, frame)
    })
}

/// Decodes an alarm without an envelope: its current state.
pub(in crate::ingest) fn bare(text: &str, frame: Frame<'_>) -> Result<Decoded, Reject> {
    parse_part::<Alarm<'_>>(text)?.decode(None, None, None, &frame)
}

/// States of an alarm that is over.
const CLEARED: [&str; 4] = ["cleared", "clear", "terminated", "closed"];
/// States of an alarm that is active.
const ACTIVE: [&str; 2] = ["raised", "updated"];

/// Whether a state says that the alarm is over.
fn is_over(state: &str) -> bool {
    let is_one_of = |words: &[&str]| words.iter().any(|word| same(word, state));
    is_one_of(&CLEARED) || !is_one_of(&ACTIVE) && plain_act(state) == Some(Act::End)
}

/// One clear for each alarm of an array: `alarmPattern` of the task `ClearAlarms`.
pub(super) fn clears(
    envelope: &Envelope<'_>,
    pattern: &str,
    frame: &Frame<'_>,
) -> Result<Decoded, Reject> {
    let key = "alarmPattern";
    let alarms = elements(key, pattern, frame)?;
    if alarms.is_empty() {
        return Err(Reject::field(key, "names no alarm: send the ids of the alarms"));
    }
    let (ts, clear) = (envelope.ts(frame)?, Some(Some(AlarmAction::Clear)));
    // The id of a wrapper is for one event.
    let frame = Frame { id: None, ..*frame };
    let one = |element: &[u8]| match element.first() {
        Some(b'{') => {
            let text = object_text(element, frame.limits)?;
            let inner = parse::<Pattern<'_>>(text)?.alarm;
            let inner =
                inner.as_ref().map(LazyValue::as_raw_str).filter(|raw| raw.starts_with('{'));
            let alarm: Alarm<'_> = parse(inner.unwrap_or(text))?;
            alarm.decode(clear, ts, envelope.event_id()?, &frame)
        }
        // The id of the alarm alone.
        _ => {
            let id = parse(std::str::from_utf8(element).unwrap_or_default())?;
            Alarm { id, ..Alarm::default() }.decode(clear, ts, envelope.event_id()?, &frame)
        }
    };
    match &alarms[..] {
        [alarm] => one(alarm),
        all => Ok(Decoded::many(all.iter().map(|alarm| one(alarm)))),
    }
}

/// An element of `alarmPattern` that holds the alarm as an object.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Pattern<'a> {
    #[serde(borrow)]
    alarm: Option<LazyValue<'a>>,
}

impl Alarm<'_> {
    fn decode<'s>(
        &'s self,
        effect: Option<Effect>,
        ts: Option<Timestamp>,
        event_id: Option<Cow<'s, str>>,
        frame: &Frame<'_>,
    ) -> Result<Decoded, Reject> {
        let perceived = perceived(&self.perceived_severity, frame);
        let action = match effect.or_else(|| TYPES.wrapper_effect(frame)) {
            Some(None) => {
                return Ok(Decoded::Ignored {
                    why: "an acknowledgement or comment changes no fault",
                });
            }
            Some(Some(action)) => action,
            None => self.action_of_state(),
        };
        let action = if self.is_cleared(perceived, frame) { AlarmAction::Clear } else { action };
        if action == AlarmAction::Change && perceived.is_none() && self.alarmed_object.0.is_empty()
        {
            return Ok(Decoded::Ignored { why: "a change without severity and object" });
        }
        let ts = match ts {
            Some(ts) => ts,
            None => self.ts(action, frame)?,
        };
        self.draft(action, perceived, ts, event_id, frame)?.finish(frame).map(Decoded::One)
    }

    fn is_cleared(&self, perceived: Option<Perceived>, frame: &Frame<'_>) -> bool {
        perceived == Some(Perceived::Cleared)
            || word(&self.state).is_some_and(|state| is_over(&state))
            || has_time(&self.alarm_cleared_time, frame)
    }

    fn action_of_state(&self) -> AlarmAction {
        match word(&self.state) {
            Some(state) if same(&state, "updated") => AlarmAction::Change,
            _ => AlarmAction::Raise,
        }
    }

    /// The alarm's time of this action. A second copy of an unchanged alarm has the same time, and so the same id.
    fn ts(&self, action: AlarmAction, frame: &Frame<'_>) -> Result<Timestamp, Reject> {
        let own = match action {
            AlarmAction::Raise => (&self.alarm_raised_time, "alarmRaisedTime"),
            AlarmAction::Change => (&self.alarm_changed_time, "alarmChangedTime"),
            AlarmAction::Clear => (&self.alarm_cleared_time, "alarmClearedTime"),
        };
        let changed = (&self.alarm_changed_time, "alarmChangedTime");
        let order = if action == AlarmAction::Clear { [own, changed] } else { [own, own] };
        for (field, key) in order {
            if let Some(ts) = loose_time(field, key, frame)? {
                return Ok(ts);
            }
        }
        let reported = loose_time(&self.alarm_reporting_time, "alarmReportingTime", frame)?;
        reported.or(frame.ts).ok_or_else(|| no_time(own.1))
    }

    fn draft<'s>(
        &'s self,
        action: AlarmAction,
        perceived: Option<Perceived>,
        ts: Timestamp,
        event_id: Option<Cow<'s, str>>,
        frame: &Frame<'_>,
    ) -> Result<Draft<'s>, Reject> {
        let mut ids = Vec::new();
        for (field, key) in [
            (&self.external_alarm_id, "externalAlarmId"),
            (&self.alarm_id, "alarmId"),
            (&self.id, "id"),
        ] {
            ids.extend(word_of(field, key)?);
        }
        let object = self.alarmed_object.0.first();
        let href = object.and_then(|object| word(&object.href));
        let id = match object {
            Some(object) => word_of(&object.id, "alarmedObject.id")?,
            None => None,
        };
        let system = word_of(&self.source_system_id, "sourceSystemId")?;
        let category = word(&self.alarm_type);
        let attributes = frame.attributes(|known| {
            known.push(Attribute::Device, id.clone());
            let dn = href.as_deref().map(dn_of_href).filter(|dn| dn.contains('='));
            known.push(Attribute::Dn, dn.map(|dn| dn.into_owned().into()));
            known.push(Attribute::Dn, id.clone().filter(|id| id.contains('=')));
            known.push(Attribute::System, system.clone());
            known.push(Attribute::Category, category.clone());
            push_all(known, Attribute::Place, &self.place);
            push_all(known, Attribute::Service, &self.affected_service);
            push_all(known, Attribute::Party, &self.related_party);
        });
        Ok(Draft {
            system,
            alarm_id: ids.first().cloned(),
            object: id.or(href),
            part: None,
            category,
            cause: word(&self.probable_cause),
            problem: word(&self.specific_problem),
            action,
            perceived,
            ts,
            aliases: ids,
            notification: event_id.into_iter().collect(),
            text: word(&self.alarm_details),
            attributes,
        })
    }
}
