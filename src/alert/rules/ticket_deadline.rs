//! `ticket_deadline`: open tickets are about to miss the deadline of their agreement.

use super::{Deadlines, Rule, RuleInputs, RuleLimits, Sighting};

/// The level is the number of open tickets of a region and service whose clock is at risk. Tickets that have already missed
/// their deadline do not count: nobody can help them. The minimum is the same number.
pub(super) struct TicketDeadline;

impl Rule for TicketDeadline {
    fn name(&self) -> &'static str {
        "ticket_deadline"
    }

    fn defaults(&self) -> RuleLimits {
        RuleLimits::of(1.0, 0.5, 1.0).warning().hold(std::time::Duration::ZERO)
    }

    fn look(&self, inputs: &RuleInputs<'_>, limits: &RuleLimits) -> Vec<Sighting> {
        let sighting = |own: &Deadlines| {
            let at_risk = f64::from(own.at_risk);
            let seen = Sighting::new(&own.scope, at_risk, at_risk >= limits.minimum);
            seen.count("at_risk", at_risk).count("breached", f64::from(own.breached))
        };
        inputs.deadlines.iter().map(sighting).collect()
    }
}
