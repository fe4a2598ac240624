//! TMF621 v4 and v5: trouble tickets, in an event envelope or bare. Only creations are arrivals.

use std::borrow::Cow;
use std::time::Duration;

use serde::Deserialize;

use super::life::handled_seconds;
use super::reference::{Reference, customer, push_all};
use super::tmf_envelope::{Envelope, Types};
use crate::domain::{
    Event, LifeStep, MINUTE, Name, SeriesKey, TicketAction, TicketEvent, TicketNews, TicketStep,
    Timestamp,
};
use crate::ingest::acts::Act;
use crate::ingest::decoded::Decoded;
use crate::ingest::field::Field;
use crate::ingest::frame::Frame;
use crate::ingest::mapping::{Attribute, Attributes, Target};
use crate::ingest::nested::{FromName, List};
use crate::ingest::read::cut;
use crate::ingest::reject::{Reject, parse_part};
use crate::ingest::words::{has_time, hashed, joined, loose_time, no_time, same, word, word_of};

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Ticket<'a> {
    #[serde(borrow)]
    id: Field<'a>,
    name: Field<'a>,
    description: Field<'a>,
    severity: Field<'a>,
    priority: Field<'a>,
    ticket_type: Field<'a>,
    category: Field<'a>,
    status: Field<'a>,
    creation_date: Field<'a>,
    last_update: Field<'a>,
    resolution_date: Field<'a>,
    status_change_date: Field<'a>,
    status_change_history: List<Status<'a>>,
    channel: List<Reference<'a>>,
    place: List<Reference<'a>>,
    related_entity: List<Reference<'a>>,
    related_party: List<Reference<'a>>,
    /// TMF621 has no such field; senders add it.
    handled_seconds: Field<'a>,
    /// Names that ServiceNow has for id, creation, change and text of a case.
    number: Field<'a>,
    #[serde(rename = "opened_at")]
    opened_at: Field<'a>,
    #[serde(rename = "sys_created_on")]
    sys_created_on: Field<'a>,
    #[serde(rename = "sys_updated_on")]
    sys_updated_on: Field<'a>,
    #[serde(rename = "short_description")]
    short_description: Field<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Status<'a> {
    #[serde(borrow)]
    status: Field<'a>,
}

impl<'de: 'a, 'a> FromName<'de> for Status<'a> {
    fn of_text(text: Cow<'de, str>) -> Self {
        Self { status: Field::Text(text) }
    }
}

#[derive(Clone, Copy)]
pub(super) enum Effect {
    Action(TicketAction),
    /// Resolve, reopen or update, depending on the status.
    Status,
}

/// ServiceNow's events of cases and incidents (`CaseCreateEvent`) are in no list, but contain a known action.
pub(super) const TYPES: Types<Effect> = Types {
    known: &KNOWN,
    named: 6,
    acts: &[
        (Act::Begin, Effect::Action(TicketAction::Create), "TroubleTicketCreateEvent"),
        (Act::Reopen, Effect::Action(TicketAction::Reopen), "TroubleTicketStatusChangeEvent"),
        (Act::Change, Effect::Status, "TroubleTicketStatusChangeEvent"),
        (
            Act::Nothing,
            Effect::Action(TicketAction::Update),
            "TroubleTicketAttributeValueChangeEvent",
        ),
        (Act::End, Effect::Action(TicketAction::Resolve), "TroubleTicketResolvedEvent"),
    ],
};

/// A change within this time after the creation is attributed to the system that created the ticket.
const CREATION_GRACE: Duration = MINUTE;

const KNOWN: [(&str, Effect); 8] = [
    ("TroubleTicketCreate", Effect::Action(TicketAction::Create)),
    ("TroubleTicketAttributeValueChange", Effect::Action(TicketAction::Update)),
    ("TroubleTicketStatusChange", Effect::Status),
    ("TroubleTicketResolved", Effect::Action(TicketAction::Resolve)),
    ("TroubleTicketInformationRequired", Effect::Action(TicketAction::Update)),
    // A deleted ticket needs no more work.
    ("TroubleTicketDelete", Effect::Action(TicketAction::Resolve)),
    ("TroubleTicketStateChange", Effect::Status),
    ("TroubleTicketUpdate", Effect::Status),
];
/// Final statuses: the ticket needs no more work.
const FINAL: [&str; 5] = ["resolved", "closed", "cancelled", "canceled", "rejected"];
/// Statuses of a ticket on which somebody has worked.
const RESPONDED: [&str; 3] = ["inProgress", "pending", "held"];
/// Channel names with a common meaning. Other names need a mapping, so that senders cannot create series by arbitrary
/// channel names.
const CHANNELS: [&str; 5] = ["phone", "chat", "email", "social", "app"];

/// Decodes a ticket in an envelope.
pub(in crate::ingest) fn envelope(text: &str, frame: Frame<'_>) -> Result<Decoded, Reject> {
    let envelope: Envelope<'_> = parse_part(text)?;
    tickets(&envelope, Some("troubleTicket"), &frame)
}

/// Decodes the tickets of an envelope: usually one.
pub(super) fn tickets(
    envelope: &Envelope<'_>,
    key: Option<&str>,
    frame: &Frame<'_>,
) -> Result<Decoded, Reject> {
    let (effect, ts) = (envelope.effect(&TYPES, frame)?, envelope.ts(frame)?);
    envelope.each(key, frame, |text, nth, frame| {
        let id = envelope.event_id_of(nth)?;
        parse_part::<Ticket<'_>>(text)?.decode(effect, ts, id.as_deref(), frame)
    })
}

/// Decodes a ticket without an envelope: its current state.
pub(in crate::ingest) fn bare(text: &str, frame: Frame<'_>) -> Result<Decoded, Reject> {
    let ticket: Ticket<'_> = parse_part(text)?;
    ticket.decode(None, None, None, &frame)
}

/// The duplicate key of the creation of a ticket.
fn arrival_id(ticket: &str) -> Box<str> {
    joined(&[ticket, "create"])
}

/// A step of the ticket with this id.
fn news_of(
    ticket: &str,
    step: LifeStep,
    opened_at: Option<Timestamp>,
    handled_seconds: Option<u32>,
) -> TicketNews {
    TicketNews::Step(TicketStep { ticket_id: joined(&[ticket]), step, opened_at, handled_seconds })
}

fn is_final(status: &str) -> bool {
    FINAL.iter().any(|word| same(word, status))
}

impl Ticket<'_> {
    fn action(&self, effect: Effect) -> TicketAction {
        match effect {
            Effect::Action(action) => action,
            Effect::Status => self.action_of_status(),
        }
    }

    fn action_of_status(&self) -> TicketAction {
        let Some(status) = word(&self.status) else { return TicketAction::Update };
        // The history may end with the current status.
        let mut history =
            self.status_change_history.0.iter().filter_map(|entry| word(&entry.status));
        let before = history.rfind(|entry| !same(entry, &status));
        if is_final(&status) {
            TicketAction::Resolve
        } else if same(&status, "reopened") || before.is_some_and(|before| is_final(&before)) {
            TicketAction::Reopen
        } else {
            TicketAction::Update
        }
    }

    /// The action of a ticket without an event type. A ticket that was not changed since its creation is a creation.
    fn action_of_record(&self, frame: &Frame<'_>) -> TicketAction {
        if let Some(effect) = TYPES.wrapper_effect(frame) {
            return self.action(effect);
        }
        match word(&self.status) {
            Some(status) if is_final(&status) => TicketAction::Resolve,
            Some(status) if self.is_changed(frame) && !same(&status, "acknowledged") => {
                TicketAction::Update
            }
            _ => TicketAction::Create,
        }
    }

    /// Whether the ticket was changed after its creation, and not only by the system that created it.
    fn is_changed(&self, frame: &Frame<'_>) -> bool {
        let time = |field| loose_time(field, "", frame).ok().flatten();
        let created = self.created(frame);
        let changes = [&self.last_update, &self.status_change_date, &self.sys_updated_on];
        let mut changes = changes.into_iter().filter(|field| has_time(field, frame));
        changes.any(|field| match (created, time(field)) {
            (Some(created), Some(changed)) => changed.since(created) > CREATION_GRACE,
            _ => true,
        })
    }

    /// When the ticket was created.
    fn created(&self, frame: &Frame<'_>) -> Option<Timestamp> {
        let fields = [&self.creation_date, &self.opened_at, &self.sys_created_on];
        fields.into_iter().find_map(|field| loose_time(field, "", frame).ok().flatten())
    }

    pub(super) fn decode(
        &self,
        effect: Option<Effect>,
        ts: Option<Timestamp>,
        notification: Option<&str>,
        frame: &Frame<'_>,
    ) -> Result<Decoded, Reject> {
        let action = match effect {
            Some(effect) => self.action(effect),
            None => self.action_of_record(frame),
        };
        let ts = match ts {
            Some(ts) => ts,
            None => self.ts(action, frame)?,
        };
        let event_id = self.event_id(action, ts, notification, frame)?;
        let created = match action {
            TicketAction::Create => None,
            _ => self.created(frame),
        };
        let news = self.news(action, effect, created)?;
        let event = self.event(action, ts, event_id, news, frame);
        // A ticket first seen as an update is an arrival, at the time of its creation.
        match (created, self.ticket_id()?) {
            (Some(created), Some(id)) => {
                let opened = news_of(&id, LifeStep::Opened, None, None);
                let id = arrival_id(&id);
                let arrival = self.event(TicketAction::Create, created, id, Some(opened), frame);
                Ok(Decoded::Update { event, arrival })
            }
            _ => Ok(Decoded::One(event)),
        }
    }

    /// The step in the life of the ticket.
    fn news(
        &self,
        action: TicketAction,
        effect: Option<Effect>,
        created: Option<Timestamp>,
    ) -> Result<Option<TicketNews>, Reject> {
        let Some(id) = self.ticket_id()? else { return Ok(None) };
        // Other changes repeat a status that may be old.
        let has_new_status = matches!(effect, None | Some(Effect::Status));
        let responded = || {
            let status = word(&self.status).filter(|_| has_new_status);
            status.is_some_and(|status| RESPONDED.iter().any(|word| same(word, &status)))
        };
        let (step, handled) = match action {
            TicketAction::Create => (LifeStep::Opened, None),
            TicketAction::Resolve => {
                (LifeStep::Resolved, handled_seconds(&self.handled_seconds, "handledSeconds")?)
            }
            TicketAction::Reopen => (LifeStep::Reopened, None),
            TicketAction::Update if responded() => (LifeStep::FirstResponse, None),
            TicketAction::Update => return Ok(None),
        };
        Ok(Some(news_of(&id, step, created, handled)))
    }

    fn event(
        &self,
        action: TicketAction,
        ts: Timestamp,
        event_id: Box<str>,
        news: Option<TicketNews>,
        frame: &Frame<'_>,
    ) -> Event {
        let attributes = self.attributes(frame);
        let kept = |field| word(field).and_then(|text| cut(&text, frame.limits));
        Event::Ticket(TicketEvent {
            event_id,
            action,
            ts,
            series: SeriesKey::new(
                frame.mapped(Target::Region, &attributes),
                frame.mapped(Target::Service, &attributes),
                self.channel(frame, &attributes),
            ),
            priority: kept(&self.priority).or_else(|| kept(&self.severity)),
            tier: None,
            customer: customer(&self.related_party),
            text: kept(&self.description)
                .or_else(|| kept(&self.short_description))
                .or_else(|| kept(&self.name)),
            news,
        })
    }

    fn ts(&self, action: TicketAction, frame: &Frame<'_>) -> Result<Timestamp, Reject> {
        let created = (&self.creation_date, "creationDate");
        let (changed, updated) =
            ((&self.status_change_date, "statusChangeDate"), (&self.last_update, "lastUpdate"));
        let order = match action {
            TicketAction::Create => vec![created],
            TicketAction::Resolve => {
                vec![(&self.resolution_date, "resolutionDate"), changed, updated]
            }
            TicketAction::Update | TicketAction::Reopen => vec![changed, updated],
        };
        for (field, key) in &order {
            if let Some(ts) = loose_time(field, key, frame)? {
                return Ok(ts);
            }
        }
        let own = match action {
            TicketAction::Create => self.created(frame),
            _ => loose_time(&self.sys_updated_on, "sys_updated_on", frame)?,
        };
        own.or(frame.ts).ok_or_else(|| no_time(order[0].1))
    }

    fn ticket_id(&self) -> Result<Option<Cow<'_, str>>, Reject> {
        Ok(word_of(&self.id, "id")?.or(word_of(&self.number, "number")?))
    }

    /// The id of the notification. A creation has the id of its ticket, so that it counts once, whatever reports it.
    /// Some senders give all notifications the same id; ticket, time and action distinguish them.
    fn event_id(
        &self,
        action: TicketAction,
        ts: Timestamp,
        notification: Option<&str>,
        frame: &Frame<'_>,
    ) -> Result<Box<str>, Reject> {
        let wrapper = notification.or(frame.id);
        let Some(id) = self.ticket_id()? else {
            let missing = || Reject::field("id", "is missing, and so is `eventId`: send one");
            return wrapper.map(|id| joined(&[id])).ok_or_else(missing);
        };
        let word = match action {
            TicketAction::Create => return Ok(arrival_id(&id)),
            TicketAction::Update => "update",
            TicketAction::Resolve => "resolve",
            TicketAction::Reopen => "reopen",
        };
        Ok(hashed(&[notification.unwrap_or_default(), &id, &ts.to_string(), word]))
    }

    fn attributes(&self, frame: &Frame<'_>) -> Attributes<'_> {
        frame.attributes(|known| {
            push_all(known, Attribute::Service, &self.related_entity);
            push_all(known, Attribute::Place, &self.place);
            push_all(known, Attribute::Party, &self.related_party);
            push_all(known, Attribute::Channel, &self.channel);
            known.push(Attribute::Category, word(&self.ticket_type));
            known.push(Attribute::Category, word(&self.category));
        })
    }

    fn channel(&self, frame: &Frame<'_>, attributes: &Attributes<'_>) -> Name {
        if let Some(name) = frame.mapping.find(Target::Channel, attributes) {
            return name;
        }
        let words =
            self.channel.0.iter().flat_map(|channel| [word(&channel.name), word(&channel.id)]);
        let known = |word: &str| CHANNELS.iter().find(|channel| same(channel, word));
        let found = words.flatten().find_map(|word| known(&word));
        found.and_then(|channel| Name::new(channel).ok()).unwrap_or_else(Name::unknown)
    }
}
