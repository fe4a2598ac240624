//! A clock that notices jumps of the machine's clock against its monotonic one, and follows them only once they last.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use crate::domain::{Clock, Timestamp};

/// Smaller differences between two readings are corrections of the clock, and are followed at once.
const NOTICED_MS: i64 = 10_000;
/// A jump is followed once it has lasted this long. So a clock that is wrong for a moment finalizes no windows.
const FOLLOWED_AFTER: Duration = Duration::from_secs(60);

/// A source of wall-clock time, and of monotonic time since any instant.
pub type Readings = Box<dyn Fn() -> (Timestamp, Duration) + Send + Sync>;

/// The machine's clock without short jumps.
pub struct SteadyClock {
    readings: Readings,
    state: Mutex<State>,
}

struct State {
    /// Wall-clock time and monotonic time at the last reading without a jump.
    base: (Timestamp, Duration),
    /// Monotonic time of a jump that is not followed yet.
    jumped_at: Option<Duration>,
    /// Jumps that were not taken by [`SteadyClock::take_jumps`] yet.
    jumps: Vec<Jump>,
}

/// A jump of the machine's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Jump {
    /// Milliseconds forward; negative for backward.
    pub by_ms: i64,
    /// The time without the jump.
    pub expected: Timestamp,
}

impl Default for SteadyClock {
    fn default() -> Self {
        let start = Instant::now();
        Self::new(Box::new(move || {
            let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            (Timestamp::from_millis(0) + since.unwrap_or_default(), start.elapsed())
        }))
    }
}

impl SteadyClock {
    /// A clock that uses these readings.
    pub fn new(readings: Readings) -> Self {
        let base = readings();
        let state = Mutex::new(State { base, jumped_at: None, jumps: Vec::new() });
        Self { readings, state }
    }

    /// Jumps since the last call.
    pub fn take_jumps(&self) -> Vec<Jump> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut state.jumps)
    }
}

impl Clock for SteadyClock {
    fn now(&self) -> Timestamp {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // Under the lock: readings of several threads are in order.
        let (wall, monotonic) = (self.readings)();
        let expected = state.base.0 + monotonic.saturating_sub(state.base.1);
        let by_ms = wall.millis() - expected.millis();
        if by_ms.abs() < NOTICED_MS {
            state.base = (wall, monotonic);
            state.jumped_at = None;
            return wall;
        }
        let Some(jumped_at) = state.jumped_at else {
            state.jumped_at = Some(monotonic);
            state.jumps.push(Jump { by_ms, expected });
            return expected;
        };
        if monotonic.saturating_sub(jumped_at) < FOLLOWED_AFTER {
            return expected;
        }
        state.base = (wall, monotonic);
        state.jumped_at = None;
        wall
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_jump_is_noticed_once_and_followed_once_it_lasts() {
        /// Monotonic second, wall-clock second, expected reading, and jumps in milliseconds.
        type Step = (u64, i64, i64, &'static [i64]);
        let cases: [(&str, &[Step]); 5] = [
            ("no jump", &[(1, 1001, 1001, &[]), (9000, 10_000, 10_000, &[])]),
            ("a correction", &[(1, 1010, 1010, &[]), (2, 1003, 1003, &[])]),
            (
                "a day ahead for 15 s",
                &[
                    (1, 87_401, 1001, &[86_400_000]),
                    (15, 87_415, 1015, &[]),
                    (16, 1016, 1016, &[]),
                    (80, 1080, 1080, &[]),
                ],
            ),
            (
                "an hour back for good",
                &[(1, -2599, 1001, &[-3_600_000]), (60, -2540, 1060, &[]), (61, -2539, -2539, &[])],
            ),
            (
                "twice",
                &[
                    (1, 2001, 1001, &[1_000_000]),
                    (2, 1002, 1002, &[]),
                    (3, 2003, 1003, &[1_000_000]),
                ],
            ),
        ];
        for (name, steps) in cases {
            let now = Arc::new(Mutex::new((0_u64, 1000_i64)));
            let readings = now.clone();
            let clock = SteadyClock::new(Box::new(move || {
                let (monotonic, wall) = *readings.lock().expect("no panic");
                (Timestamp::from_secs(wall), Duration::from_secs(monotonic))
            }));
            for (monotonic, wall, want, jumps) in steps {
                *now.lock().expect("no panic") = (*monotonic, *wall);
                assert_eq!(clock.now(), Timestamp::from_secs(*want), "{name} at {monotonic}");
                let noticed: Vec<i64> = clock.take_jumps().iter().map(|jump| jump.by_ms).collect();
                assert_eq!(noticed, *jumps, "{name} at {monotonic}");
            }
        }
    }
}
