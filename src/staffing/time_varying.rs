//! Arrivals that change faster than work is done: modified offered load (MOL).
//!
//! What agents have in progress follows the arrivals with a delay of about one handling time. Each window is planned for the
//! largest load within it, as if that load were steady.

use super::Plan;
use super::models::Rates;
use crate::domain::{Timestamp, WindowWidth};
use crate::text::Stored;

/// Most of a load is left over if it is more than this multiple of the load that a window's own arrivals would bring.
const LEFT_OVER: f64 = 2.0;
/// Erlang. Less is not worth a word.
const LOAD_MIN: f64 = 1.0;
/// The model of work that waits: it is spread over windows, and none of them has a load of its own.
const DEFERRED: &str = "deferred";

/// The load in progress as if nobody had to wait, step by step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OfferedLoad {
    /// Erlang.
    load: f64,
    /// Mean seconds that a contact is in progress.
    seconds: f64,
}

impl OfferedLoad {
    /// After `arrivals` a second that have been steady for long.
    pub fn steady(arrivals: f64, seconds: f64) -> Self {
        Self { load: arrivals * seconds, seconds }
    }

    /// Erlang, now.
    pub fn load(&self) -> f64 {
        self.load
    }

    /// Goes on by `width` seconds with steady `arrivals` a second; returns the largest load on the way.
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
    /// Whether most of the load at the start of a window is that of contacts from the windows before, so that its arrivals do not
    /// explain its need.
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

/// For windows of `width` seconds with steady arrivals in each: the steady arrivals with the largest load of the window.
/// Before the first window, its arrivals were steady for long.
pub fn equivalent_arrivals(arrivals: &[f64], width: f64, seconds: f64) -> Vec<f64> {
    let Some(first) = arrivals.first() else { return Vec::new() };
    let mut load = OfferedLoad::steady(first / width, seconds);
    arrivals.iter().map(|in_window| load.step(in_window / width, width) / seconds * width).collect()
}
