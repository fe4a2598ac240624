//! Clocks: the machine's, a fast one for the demo, and one that tests set by hand.
#![allow(clippy::disallowed_methods, reason = "the one place that reads the machine's clocks")]

mod steady;

pub use steady::{Jump, Readings, SteadyClock};

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use crate::domain::{Clock, Timestamp};

/// The machine's clock: real time.
#[derive(Clone, Copy, Debug, Default)]
pub struct WallClock;

impl Clock for WallClock {
    fn now(&self) -> Timestamp {
        // A clock that is set to a time before 1970 gives 1970, without a panic.
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(0) + since
    }
}

/// Measures how long something took, for metrics.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts measuring now.
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Seconds since the start.
    pub fn seconds(&self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}

/// A clock that runs `speed` times as fast as real time from a given instant. It is monotonic.
#[derive(Debug)]
pub struct FastClock {
    speed: f64,
    /// The instant at which the clock stops.
    end: Timestamp,
    state: Mutex<Running>,
}

#[derive(Clone, Copy, Debug)]
struct Running {
    /// The clock's time at `since`, or at the time of the pause.
    base: Timestamp,
    /// `None` while paused.
    since: Option<Instant>,
}

impl FastClock {
    /// A running clock that starts at `start`. A speed that is not a positive number is replaced by 1.
    pub fn new(start: Timestamp, speed: f64) -> Self {
        let speed = if speed.is_finite() && speed > 0.0 { speed } else { 1.0 };
        let state = Mutex::new(Running { base: start, since: Some(Instant::now()) });
        Self { speed, end: Timestamp::MAX, state }
    }

    /// The same clock, which stops at `end`.
    pub fn until(mut self, end: Timestamp) -> Self {
        self.end = end;
        self
    }

    /// Simulated seconds per second.
    pub fn speed(&self) -> f64 {
        self.speed
    }

    /// Pauses the clock and returns its time.
    pub fn pause(&self) -> Timestamp {
        let mut state = self.state();
        state.base = self.reading(*state);
        state.since = None;
        state.base
    }

    /// Continues after a pause, from the time at which the clock was paused.
    pub fn resume(&self) {
        let mut state = self.state();
        if state.since.is_none() {
            state.since = Some(Instant::now());
        }
    }

    /// Whether the clock is paused.
    pub fn is_paused(&self) -> bool {
        self.state().since.is_none()
    }

    /// The real time until this clock reaches `at`; zero if it has already done so.
    pub fn wall_until(&self, at: Timestamp) -> Duration {
        at.since(self.now()).div_f64(self.speed)
    }

    fn state(&self) -> MutexGuard<'_, Running> {
        // Both fields are written together, so that the state behind a poisoned lock is consistent.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reading(&self, state: Running) -> Timestamp {
        let ran = state.since.map_or(0.0, |since| since.elapsed().as_secs_f64() * self.speed);
        (state.base + Duration::try_from_secs_f64(ran).unwrap_or(Duration::MAX)).min(self.end)
    }
}

impl Clock for FastClock {
    fn now(&self) -> Timestamp {
        let state = self.state();
        self.reading(*state)
    }
}

/// A clock that tests set by hand.
#[derive(Debug, Default)]
pub struct ManualClock(Mutex<Timestamp>);

impl ManualClock {
    /// A clock set to `now`.
    pub fn new(now: Timestamp) -> Self {
        Self(Mutex::new(now))
    }

    /// Sets the clock, forwards or backwards.
    pub fn set(&self, now: Timestamp) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }

    /// Moves the clock forward.
    pub fn advance(&self, length: Duration) {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *now = *now + length;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paused_clock_continues_from_the_same_time() {
        let start = Timestamp::from_secs(1_767_233_000);
        let clock = FastClock::new(start, 1e6);
        // At a million times real time, any progress is visible.
        while clock.now() == start {
            std::hint::spin_loop();
        }
        let paused = clock.pause();
        assert!(paused > start && clock.is_paused());
        assert_eq!((clock.now(), clock.pause()), (paused, paused));
        clock.resume();
        assert!(clock.now() >= paused);
        assert_eq!(clock.wall_until(start), Duration::ZERO);
    }

    #[test]
    fn a_manual_clock_is_set_by_hand() {
        let clock = ManualClock::new(Timestamp::from_secs(10));
        clock.advance(Duration::from_secs(5));
        assert_eq!(clock.now(), Timestamp::from_secs(15));
        clock.set(Timestamp::from_secs(1));
        assert_eq!(clock.now(), Timestamp::from_secs(1));
    }
}
