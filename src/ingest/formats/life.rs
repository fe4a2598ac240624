//! Steps in the life of a ticket, of all formats.

use crate::domain::{LifeStep, StepRef, TicketAction, TicketNews, TicketStep, Timestamp};
use crate::ingest::acts::act;
use crate::ingest::field::Field;
use crate::ingest::read::{find, shown};
use crate::ingest::reject::Reject;
use crate::ingest::words::{hashed, letters, word as word_in};

/// Longest time that people work on one ticket, in seconds: a week.
const HANDLED_MAX: u64 = 7 * 86_400;
/// Longest id of a customer, in characters. A longer text is no id.
const CUSTOMER_CHARS_MAX: usize = 128;
/// Maximum number of open tickets in a snapshot.
const OPEN_MAX: u64 = 10_000_000;

/// Actions that are not in [`TicketAction`]: they say something about existing tickets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    Response,
    Abandonment,
    Snapshot,
}

const WORDS: [(&str, Word); 7] = [
    ("respond", Word::Response),
    ("responded", Word::Response),
    ("first_response", Word::Response),
    ("abandon", Word::Abandonment),
    ("abandoned", Word::Abandonment),
    ("snapshot", Word::Snapshot),
    ("backlog", Word::Snapshot),
];

/// What a ticket event does to its ticket.
pub(super) struct Life {
    pub(super) action: TicketAction,
    pub(super) news: Option<TicketNews>,
    /// The word that distinguishes this event from other events of the ticket with the same id: see [`own_id`].
    pub(super) word: Option<&'static str>,
}

/// The action with this name, if it only tells something about open tickets.
pub(super) fn word(text: &str) -> Option<Word> {
    find(text, &WORDS)
}

/// The same for the event type of a wrapper, such as `com.example.ticket.first-response`.
pub(super) fn word_of_type(text: &str) -> Option<Word> {
    let is_response = act(text).is_none() && letters(text).collect::<String>().contains("respon");
    is_response.then_some(Word::Response)
}

/// The first response to a ticket.
pub(super) fn response(ticket_id: Box<str>) -> Life {
    let news = Some(news(ticket_id, LifeStep::FirstResponse, None));
    Life { action: TicketAction::Update, news, word: Some("respond") }
}

/// The customer gave up.
pub(super) fn abandonment(ticket_id: Box<str>) -> Life {
    let news = Some(news(ticket_id, LifeStep::Abandoned, None));
    Life { action: TicketAction::Resolve, news, word: Some("abandon") }
}

/// The step of an action, and the word that distinguishes its event (see [`own_id`]); `None` for an update, which is no step.
pub(in crate::ingest) fn step_of<'a>(
    action: TicketAction,
    ticket_id: &'a str,
    handled: &Field<'_>,
) -> Result<Option<(StepRef<'a>, Option<&'static str>)>, Reject> {
    let (step, word, handled_seconds) = match action {
        TicketAction::Create => (LifeStep::Opened, None, None),
        TicketAction::Update => return Ok(None),
        TicketAction::Resolve => {
            let handled = handled_seconds(handled, "handled_seconds")?;
            (LifeStep::Resolved, Some("resolve"), handled)
        }
        TicketAction::Reopen => (LifeStep::Reopened, Some("reopen"), None),
    };
    Ok(Some((StepRef { ticket_id, step, opened_at: None, handled_seconds }, word)))
}

/// What an action does to its ticket.
pub(super) fn step(
    action: TicketAction,
    ticket_id: &str,
    handled: &Field<'_>,
) -> Result<Life, Reject> {
    let step = step_of(action, ticket_id, handled)?;
    let news = step.map(|(step, _)| TicketNews::Step(step.into()));
    Ok(Life { action, news, word: step.and_then(|(_, word)| word) })
}

/// How many tickets of a series are open.
pub(super) fn snapshot(open: &Field<'_>) -> Result<Life, Reject> {
    if *open == Field::Absent {
        return Err(Reject::field("open", "is missing: a snapshot says how many tickets are open"));
    }
    let open = number(open, "open", OPEN_MAX, "open tickets")?;
    let news = Some(TicketNews::Snapshot { open });
    Ok(Life { action: TicketAction::Update, news, word: None })
}

/// Seconds that people worked on a ticket; `None` if the field is absent or empty.
pub(super) fn handled_seconds(field: &Field<'_>, key: &str) -> Result<Option<u32>, Reject> {
    match field {
        Field::Absent => Ok(None),
        Field::Text(text) if text.trim().is_empty() => Ok(None),
        field => number(field, key, HANDLED_MAX, "seconds").map(Some),
    }
}

/// Id of the customer of a ticket with an id. Without a ticket id nothing is stored about customers, and the field may hold
/// anything.
pub(super) fn customer(field: &Field<'_>, news: Option<&TicketNews>) -> Option<Box<str>> {
    let of_ticket = matches!(news, Some(TicketNews::Step(_)));
    customer_id(&word_in(field).filter(|_| of_ticket)?).map(Into::into)
}

/// The id of a customer; `None` for a text that is too long or holds control characters.
pub(in crate::ingest) fn customer_id(text: &str) -> Option<&str> {
    let is_id = text.chars().count() <= CUSTOMER_CHARS_MAX && !text.contains(char::is_control);
    is_id.then_some(text)
}

/// News of one step.
fn news(ticket_id: Box<str>, step: LifeStep, handled_seconds: Option<u32>) -> TicketNews {
    TicketNews::Step(TicketStep { ticket_id, step, opened_at: None, handled_seconds })
}

/// The duplicate key of a later step. Some senders give all events of a ticket the same id: step and time distinguish them.
pub(in crate::ingest) fn own_id(event_id: &str, step: &str, ts: Timestamp) -> Box<str> {
    hashed(&[event_id, step, &ts.to_string()])
}

/// A number from 0 to `most`, rounded.
fn number(field: &Field<'_>, key: &str, most: u64, of: &str) -> Result<u32, Reject> {
    let value = match field {
        Field::Whole(number) => Some(*number as f64),
        Field::Number(number) => Some(*number),
        Field::Text(text) => text.trim().parse::<f64>().ok(),
        Field::Absent | Field::Other(_) => None,
    };
    let found = || match field {
        Field::Whole(number) => format!("`{number}`"),
        Field::Number(number) => format!("`{number}`"),
        Field::Text(text) => format!("`{}`", shown(text)),
        Field::Absent | Field::Other(_) => field.found().to_owned(),
    };
    match value {
        Some(value) if (0.0..=most as f64).contains(&value) => Ok(value.round() as u32),
        _ => Err(Reject::field(key, format!("is {}: use 0 to {most} {of}", found()))),
    }
}
