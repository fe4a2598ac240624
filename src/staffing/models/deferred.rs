//! Deferred work: e-mail and social media.

use super::{Answer, Demand, ModelTerms, Queue};
use crate::staffing::basis::Goal;
use crate::staffing::error::ProfileError;
use crate::staffing::target::ServiceTarget;

/// Compares capacity with work: the work must be done by the deadline, and the backlog must not grow.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Deferred {
    /// Contacts that wait when the interval begins.
    pub backlog: f64,
}

impl Queue for Deferred {
    fn of_terms(terms: &ModelTerms) -> Result<Self, ProfileError> {
        Ok(Self { backlog: terms.backlog })
    }

    fn name(&self) -> &'static str {
        "deferred"
    }

    fn goals(&self, target: &ServiceTarget) -> Vec<Goal> {
        vec![Goal::Done { share: target.fraction, seconds: target.within.as_secs() }]
    }

    fn has_work(&self, demand: &Demand) -> bool {
        demand.arrivals > 0.0 || self.backlog > 0.0
    }

    fn is_stable(&self, demand: &Demand, n: u32) -> bool {
        self.capacity(demand, n) + 1e-9 >= demand.load()
    }

    /// The service level is the share of the backlog and the arrivals until the deadline that is done by then.
    fn answer(&self, demand: &Demand, n: u32) -> Answer {
        let within = demand.target.within.as_secs_f64();
        let load = demand.load();
        let waiting = if self.backlog > 0.0 { self.backlog * demand.aht / within } else { 0.0 };
        let work = waiting + load;
        let capacity = self.capacity(demand, n);
        let done = capacity.min(work);
        Answer {
            service_level: done / work,
            asa_seconds: 0.0,
            occupancy: if n == 0 { 1.0 } else { done / f64::from(n) },
            p_wait: 1.0,
            p_abandon: 0.0,
        }
    }

    fn carry_over(&self, demand: &Demand, n: u32) -> Option<f64> {
        let within = demand.target.within.as_secs_f64();
        let work = self.backlog + demand.arrivals * within;
        Some((work - self.capacity(demand, n) * within / demand.aht).max(0.0))
    }
}

impl Deferred {
    /// The capacity of `n` people in Erlang.
    fn capacity(&self, demand: &Demand, n: u32) -> f64 {
        f64::from(n) * demand.max_occupancy.unwrap_or(1.0)
    }
}
