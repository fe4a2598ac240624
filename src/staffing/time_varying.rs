//! Arrivals that change faster than work is done: modified offered load (MOL).
//!
//! What agents have in progress follows the arrivals with a delay of about one handling time. Each window is planned for the
//! largest load within it, as if that load were steady.

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

/// For windows of `width` seconds with steady arrivals in each: the steady arrivals with the largest load of the window.
/// Before the first window, its arrivals were steady for long.
pub fn equivalent_arrivals(arrivals: &[f64], width: f64, seconds: f64) -> Vec<f64> {
    let Some(first) = arrivals.first() else { return Vec::new() };
    let mut load = OfferedLoad::steady(first / width, seconds);
    arrivals.iter().map(|in_window| load.step(in_window / width, width) / seconds * width).collect()
}
