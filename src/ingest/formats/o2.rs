//! O-RAN O2 (O2ims): alarm event records and notifications. Its severities have numbers of their own.

use serde::Deserialize;

use super::alarm_draft::Draft;
use crate::domain::{AlarmAction, Timestamp};
use crate::ingest::acts::{Act, act};
use crate::ingest::decoded::Decoded;
use crate::ingest::field::Field;
use crate::ingest::frame::Frame;
use crate::ingest::mapping::Attribute;
use crate::ingest::notes::Doubt;
use crate::ingest::read::shown;
use crate::ingest::reject::{Reject, parse};
use crate::ingest::words::{
    O_RAN_O2, Perceived, has_time, loose_time, no_time, perceived_by, same, word, word_of,
};

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Record<'a> {
    #[serde(borrow)]
    alarm_event_record_id: Field<'a>,
    #[serde(rename = "globalCloudID")]
    global_cloud_id: Field<'a>,
    #[serde(rename = "resourceID")]
    resource_id: Field<'a>,
    /// The spelling of some releases.
    #[serde(rename = "resourceId")]
    resource: Field<'a>,
    #[serde(rename = "resourceTypeID")]
    resource_type_id: Field<'a>,
    #[serde(rename = "alarmDefinitionID")]
    definition_id: Field<'a>,
    #[serde(rename = "alarmDefinitionId")]
    definition: Field<'a>,
    #[serde(rename = "probableCauseID")]
    cause_id: Field<'a>,
    #[serde(rename = "probableCauseId")]
    cause: Field<'a>,
    perceived_severity: Field<'a>,
    alarm_raised_time: Field<'a>,
    alarm_changed_time: Field<'a>,
    alarm_cleared_time: Field<'a>,
    notification_event_type: Field<'a>,
}

/// Types of notifications: their numbers and their words.
const TYPES: [(&str, &str, Option<AlarmAction>); 4] = [
    ("0", "NEW", Some(AlarmAction::Raise)),
    ("1", "CHANGE", Some(AlarmAction::Change)),
    ("2", "CLEAR", Some(AlarmAction::Clear)),
    ("3", "ACKNOWLEDGE", None),
];

/// Decodes one record or notification.
pub(in crate::ingest) fn decode(text: &str, frame: Frame<'_>) -> Result<Decoded, Reject> {
    let record: Record<'_> = parse(text)?;
    let perceived = perceived_by(&record.perceived_severity, &frame, O_RAN_O2);
    let is_cleared =
        perceived == Some(Perceived::Cleared) || has_time(&record.alarm_cleared_time, &frame);
    let Some(action) = record.action(&frame) else {
        return Ok(Decoded::Ignored { why: "an acknowledgement changes no fault" });
    };
    let action = if is_cleared { AlarmAction::Clear } else { action };
    let first = |fields: [&'_ Field<'_>; 2]| {
        fields.into_iter().find_map(word).map(|w| w.into_owned().into())
    };
    let object: Option<std::borrow::Cow<'_, str>> = first([&record.resource_id, &record.resource]);
    let category = word(&record.resource_type_id);
    let system = word(&record.global_cloud_id);
    let attributes = frame.attributes(|known| {
        known.push(Attribute::Device, object.clone());
        known.push(Attribute::Category, category.clone());
        known.push(Attribute::System, system.clone());
    });
    let draft = Draft {
        system: system.clone(),
        alarm_id: word_of(&record.alarm_event_record_id, "alarmEventRecordId")?,
        object,
        part: None,
        category: category.clone(),
        cause: first([&record.cause_id, &record.cause]),
        problem: first([&record.definition_id, &record.definition]),
        action,
        perceived,
        ts: record.ts(action, &frame)?,
        aliases: Vec::new(),
        notification: Vec::new(),
        text: None,
        attributes,
    };
    draft.finish(&frame).map(Decoded::One)
}

impl Record<'_> {
    /// What the notification does; `None` for an acknowledgement. An unknown type that names an act has the effect of that act.
    /// Any other type is a new alarm, as is a record without a type.
    fn action(&self, frame: &Frame<'_>) -> Option<AlarmAction> {
        let Some(kind) = word(&self.notification_event_type) else { return TYPES[0].2 };
        let known = |(code, word, _): &&(&str, &str, _)| *code == kind || same(word, &kind);
        if let Some((.., action)) = TYPES.iter().find(known) {
            return *action;
        }
        let (_, read_as, action) = match act(&kind) {
            Some(Act::Begin | Act::Reopen) | None => TYPES[0],
            Some(Act::Change) => TYPES[1],
            Some(Act::End) => TYPES[2],
            Some(Act::Nothing) => TYPES[3],
        };
        frame.notes.add(Doubt::EventType, shown(&kind), read_as);
        action
    }

    fn ts(&self, action: AlarmAction, frame: &Frame<'_>) -> Result<Timestamp, Reject> {
        let (raised, changed, cleared) = (
            (&self.alarm_raised_time, "alarmRaisedTime"),
            (&self.alarm_changed_time, "alarmChangedTime"),
            (&self.alarm_cleared_time, "alarmClearedTime"),
        );
        let order = match action {
            AlarmAction::Raise => [raised, changed, raised],
            AlarmAction::Change => [changed, raised, raised],
            AlarmAction::Clear => [cleared, changed, raised],
        };
        for (field, key) in order {
            if has_time(field, frame)
                && let Some(ts) = loose_time(field, key, frame)?
            {
                return Ok(ts);
            }
        }
        frame.ts.ok_or_else(|| no_time(order[0].1))
    }
}
