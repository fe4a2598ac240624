//! Arrivals that change faster than work is done: modified offered load (MOL).
//!
//! The number of contacts in progress follows the arrivals with a delay of about one handling time. Each window is planned for
//! the largest load within it, as if that load were steady.

use super::Plan;
use super::models::Rates;
use crate::domain::{Timestamp, WindowWidth};
use crate::text::Stored;

/// Most of a load is left over if it is more than this multiple of the load caused by the window's own arrivals.
const LEFT_OVER: f64 = 2.0;
/// Loads below this (Erlang) are not mentioned.
const LOAD_MIN: f64 = 1.0;
/// The model of deferred work, which is spread over windows, so that no window has a load of its own.
const DEFERRED: &str = "deferred";

/// The load in progress as if nobody had to wait, computed step by step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OfferedLoad {
    /// Erlang.
    load: f64,
    /// Mean seconds that a contact is in progress.
    seconds: f64,
}

impl OfferedLoad {
    /// The state after arrivals that have been steady at `arrivals` per second for a long time.
    pub fn steady(arrivals: f64, seconds: f64) -> Self {
        Self { load: arrivals * seconds, seconds }
    }

    /// The current load, Erlang.
    pub fn load(&self) -> f64 {
        self.load
    }

    /// Advances by `width` seconds with steady `arrivals` per second. Returns the largest load in that time.
    ///
    /// `m' = m·e^(−d/s) + λ·s·(1 − e^(−d/s))`: between its ends the load only rises or only falls.
    pub fn step(&mut self, arrivals: f64, width: f64) -> f64 {
        let before = self.load;
        let kept = (-width / self.seconds).exp();
        self.load = before * kept + arrivals * self.seconds * (1.0 - kept);
        before.max(self.load)
    }
}

impl Plan {
    /// Whether most of the load at the start of a window comes from contacts of earlier windows, so that the window's own
    /// arrivals do not explain its need.
    pub fn is_left_over(&self, start: Timestamp, width: WindowWidth) -> bool {
        let Stored::Value(basis) = &self.basis else { return false };
        let Some(first) = self.targets.first().filter(|_| basis.model != DEFERRED) else {
            return false;
        };
        let at_once = basis.concurrency.max(1);
        let seconds = basis.aht as f64 * f64::from(at_once) / Rates::usual(at_once).full();
        let length = f64::from(width.secs());
        let mut load = OfferedLoad::steady(first.arrivals / length, seconds);
        for target in &self.targets {
            let own = target.arrivals / length;
            if target.start >= start {
                return load.load() >= LOAD_MIN && load.load() > LEFT_OVER * own * seconds;
            }
            load.step(own, length);
        }
        false
    }
}

/// For windows of `width` seconds with steady arrivals in each: the steady arrivals that would cause the largest load of the
/// window. Before the first window, its arrivals are assumed to have been steady for a long time.
pub fn equivalent_arrivals(arrivals: &[f64], width: f64, seconds: f64) -> Vec<f64> {
    let Some(first) = arrivals.first() else { return Vec::new() };
    let mut load = OfferedLoad::steady(first / width, seconds);
    arrivals.iter().map(|in_window| load.step(in_window / width, width) / seconds * width).collect()
}
