//! Sessions with a cluster that may be unavailable, with a wait after each failed session.

use std::sync::atomic::{AtomicBool, Ordering};

use super::{KafkaProblem, report};
use crate::clock::Stopwatch;
use crate::domain::Backoff;
use crate::telemetry::Health;

/// Runs sessions until one ends without an error or `stop` is set. The back-off starts over after a session that lasted
/// longer than the longest wait.
pub fn run(
    stop: &AtomicBool,
    health: &Health,
    mut backoff: Backoff,
    mut session: impl FnMut() -> Result<(), KafkaProblem>,
) {
    while !stop.load(Ordering::Relaxed) {
        let began = Stopwatch::start();
        let Err(problem) = session() else { return };
        report(health, &problem.0);
        if began.seconds() > backoff.longest().as_secs_f64() {
            backoff.reset();
        }
        std::thread::park_timeout(backoff.next_wait());
    }
}
