//! The common part of all alarm formats: the alarm id, which pairs a clear with its raise, the event id, which identifies
//! duplicates, and the mapping.

use std::borrow::Cow;

use crate::domain::{AlarmAction, AlarmEvent, Event, Scope, Timestamp};
use crate::ingest::frame::Frame;
use crate::ingest::mapping::{Attributes, Target};
use crate::ingest::read::cut;
use crate::ingest::reject::Reject;
use crate::ingest::words::{Perceived, hashed, joined, letters};

/// An alarm event with the fields of the standards.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    /// The system that assigned the alarm id: sourceSystemId, systemDN.
    pub(super) system: Option<Cow<'a, str>>,
    /// externalAlarmId or alarmId.
    pub(super) alarm_id: Option<Cow<'a, str>>,
    /// The alarmed object, or its distinguished name.
    pub(super) object: Option<Cow<'a, str>>,
    /// The interface or other part of the object. Two parts of one object have separate alarms.
    pub(super) part: Option<Cow<'a, str>>,
    /// X.733's event type.
    pub(super) category: Option<Cow<'a, str>>,
    pub(super) cause: Option<Cow<'a, str>>,
    pub(super) problem: Option<Cow<'a, str>>,
    pub(super) action: AlarmAction,
    pub(super) perceived: Option<Perceived>,
    pub(super) ts: Timestamp,
    /// Other ids of the alarm, without its system.
    pub(super) aliases: Vec<Cow<'a, str>>,
    /// The parts of the id of this notification in its format; empty if it has none. Some senders give all
    /// notifications the same id. Alarm, time and action distinguish them.
    pub(super) notification: Vec<Cow<'a, str>>,
    pub(super) text: Option<Cow<'a, str>>,
    pub(super) attributes: Attributes<'a>,
}

impl Draft<'_> {
    /// Builds the event.
    ///
    /// # Errors
    /// [`Reject`] if neither an alarm id nor an object identifies the alarm.
    pub(super) fn finish(self, frame: &Frame<'_>) -> Result<Event, Reject> {
        let alarm_id = self.key()?;
        let event_id = self.event_id(&alarm_id, frame);
        let severity = match self.perceived {
            Some(Perceived::Active(severity)) => severity,
            Some(Perceived::Cleared) | None => Default::default(),
        };
        let kept = |text: &Option<Cow<'_, str>>| text.as_deref().and_then(|t| cut(t, frame.limits));
        Ok(Event::Alarm(AlarmEvent {
            event_id,
            action: self.action,
            ts: self.ts,
            severity,
            scope: Scope {
                region: frame.mapped(Target::Region, &self.attributes),
                service: frame.mapped(Target::Service, &self.attributes),
            },
            device: kept(&self.object),
            alarm_type: kept(&self.problem)
                .or_else(|| kept(&self.cause))
                .or_else(|| kept(&self.category)),
            text: kept(&self.text),
            aliases: self.aliases(),
            alarm_id,
        }))
    }

    /// The alarm id. X.733 identifies an alarm by the id of its system, else by object, type, cause and problem.
    fn key(&self) -> Result<Box<str>, Reject> {
        if let Some(id) = &self.alarm_id {
            return Ok(match &self.system {
                Some(system) => joined(&[system, id]),
                None => joined(&[id]),
            });
        }
        if self.object.is_none() {
            let rest = "is missing, and so is the alarmed object: send one of them";
            return Err(Reject::field("alarmId", rest));
        }
        // A clear may spell enumerations differently from its raise.
        let [object, category, cause, problem] =
            [&self.object, &self.category, &self.cause, &self.problem]
                .map(|part| part.as_deref().unwrap_or_default());
        let [category, cause] = [category, cause].map(|word| letters(word).collect::<String>());
        Ok(match &self.part {
            Some(part) => joined(&[object, part, &category, &cause, problem]),
            None => joined(&[object, &category, &cause, problem]),
        })
    }

    /// Bare ids by which a notification without a system may name the alarm.
    fn aliases(&self) -> Box<[Box<str>]> {
        let all = || self.alarm_id.iter().chain(&self.aliases);
        let is_first = |(at, id): &(usize, _)| !all().take(*at).any(|other| other == *id);
        let different = all().enumerate().filter(is_first);
        different.map(|(_, id)| joined(&[id])).collect()
    }

    /// The id of the notification with alarm, time and action; else that of its wrapper; else a hash of the three.
    fn event_id(&self, alarm_id: &str, frame: &Frame<'_>) -> Box<str> {
        let ts = self.ts.to_string();
        let of_alarm = [alarm_id, &ts, action_word(self.action)];
        if self.notification.is_empty() {
            return frame.id.map_or_else(|| hashed(&of_alarm), Into::into);
        }
        let parts = self.notification.iter().map(|part| &**part).chain(of_alarm);
        joined(&parts.collect::<Vec<_>>())
    }
}

fn action_word(action: AlarmAction) -> &'static str {
    match action {
        AlarmAction::Raise => "raise",
        AlarmAction::Change => "change",
        AlarmAction::Clear => "clear",
    }
}
