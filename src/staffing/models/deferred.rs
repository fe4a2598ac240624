//! Work that may wait within its window.

use super::{Answer, Demand, ModelTerms, Queue};
use crate::staffing::basis::Goal;
use crate::staffing::error::ProfileError;
use crate::staffing::target::ServiceTarget;

/// Arrivals × handling time / occupancy: what matters is that there is enough capacity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deferred;

impl Queue for Deferred {
    fn of_terms(_: &ModelTerms) -> Result<Self, ProfileError> {
        Ok(Self)
    }

    fn name(&self) -> &'static str {
        "deferred"
    }

    fn goals(&self, _: &ServiceTarget) -> Vec<Goal> {
        vec![Goal::WithinWindow]
    }

    fn level(&self, _: &ServiceTarget) -> f64 {
        1.0
    }

    fn answer(&self, demand: &Demand, n: u32) -> Answer {
        let (load, people) = (demand.load(), f64::from(n));
        let capacity = people * demand.max_occupancy.unwrap_or(1.0);
        Answer {
            service_level: if n == 0 { 0.0 } else { (capacity / load).min(1.0) },
            asa_seconds: 0.0,
            occupancy: if n == 0 { 1.0 } else { (load / people).min(1.0) },
            p_wait: 1.0,
            p_abandon: 0.0,
        }
    }
}
