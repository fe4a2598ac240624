//! The parts of an event that counting needs, borrowed.

use super::{AlarmAction, Event, Severity, TicketAction, Timestamp};

/// The series or scope in which an event counts. The names are valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place<'a> {
    Tickets { region: &'a str, service: &'a str, channel: &'a str },
    Alarms { region: &'a str, service: &'a str },
    Maintenance,
}

/// The counter to which an event adds one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CountsAs {
    Ticket,
    Raise(Severity),
    Clear,
    /// Not an arrival: a change, an update, or maintenance.
    Other,
}

/// The parts of an event that counting needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Brief<'a> {
    pub ts: Timestamp,
    /// The duplicate key.
    pub id: &'a str,
    pub place: Place<'a>,
    pub counts_as: CountsAs,
    /// The text of a ticket; never empty.
    pub text: Option<&'a str>,
}

impl<'a> From<&'a Event> for Brief<'a> {
    fn from(event: &'a Event) -> Self {
        let (place, counts_as, text) = match event {
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
                let counts_as = match alarm.action {
                    AlarmAction::Raise => CountsAs::Raise(alarm.severity),
                    AlarmAction::Clear => CountsAs::Clear,
                    AlarmAction::Change => CountsAs::Other,
                };
                (place, counts_as, None)
            }
            Event::Maintenance(_) => (Place::Maintenance, CountsAs::Other, None),
        };
        Self { ts: event.ts(), id: event.id(), place, counts_as, text }
    }
}

impl From<TicketAction> for CountsAs {
    fn from(action: TicketAction) -> Self {
        match action {
            TicketAction::Create => Self::Ticket,
            TicketAction::Update | TicketAction::Resolve | TicketAction::Reopen => Self::Other,
        }
    }
}
