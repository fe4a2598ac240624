//! An active alarm and its transitions.

use std::sync::Arc;

use crate::domain::{Scope, Severity, Timestamp};

/// An active alarm: it was raised and has not ended.
#[derive(Clone, Debug, PartialEq)]
pub struct ActiveAlarm {
    pub alarm_id: Arc<str>,
    pub scope: Arc<Scope>,
    pub severity: Severity,
    pub raised_at: Timestamp,
    pub changed_at: Timestamp,
    pub device: Option<Arc<str>>,
    pub alarm_type: Option<Arc<str>>,
    /// Raises of a chattering alarm since it was last quiet; 0 for any other alarm.
    pub flaps: u32,
    /// Whether its system has rebuilt its alarm list and has not sent this alarm since.
    pub is_doubtful: bool,
}

/// The beginning or the end of an alarm.
#[derive(Clone, Copy, Debug)]
pub struct Transition<'a> {
    /// The alarm at its beginning, or its last state before its end.
    pub alarm: &'a ActiveAlarm,
    pub is_over: bool,
    /// Event time of the beginning or end.
    pub ts: Timestamp,
    /// When the transition became certain. An end is certain once its clear has been held. It is later than the instant that
    /// the book had reached before.
    pub known_at: Timestamp,
}
