//! Active alarms at a given event time.
//!
//! Messages take effect in order of event time, up to the requested instant. The answer for a window's end therefore does not
//! depend on how much of the log had been read. To save memory in an alarm storm, each name is held once, and only the needed
//! fields of a message are kept.
//!
//! - A raise of an active alarm changes it and does not count as an arrival, whatever its format calls it.
//! - A clear ends an alarm once it has been held for a while. A raise during that time cancels the clear (debouncing).
//! - An alarm that is raised again and again chatters. Its clears are held for longer, so that it stays one active alarm
//!   until it has been quiet.
//! - When a system rebuilds its alarm list (3GPP TS 28.532), its alarms that are not sent again in time end.

mod alarm;
mod book;
mod life;
mod pairing;
mod rules;
mod step;
mod tally;
#[cfg(test)]
mod tests;
mod types;

pub use alarm::{ActiveAlarm, Transition};
pub use book::{AlarmBook, ENDED_KEPT};
pub use pairing::Pairing;
pub use rules::{AlarmRules, STALE_AFTER};
pub use tally::Tally;
pub use types::{AlarmTypes, OTHER_TYPES, TypeCount, most_frequent, short_type};
