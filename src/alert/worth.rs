//! Whether a need is worth a page now: how probable it is, how soon it comes, and the other evidence for it.
//!
//! A forecast that is a little too high for an evening shows a need hours ahead, and the next forecasts withdraw it. A page can wait:
//! it has to be in time for people to act, not as early as possible. The alert shows the need meanwhile.

use std::time::Duration;

use super::inputs::SeriesNeed;
use super::need::{Limits, WINDOWS_MIN, is_critical};
use crate::domain::{HOUR, Timestamp, WindowWidth};
use crate::forecast::ForecastPoint;
use crate::staffing::{Basis, Plan, PlanTarget};
use crate::text::Stored;

/// The model of work that waits, such as e-mail.
const DEFERRED: &str = "deferred";
/// Number of consecutive windows in which deferred work must lack agents: it can wait for a while.
const DEFERRED_WINDOWS_MIN: usize = 4;

/// `[alerts]`: how probable a need has to be for a page.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PageLimits {
    /// A need that begins later has to be nearly certain.
    pub ahead: Duration,
    /// Required probability of a need without further evidence.
    pub probability: f64,
    /// Required probability where severe alarms are active.
    pub with_alarms: f64,
    /// Required probability where customers complain more than usual.
    pub with_complaints: f64,
    /// Required probability of a need that begins later than `ahead`.
    pub later: f64,
    /// Required probability for a page that an alert is clearly worse.
    pub worse: f64,
}

impl Default for PageLimits {
    fn default() -> Self {
        Self {
            ahead: HOUR,
            probability: 0.75,
            with_alarms: 0.6,
            with_complaints: 0.4,
            later: 0.95,
            worse: 0.9,
        }
    }
}

/// Evidence for a need in a scope, besides the forecast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Evidence {
    Nothing,
    SevereAlarms,
    Complaints,
}

impl PageLimits {
    fn least(&self, evidence: Evidence) -> f64 {
        match evidence {
            Evidence::Nothing => self.probability,
            Evidence::SevereAlarms => self.with_alarms,
            Evidence::Complaints => self.with_complaints,
        }
    }
}

/// Which pages a need is worth.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Worth {
    /// Whether a page may be sent.
    pub is_page: bool,
    /// Whether the page is sent without waiting for a second forecast: the need is critical and begins soon, and the work cannot
    /// wait.
    pub is_urgent: bool,
    /// Whether a page may say that the alert is clearly worse.
    pub is_escalation: bool,
}

impl Worth {
    /// Judges the need of one scope as of `now`. `limits` are those of a gap that counts.
    pub(super) fn of(
        series: &[&SeriesNeed<'_>],
        limits: Limits,
        page: &PageLimits,
        evidence: Evidence,
        (now, width): (Timestamp, WindowWidth),
    ) -> Self {
        let least = page.least(evidence);
        let mut worth = Self::default();
        for need in series {
            let chance = |target: &PlanTarget| {
                let forecasts = &need.vintage.targets;
                let forecast = forecasts.iter().find(|point| point.start == target.start);
                // A window without a forecast is not paged.
                forecast.map_or(0.0, |forecast| probability(target, forecast, limits))
            };
            let probable = |target: &PlanTarget| {
                let is_soon = target.start <= now + page.ahead;
                let least = if is_soon { least } else { page.later.max(least) };
                limits.is_short(target) && chance(target) >= least
            };
            let can_wait = is_deferred(need.plan);
            let windows = if can_wait { DEFERRED_WINDOWS_MIN } else { WINDOWS_MIN };
            let targets = &need.plan.targets;
            let ahead = &targets[targets.partition_point(|t| width.end(t.start) <= now)..];
            for run in ahead.chunk_by(|a, b| probable(a) == probable(b)) {
                if !run.iter().all(probable) {
                    continue;
                }
                // Contacts left over from one busy window do not make the next window a second one.
                let own = run.iter().filter(|t| !need.plan.is_left_over(t.start, width));
                if own.count() < windows {
                    continue;
                }
                worth.is_page = true;
                let is_soon = |target: &&PlanTarget| target.start <= now + page.ahead;
                let is_critical = run.iter().filter(is_soon).any(|t| is_critical(t, 1.0));
                worth.is_urgent |= is_critical && !can_wait;
                let sure = run.iter().filter(|t| chance(t) >= page.worse).count();
                worth.is_escalation |= sure >= WINDOWS_MIN;
            }
        }
        worth
    }
}

/// The probability that a window lacks as many agents as count. The agents needed at the 10 % quantile, the mean and the 90 %
/// quantile of its tickets say how many tickets need so many; the forecast says how probable more than these are.
fn probability(target: &PlanTarget, forecast: &ForecastPoint, limits: Limits) -> f64 {
    let present = f64::from(target.agents) - f64::from(target.gap);
    // Numbers of agents are whole: half an agent less is the limit between them.
    let least = present + limits.of(target).ceil() - 0.5;
    let mut known = [
        (forecast.quantiles[1], target.agents_low),
        (forecast.mean, target.agents),
        (forecast.quantiles[5], target.agents_high),
    ];
    // Where a few large surges make up the mean, it lies above the 90 % quantile.
    known.sort_by(|a, b| a.0.total_cmp(&b.0));
    forecast.probability_above(tickets_for(known, least))
}

/// The number of tickets that needs so many agents: linear between known numbers of tickets and agents, and beyond them.
fn tickets_for(known: [(f64, u32); 3], agents: f64) -> f64 {
    let [first, middle, last] = known.map(|(tickets, agents)| (tickets, f64::from(agents)));
    let along = |a: (f64, f64), b: (f64, f64)| a.0 + (agents - a.1) / (b.1 - a.1) * (b.0 - a.0);
    if last.1 <= first.1 {
        // The number of tickets makes no difference.
        return if agents <= first.1 { f64::NEG_INFINITY } else { f64::INFINITY };
    }
    let within = |a: (f64, f64), b: (f64, f64)| agents > a.1 && agents <= b.1;
    if within(first, middle) {
        along(first, middle)
    } else if within(middle, last) {
        along(middle, last)
    } else {
        along(first, last)
    }
}

/// Whether a plan is for deferred work.
pub(super) fn is_deferred(plan: &Plan) -> bool {
    matches!(&plan.basis, Stored::Value(Basis { model, .. }) if model == DEFERRED)
}
