//! The vocabulary of all rooms: time, windows, series, events and sources.
//!
//! This room contains only values. Wire formats, storage and clocks are in other rooms; only the trait [`Clock`] is here.

mod audit;
mod backoff;
mod brief;
mod civil;
mod duration;
mod event;
#[cfg(test)]
pub(crate) mod fuzz;
mod hours;
mod moment;
mod printable;
mod rfc3339;
mod series;
mod source;
mod ticket;
mod ticket_batch;
mod time;
mod topic;
mod window;

pub use audit::{Act, AuditEntry};
pub use backoff::{Backoff, with_jitter};
pub use brief::{Brief, CountsAs, Place};
pub use civil::{Zone, ZoneError};
pub use duration::{DAY, DurationError, HOUR, MINUTE, WEEK, format_duration, parse_duration};
pub use event::{
    AlarmAction, AlarmEvent, Event, EventKind, Keyed, ListRebuilt, MaintenanceAction,
    MaintenanceEvent, Severity, TicketAction, TicketEvent,
};
pub use hours::{Hours, HoursError};
pub use moment::{Moment, read_instant};
pub use printable::{printable, unprintable};
pub use series::{ALL, Name, NameError, OTHER, Scope, SeriesKey, UNKNOWN};
pub use source::{DeadLetter, Offset, Position, Reason, SourceId};
pub use ticket::{
    FactsRef, LifeStep, NewsRef, Priority, Sentiment, StepRef, TicketFacts, TicketMessage,
    TicketNews, TicketStep,
};
pub use ticket_batch::{TicketBatch, TicketRow};
pub use time::{Clock, TimeError, Timestamp};
pub use topic::{Phrase, TOPICS, TextClassifier, TextCounts, Topic};
pub use window::{WidthError, WindowWidth};
