//! `[recommendations]`: actions that can be recommended, their lead times, and their costs.

use std::time::Duration;

use crate::config::Reader;
use crate::domain::{HOUR, MINUTE};
use crate::staffing::AdviceRules;

/// Maximum lead: the horizon of plans.
const LEAD_MAX: Duration = Duration::from_secs(6 * HOUR.as_secs());
const COST_MAX: f64 = 1e6;

/// Reads the section.
pub fn read(section: Reader<'_>) -> AdviceRules {
    let own = AdviceRules::default();
    let lead = |key, own: Duration| section.length(key, Duration::ZERO..=LEAD_MAX).unwrap_or(own);
    let within = |key, own: f64, most: f64| {
        let found = section.number(key);
        if let Some(value) = found.filter(|value| !(0.0..=most).contains(value)) {
            section.problem(key, format!("found {value}: use a number from 0 to {most}"));
        }
        found.filter(|value| (0.0..=most).contains(value)).unwrap_or(own)
    };
    let (share, cost) = (|key, own| within(key, own, 1.0), |key, own| within(key, own, COST_MAX));
    let whole = |key, range, own: usize| section.count(key, range).unwrap_or(own);
    let least_agents = whole("least_agents", 1..=1000, own.least_agents as usize);
    let rules = AdviceRules {
        enabled: section.flag("enabled").unwrap_or(own.enabled),
        move_lead: lead("move_lead", own.move_lead),
        call_in_lead: lead("call_in_lead", own.call_in_lead),
        overtime_lead: lead("overtime_lead", own.overtime_lead),
        leave_lead: lead("leave_lead", own.leave_lead),
        announcement_lead: lead("announcement_lead", own.announcement_lead),
        frozen: section.length("frozen", Duration::ZERO..=3 * HOUR).unwrap_or(own.frozen),
        least_length: section
            .length("least_length", 30 * MINUTE..=3 * HOUR)
            .unwrap_or(own.least_length),
        least_agents: u32::try_from(least_agents).unwrap_or(own.least_agents),
        overtime_length: lead("overtime_length", own.overtime_length),
        overtime_share: share("overtime_share", own.overtime_share),
        call_in_share: share("call_in_share", own.call_in_share),
        leave_share: share("leave_share", own.leave_share),
        move_cost: cost("move_cost", own.move_cost),
        call_in_cost: cost("call_in_cost", own.call_in_cost),
        overtime_cost: cost("overtime_cost", own.overtime_cost),
        leave_saving: cost("leave_saving", own.leave_saving),
        shortage_cost: cost("shortage_cost", own.shortage_cost),
        deflection: (
            share("deflection_low", own.deflection.0),
            share("deflection_high", own.deflection.1),
        ),
        most: whole("most", 1..=1000, own.most),
    };
    if rules.deflection.0 > rules.deflection.1 {
        let (low, high) = rules.deflection;
        section.problem(
            "deflection_low",
            format!("found {low}, more than deflection_high ({high}): use at most that"),
        );
    }
    section.finish();
    rules
}
