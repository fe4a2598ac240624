//! One alarm, and what is told of it.

use std::sync::Arc;

use crate::domain::{Scope, Severity, Timestamp};

/// An alarm that has been raised and is not over.
#[derive(Clone, Debug, PartialEq)]
pub struct ActiveAlarm {
    pub alarm_id: Arc<str>,
    pub scope: Arc<Scope>,
    pub severity: Severity,
    pub raised_at: Timestamp,
    pub changed_at: Timestamp,
    pub device: Option<Arc<str>>,
    pub alarm_type: Option<Arc<str>>,
    /// How often a chattering alarm was raised since it was last quiet; 0 of any other.
    pub flaps: u32,
    /// Its system has rebuilt its list, and it has not been heard of since.
    pub is_doubtful: bool,
}

/// An alarm that begins to stand, or is over.
#[derive(Clone, Copy, Debug)]
pub struct Transition<'a> {
    /// As it was when it began, or last.
    pub alarm: &'a ActiveAlarm,
    pub is_over: bool,
    /// When it began, or was over.
    pub ts: Timestamp,
    /// Since when that is known: a clear is held. Later than the instant that was reached before.
    pub known_at: Timestamp,
}
