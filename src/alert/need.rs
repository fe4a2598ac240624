//! The need of each scope: where and when its plans have too few agents.

use std::collections::{BTreeMap, BTreeSet};

use super::Shortfall;
use super::inputs::{AlertInputs, SeriesNeed};
use super::key::AlertKey;
use super::steps::{NeedStep, peak, steps};
use super::tuning::{Tuning, limit_factor};
use super::worth::{Evidence, PageLimits, Worth};
use crate::domain::{Name, Scope, Severity, Timestamp, WindowWidth};
use crate::staffing::PlanTarget;

/// Smallest gap that counts: in agents, and as a share of the agents on the roster.
const GAP_MIN: f64 = 3.0;
const GAP_SHARE: f64 = 0.2;
/// Number of consecutive windows that must have too few agents.
pub(super) const WINDOWS_MIN: usize = 2;
/// Smallest gap of a critical alert, which is sent at once.
const CRITICAL_GAP: i32 = 5;
const CRITICAL_SHARE: f64 = 0.4;
/// An alert stays critical as long as a gap reaches this share of these limits.
const STAYS_CRITICAL: f64 = 0.8;

/// The shortage of one scope.
pub(super) struct Need {
    pub steps: Vec<NeedStep>,
    /// The channels that lack agents at the peak, at that instant.
    pub shortfalls: Vec<Shortfall>,
    /// Channels whose shortage is mostly caused by contacts left over from earlier windows.
    pub left_over: Vec<Name>,
    pub critical: bool,
    /// Whether a critical alert stays critical.
    pub stays_critical: bool,
    /// Whether this need is worth a page.
    pub worth: Worth,
}

/// The smallest gap that counts, as adjusted by people's feedback.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub factor: f64,
}

impl Limits {
    /// The smallest gap that counts in a window, agents.
    pub(super) fn of(self, target: &PlanTarget) -> f64 {
        self.factor * GAP_MIN.max(GAP_SHARE * f64::from(present(target)))
    }

    pub(super) fn is_short(self, target: &PlanTarget) -> bool {
        f64::from(target.gap) >= self.of(target)
    }
}

impl Need {
    /// Agents that are missing at the peak.
    pub(super) fn gap(&self) -> i32 {
        self.shortfalls.iter().map(|s| s.gap).sum()
    }

    /// Start of the first and end of the last step.
    pub(super) fn span(&self) -> Option<(Timestamp, Timestamp)> {
        Some((self.steps.first()?.from, self.steps.last()?.to))
    }
}

/// The scopes that have plans, and the need of each if it has one. Windows that were over at `now` do not count.  `tuning`: the
/// adjustment of the limits by people's feedback, by scope.
pub(super) fn needs(
    inputs: &AlertInputs<'_>,
    tuning: &Tuning,
    page: &PageLimits,
    now: Timestamp,
) -> BTreeMap<Scope, Option<Need>> {
    let mut scopes: BTreeMap<Scope, Vec<&SeriesNeed<'_>>> = BTreeMap::new();
    for need in &inputs.needs {
        scopes.entry(need.plan.series.scope()).or_default().push(need);
    }
    let need = |(scope, series): (Scope, Vec<&SeriesNeed<'_>>)| {
        let balance = tuning.get(&AlertKey::understaffed(&scope)).copied();
        let limits = Limits { factor: limit_factor(balance.unwrap_or(0)) };
        let when = (inputs.as_of(&scope, now), inputs.width);
        let mut need = need(&series, limits, when);
        if let Some(need) = &mut need {
            need.worth = Worth::of(&series, limits, page, evidence(inputs, &scope), when);
        }
        (scope, need)
    };
    scopes.into_iter().map(need).collect()
}

/// The evidence for a need in a scope.
fn evidence(inputs: &AlertInputs<'_>, scope: &Scope) -> Evidence {
    let is_severe =
        |alarm: &super::ActiveAlarm| alarm.scope == *scope && alarm.severity <= Severity::Major;
    if inputs.complaints.iter().any(|sign| sign.scope == *scope) {
        Evidence::Complaints
    } else if inputs.alarms.iter().any(is_severe) {
        Evidence::SevereAlarms
    } else {
        Evidence::Nothing
    }
}

/// The need of a scope with these series, from `now` on.
fn need(
    series: &[&SeriesNeed<'_>],
    limits: Limits,
    (now, width): (Timestamp, WindowWidth),
) -> Option<Need> {
    let mut counted: BTreeSet<Timestamp> = BTreeSet::new();
    let (mut critical, mut stays_critical) = (false, false);
    for series in series {
        for target in too_few(&series.plan.targets, limits).filter(|t| width.end(t.start) > now) {
            counted.insert(target.start);
            critical |= is_critical(target, 1.0);
            stays_critical |= is_critical(target, STAYS_CRITICAL);
        }
    }
    let steps = steps(series.iter().map(|series| series.plan), &counted, width);
    let at = peak(&steps)?.from;
    let mut shortfalls: Vec<Shortfall> =
        series.iter().filter_map(|series| shortfall(series, at)).collect();
    shortfalls.sort_by(|a, b| b.gap.cmp(&a.gap).then_with(|| a.series.cmp(&b.series)));
    let is_left_over = |series: &&&SeriesNeed<'_>| series.plan.is_left_over(at, width);
    let left_over = series.iter().filter(is_left_over);
    let left_over = left_over.map(|series| series.plan.series.channel.clone()).collect();
    let worth = Worth::default();
    Some(Need { steps, shortfalls, left_over, critical, stays_critical, worth })
}

/// All agents that the plans of a scope lack from `now` on, even if they are few.
pub(super) fn all_missing(
    inputs: &AlertInputs<'_>,
    scope: &Scope,
    now: Timestamp,
) -> Vec<NeedStep> {
    let plans = || inputs.needs.iter().map(|need| need.plan).filter(|p| p.series.scope() == *scope);
    let targets = plans().flat_map(|plan| &plan.targets);
    let short = targets.filter(|target| target.gap > 0 && inputs.width.end(target.start) > now);
    let counted: BTreeSet<Timestamp> = short.map(|target| target.start).collect();
    steps(plans(), &counted, inputs.width)
}

/// Agents on the roster; without a roster the usual number.
fn present(target: &PlanTarget) -> u32 {
    target.scheduled.unwrap_or(target.agents.saturating_add_signed(target.gap.saturating_neg()))
}

/// The windows with too few agents, if enough of them follow one another.
fn too_few(targets: &[PlanTarget], limits: Limits) -> impl Iterator<Item = &PlanTarget> {
    let is_short = move |t: &PlanTarget| limits.is_short(t);
    let runs = targets.chunk_by(move |a, b| is_short(a) == is_short(b));
    runs.filter(move |run| run.len() >= WINDOWS_MIN && run.iter().all(is_short)).flatten()
}

pub(super) fn is_critical(target: &PlanTarget, share: f64) -> bool {
    let gap = f64::from(target.gap);
    gap >= share * f64::from(CRITICAL_GAP)
        && gap >= share * CRITICAL_SHARE * f64::from(present(target))
}

/// The gap of a series in the window that starts at `at`, if it has one.
fn shortfall(need: &SeriesNeed<'_>, at: Timestamp) -> Option<Shortfall> {
    let target = need.plan.targets.iter().find(|t| t.start == at && t.gap > 0)?;
    let forecast = need.vintage.targets.iter().find(|t| t.start == at)?;
    Some(Shortfall {
        series: need.plan.series.clone(),
        at,
        arrivals: target.arrivals,
        arrivals_low: forecast.quantiles[1],
        arrivals_high: forecast.quantiles[5],
        agents: target.agents,
        scheduled: present(target),
        gap: target.gap,
        rostered: target.scheduled.is_some(),
    })
}
