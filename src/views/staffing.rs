//! Plans and the roster.

use serde::Serialize;
use utoipa::ToSchema;

use super::Key;
use crate::staffing;
use crate::text::{Say, Texts};

/// What one window needs.
#[derive(Debug, Serialize, ToSchema)]
pub struct StaffingTarget {
    pub start: String,
    pub arrivals: f64,
    pub positions: u32,
    pub agents: u32,
    /// At the 10 % and 90 % quantile of arrivals.
    pub agents_low: u32,
    pub agents_high: u32,
    pub scheduled: Option<u32>,
    pub gap: i32,
    pub service_level: f64,
}

/// The plan of a series for the next six hours.
#[derive(Debug, Serialize, ToSchema)]
pub struct Staffing {
    #[serde(flatten)]
    pub key: Key,
    pub issued_at: String,
    /// How the figures come about, in one sentence.
    pub basis: String,
    pub targets: Vec<StaffingTarget>,
}

impl Staffing {
    /// A plan, its basis in a reader's language.
    pub fn new(plan: &staffing::Plan, texts: &Texts) -> Self {
        let targets = plan.targets.iter().map(|t| StaffingTarget {
            start: t.start.to_string(),
            arrivals: t.arrivals,
            positions: t.positions,
            agents: t.agents,
            agents_low: t.agents_low,
            agents_high: t.agents_high,
            scheduled: t.scheduled,
            gap: t.gap,
            service_level: t.service_level,
        });
        Self {
            key: Key::from(&plan.series),
            issued_at: plan.issued_at.to_string(),
            targets: targets.collect(),
            basis: plan.basis.say(texts),
        }
    }
}
