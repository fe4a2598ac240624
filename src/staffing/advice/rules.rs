//! Rules of recommendations.

use std::time::Duration;

use super::Kind;
use crate::domain::{HOUR, MINUTE};
use crate::stats::normal;

/// `[recommendations]`. Costs are per agent and hour, in any unit of money.
#[derive(Clone, Debug, PartialEq)]
pub struct AdviceRules {
    pub enabled: bool,
    /// Time from a recommendation of each kind to its earliest start.
    pub move_lead: Duration,
    pub call_in_lead: Duration,
    pub overtime_lead: Duration,
    pub leave_lead: Duration,
    pub announcement_lead: Duration,
    /// A recommendation that begins within this time no longer changes, and no new one except an announcement begins within it.
    pub frozen: Duration,
    /// Minimum length of a recommendation.
    pub least_length: Duration,
    /// Minimum number of agents of a recommendation.
    pub least_agents: u32,
    /// How long people may stay after their shift.
    pub overtime_length: Duration,
    /// Share of the people whose shift ends who may stay longer.
    pub overtime_share: f64,
    /// Share of a team's largest shift that can be called in.
    pub call_in_share: f64,
    /// Share of the people on the schedule who may be offered leave.
    pub leave_share: f64,
    pub move_cost: f64,
    pub call_in_cost: f64,
    pub overtime_cost: f64,
    /// Saving per hour of leave.
    pub leave_saving: f64,
    /// Cost of a missing agent.
    pub shortage_cost: f64,
    /// Share of callers who do not wait because of an announcement: low and high.
    pub deflection: (f64, f64),
    /// Maximum number of recommendations at a time; the largest are kept.
    pub most: usize,
}

impl Default for AdviceRules {
    fn default() -> Self {
        Self {
            enabled: true,
            move_lead: 30 * MINUTE,
            call_in_lead: 2 * HOUR,
            overtime_lead: HOUR,
            leave_lead: HOUR,
            announcement_lead: 5 * MINUTE,
            frozen: 30 * MINUTE,
            least_length: HOUR,
            least_agents: 2,
            overtime_length: 2 * HOUR,
            overtime_share: 0.3,
            call_in_share: 0.2,
            leave_share: 0.25,
            move_cost: 5.0,
            call_in_cost: 40.0,
            overtime_cost: 35.0,
            leave_saving: 20.0,
            shortage_cost: 200.0,
            deflection: (0.1, 0.3),
            most: 100,
        }
    }
}

impl AdviceRules {
    /// Time from now to the earliest start of a recommendation of this kind.
    pub fn lead(&self, kind: Kind) -> Duration {
        match kind {
            Kind::Move => self.move_lead.max(self.frozen),
            Kind::CallIn => self.call_in_lead.max(self.frozen),
            Kind::Overtime => self.overtime_lead.max(self.frozen),
            Kind::OfferLeave => self.leave_lead.max(self.frozen),
            // An announcement only has to be switched on: no person has to come in.
            Kind::Announcement => self.announcement_lead,
        }
    }

    /// The cost per agent and hour; negative for leave, which saves.
    pub fn cost(&self, kind: Kind) -> f64 {
        match kind {
            Kind::Move => self.move_cost,
            Kind::CallIn => self.call_in_cost,
            Kind::Overtime => self.overtime_cost,
            Kind::OfferLeave => -self.leave_saving,
            Kind::Announcement => 0.0,
        }
    }

    /// The reserve that is worth bringing, as a share of the difference between the need of a forecast's 90 % quantile and the
    /// need of its mean. It reaches up to the quantile at which an hour of one more called-in agent costs as much as the
    /// shortage that the agent may end (the critical ratio of the newsvendor problem), if the need were normally distributed.
    pub fn reserve(&self) -> f64 {
        let ratio = 1.0 - self.call_in_cost / self.shortage_cost.max(1e-9);
        let high = normal::quantile(0.9);
        if ratio > 0.5 { (normal::quantile(ratio) / high).min(1.0) } else { 0.0 }
    }

    /// The expected share of callers who do not wait because of an announcement.
    pub fn deflected(&self) -> f64 {
        f64::midpoint(self.deflection.0, self.deflection.1)
    }
}
