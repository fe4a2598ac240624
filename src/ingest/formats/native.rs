//! The native flat format: one JSON object per event.

use crate::domain::{
    AlarmAction, AlarmEvent, Event, EventKind, MaintenanceAction, MaintenanceEvent, Name, Scope,
    SeriesKey, Severity, TicketAction, TicketEvent, Timestamp,
};
use crate::ingest::decoded::Decoded;
use crate::ingest::field::Field;
use crate::ingest::frame::Frame;
use crate::ingest::mapping::{Attribute, Attributes, Target};
use crate::ingest::read;
use crate::ingest::reject::Reject;
use crate::ingest::words::word;

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
            Field::Text(text) => text.is_empty(),
            _ => false,
        }
    }

    /// Builds the event, without a mapping.
    pub(in crate::ingest) fn event(&self, frame: &Frame<'_>) -> Result<Event, Reject> {
        let kinds = [
            ("alarm", EventKind::Alarm),
            ("ticket", EventKind::Ticket),
            ("maintenance", EventKind::Maintenance),
        ];
        let kind = self
            .choice(Key::Kind, &kinds)?
            .or(frame.hint)
            .ok_or_else(|| Reject::field("kind", "is missing: use alarm, ticket or maintenance"))?;
        match kind {
            EventKind::Alarm => self.alarm(frame).map(Event::Alarm),
            EventKind::Ticket => self.ticket(frame).map(Event::Ticket),
            EventKind::Maintenance => self.maintenance(frame).map(Event::Maintenance),
        }
    }

    fn alarm(&self, frame: &Frame<'_>) -> Result<AlarmEvent, Reject> {
        let event_id = self.event_id(frame)?;
        let alarm_id = match read::text_of(self.get(Key::AlarmId), "alarm_id")? {
            Some(text) => read::id(text, "alarm_id")?,
            None => event_id.clone(),
        };
        let actions = [
            ("raise", AlarmAction::Raise),
            ("change", AlarmAction::Change),
            ("clear", AlarmAction::Clear),
        ];
        // In X.733 and VES the severity marks a clear, so that it overrides the action.
        let severity = self.choice(Key::Severity, &SEVERITIES)?;
        let action = self.choice(Key::Action, &actions)?.unwrap_or_default();
        let cleared = severity == Some(None);
        Ok(AlarmEvent {
            event_id,
            alarm_id,
            action: if cleared { AlarmAction::Clear } else { action },
            ts: self.ts(frame)?,
            severity: severity.flatten().unwrap_or_default(),
            scope: Scope {
                region: self.name_or_unknown(Key::Region)?,
                service: self.name_or_unknown(Key::Service)?,
            },
            device: self.free(Key::Device, frame)?,
            alarm_type: self.free(Key::Type, frame)?,
            text: self.free(Key::Text, frame)?,
        })
    }

    fn ticket(&self, frame: &Frame<'_>) -> Result<TicketEvent, Reject> {
        let actions = [
            ("create", TicketAction::Create),
            ("update", TicketAction::Update),
            ("resolve", TicketAction::Resolve),
            ("reopen", TicketAction::Reopen),
        ];
        self.choice(Key::Outcome, &OUTCOMES)?;
        Ok(TicketEvent {
            event_id: self.event_id(frame)?,
            action: self.choice(Key::Action, &actions)?.unwrap_or_default(),
            ts: self.ts(frame)?,
            series: SeriesKey::new(
                self.name_or_unknown(Key::Region)?,
                self.name_or_unknown(Key::Service)?,
                self.name_or_unknown(Key::Channel)?,
            ),
            priority: self.free(Key::Priority, frame)?,
            tier: self.free(Key::Tier, frame)?,
            text: self.free(Key::Text, frame)?,
        })
    }

    fn maintenance(&self, frame: &Frame<'_>) -> Result<MaintenanceEvent, Reject> {
        let actions = [("plan", MaintenanceAction::Plan), ("cancel", MaintenanceAction::Cancel)];
        let event_id = self.event_id(frame)?;
        let action = self.choice(Key::Action, &actions)?.unwrap_or_default();
        let ts = self.ts(frame)?;
        let starts_at = read::required_time(self.get(Key::StartsAt), "starts_at")?;
        let ends_at = read::required_time(self.get(Key::EndsAt), "ends_at")?;
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
        match read::text_of(self.get(Key::EventId), "event_id")?.or(frame.id) {
            Some(text) => read::id(text, "event_id"),
            None => Err(Reject::field("event_id", "is missing: it is the duplicate key")),
        }
    }

    fn ts(&self, frame: &Frame<'_>) -> Result<Timestamp, Reject> {
        match (self.get(Key::Ts), frame.ts) {
            (Field::Absent, Some(ts)) => Ok(ts),
            (field, _) => read::required_time(field, "ts"),
        }
    }

    fn choice<T: Copy>(&self, key: Key, words: &[(&str, T)]) -> Result<Option<T>, Reject> {
        read::choice(self.get(key), key.name(), words)
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

/// The severities, and VES's NORMAL. `None` is a clear.
const SEVERITIES: [(&str, Option<Severity>); 7] = [
    ("critical", Some(Severity::Critical)),
    ("major", Some(Severity::Major)),
    ("minor", Some(Severity::Minor)),
    ("warning", Some(Severity::Warning)),
    ("indeterminate", Some(Severity::Indeterminate)),
    ("cleared", None),
    ("normal", None),
];

/// Outcomes of a call. Each of them is an arrival, whether an agent answered or not, so that the outcome does not change
/// the action. A call with two events, `offered` and later `answered` or `abandoned`, counts once if both have the
/// `event_id` and the `ts` of the offer: duplicates are found by id within a window.
const OUTCOMES: [(&str, ()); 3] = [("offered", ()), ("answered", ()), ("abandoned", ())];
