//! 3GPP TS 28.532 fault notifications (FaultMnS 18.1; since Rel-18 in TS 28.111).

use std::borrow::Cow;

use serde::Deserialize;

use super::alarm_draft::Draft;
use super::reference::dn_of_href;
use crate::domain::{AlarmAction, ListRebuilt, Timestamp};
use crate::ingest::acts::{Act, act};
use crate::ingest::decoded::Decoded;
use crate::ingest::field::Field;
use crate::ingest::frame::Frame;
use crate::ingest::mapping::Attribute;
use crate::ingest::notes::Doubt;
use crate::ingest::read::{cut, find, no_choice, shown, text_of};
use crate::ingest::reject::{Reject, parse_part};
use crate::ingest::words::{
    Perceived, has_time, joined, letters, loose_time, no_time, perceived, same, word, word_of,
};

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Notification<'a> {
    #[serde(borrow)]
    href: Field<'a>,
    notification_id: Field<'a>,
    notification_type: Field<'a>,
    event_time: Field<'a>,
    alarm_raised_time: Field<'a>,
    alarm_changed_time: Field<'a>,
    #[serde(rename = "systemDN")]
    system_dn: Field<'a>,
    alarm_id: Field<'a>,
    alarm_type: Field<'a>,
    object_instance: Field<'a>,
    probable_cause: Field<'a>,
    specific_problem: Field<'a>,
    perceived_severity: Field<'a>,
    additional_text: Field<'a>,
    alarm_cleared_time: Field<'a>,
    alarm_list_alignment_requirement: Field<'a>,
    /// X.733's names of the alarm type, the object, the problem and the notification.
    event_type: Field<'a>,
    managed_object_instance: Field<'a>,
    specific_problems: Field<'a>,
    notification_identifier: Field<'a>,
}

/// The effect of a notification on the alarm list.
#[derive(Clone, Copy)]
enum Effect {
    Action(AlarmAction),
    Rebuilt,
    /// No effect, for this reason.
    Ignored(&'static str),
}

/// The types of fault notifications, and of notifications of other management services on the same topic.
const TYPES: [(&str, Effect); 17] = [
    ("notifyNewAlarm", Effect::Action(AlarmAction::Raise)),
    ("notifyChangedAlarm", Effect::Action(AlarmAction::Change)),
    ("notifyChangedAlarmGeneral", Effect::Action(AlarmAction::Change)),
    ("notifyClearedAlarm", Effect::Action(AlarmAction::Clear)),
    ("notifyAlarmListRebuilt", Effect::Rebuilt),
    ("notifyAckStateChanged", Effect::Ignored("an acknowledgement changes no fault")),
    ("notifyComments", Effect::Ignored("a comment changes no fault")),
    ("notifyCorrelatedNotificationChanged", Effect::Ignored("a correlation changes no fault")),
    (
        "notifyPotentialFaultyAlarmList",
        Effect::Ignored("a potentially faulty alarm list changes no fault"),
    ),
    ("notifyMOICreation", OTHER),
    ("notifyMOIDeletion", OTHER),
    ("notifyMOIAttributeValueChanges", OTHER),
    ("notifyMOIChanges", OTHER),
    ("notifyEvent", OTHER),
    ("notifyHeartbeat", OTHER),
    ("notifyFileReady", OTHER),
    ("notifyFilePreparationError", OTHER),
];
/// Classes of agents that keep alarm lists. Such an object means all objects of the agent.
const AGENTS: [&str; 3] = ["ManagementNode", "MnsAgent", "IRPAgent"];
const OTHER: Effect = Effect::Ignored("not a notification of fault supervision");
/// Number of [`TYPES`] that a reject names.
const FAULT_TYPES: usize = 9;

/// Whether an object has the type of a notification.
pub(super) fn is_notification(text: &str) -> bool {
    parse_part::<Notification<'_>>(text).is_ok_and(|found| found.notification_type != Field::Absent)
}

/// Decodes one notification.
pub(in crate::ingest) fn decode(text: &str, frame: Frame<'_>) -> Result<Decoded, Reject> {
    let notification: Notification<'_> = parse_part(text)?;
    match notification.effect(&frame)? {
        Effect::Ignored(why) => Ok(Decoded::Ignored { why }),
        Effect::Rebuilt => notification.rebuilt(&frame),
        Effect::Action(action) => notification.alarm(action, &frame),
    }
}

/// Decodes an alarm record of 28.532 or X.733 that has no type of a notification: the present state of an alarm.
pub(in crate::ingest) fn record(text: &str, frame: Frame<'_>) -> Result<Decoded, Reject> {
    let mut record: Notification<'_> = parse_part(text)?;
    if record.notification_type != Field::Absent {
        return decode(text, frame);
    }
    record.fill_in();
    record.alarm(AlarmAction::Raise, &frame)
}

impl Notification<'_> {
    /// Takes X.733's fields for those that are absent.
    fn fill_in(&mut self) {
        for (field, other) in [
            (&mut self.alarm_type, &mut self.event_type),
            (&mut self.object_instance, &mut self.managed_object_instance),
            (&mut self.specific_problem, &mut self.specific_problems),
            (&mut self.notification_id, &mut self.notification_identifier),
        ] {
            if *field == Field::Absent {
                *field = std::mem::take(other);
            }
        }
    }

    /// The effect of the type. An unknown type of an alarm that names an act, such as `notifyNewSecAlarm`, is that act.
    fn effect(&self, frame: &Frame<'_>) -> Result<Effect, Reject> {
        let key = "notificationType";
        let text = text_of(&self.notification_type, key)?
            .ok_or_else(|| Reject::field(key, "is missing: use a type such as notifyNewAlarm"))?;
        if let Some(effect) = find(&text, &TYPES) {
            return Ok(effect);
        }
        let is_alarm =
            self.alarm_id != Field::Absent || letters(&text).collect::<String>().contains("alarm");
        let (effect, read_as) = match act(&text).filter(|_| is_alarm) {
            Some(Act::Begin | Act::Reopen) => (TYPES[0].1, TYPES[0].0),
            Some(Act::Change) => (TYPES[1].1, TYPES[1].0),
            Some(Act::End) => (TYPES[3].1, TYPES[3].0),
            Some(Act::Nothing) => (TYPES[5].1, TYPES[5].0),
            // Notifications of other management services have types of their own.
            None if !is_alarm
                && self.perceived_severity == Field::Absent
                && letters(&text).collect::<String>().starts_with("notify") =>
            {
                (OTHER, "no fault")
            }
            None => return Err(no_choice(key, &text, &TYPES[..FAULT_TYPES])),
        };
        frame.notes.add(Doubt::EventType, shown(&text), read_as);
        Ok(effect)
    }

    fn ts(&self, frame: &Frame<'_>) -> Result<Timestamp, Reject> {
        let ts = loose_time(&self.event_time, "eventTime", frame)?.or(frame.ts);
        ts.ok_or_else(|| no_time("eventTime"))
    }

    /// The time of an action. A record has no time of an event, but those of the alarm.
    fn ts_of(&self, action: AlarmAction, frame: &Frame<'_>) -> Result<Timestamp, Reject> {
        let raised = (&self.alarm_raised_time, "alarmRaisedTime");
        let order = match action {
            AlarmAction::Clear => [
                (&self.alarm_cleared_time, "alarmClearedTime"),
                (&self.alarm_changed_time, "alarmChangedTime"),
                raised,
            ],
            AlarmAction::Raise | AlarmAction::Change => [raised; 3],
        };
        let is_record = self.notification_type == Field::Absent && self.event_time == Field::Absent;
        for (field, key) in order.into_iter().filter(|_| is_record) {
            if has_time(field, frame)
                && let Some(ts) = loose_time(field, key, frame)?
            {
                return Ok(ts);
            }
        }
        self.ts(frame)
    }

    /// The system that rebuilt its list, and the object below which it did so. The name of an agent means the whole list.
    fn rebuilt(&self, frame: &Frame<'_>) -> Result<Decoded, Reject> {
        let key = "alarmListAlignmentRequirement";
        let needed = text_of(&self.alarm_list_alignment_requirement, key)?;
        if needed.is_some_and(|word| same(&word, "alignmentNotRequired")) {
            return Ok(Decoded::Ignored { why: "the rebuilt list did not change" });
        }
        let system = word_of(&self.system_dn, "systemDN")?;
        let object = self.dn()?.filter(|dn| {
            let last = dn.rsplit(',').next().unwrap_or(dn);
            dn.contains('=')
                && Some(dn) != system.as_ref()
                && !AGENTS
                    .iter()
                    .any(|agent| last.split_once('=').is_some_and(|(class, _)| same(class, agent)))
        });
        if system.is_none() && object.is_none() {
            return Err(Reject::field(
                "systemDN",
                "is missing: it names the system that rebuilt its list",
            ));
        }
        Ok(Decoded::ListRebuilt(ListRebuilt {
            ts: self.ts(frame)?,
            system: system.map(|system| joined(&[&system])),
            object: object.and_then(|object| cut(&object, frame.limits)),
        }))
    }

    /// The distinguished name of the alarmed object.
    fn dn(&self) -> Result<Option<Cow<'_, str>>, Reject> {
        if let Some(dn) = word_of(&self.object_instance, "objectInstance")? {
            return Ok(Some(dn));
        }
        Ok(word_of(&self.href, "href")?.map(|href| match href {
            Cow::Borrowed(href) => dn_of_href(href),
            Cow::Owned(href) => Cow::Owned(dn_of_href(&href).into_owned()),
        }))
    }

    fn alarm(&self, action: AlarmAction, frame: &Frame<'_>) -> Result<Decoded, Reject> {
        let dn = self.dn()?;
        let perceived = perceived(&self.perceived_severity, frame);
        let is_cleared =
            perceived == Some(Perceived::Cleared) || has_time(&self.alarm_cleared_time, frame);
        let system = word_of(&self.system_dn, "systemDN")?;
        // Notification ids are unique within their system only.
        let sender = system.clone().or_else(|| dn.clone());
        let notification = match (word_of(&self.notification_id, "notificationId")?, sender) {
            (Some(id), Some(sender)) => vec![sender, id],
            _ => Vec::new(),
        };
        let category = word(&self.alarm_type);
        let action = if is_cleared { AlarmAction::Clear } else { action };
        let attributes = frame.attributes(|known| {
            known.push(Attribute::Device, dn.clone());
            known.push(Attribute::Dn, dn.clone());
            known.push(Attribute::System, system.clone());
            known.push(Attribute::Category, category.clone());
        });
        let draft = Draft {
            system: system.clone(),
            alarm_id: word_of(&self.alarm_id, "alarmId")?,
            object: dn.clone().or_else(|| frame.device.map(Into::into)),
            part: None,
            category: category.clone(),
            cause: word(&self.probable_cause),
            problem: word(&self.specific_problem),
            action,
            perceived,
            ts: self.ts_of(action, frame)?,
            aliases: Vec::new(),
            notification,
            text: word(&self.additional_text),
            attributes,
        };
        draft.finish(frame).map(Decoded::One)
    }
}
