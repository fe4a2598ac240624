//! TMF621 v4 and v5: trouble tickets, in an event envelope or bare. Only creations are arrivals.

use serde::Deserialize;

use super::reference::{Reference, push_all};
use super::tmf_envelope::{Envelope, wrapper_effect};
use crate::domain::{Event, Name, SeriesKey, TicketAction, TicketEvent, Timestamp};
use crate::ingest::decoded::Decoded;
use crate::ingest::field::Field;
use crate::ingest::frame::Frame;
use crate::ingest::mapping::{Attribute, Attributes, Target};
use crate::ingest::nested::{List, Sub};
use crate::ingest::read::cut;
use crate::ingest::reject::{Reject, parse};
use crate::ingest::words::{hashed, loose_time, no_time, same, word, word_of};

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Payload<'a> {
    #[serde(borrow)]
    trouble_ticket: Sub<Ticket<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Ticket<'a> {
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
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Status<'a> {
    #[serde(borrow)]
    status: Field<'a>,
}

#[derive(Clone, Copy)]
enum Effect {
    Action(TicketAction),
    /// Resolve, reopen or update, depending on the status.
    Status,
}

/// Event types without the suffix `Event` or `Notification` of v4 and v5. The comparison ignores case.
const TYPES: [(&str, Effect); 8] = [
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
/// Number of [`TYPES`] that a reject names.
const STANDARD_TYPES: usize = 6;
/// Final statuses: the ticket needs no more work.
const FINAL: [&str; 5] = ["resolved", "closed", "cancelled", "canceled", "rejected"];
/// Channel names with a common meaning. Other names need a mapping, so that senders cannot create series by arbitrary
/// channel names.
const CHANNELS: [&str; 5] = ["phone", "chat", "email", "social", "app"];

/// Decodes a ticket in an envelope.
pub(in crate::ingest) fn envelope(text: &str, frame: Frame<'_>) -> Result<Decoded, Reject> {
    let envelope: Envelope<'_, Payload<'_>> = parse(text)?;
    let ticket = envelope.event.0.as_ref().and_then(|payload| payload.trouble_ticket.0.as_ref());
    let ticket = ticket.ok_or_else(|| Reject::field("event.troubleTicket", "is not an object"))?;
    let action = match envelope.effect(&TYPES, STANDARD_TYPES)? {
        Some(effect) => ticket.action(effect),
        None => ticket.action_of_record(&frame),
    };
    ticket.decode(action, envelope.ts()?, envelope.event_id()?, &frame)
}

/// Decodes a ticket without an envelope: its current state.
pub(in crate::ingest) fn bare(text: &str, frame: Frame<'_>) -> Result<Decoded, Reject> {
    let ticket: Ticket<'_> = parse(text)?;
    ticket.decode(ticket.action_of_record(&frame), None, None, &frame)
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
        if let Some(effect) = wrapper_effect(&TYPES, frame) {
            return self.action(effect);
        }
        let created = word(&self.creation_date);
        let changes = [&self.last_update, &self.status_change_date].into_iter();
        let is_changed = changes.filter_map(word).any(|date| Some(date) != created);
        match word(&self.status) {
            Some(status) if is_final(&status) => TicketAction::Resolve,
            Some(status) if is_changed && !same(&status, "acknowledged") => TicketAction::Update,
            _ => TicketAction::Create,
        }
    }

    fn decode(
        &self,
        action: TicketAction,
        ts: Option<Timestamp>,
        event_id: Option<Box<str>>,
        frame: &Frame<'_>,
    ) -> Result<Decoded, Reject> {
        let ts = match ts {
            Some(ts) => ts,
            None => self.ts(action, frame)?,
        };
        let event_id = match event_id.or_else(|| frame.id.map(Into::into)) {
            Some(id) => id,
            None => self.stable_id(action, ts)?,
        };
        let attributes = self.attributes(frame);
        let kept = |field| word(field).and_then(|text| cut(&text, frame.limits));
        Ok(Decoded::One(Event::Ticket(TicketEvent {
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
            text: kept(&self.description).or_else(|| kept(&self.name)),
        })))
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
            if let Some(ts) = loose_time(field, key)? {
                return Ok(ts);
            }
        }
        frame.ts.ok_or_else(|| no_time(order[0].1))
    }

    /// The event id of a notification without one: a hash of ticket id, time and action.
    fn stable_id(&self, action: TicketAction, ts: Timestamp) -> Result<Box<str>, Reject> {
        let missing = || Reject::field("id", "is missing, and so is `eventId`: send one");
        let id = word_of(&self.id, "id")?.ok_or_else(missing)?;
        let word = match action {
            TicketAction::Create => "create",
            TicketAction::Update => "update",
            TicketAction::Resolve => "resolve",
            TicketAction::Reopen => "reopen",
        };
        Ok(hashed(&[&id, &ts.to_string(), word]))
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
