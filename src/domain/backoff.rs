//! Exponential back-off: how long to wait before a failed operation is tried again.

use std::time::Duration;

/// Waits that double from the first to the longest, until a success resets them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    next: Duration,
}

impl Backoff {
    /// Waits from `first` up to `longest`.
    pub const fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, next: first }
    }

    /// The longest wait.
    pub const fn longest(&self) -> Duration {
        self.longest
    }

    /// The wait before the next try; the one after it is twice as long.
    pub fn next_wait(&mut self) -> Duration {
        let wait = self.next;
        self.next = (wait * 2).min(self.longest);
        wait
    }

    /// Starts over after a success: the next wait is the first one again.
    pub const fn reset(&mut self) {
        self.next = self.first;
    }
}

/// `wait` times 0.75 to 1.25, for a random `share` of 0 to 1, so that many clients do not retry at the same moment.
pub fn with_jitter(wait: Duration, share: f64) -> Duration {
    wait.mul_f64(0.75 + 0.5 * share.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_start_over_after_a_success() {
        let seconds = Duration::from_secs;
        let mut backoff = Backoff::new(seconds(1), seconds(5));
        let waits: Vec<Duration> = (0..5).map(|_| backoff.next_wait()).collect();
        assert_eq!(waits, [1, 2, 4, 5, 5].map(seconds));
        backoff.reset();
        assert_eq!(backoff.next_wait(), seconds(1));
    }

    #[test]
    fn jitter_stays_within_a_quarter() {
        let wait = Duration::from_secs(100);
        assert_eq!(with_jitter(wait, 0.0), Duration::from_secs(75));
        assert_eq!(with_jitter(wait, 0.5), wait);
        assert_eq!(with_jitter(wait, 7.0), Duration::from_secs(125));
    }
}
