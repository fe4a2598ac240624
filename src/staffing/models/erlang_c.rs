//! Erlang C, by recursions that stay finite at any load.

use super::{Answer, Demand, ModelTerms, Queue};
use crate::staffing::error::ProfileError;

/// M/M/n: nobody hangs up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErlangC;

/// Erlang B: probability that all `n` servers are busy and nobody waits.
///
/// `B(0) = 1, B(k) = A·B(k−1) / (k + A·B(k−1))`.
pub fn erlang_b(load: f64, n: u32) -> f64 {
    (1..=n).fold(1.0, |b, k| {
        let carried = load * b;
        carried / (f64::from(k) + carried)
    })
}

/// Erlang C: probability of waiting; 1 if the load is not below `n`.
///
/// `C = n·B / (n − A(1 − B))`.
pub fn erlang_c(load: f64, n: u32) -> f64 {
    let servers = f64::from(n);
    if servers <= load {
        return 1.0;
    }
    let b = erlang_b(load, n);
    servers * b / (servers - load * (1.0 - b))
}

impl Queue for ErlangC {
    fn of_terms(_: &ModelTerms) -> Result<Self, ProfileError> {
        Ok(Self)
    }

    fn name(&self) -> &'static str {
        "erlang-c"
    }

    fn answer(&self, demand: &Demand, n: u32) -> Answer {
        let load = demand.load();
        let spare = f64::from(n) - load;
        if spare <= 0.0 {
            // The queue grows without bound, so in the long run no call is answered in time.
            return Answer {
                service_level: 0.0,
                asa_seconds: f64::INFINITY,
                occupancy: 1.0,
                p_wait: 1.0,
                p_abandon: 0.0,
            };
        }
        let c = erlang_c(load, n);
        let within = demand.target.within.as_secs_f64();
        Answer {
            service_level: 1.0 - c * (-spare * within / demand.aht).exp(),
            asa_seconds: c * demand.aht / spare,
            occupancy: load / f64::from(n),
            p_wait: c,
            p_abandon: 0.0,
        }
    }
}
