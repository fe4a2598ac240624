//! How wide the band has to be: dispersion per lead, learned from scored vintages.

use serde::{Deserialize, Serialize};

/// Dispersion before anything was scored, and the weight it keeps.
const PRIOR: f64 = 0.03;
const PRIOR_WEIGHT: f64 = 20.0;
/// Scores after which one counts half: about a week of windows.
const HALF_LIFE: f64 = 672.0;
/// A single surge must not blow up the band for days.
const TERM_MAX: f64 = 4.0;
const DISPERSION: (f64, f64) = (0.002, 1.5);
/// Lead buckets: up to one hour, up to three, more.
pub const LEADS: usize = 3;
/// Their upper ends, minutes.
const BUCKETS: [u32; LEADS] = [60, 180, u32::MAX];

/// Exponentially weighted sums per lead bucket.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Σ weight · max(m², 1)-scaled excess variance, and Σ weight.
    sums: [(f64, f64); LEADS],
}

impl Calibration {
    /// φ for a lead.
    pub fn dispersion(&self, lead_minutes: u32) -> f64 {
        let (excess, weight) = self.sums[bucket(lead_minutes)];
        let mean = (excess + PRIOR * PRIOR_WEIGHT) / (weight + PRIOR_WEIGHT);
        mean.clamp(DISPERSION.0, DISPERSION.1)
    }

    /// Learns from one scored window: moments of `(y − m)² = m + φ m²`, weighted by what m can tell.
    pub fn learn(&mut self, lead_minutes: u32, mean: f64, actual: f64) {
        if !(mean.is_finite() && actual.is_finite()) || mean <= 0.0 {
            return;
        }
        let term = (((actual - mean).powi(2) - mean) / (mean * mean)).clamp(-TERM_MAX, TERM_MAX);
        // Small means say little of φ: their noise is Poisson's.
        let weight = mean / (mean + 10.0);
        // Several leads of one bucket are scored at once: together they age it by one window.
        let keep = 0.5f64.powf(1.0 / (HALF_LIFE * bucket_leads(lead_minutes)));
        let sums = &mut self.sums[bucket(lead_minutes)];
        *sums = (sums.0 * keep + weight * term, sums.1 * keep + weight);
    }
}

/// The lead bucket of a target that starts `lead_minutes` after the origin.
pub fn bucket(lead_minutes: u32) -> usize {
    BUCKETS.iter().position(|end| lead_minutes < *end).unwrap_or(2)
}

fn bucket_leads(lead_minutes: u32) -> f64 {
    [4.0, 8.0, 12.0][bucket(lead_minutes)]
}
