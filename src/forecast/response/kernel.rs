//! Kernels: how a channel's complaints rise after the onset of a fault, and fall after its end.

use super::prior::ChannelPrior;

/// Knots of the piecewise linear curves, minutes.
pub(super) const KNOTS: [f64; 13] =
    [0.0, 10.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 240.0, 360.0, 540.0, 900.0];
/// Minutes between two entries of the tables, and their number (a day).
const STEP: f64 = 5.0;
const ENTRIES: usize = 288;
/// Time constant of the fall beyond the last knot, minutes.
const BEYOND: f64 = 200.0;

/// Knots of the piecewise linear morning backlog, in minutes after customers wake up; zero beyond.
pub(super) const WAKING_KNOTS: [f64; 11] =
    [0.0, 30.0, 60.0, 90.0, 120.0, 150.0, 180.0, 210.0, 240.0, 300.0, 360.0];

/// One channel's curves.
#[derive(Clone, Debug)]
pub(super) struct Kernel {
    /// By knot after the onset: strength, from 0.
    pub(super) up: [f64; KNOTS.len()],
    /// By knot after the end: remaining share, from 1.
    pub(super) down: [f64; KNOTS.len()],
    /// By knot after customers wake up ([`WAKING_KNOTS`]): strength of delayed complaints.
    pub(super) waking: [f64; WAKING_KNOTS.len()],
    tables: Box<[[f32; 2]; ENTRIES]>,
}

impl Kernel {
    pub(super) fn new(
        up: [f64; KNOTS.len()],
        down: [f64; KNOTS.len()],
        waking: [f64; WAKING_KNOTS.len()],
    ) -> Self {
        let mut tables = Box::new([[0.0; 2]; ENTRIES]);
        for (i, entry) in tables.iter_mut().enumerate() {
            let minutes = i as f64 * STEP;
            let last = KNOTS[KNOTS.len() - 1];
            let beyond = (-(minutes - last).max(0.0) / BEYOND).exp();
            *entry =
                [interpolated(&up, minutes) as f32, (interpolated(&down, minutes) * beyond) as f32];
        }
        Self { up, down, waking, tables }
    }

    pub(super) fn of_prior(prior: ChannelPrior, backlog: f64) -> Self {
        let up = KNOTS.map(|m| prior.share * (1.0 - (-m / prior.rise).exp()));
        // A triangle with its peak two and a half hours after waking.
        let waking = WAKING_KNOTS
            .map(|m| prior.share * backlog * (1.0 - (m - 150.0).abs() / 210.0).max(0.0));
        Self::new(up, KNOTS.map(|m| (-m / prior.fall).exp()), waking)
    }

    /// Strength `since` minutes after the onset; 0 before.
    pub(super) fn rise(&self, since: f64) -> f64 {
        if since <= 0.0 { 0.0 } else { self.table(since, 0) }
    }

    /// Remaining share `since` minutes after the end.
    pub(super) fn fall(&self, since: f64) -> f64 {
        if since <= 0.0 { 1.0 } else { self.table(since, 1) }
    }

    /// Strength of delayed complaints `since` minutes after customers wake up.
    pub(super) fn waking(&self, since: f64) -> f64 {
        if !(0.0..WAKING_KNOTS[WAKING_KNOTS.len() - 1]).contains(&since) {
            return 0.0;
        }
        let (i, share) = knot(&WAKING_KNOTS, since);
        self.waking[i] + share * (self.waking[i + 1] - self.waking[i])
    }

    fn table(&self, since: f64, which: usize) -> f64 {
        let at = (since / STEP).min((ENTRIES - 1) as f64 - 0.001);
        let (i, share) = (at as usize, at.fract());
        let (a, b) = (f64::from(self.tables[i][which]), f64::from(self.tables[i + 1][which]));
        a + share * (b - a)
    }
}

/// The knot before `at`, and the weight of the following knot.
pub(super) fn knot(knots: &[f64], at: f64) -> (usize, f64) {
    let last = knots.len() - 1;
    let i = knots.partition_point(|k| *k <= at).clamp(1, last) - 1;
    (i, ((at - knots[i]) / (knots[i + 1] - knots[i])).clamp(0.0, 1.0))
}

fn interpolated(values: &[f64; KNOTS.len()], minutes: f64) -> f64 {
    let (i, share) = knot(&KNOTS, minutes);
    values[i] + share * (values[i + 1] - values[i])
}
