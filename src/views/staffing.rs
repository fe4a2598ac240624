//! Plans and the roster.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Key;
use crate::domain::read_instant;
use crate::staffing;
use crate::text::{Say, Texts};

/// Agents needed in one window.
#[derive(Debug, Serialize, ToSchema)]
pub struct StaffingTarget {
    pub start: String,
    pub arrivals: f64,
    pub positions: u32,
    pub agents: u32,
    /// Agents at the 10 % and the 90 % quantile of arrivals.
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
    /// The profile behind the figures, in one sentence.
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

/// People scheduled for a series.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Shift {
    #[serde(flatten)]
    pub key: Key,
    pub start: String,
    pub end: String,
    pub agents: u32,
}

impl From<&staffing::Shift> for Shift {
    fn from(shift: &staffing::Shift) -> Self {
        Self {
            key: Key::from(&shift.series),
            start: shift.start.to_string(),
            end: shift.end.to_string(),
            agents: shift.agents,
        }
    }
}

impl Shift {
    /// The shift as a domain value, checked.
    ///
    /// # Errors
    /// A text with the wrong field and what is allowed.
    pub fn checked(&self) -> Result<staffing::Shift, String> {
        let time =
            |key: &str, text: &str| read_instant(text).map_err(|error| format!("{key}: {error}"));
        let (start, end) = (time("start", &self.start)?, time("end", &self.end)?);
        if start >= end {
            return Err("end: has to come after start".into());
        }
        if self.agents > 100_000 {
            return Err(format!("agents: {}: use up to 100000", self.agents));
        }
        Ok(staffing::Shift { series: self.key.series()?, start, end, agents: self.agents })
    }
}
