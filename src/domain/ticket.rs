//! The life of a ticket: what events say about it, besides the arrival.

use serde::{Deserialize, Serialize};

use super::{SeriesKey, Timestamp, Topic};

/// A step in the life of a ticket. Of several steps at the same time, the smaller one is the earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LifeStep {
    /// The ticket was created.
    Opened,
    /// Somebody works on the ticket for the first time.
    FirstResponse,
    /// The ticket needs no more work.
    Resolved,
    /// The ticket needs work again.
    Reopened,
    /// The customer gave up.
    Abandoned,
}

/// A step of one ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketStep {
    pub ticket_id: Box<str>,
    pub step: LifeStep,
    /// When the ticket was created, if the event of a later step contains this time.
    pub opened_at: Option<Timestamp>,
    /// Seconds that people worked on the ticket, if the event that resolves it contains them.
    pub handled_seconds: Option<u32>,
}

/// A [`TicketStep`] that borrows its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepRef<'a> {
    pub ticket_id: &'a str,
    pub step: LifeStep,
    pub opened_at: Option<Timestamp>,
    pub handled_seconds: Option<u32>,
}

impl From<StepRef<'_>> for TicketStep {
    fn from(step: StepRef<'_>) -> Self {
        let StepRef { ticket_id, step, opened_at, handled_seconds } = step;
        Self { ticket_id: ticket_id.into(), step, opened_at, handled_seconds }
    }
}

/// What an event says about open tickets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TicketNews {
    /// A step of one ticket.
    Step(TicketStep),
    /// The number of open tickets of the series.
    Snapshot { open: u32 },
}

/// [`TicketNews`] that borrows its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewsRef<'a> {
    Step(StepRef<'a>),
    Snapshot { open: u32 },
}

impl From<NewsRef<'_>> for TicketNews {
    fn from(news: NewsRef<'_>) -> Self {
        match news {
            NewsRef::Step(step) => Self::Step(step.into()),
            NewsRef::Snapshot { open } => Self::Snapshot { open },
        }
    }
}

impl<'a> From<&'a TicketNews> for NewsRef<'a> {
    fn from(news: &'a TicketNews) -> Self {
        match news {
            TicketNews::Snapshot { open } => Self::Snapshot { open: *open },
            TicketNews::Step(step) => Self::Step(StepRef {
                ticket_id: &step.ticket_id,
                step: step.step,
                opened_at: step.opened_at,
                handled_seconds: step.handled_seconds,
            }),
        }
    }
}

/// How urgent a ticket is, the most urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Priority {
    P1,
    P2,
    P3,
    P4,
}

impl Priority {
    /// All priorities, the most urgent first.
    pub const EVERY: [Self; 4] = [Self::P1, Self::P2, Self::P3, Self::P4];

    /// The name of the priority in files and in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::P1 => "P1",
            Self::P2 => "P2",
            Self::P3 => "P3",
            Self::P4 => "P4",
        }
    }
}

/// The sentiment of a customer's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sentiment {
    Negative,
    Neutral,
    Positive,
}

impl Sentiment {
    /// The name of the sentiment in files and in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Negative => "negative",
            Self::Neutral => "neutral",
            Self::Positive => "positive",
        }
    }
}

/// What an event says about a ticket and its customer, without the customer's words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketFacts {
    /// The priority or severity, as the sender names it.
    pub priority: Option<Box<str>>,
    /// The customer's tier.
    pub tier: Option<Box<str>>,
    /// The topic of the text.
    pub topic: Option<Topic>,
    pub sentiment: Option<Sentiment>,
    /// Id of the customer.
    pub customer: Option<Box<str>>,
}

/// [`TicketFacts`] that borrows its words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct FactsRef<'a> {
    pub priority: Option<&'a str>,
    pub tier: Option<&'a str>,
    pub topic: Option<Topic>,
    pub sentiment: Option<Sentiment>,
    pub customer: Option<&'a str>,
}

impl<'a> From<&'a TicketFacts> for FactsRef<'a> {
    fn from(facts: &'a TicketFacts) -> Self {
        let TicketFacts { priority, tier, topic, sentiment, customer } = facts;
        Self {
            priority: priority.as_deref(),
            tier: tier.as_deref(),
            topic: *topic,
            sentiment: *sentiment,
            customer: customer.as_deref(),
        }
    }
}

impl From<FactsRef<'_>> for TicketFacts {
    fn from(facts: FactsRef<'_>) -> Self {
        let FactsRef { priority, tier, topic, sentiment, customer } = facts;
        Self {
            priority: priority.map(Box::from),
            tier: tier.map(Box::from),
            topic,
            sentiment,
            customer: customer.map(Box::from),
        }
    }
}

/// News about tickets, with time and series.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketMessage {
    pub ts: Timestamp,
    pub series: SeriesKey,
    pub news: TicketNews,
    /// What the event says besides its step; `None` if nothing.
    #[serde(default)]
    pub facts: Option<Box<TicketFacts>>,
}
