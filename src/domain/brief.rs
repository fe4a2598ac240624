//! What counting needs of an event, borrowed.

use super::{AlarmAction, Event, Severity, TicketAction, Timestamp};

/// Where an event counts; names are valid ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place<'a> {
    Tickets { region: &'a str, service: &'a str, channel: &'a str },
    Alarms { region: &'a str, service: &'a str },
    Maintenance,
}

/// What an event counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Ticket,
    Raise(Severity),
    Clear,
    /// No arrival: a change, an update, a notice of maintenance.
    Other,
}

/// What counting needs of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Brief<'a> {
    pub ts: Timestamp,
    /// The duplicate key.
    pub id: &'a str,
    pub place: Place<'a>,
    pub what: What,
    /// What the customer said, of a ticket; never empty.
    pub text: Option<&'a str>,
}

impl<'a> From<&'a Event> for Brief<'a> {
    fn from(event: &'a Event) -> Self {
        let (place, what, text) = match event {
            Event::Ticket(ticket) => {
                let series = &ticket.series;
                let place = Place::Tickets {
                    region: series.region.as_str(),
                    service: series.service.as_str(),
                    channel: series.channel.as_str(),
                };
                (place, ticket.action.into(), ticket.text.as_deref())
            }
            Event::Alarm(alarm) => {
                let place = Place::Alarms {
                    region: alarm.scope.region.as_str(),
                    service: alarm.scope.service.as_str(),
                };
                let what = match alarm.action {
                    AlarmAction::Raise => What::Raise(alarm.severity),
                    AlarmAction::Clear => What::Clear,
                    AlarmAction::Change => What::Other,
                };
                (place, what, None)
            }
            Event::Maintenance(_) => (Place::Maintenance, What::Other, None),
        };
        Self { ts: event.ts(), id: event.id(), place, what, text }
    }
}

impl From<TicketAction> for What {
    fn from(action: TicketAction) -> Self {
        match action {
            TicketAction::Create => Self::Ticket,
            TicketAction::Update | TicketAction::Resolve | TicketAction::Reopen => Self::Other,
        }
    }
}
