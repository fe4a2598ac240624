//! A log line that may be repeated often, but is written at most once a minute.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const EVERY: Duration = Duration::from_secs(60);

/// Limits the rate of one log line, and counts the lines that are left out.
#[derive(Debug, Default)]
pub struct LogLimit(Mutex<(Option<Instant>, u64)>);

impl LogLimit {
    /// No line has been written yet.
    pub const fn new() -> Self {
        Self(Mutex::new((None, 0)))
    }

    /// Call this for each occurrence. Returns the number of occurrences since the last line, if a line may be written now.
    #[allow(
        clippy::disallowed_methods,
        reason = "limits log lines in real time, whatever the clock of the service is"
    )]
    pub fn due(&self) -> Option<u64> {
        self.due_at(Instant::now())
    }

    fn due_at(&self, now: Instant) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (last, count) = &mut *state;
        *count += 1;
        if last.is_some_and(|last| now.duration_since(last) < EVERY) {
            return None;
        }
        *last = Some(now);
        Some(std::mem::take(count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::disallowed_methods, reason = "any instant will do")]
    fn one_line_a_minute_counts_the_rest() {
        let (log_limit, start) = (LogLimit::default(), Instant::now());
        assert_eq!(log_limit.due_at(start), Some(1));
        assert_eq!(log_limit.due_at(start), None);
        assert_eq!(log_limit.due_at(start + EVERY / 2), None);
        assert_eq!(log_limit.due_at(start + EVERY), Some(3));
        assert_eq!(log_limit.due_at(start + EVERY), None);
    }
}
