//! Work with a cluster that may be away: session after session, with a wait between those that fail.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::clock::Stopwatch;
use crate::kafka::{self, KafkaProblem};
use crate::telemetry::Health;

/// Runs sessions until one ends well or `stop` is set. The wait doubles from `wait.0` to `wait.1`, and starts over after
/// a session that lasted longer than that.
pub fn run(
    stop: &AtomicBool,
    health: &Health,
    wait: (Duration, Duration),
    mut session: impl FnMut() -> Result<(), KafkaProblem>,
) {
    let mut next = wait.0;
    while !stop.load(Ordering::Relaxed) {
        let began = Stopwatch::start();
        let Err(problem) = session() else { return };
        kafka::report(health, &problem.0);
        if began.seconds() > wait.1.as_secs_f64() {
            next = wait.0;
        }
        std::thread::park_timeout(next);
        next = (next * 2).min(wait.1);
    }
}
