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
        let [object, problem] =
            [&self.object, &self.problem].map(|part| part.as_deref().unwrap_or_default());
        Ok(self.composed(object, self.part.as_deref(), problem))
    }

    /// An id of the parts of the alarm. A clear may spell enumerations differently from its raise.
    fn composed(&self, object: &str, part: Option<&str>, problem: &str) -> Box<str> {
        let word =
            |word: &Option<Cow<'_, str>>| letters(word.as_deref().unwrap_or_default()).collect();
        let (category, cause): (String, String) = (word(&self.category), word(&self.cause));
        match part {
            Some(part) => joined(&[object, part, &category, &cause, problem]),
            None => joined(&[object, &category, &cause, problem]),
        }
    }

    /// The composed id in lower case: a clear may write object, part or problem in another case than its raise.
    fn folded(&self) -> Option<Cow<'_, str>> {
        let lower = |text: &Option<Cow<'_, str>>| {
            text.as_deref().map(str::to_lowercase).unwrap_or_default()
        };
        let part = self.part.as_deref().map(str::to_lowercase);
        let is_composed = self.alarm_id.is_none() && self.object.is_some();
        is_composed.then(|| {
            let id = self.composed(&lower(&self.object), part.as_deref(), &lower(&self.problem));
            id.into_string().into()
        })
    }

    /// Bare ids by which a notification without a system may name the alarm.
    fn aliases(&self) -> Box<[Box<str>]> {
        let folded = self.folded();
        let ids = self.alarm_id.iter().chain(&self.aliases).chain(&folded).map(|id| joined(&[id]));
        let mut aliases: Vec<Box<str>> = Vec::new();
        for id in ids {
            if !aliases.contains(&id) {
                aliases.push(id);
            }
        }
        aliases.into()
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
