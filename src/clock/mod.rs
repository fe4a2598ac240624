//! The clocks: the wall's, a fast one for the demo, one that tests move by hand.
#![allow(clippy::disallowed_methods, reason = "the one place that reads the machine's clocks")]

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use crate::domain::{Clock, Timestamp};

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct WallClock;

impl Clock for WallClock {
    fn now(&self) -> Timestamp {
        // A machine set to before 1970 reads as 1970: wrong, but no panic.
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

/// Runs `speed` times as fast as the wall from a given instant; never backwards, whatever the
/// wall's clock does.
#[derive(Debug)]
pub struct FastClock {
    speed: f64,
    /// Where it stops for good.
    end: Timestamp,
    state: Mutex<Running>,
}

#[derive(Clone, Copy, Debug)]
struct Running {
    /// What the clock showed at `since`, or shows while it is paused.
    base: Timestamp,
    /// `None` while paused.
    since: Option<Instant>,
}

impl FastClock {
    /// Starts at `start` and runs. A speed that is no positive number counts as 1.
    pub fn new(start: Timestamp, speed: f64) -> Self {
        let speed = if speed.is_finite() && speed > 0.0 { speed } else { 1.0 };
        let state = Mutex::new(Running { base: start, since: Some(Instant::now()) });
        Self { speed, end: Timestamp::MAX, state }
    }

    /// The same clock, standing still once it shows `end`.
    pub fn until(mut self, end: Timestamp) -> Self {
        self.end = end;
        self
    }

    /// Demo seconds per second.
    pub fn speed(&self) -> f64 {
        self.speed
    }

    /// Stops and says where: persist this and start there again.
    pub fn pause(&self) -> Timestamp {
        let mut state = self.state();
        state.base = self.reading(*state);
        state.since = None;
        state.base
    }

    /// Runs on from where it was paused.
    pub fn resume(&self) {
        let mut state = self.state();
        if state.since.is_none() {
            state.since = Some(Instant::now());
        }
    }

    /// Whether it stands still until it is resumed.
    pub fn is_paused(&self) -> bool {
        self.state().since.is_none()
    }

    /// How long the wall takes until this clock shows `at`: zero if it already does.
    pub fn wall_until(&self, at: Timestamp) -> Duration {
        at.since(self.now()).div_f64(self.speed)
    }

    fn state(&self) -> MutexGuard<'_, Running> {
        // The two fields are written together: a poisoned lock still holds a good reading.
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

/// Shows what it was set to.
#[derive(Debug, Default)]
pub struct ManualClock(Mutex<Timestamp>);

impl ManualClock {
    /// A clock that shows `now`.
    pub fn new(now: Timestamp) -> Self {
        Self(Mutex::new(now))
    }

    /// Moves it to `now`, backwards too.
    pub fn set(&self, now: Timestamp) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }

    /// Moves it on.
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
    fn a_paused_clock_stands_and_goes_on_from_there() {
        let start = Timestamp::from_secs(1_767_233_000);
        let clock = FastClock::new(start, 1e6);
        // At a million times the wall's speed any progress at all is visible.
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
    fn a_manual_clock_moves_by_hand() {
        let clock = ManualClock::new(Timestamp::from_secs(10));
        clock.advance(Duration::from_secs(5));
        assert_eq!(clock.now(), Timestamp::from_secs(15));
        clock.set(Timestamp::from_secs(1));
        assert_eq!(clock.now(), Timestamp::from_secs(1));
    }
}
