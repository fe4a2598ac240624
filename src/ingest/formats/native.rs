//! The native flat format: one JSON object per event.

use super::life::{self, Life};
use super::native_actions::{ALARM_ACTIONS, Actions, MAINTENANCE_ACTIONS, TICKET_ACTIONS};
use crate::domain::{
    AlarmAction, AlarmEvent, Event, EventKind, MaintenanceEvent, Name, Scope, SeriesKey,
    TicketEvent, Timestamp,
};
use crate::ingest::acts::{Act, act};
use crate::ingest::decoded::Decoded;
use crate::ingest::field::Field;
use crate::ingest::frame::Frame;
use crate::ingest::mapping::{Attribute, Attributes, Target};
use crate::ingest::notes::Doubt;
use crate::ingest::read;
use crate::ingest::reject::Reject;
use crate::ingest::words::{Perceived, perceived, word, word_of};

/// Defines [`Key`] by a list of names.
macro_rules! keys {
    ($($key:ident = $name:literal),* $(,)?) => {
        /// Keys of native events of all kinds.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(in crate::ingest) enum Key {
            $($key),*
        }

        /// Number of keys.
        pub(in crate::ingest) const KEYS: usize = [$($name),*].len();

        impl Key {
            /// Every key.
            pub(in crate::ingest) const EVERY: [Self; KEYS] = [$(Self::$key),*];

            /// The key with this name.
            pub(in crate::ingest) fn of(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$key),)*
                    _ => None,
                }
            }

            pub(in crate::ingest) fn name(self) -> &'static str {
                match self {
                    $(Self::$key => $name),*
                }
            }

            /// Whether the key may occur twice. Streams without ticket ids may use these names for anything.
            pub(in crate::ingest) fn may_repeat(self) -> bool {
                matches!(self, Self::TicketId | Self::HandledSeconds | Self::Open | Self::CustomerId)
            }
        }
    };
}

keys! {
    Kind = "kind",
    EventId = "event_id",
    AlarmId = "alarm_id",
    Action = "action",
    Ts = "ts",
    Severity = "severity",
    Region = "region",
    Service = "service",
    Channel = "channel",
    Device = "device",
    Type = "type",
    Outcome = "outcome",
    Priority = "priority",
    Tier = "tier",
    StartsAt = "starts_at",
    EndsAt = "ends_at",
    Impact = "impact",
    Text = "text",
    TicketId = "ticket_id",
    HandledSeconds = "handled_seconds",
    Open = "open",
    CustomerId = "customer_id",
}

/// The fields of a native event, by their keys.
#[derive(Debug, Default)]
pub(in crate::ingest) struct Fields<'a> {
    fields: [Field<'a>; KEYS],
    /// Keys that are present, one bit for each.
    present: u32,
}

impl<'a> Fields<'a> {
    pub(in crate::ingest) fn has(&self, key: Key) -> bool {
        self.present & (1 << key as u32) != 0
    }

    pub(in crate::ingest) fn put(&mut self, key: Key, field: Field<'a>) {
        self.present |= 1 << key as u32;
        self.fields[key as usize] = field;
    }

    fn get(&self, key: Key) -> &Field<'a> {
        &self.fields[key as usize]
    }
}

/// Decodes a native event. The mapping fills in missing names.
pub(in crate::ingest) fn decode(fields: &Fields<'_>, frame: Frame<'_>) -> Result<Decoded, Reject> {
    if fields.is_comment(&frame)? {
        return Ok(Decoded::Ignored { why: "an acknowledgement or comment changes no fault" });
    }
    let mut event = fields.event(&frame)?;
    if frame.mapping.is_empty() {
        return Ok(Decoded::One(event));
    }
    let attributes = fields.attributes();
    let fill = |name: &mut Name, key: Key, target: Target| {
        if fields.is_empty(key)
            && let Some(found) = frame.mapping.find(target, &attributes)
        {
            *name = found;
        }
    };
    match &mut event {
        Event::Alarm(alarm) => {
            fill(&mut alarm.scope.region, Key::Region, Target::Region);
            fill(&mut alarm.scope.service, Key::Service, Target::Service);
        }
        Event::Ticket(ticket) => {
            fill(&mut ticket.series.region, Key::Region, Target::Region);
            fill(&mut ticket.series.service, Key::Service, Target::Service);
            fill(&mut ticket.series.channel, Key::Channel, Target::Channel);
        }
        // Maintenance without a region is for all regions, so that a mapping must not fill it in.
        Event::Maintenance(_) => {}
    }
    Ok(Decoded::One(event))
}

impl Fields<'_> {
    /// The attributes for a mapping.
    fn attributes(&self) -> Attributes<'_> {
        let mut attributes = Attributes::default();
        for (attribute, key) in [
            (Attribute::Device, Key::Device),
            (Attribute::Category, Key::Type),
            (Attribute::Channel, Key::Channel),
        ] {
            attributes.push(attribute, word(self.get(key)));
        }
        attributes
    }

    /// Whether a field is absent or an empty text.
    fn is_empty(&self, key: Key) -> bool {
        match self.get(key) {
            Field::Absent => true,
            Field::Text(text) => text.trim().is_empty(),
            _ => false,
        }
    }

    /// Builds the event, without a mapping.
    pub(in crate::ingest) fn event(&self, frame: &Frame<'_>) -> Result<Event, Reject> {
        match self.kind(frame)? {
            EventKind::Alarm => self.alarm(frame).map(Event::Alarm),
            EventKind::Ticket => self.ticket(frame).map(Event::Ticket),
            EventKind::Maintenance => self.maintenance(frame).map(Event::Maintenance),
        }
    }

    /// The kind. An unknown kind is replaced by the kind of the topic.
    fn kind(&self, frame: &Frame<'_>) -> Result<EventKind, Reject> {
        let missing = || Reject::field("kind", "is missing: use alarm, ticket or maintenance");
        let Some(text) = read::text_of(self.get(Key::Kind), "kind")? else {
            return frame.hint.ok_or_else(missing);
        };
        match (read::find(&text, &KINDS), frame.hint) {
            (Some(kind), _) => Ok(kind),
            (None, Some(hint)) => {
                frame.notes.add(Doubt::Kind, read::shown(&text), "the kind of its topic");
                Ok(hint)
            }
            (None, None) => Err(read::no_choice("kind", &text, &KINDS[..3])),
        }
    }

    /// Whether the event is an acknowledgement of an alarm, a comment on it, or the like. A severity that clears overrides
    /// the action.
    fn is_comment(&self, frame: &Frame<'_>) -> Result<bool, Reject> {
        let kind = read::text_of(self.get(Key::Kind), "kind").unwrap_or_default();
        if kind.is_some_and(|kind| read::find(&kind, &KINDS).is_some_and(|k| k != EventKind::Alarm))
        {
            return Ok(false);
        }
        let text = read::text_of(self.get(Key::Action), "action")?.unwrap_or_default();
        let named = match text.trim().is_empty() {
            true => act_of_wrapper(frame),
            false if read::find(&text, ALARM_ACTIONS.words).is_some() => None,
            false => ALARM_ACTIONS.act(&text),
        };
        let is_comment = named == Some(Act::Nothing)
            && self.kind(frame)? == EventKind::Alarm
            && perceived(self.get(Key::Severity), frame) != Some(Perceived::Cleared);
        if is_comment && !text.trim().is_empty() {
            frame.notes.add(Doubt::EventType, read::shown(&text), "no change");
        }
        Ok(is_comment)
    }

    fn alarm(&self, frame: &Frame<'_>) -> Result<AlarmEvent, Reject> {
        let event_id = self.event_id(frame)?;
        let alarm_id = match word_of(self.get(Key::AlarmId), "alarm_id")? {
            Some(text) => read::id(&text, "alarm_id")?,
            None => event_id.clone(),
        };
        // In X.733 and VES the severity marks a clear, so that it overrides the action.
        let severity = perceived(self.get(Key::Severity), frame);
        let of_wrapper = act_of_wrapper(frame).filter(|_| self.is_empty(Key::Action));
        let action = match of_wrapper.and_then(|act| ALARM_ACTIONS.of(act)) {
            Some((action, _)) => action,
            None => self.action(&ALARM_ACTIONS, frame)?,
        };
        let cleared = severity == Some(Perceived::Cleared);
        let severity = match severity {
            Some(Perceived::Active(severity)) => severity,
            Some(Perceived::Cleared) | None => Default::default(),
        };
        Ok(AlarmEvent {
            event_id,
            alarm_id,
            action: if cleared { AlarmAction::Clear } else { action },
            ts: self.ts(frame)?,
            severity,
            scope: Scope {
                region: self.name_or_unknown(Key::Region)?,
                service: self.name_or_unknown(Key::Service)?,
            },
            device: self.free(Key::Device, frame)?,
            alarm_type: self.free(Key::Type, frame)?,
            text: self.free(Key::Text, frame)?,
            aliases: Box::default(),
        })
    }

    fn ticket(&self, frame: &Frame<'_>) -> Result<TicketEvent, Reject> {
        if let Some(outcome) = read::text_of(self.get(Key::Outcome), "outcome")?
            && read::find(&outcome, &OUTCOMES).is_none()
        {
            frame.notes.add(Doubt::Outcome, read::shown(&outcome), "a call");
        }
        let event_id = self.event_id(frame)?;
        let Life { action, news, word } = self.life(frame)?;
        let ts = self.ts(frame)?;
        Ok(TicketEvent {
            event_id: match word {
                Some(word) => life::own_id(&event_id, word, ts),
                None => event_id,
            },
            action,
            ts,
            series: SeriesKey::new(
                self.name_or_unknown(Key::Region)?,
                self.name_or_unknown(Key::Service)?,
                self.name_or_unknown(Key::Channel)?,
            ),
            priority: self.free(Key::Priority, frame)?,
            tier: self.free(Key::Tier, frame)?,
            customer: life::customer(self.get(Key::CustomerId), news.as_ref()),
            text: self.free(Key::Text, frame)?,
            news,
        })
    }

    /// What the event does to its ticket. Without the id of a ticket it is only counted.
    fn life(&self, frame: &Frame<'_>) -> Result<Life, Reject> {
        let id = word_of(self.get(Key::TicketId), "ticket_id")?;
        let id = id.map(|id| read::id(&id, "ticket_id")).transpose()?;
        let text = read::text_of(self.get(Key::Action), "action")?;
        let text = text.filter(|text| !text.trim().is_empty());
        match (text.as_deref().and_then(life::word), id) {
            (Some(life::Word::Snapshot), _) => life::snapshot(self.get(Key::Open)),
            (Some(life::Word::Response), Some(id)) => Ok(life::response(id)),
            (Some(life::Word::Abandonment), Some(id)) => Ok(life::abandonment(id)),
            (Some(life::Word::Response), None) => {
                Err(Reject::field("ticket_id", "is missing: `respond` needs the id of its ticket"))
            }
            (Some(life::Word::Abandonment), None) => {
                Err(Reject::field("ticket_id", "is missing: `abandon` needs the id of its ticket"))
            }
            (None, None) => {
                let action = self.action(&TICKET_ACTIONS, frame)?;
                Ok(Life { action, news: None, word: None })
            }
            (None, Some(id)) => {
                let of_wrapper = frame.event_type.filter(|_| text.is_none());
                if let Some(life::Word::Response) = of_wrapper.and_then(life::word_of_type) {
                    return Ok(life::response(id));
                }
                let of_wrapper = of_wrapper.and_then(act).and_then(|act| TICKET_ACTIONS.of(act));
                let action = match of_wrapper {
                    Some((action, _)) => action,
                    None => self.action(&TICKET_ACTIONS, frame)?,
                };
                life::step(action, &id, self.get(Key::HandledSeconds))
            }
        }
    }

    fn maintenance(&self, frame: &Frame<'_>) -> Result<MaintenanceEvent, Reject> {
        let event_id = self.event_id(frame)?;
        let action = self.action(&MAINTENANCE_ACTIONS, frame)?;
        let ts = self.ts(frame)?;
        let starts_at = read::required_time(self.get(Key::StartsAt), "starts_at", frame.zone)?;
        let ends_at = read::required_time(self.get(Key::EndsAt), "ends_at", frame.zone)?;
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
            region: self.name(Key::Region)?,
            service: self.name(Key::Service)?,
            impact: self.free(Key::Impact, frame)?,
            text: self.free(Key::Text, frame)?,
        })
    }

    fn event_id(&self, frame: &Frame<'_>) -> Result<Box<str>, Reject> {
        match read::text_of(self.get(Key::EventId), "event_id")?.or(frame.id.map(Into::into)) {
            Some(text) => read::id(&text, "event_id"),
            None => {
                Err(Reject::field("event_id", "is missing: it is needed to recognize duplicates"))
            }
        }
    }

    fn ts(&self, frame: &Frame<'_>) -> Result<Timestamp, Reject> {
        match (self.get(Key::Ts), frame.ts) {
            (Field::Absent, Some(ts)) => Ok(ts),
            (field, _) => read::required_time(field, "ts", frame.zone),
        }
    }

    /// The action. An unknown word that contains a known action is read as that action.
    fn action<T: Copy + Default>(
        &self,
        actions: &Actions<T>,
        frame: &Frame<'_>,
    ) -> Result<T, Reject> {
        let text = read::text_of(self.get(Key::Action), "action")?;
        let Some(text) = text.filter(|text| !text.trim().is_empty()) else {
            return Ok(T::default());
        };
        if let Some(action) = read::find(&text, actions.words) {
            return Ok(action);
        }
        let found = actions.act(&text).and_then(|act| actions.of(act));
        let (action, read_as) = found.ok_or_else(|| actions.no_choice(&text))?;
        frame.notes.add(Doubt::EventType, read::shown(&text), read_as);
        Ok(action)
    }

    fn free(&self, key: Key, frame: &Frame<'_>) -> Result<Option<Box<str>>, Reject> {
        read::free(self.get(key), key.name(), frame.limits)
    }

    fn name(&self, key: Key) -> Result<Option<Name>, Reject> {
        read::name(self.get(key), key.name())
    }

    fn name_or_unknown(&self, key: Key) -> Result<Name, Reject> {
        Ok(self.name(key)?.unwrap_or_else(Name::unknown))
    }
}

/// The act that the type of a wrapper names, such as `com.example.alarm.cleared`. Only its last two parts say what happened:
/// the others name the sender.
fn act_of_wrapper(frame: &Frame<'_>) -> Option<Act> {
    frame.event_type?.rsplit(['.', '/', ':']).take(2).find_map(act)
}

/// Kinds: the three that are documented, the plurals that topics are named by, and words of ticket and alarm systems.
const KINDS: [(&str, EventKind); 10] = [
    ("alarm", EventKind::Alarm),
    ("ticket", EventKind::Ticket),
    ("maintenance", EventKind::Maintenance),
    ("alarms", EventKind::Alarm),
    ("tickets", EventKind::Ticket),
    ("incident", EventKind::Ticket),
    ("case", EventKind::Ticket),
    ("trouble ticket", EventKind::Ticket),
    ("fault", EventKind::Alarm),
    ("告警", EventKind::Alarm),
];

/// Outcomes of a call. Each of them is an arrival, whether an agent answered or not, so that the outcome does not change
/// the action. A call with two events, `offered` and later `answered` or `abandoned`, counts once if both have the
/// `event_id` and the `ts` of the offer: duplicates are found by id within a window.
const OUTCOMES: [(&str, ()); 3] = [("offered", ()), ("answered", ()), ("abandoned", ())];
