//! Service targets, staffing figures, the roster and the plan for the next six hours.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::basis::Basis;
use super::learned::AhtLearning;
use super::models::Model;
use super::target::ServiceTarget;
use crate::domain::{SeriesKey, Timestamp};
use crate::text::Stored;

/// Staffing profile of a channel: targets and parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// Queueing model, with its own parameters.
    pub model: Model,
    /// Average handling time of one contact.
    pub aht: Duration,
    pub target: ServiceTarget,
    /// Share of paid time not at work (breaks, training, sickness), 0–<1.
    pub shrinkage: f64,
    /// The part of the shrinkage that is absence: leave and sickness, which a roster may contain. At most `shrinkage`.
    pub absence: f64,
    pub max_occupancy: Option<f64>,
    pub max_asa: Option<Duration>,
    pub max_abandonment: Option<f64>,
    /// Contacts one agent handles at once (chat); 1 for phone.
    pub concurrency: u32,
    /// Share of the customers who hang up that call again, 0–0.95. Arrivals are then fresh demand, without repeated attempts.
    pub redial: f64,
    /// How handling times are learned; `None` if plans use `aht`.
    pub aht_learning: Option<AhtLearning>,
}

impl Profile {
    /// Mean seconds that a contact is in progress, if an agent handles as many contacts at once as possible.
    pub fn seconds_in_progress(&self) -> f64 {
        let at_once = self.concurrency.max(1);
        let efficiency = self.model.queue().efficiency(at_once);
        self.aht.as_secs_f64() * f64::from(at_once) / efficiency
    }
}

/// Figures for one interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Staffing {
    /// Erlang.
    pub offered_load: f64,
    /// Net seats.
    pub positions: u32,
    /// Gross people, `ceil(positions / (1 − shrinkage))`.
    pub agents: u32,
    /// Share answered within the target time.
    pub service_level: f64,
    pub asa_seconds: f64,
    pub occupancy: f64,
    pub p_wait: f64,
    pub p_abandon: f64,
    /// Contacts that still wait at the deadline; only for deferred work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carry_over: Option<f64>,
    /// Contacts per hour including repeated calls, if the profile has redials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offered_per_hour: Option<f64>,
}

/// People scheduled for a series over a time span.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shift {
    pub series: SeriesKey,
    pub start: Timestamp,
    pub end: Timestamp,
    /// Gross people on the schedule.
    pub agents: u32,
}

/// Agents needed in one future window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlanTarget {
    pub start: Timestamp,
    /// Expected arrivals in the window (the forecast's mean).
    pub arrivals: f64,
    pub positions: u32,
    pub agents: u32,
    /// Agents at the 10 % and 90 % quantile of arrivals.
    pub agents_low: u32,
    pub agents_high: u32,
    /// People on the roster, converted as if absences were as usual, in whole numbers; `None` if the roster does not cover the
    /// window.
    pub scheduled: Option<u32>,
    /// `agents − scheduled`. Without a roster, `agents` minus the number that is usually needed at this time.
    pub gap: i32,
    /// Expected service level of the scheduled people, or without a roster of the needed people.
    pub service_level: f64,
}

/// The outlook: the next six hours as single numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outlook {
    pub series: SeriesKey,
    pub issued_at: Timestamp,
    /// Largest expected arrivals in one window (mean), and its start.
    pub peak: f64,
    pub peak_at: Timestamp,
    /// Expected arrivals over six hours divided by the baseline's.
    pub over_baseline: f64,
    /// Largest staffing gap in agents, and its window; absent without a staffing profile.
    pub gap_max: Option<i32>,
    pub gap_at: Option<Timestamp>,
    /// Minutes until agents needed exceed agents scheduled; `None` if they do not.
    pub minutes_to_breach: Option<u32>,
}

/// Staffing of one series for the horizon of one vintage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    pub series: SeriesKey,
    pub issued_at: Timestamp,
    /// The basis of the figures: model, handling time, target, shrinkage.
    pub basis: Stored<Basis>,
    pub targets: Vec<PlanTarget>,
}
