//! Erlang A, computed so that it stays finite at any load.

use std::time::Duration;

use super::line::Line;
use super::{Answer, Demand, ModelTerms, Queue, erlang_b};
use crate::staffing::basis::Goal;
use crate::staffing::error::ProfileError;
use crate::staffing::target::ServiceTarget;

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

    fn answer(&self, demand: &Demand, n: u32) -> Answer {
        if n == 0 {
            return Answer::nobody(self.patience);
        }
        let (load, servers) = (demand.load(), f64::from(n));
        // States with a free agent weigh this, where the state with none free and none waiting weighs 1.
        let below = servers / load / erlang_b(load, n - 1);
        Answer::of_line(demand, servers / demand.aht, self.patience, below)
    }
}

impl Answer {
    /// The results without positions: everybody waits until they hang up.
    pub(super) fn nobody(patience: Duration) -> Self {
        Self {
            service_level: 0.0,
            asa_seconds: patience.as_secs_f64(),
            occupancy: 1.0,
            p_wait: 1.0,
            p_abandon: 1.0,
        }
    }

    /// The results for impatient customers who wait for `serve` completions per second; see [`Line::waiting`] for `below`.
    pub(super) fn of_line(demand: &Demand, serve: f64, patience: Duration, below: f64) -> Self {
        let abandon = 1.0 / patience.as_secs_f64();
        let line = Line { arrivals: demand.arrivals, serve, abandon };
        let waiting = line.waiting(below, demand.target.within.as_secs_f64());
        Self {
            service_level: waiting.service_level,
            asa_seconds: waiting.p_abandon / abandon,
            occupancy: (demand.arrivals * (1.0 - waiting.p_abandon) / serve).min(1.0),
            p_wait: waiting.p_wait,
            p_abandon: waiting.p_abandon,
        }
    }
}
