//! Reports jumps of the machine's clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::clock::{Jump, SteadyClock, Stopwatch};
use crate::domain::Clock as _;
use crate::telemetry::{Health, Metrics};

const COMPONENT: &str = "clock";
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long a jump is shown in `/ready`.
const SHOWN_S: f64 = 600.0;

/// Watches a clock until it is stopped.
pub(super) struct ClockWatch {
    pub(super) clock: Arc<SteadyClock>,
    pub(super) health: Arc<Health>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) stop: Arc<AtomicBool>,
}

impl ClockWatch {
    pub(super) fn run(self) {
        let mut shown: Option<Stopwatch> = None;
        while !self.stop.load(Ordering::Relaxed) {
            self.clock.now();
            if self.look() {
                shown = Some(Stopwatch::start());
            } else if shown.is_some_and(|since| since.seconds() > SHOWN_S) {
                shown = None;
                self.health.recovered(COMPONENT);
            }
            std::thread::park_timeout(LOOK_EVERY);
        }
    }

    /// Reports jumps since the last call. Returns whether there were any.
    fn look(&self) -> bool {
        let jumps = self.clock.take_jumps();
        for Jump { by_ms, expected } in &jumps {
            let (seconds, way) = (by_ms.abs() / 1000, if *by_ms > 0 { "forward" } else { "back" });
            self.metrics.clock_jumped();
            let reason = format!(
                "the machine's clock jumped {seconds} s {way} at {expected}: check its time synchronization"
            );
            self.health.degraded(COMPONENT, &reason);
            tracing::error!(
                seconds, way, %expected,
                "clock: the machine's clock jumped; for a minute windows are finalized by the old time; check the time synchronization (timedatectl, chronyc tracking)"
            );
        }
        !jumps.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::domain::Timestamp;
    use crate::telemetry::{Exposition, State};

    #[test]
    fn a_jump_is_counted_and_degrades_health() {
        let wall = Arc::new(Mutex::new(Timestamp::from_secs(1_767_225_600)));
        let readings = wall.clone();
        let clock = SteadyClock::new(Box::new(move || {
            (*readings.lock().expect("no panic"), Duration::ZERO)
        }));
        let watch = ClockWatch {
            clock: Arc::new(clock),
            health: Arc::default(),
            metrics: Arc::default(),
            stop: Arc::default(),
        };
        watch.clock.now();
        assert!(!watch.look());
        *wall.lock().expect("no panic") = Timestamp::from_secs(1_767_225_600 + 86_400);
        watch.clock.now();
        assert!(watch.look());
        let report = watch.health.report();
        let state = report.components.get(COMPONENT).expect("is shown");
        assert!(
            matches!(state, State::Degraded(reason) if reason.contains("jumped 86400 s forward"))
        );
        assert!(watch.metrics.text(Exposition::Classic).contains("surgecast_clock_jumps_total 1"));
    }
}
