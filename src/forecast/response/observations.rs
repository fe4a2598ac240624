//! Actual and expected tickets of a site since the start of an episode.

use super::context::{Site, SiteContext};
use super::episode::Episode;
use super::level::{LEVEL_HOURS, level};
use super::model::ResponseModel;

/// Tickets of a site since the start of an episode.
pub(super) struct Observations {
    /// Window of the episode's start.
    pub(super) first: i64,
    pub(super) windows: usize,
    per_hour: usize,
    pub(super) leaves: Vec<LeafObservations>,
}

pub(super) struct LeafObservations {
    pub(super) kernel: usize,
    pub(super) dispersion: f64,
    /// Whether its tickets are used as evidence.
    pub(super) is_evidence: bool,
    /// Tickets, NaN where missing.
    pub(super) count: Vec<f64>,
    /// Tickets expected without the episode.
    pub(super) expected: Vec<f64>,
    /// Tickets for an incident of size 1 at full strength.
    pub(super) unit: Vec<f64>,
    /// Running sums of `count`, `expected` and `unit` over windows with a count.
    running: Vec<[f64; 3]>,
}

impl LeafObservations {
    /// Sums of tickets, expected tickets and units over the windows of `from..to` with a count.
    pub(super) fn sums(&self, from: usize, to: usize) -> [f64; 3] {
        std::array::from_fn(|i| self.running[to][i] - self.running[from][i])
    }

    fn with_running_sums(mut self) -> Self {
        let mut sum = [0.0; 3];
        self.running.push(sum);
        for ((count, expected), unit) in self.count.iter().zip(&self.expected).zip(&self.unit) {
            if !count.is_nan() {
                sum = [sum[0] + count, sum[1] + expected, sum[2] + unit];
            }
            self.running.push(sum);
        }
        self
    }
}

impl Observations {
    /// Reads the tickets since the start. `others`: tickets attributed to other episodes and planned work, by leaf and window.
    pub(super) fn new(
        context: &SiteContext<'_>,
        site: &Site<'_>,
        episode: &Episode,
        hours: i64,
        model: &ResponseModel,
        others: &dyn Fn(usize, i64) -> f64,
    ) -> Self {
        let per_hour = context.width.per_hour() as i64;
        let first = context.width.index(episode.starts);
        let last = (first + hours * per_hour).min(context.origin);
        let level = level(context, site, first - LEVEL_HOURS * per_hour..first, others);
        let leaves = site.leaves.iter().enumerate().map(|(number, leaf)| {
            let windows = first..last;
            let expected: Vec<f64> = windows.clone().map(|i| leaf.expected(i) * level).collect();
            LeafObservations {
                kernel: leaf.kernel,
                is_evidence: leaf.is_evidence,
                dispersion: f64::from(leaf.base.dispersion).clamp(1e-3, 1.0),
                count: windows
                    .clone()
                    .map(|i| leaf.count(i, context.origin).unwrap_or(f64::NAN))
                    .collect(),
                unit: expected.iter().map(|e| leaf.unit(*e, model.daytime)).collect(),
                expected: windows.zip(&expected).map(|(i, e)| e + others(number, i)).collect(),
                running: Vec::with_capacity(expected.len() + 1),
            }
            .with_running_sums()
        });
        let windows = usize::try_from(last - first).unwrap_or(0);
        Self { first, windows, per_hour: per_hour as usize, leaves: leaves.collect() }
    }

    /// Log-likelihood ratio of the tickets at `factor` times the expected level, by hours.
    pub(super) fn gain(&self, factor: f64) -> f64 {
        let (more, hour) = (factor - 1.0, self.per_hour);
        let leaves = self.leaves.iter().filter(|leaf| leaf.is_evidence);
        let gains = leaves.flat_map(|leaf| {
            (0..self.windows).step_by(hour).map(move |from| {
                let [count, expected, _] = leaf.sums(from, (from + hour).min(self.windows));
                let size = 1.0 / leaf.dispersion;
                let all = more * expected / (expected + size);
                count * factor.ln() - (count + size) * all.ln_1p()
            })
        });
        gains.sum()
    }
}
