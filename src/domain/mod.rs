//! The words everything else is written in: time, windows, series, events, sources.
//!
//! Knows nothing of bytes on a wire, of storage or of a clock: values only.

mod backoff;
mod brief;
mod civil;
mod duration;
mod event;
#[cfg(test)]
pub(crate) mod fuzz;
mod series;
mod source;
mod time;
mod topic;
mod window;

pub use backoff::{Backoff, with_jitter};
pub use brief::{Brief, Place, What};
pub use civil::{Zone, ZoneError};
pub use duration::{DAY, DurationError, HOUR, MINUTE, WEEK, format_duration, parse_duration};
pub use event::{
    AlarmAction, AlarmEvent, Event, EventKind, Keyed, ListRebuilt, MaintenanceAction,
    MaintenanceEvent, Severity, TicketAction, TicketEvent,
};
pub use series::{ALL, Name, NameError, Scope, SeriesKey, UNKNOWN};
pub use source::{DeadLetter, Offset, Position, Reason, SourceId};
pub use time::{Clock, TimeError, Timestamp};
pub use topic::{Listen, Phrase, Spoken, TOPICS, Topic};
pub use window::{WidthError, WindowWidth};
