//! Posterior of one episode, given the tickets since its start: whether customers notice it, since when, and its size.
//!
//! Bayes' rule on a grid of onsets × sizes, against the alternative "harmless". The likelihood is that of negative-binomial
//! counts around the baseline with and without the episode's excess, and of the alarms' duration. The prior is the learned odds.

use super::context::{Site, SiteContext};
use super::episode::Episode;
use super::intensity::IntensityProfile;
use super::model::ResponseModel;
use super::observations::Observations;
use super::onset::{OnsetState, minutes_between};
use crate::stats::logistic;

/// Grid of ln size, standard deviations around the expected one.
const STEPS: [f64; 8] = [-2.1, -1.5, -0.9, -0.3, 0.3, 0.9, 1.5, 2.1];
/// Number of hours of tickets that are used as evidence for an episode.
pub(super) const EVIDENCE_HOURS: i64 = 14;
/// Weight of the log-likelihood, below 1 because errors of neighbouring windows are correlated.
const TEMPER: f64 = 0.8;
/// Grid of ln of the level without an incident, in standard deviations.
const LEVELS: [f64; 5] = [-2.0, -1.0, 0.0, 1.0, 2.0];

/// Posterior of an episode.
pub(super) struct Posterior {
    /// Probability that customers notice it.
    pub(super) real: f64,
    /// Log marginal likelihood relative to no episode.
    pub(super) evidence: f64,
    pub(super) onsets: Vec<OnsetState>,
    pub(super) sizes: [f64; STEPS.len()],
    /// Probabilities by onset and size, given that it is real.
    pub(super) weights: Vec<[f64; STEPS.len()]>,
    /// Mean and variance of ln size, given that it is real.
    pub(super) ln_size: (f64, f64),
    /// Minutes after the start at which the alarms cleared; `None` if they are active.
    pub(super) end: Option<f64>,
}

impl Posterior {
    pub(super) fn new(
        model: &ResponseModel,
        context: &SiteContext<'_>,
        site: &Site<'_>,
        episode: &Episode,
        observations: &Observations,
    ) -> Self {
        let onsets = model.onset.states(episode, site.zone);
        let centre = model.size.of(episode, site);
        let sizes = STEPS.map(|z| (centre + model.size_spread * z).exp());
        let end = episode.ended.map(|at| minutes_between(episode.starts, at));
        let mut posterior = Self {
            real: 0.0,
            evidence: 0.0,
            weights: Vec::with_capacity(onsets.len()),
            onsets,
            sizes,
            ln_size: (centre, model.size_spread.powi(2)),
            end,
        };
        posterior.weigh(model, context, episode, observations);
        posterior.evidence -= level_evidence(observations, model.level_volatility);
        let odds = (model.real.of(episode, site) + model.ending.evidence(episode, context.now()))
            .clamp(-12.0, 12.0);
        let before = logistic(odds);
        posterior.real = logistic(odds + posterior.evidence.clamp(-50.0, 50.0));
        posterior.evidence = if posterior.evidence > 50.0 {
            posterior.evidence + before.ln()
        } else {
            (1.0 - before + before * posterior.evidence.exp()).ln()
        };
        posterior
    }

    /// Computes the weights of onsets and sizes from the tickets; `evidence` becomes the ln of the mean likelihood.
    fn weigh(
        &mut self,
        model: &ResponseModel,
        context: &SiteContext<'_>,
        episode: &Episode,
        observations: &Observations,
    ) {
        let offset = minutes_between(episode.starts, context.width.start(observations.first));
        let minutes = context.minutes();
        let normal = STEPS.map(|z| (-0.5 * z * z).exp());
        let total: f64 = normal.iter().sum();
        let sizes = self.sizes.map(|size| size as f32);
        for state in &self.onsets {
            let intensity = self.intensity(state);
            let mut gain = [0.0f32; STEPS.len()];
            let over = intensity.over(model.ending.hold);
            for leaf in observations.leaves.iter().filter(|leaf| leaf.is_evidence) {
                let kernel = &model.kernels[leaf.kernel];
                let size = 1.0 / leaf.dispersion;
                let begins = ((state.minutes - offset) / minutes).floor().max(0.0) as usize;
                let mut window = begins;
                while window < observations.windows {
                    let from = offset + window as f64 * minutes;
                    if from > over {
                        break;
                    }
                    let block = intensity.block(model.ending.hold, from, minutes);
                    let (first, last) = (window, (window + block).min(observations.windows));
                    window = last;
                    let [count, expected, unit] = leaf.sums(first, last);
                    let middle = from + (last - first - 1) as f64 / 2.0 * minutes;
                    let strength = intensity.strength(model, kernel, middle, minutes);
                    if strength < 0.005 || expected <= 0.0 {
                        continue;
                    }
                    let full = strength * unit;
                    let (a, b) = ((full / expected) as f32, (full / (expected + size)) as f32);
                    let (count, all) = (count as f32, (count + size) as f32);
                    for (gain, s) in gain.iter_mut().zip(sizes) {
                        *gain += count * ln(1.0 + a * s) - all * ln(1.0 + b * s);
                    }
                }
            }
            let prior = |n: f64| (state.weight * n / total).ln();
            self.weights
                .push(std::array::from_fn(|i| prior(normal[i]) + TEMPER * f64::from(gain[i])));
        }
        let most = self.weights.iter().flatten().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = self.weights.iter().flatten().map(|ln| (ln - most).exp()).sum();
        self.evidence = most + sum.ln();
        for row in &mut self.weights {
            *row = row.map(|ln| (ln - most).exp() / sum);
        }
        let by_size = |f: &dyn Fn(f64) -> f64| -> f64 {
            self.weights
                .iter()
                .flat_map(|row| row.iter().zip(self.sizes))
                .map(|(w, s)| w * f(s))
                .sum()
        };
        let mean = by_size(&|s: f64| s.ln());
        self.ln_size = (mean, by_size(&|s: f64| (s.ln() - mean).powi(2)));
    }

    /// Intensity from an onset on, as far as it is known.
    pub(super) fn intensity(&self, state: &OnsetState) -> IntensityProfile {
        let end = self.end.unwrap_or(f64::INFINITY);
        IntensityProfile { onset: state.minutes, end, wake: state.wake }
    }

    /// Onsets with their weights and mean sizes.
    pub(super) fn by_onset(&self) -> impl Iterator<Item = (OnsetState, f64, f64)> + '_ {
        self.onsets.iter().zip(&self.weights).map(|(state, row)| {
            let weight: f64 = row.iter().sum();
            let size: f64 = row.iter().zip(self.sizes).map(|(w, s)| w * s).sum();
            (*state, weight, if weight > 0.0 { size / weight } else { 0.0 })
        })
    }

    /// Expected tickets of the episode in the observed windows, by leaf.
    pub(super) fn expected(
        &self,
        model: &ResponseModel,
        context: &SiteContext<'_>,
        episode: &Episode,
        observations: &Observations,
    ) -> Vec<Vec<f64>> {
        let offset = minutes_between(episode.starts, context.width.start(observations.first));
        let minutes = context.minutes();
        let mut tickets: Vec<Vec<f64>> =
            observations.leaves.iter().map(|_| vec![0.0; observations.windows]).collect();
        for (state, weight, size) in self.by_onset().filter(|(_, weight, _)| *weight > 1e-4) {
            let intensity = self.intensity(&state);
            for (leaf, tickets) in observations.leaves.iter().zip(&mut tickets) {
                let kernel = &model.kernels[leaf.kernel];
                for (window, tickets) in tickets.iter_mut().enumerate() {
                    let from = offset + window as f64 * minutes;
                    let strength = intensity.strength(model, kernel, from, minutes);
                    *tickets += self.real * weight * size * strength * leaf.unit[window];
                }
            }
        }
        tickets
    }
}

/// Log-likelihood ratio of the tickets if the level may change without an incident, against a constant level. `volatility` is
/// the standard deviation of the ln level. It prevents ordinary changes of the level from being evidence for an incident.
fn level_evidence(observations: &Observations, volatility: f64) -> f64 {
    let normal = LEVELS.map(|z| (-0.5 * z * z).exp());
    let levels = LEVELS.iter().zip(normal).map(|(z, weight)| {
        weight * (TEMPER * observations.gain((z * volatility).exp())).clamp(-500.0, 500.0).exp()
    });
    (levels.sum::<f64>() / normal.iter().sum::<f64>()).ln()
}

/// ln of a number of at least 1, to seven digits. It has no calls or branches, so that the compiler can vectorise it.
fn ln(value: f32) -> f32 {
    // √½ ≤ mantissa < √2, and the series of the area hyperbolic tangent.
    let bits = value.to_bits().wrapping_sub(0x3f35_04f3);
    let exponent = ((bits as i32) >> 23) as f32;
    let mantissa = f32::from_bits((bits & 0x007f_ffff).wrapping_add(0x3f35_04f3));
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let q = s * s;
    let series = 1.0 + q * (1.0 / 3.0 + q * (0.2 + q * (1.0 / 7.0)));
    exponent * std::f32::consts::LN_2 + 2.0 * s * series
}

#[cfg(test)]
mod tests {
    use super::ln;

    #[test]
    fn the_fast_logarithm_is_accurate() {
        for i in 0..2000 {
            let value = 1.0 + (i as f32 / 100.0).powi(3);
            let error = (ln(value) - value.ln()).abs();
            assert!(error <= 2e-7 * value.ln() + 2e-7, "{value}: {error}");
        }
    }
}
