//! Erlang A, by recursions that stay finite at any load.

use std::time::Duration;

use super::{Answer, Demand, ModelTerms, Queue};
use crate::staffing::basis::Goal;
use crate::staffing::error::ProfileError;
use crate::staffing::target::ServiceTarget;

/// Relative weight below which a queue state no longer matters.
const TINY: f64 = 1e-18;

/// M/M/n+M: callers hang up after an exponential patience. Stable in overload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErlangA {
    /// Mean time after which a caller who waits hangs up.
    pub patience: Duration,
}

impl Queue for ErlangA {
    fn of_terms(terms: &ModelTerms) -> Result<Self, ProfileError> {
        let Some(patience) = terms.patience else {
            let text = "is missing: erlang-a asks how long callers wait, such as 180s".into();
            return Err(ProfileError { key: "patience", text });
        };
        Ok(Self { patience })
    }

    fn name(&self) -> &'static str {
        "erlang-a"
    }

    fn goals(&self, target: &ServiceTarget) -> Vec<Goal> {
        vec![
            Goal::Answered { share: target.fraction, seconds: target.within.as_secs() },
            Goal::Patience { seconds: self.patience.as_secs() },
        ]
    }

    /// State weights are taken relative to state `n`, so that none overflows.
    fn answer(&self, demand: &Demand, n: u32) -> Answer {
        let (lambda, servers) = (demand.arrivals, f64::from(n));
        let (mu, theta) = (1.0 / demand.aht, 1.0 / self.patience.as_secs_f64());
        let mut below = 0.0;
        let mut weight = 1.0;
        for k in (1..=n).rev() {
            weight *= f64::from(k) * mu / lambda;
            below += weight;
            if weight < TINY * below {
                break;
            }
        }
        let mut queue = vec![1.0];
        let (mut above, mut length) = (1.0, 0.0);
        let mut weight = 1.0;
        for waiting in 1.. {
            let j = f64::from(waiting);
            weight *= lambda / (servers * mu + j * theta);
            above += weight;
            length += j * weight;
            queue.push(weight);
            if weight < TINY * above || waiting >= 1_000_000 {
                break;
            }
        }
        let total = below + above;
        let queued = length / total;
        let p_abandon = theta * queued / lambda;
        let occupancy =
            if n == 0 { 1.0 } else { (lambda * (1.0 - p_abandon) / (servers * mu)).min(1.0) };
        let within = demand.target.within.as_secs_f64();
        let answered = answered_in_time(&queue, servers * mu, theta, within);
        Answer {
            service_level: if n == 0 { 0.0 } else { ((below + answered) / total).clamp(0.0, 1.0) },
            asa_seconds: queued / lambda,
            occupancy,
            p_wait: above / total,
            p_abandon,
        }
    }
}

/// Σ_j w_j · P(a caller who finds j before him is answered within `t`), by uniformisation.
///
/// A caller with j before him moves up at rate `serve + j·theta` and leaves at rate `theta`; `G_j(t)`
/// solves `G_j' = (serve + j·θ) G_{j−1} − (serve + (j+1)·θ) G_j` with `G_{−1} = 1`, `G_j(0) = 0`.
fn answered_in_time(queue: &[f64], serve: f64, theta: f64, t: f64) -> f64 {
    if serve <= 0.0 || t <= 0.0 {
        return 0.0;
    }
    // Queue places that hold all but a millionth of the weight.
    let whole: f64 = queue.iter().sum();
    let mut kept = 0.0;
    let places = queue
        .iter()
        .position(|w| {
            kept += w;
            kept >= whole * (1.0 - 1e-12)
        })
        .map_or(queue.len(), |last| last + 1);
    let rate = serve + places as f64 * theta;
    let steps = rate * t;
    // g[j] after k steps; the answer mixes them with Poisson(rate·t) weights.
    let mut g = vec![0.0f64; places];
    let mut answered = 0.0;
    let mut ln_weight = -steps;
    let most = (steps + 12.0 * steps.sqrt() + 40.0) as u32;
    for k in 0..=most {
        let now: f64 = g.iter().zip(queue).map(|(g, w)| g * w).sum();
        answered += ln_weight.exp() * now;
        ln_weight += steps.ln() - f64::from(k + 1).ln();
        let mut before = 1.0;
        for (j, slot) in g.iter_mut().enumerate() {
            let (up, leave) = (serve + j as f64 * theta, theta);
            let old = *slot;
            *slot = (up * before + (rate - up - leave) * old) / rate;
            before = old;
        }
    }
    answered
}
