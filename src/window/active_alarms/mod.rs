//! Alarm state, which outlives windows: what stands at a given event time.
//!
//! Transitions take effect up to the instant that is asked for, each alarm's in the order of event time, so that the
//! answer for a window's end does not depend on how much of the log had been read when it was asked. A storm is
//! kept small: names once, and of a transition what is needed.
//!
//! A raise of an alarm that stands changes it and is no arrival, whatever its format calls it. A clear ends an alarm
//! once it has held for a while; a raise before that takes it back (debouncing). An alarm that is raised again and
//! again chatters: its clears are held for longer, so that it stands as one until it has been quiet. When a
//! system has rebuilt its list (TS 28.532), its alarms that nothing is heard of within a while are over.

mod alarm;
mod book;
mod life;
mod rules;
mod step;
mod tally;
#[cfg(test)]
mod tests;

pub use alarm::{ActiveAlarm, Transition};
pub use book::AlarmBook;
pub use rules::{AlarmRules, STALE_AFTER};
pub use tally::Tally;
