//! Plans, of series and of teams.

use serde::Serialize;
use utoipa::ToSchema;

use super::Key;
use crate::staffing::{self, Bound, Figures, Profile, Team};
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
    #[serde(flatten)]
    pub figures: Option<StaffingFigures>,
}

/// What the people of a window attain, and why so many are needed. In answers about one series or team.
#[derive(Debug, Serialize, ToSchema)]
pub struct StaffingFigures {
    /// The window's largest load, Erlang; of the whole team where a team serves the series.
    pub offered_load: f64,
    /// People at work: those on the roster after shrinkage, or those who are needed.
    pub people: f64,
    /// Service level, as the mean over the quantiles of the forecast.
    pub expected_service_level: f64,
    /// Mean wait; null if waits grow without limit, and for work that may wait.
    pub asa_seconds: Option<f64>,
    pub p_wait: f64,
    pub p_abandon: f64,
    pub occupancy: f64,
    /// For work that may wait: contacts that are not done at the end of the window, whether they are due or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backlog: Option<f64>,
    /// What determines the positions: `service_level`, `occupancy`, `wait`, `abandonment`, `deadline`, `minimum`, `closed`, or
    /// `load` where no number of agents meets all targets.
    #[schema(value_type = String)]
    pub bound_by: Bound,
}

/// The profile behind a plan, as numbers that a what-if can change. In answers about one series or team.
#[derive(Debug, Serialize, ToSchema)]
pub struct StaffingProfile {
    pub aht_seconds: f64,
    /// Percentage and seconds, such as `80/20`.
    pub target: String,
    pub shrinkage: f64,
}

impl From<&Profile> for StaffingProfile {
    fn from(profile: &Profile) -> Self {
        let target = profile.target;
        Self {
            aht_seconds: hundredths(profile.aht.as_secs_f64()),
            target: format!("{}/{}", hundredths(target.fraction * 100.0), target.within.as_secs()),
            shrinkage: profile.shrinkage,
        }
    }
}

/// The plan of a series for the next six hours.
#[derive(Debug, Serialize, ToSchema)]
pub struct Staffing {
    #[serde(flatten)]
    pub key: Key,
    pub issued_at: String,
    /// The profile behind the figures, in one sentence.
    pub basis: String,
    /// The team that serves the series.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<StaffingProfile>,
    pub targets: Vec<StaffingTarget>,
}

/// The plan of a team for the next six hours.
#[derive(Debug, Serialize, ToSchema)]
pub struct TeamStaffing {
    pub team: String,
    /// The series that it serves, as the config writes them.
    pub series: Vec<String>,
    /// When it is open; null for always.
    pub hours: Option<String>,
    pub minimum: u32,
    pub issued_at: String,
    /// How the figures come about, in one sentence.
    pub basis: String,
    pub profile: StaffingProfile,
    pub targets: Vec<StaffingTarget>,
}

/// Rounds like the service levels of plans.
fn share(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}

fn hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

impl From<&Figures> for StaffingFigures {
    fn from(figures: &Figures) -> Self {
        Self {
            offered_load: hundredths(figures.offered_load),
            people: hundredths(figures.people),
            expected_service_level: share(figures.expected_service_level),
            asa_seconds: figures.asa_seconds.map(hundredths),
            p_wait: share(figures.p_wait),
            p_abandon: share(figures.p_abandon),
            occupancy: share(figures.occupancy),
            backlog: figures.backlog.map(hundredths),
            bound_by: figures.bound_by,
        }
    }
}

/// The windows of a plan, with figures where there are some.
fn targets(plan: &staffing::Plan, figures: &[Figures]) -> Vec<StaffingTarget> {
    let target = |t: &staffing::PlanTarget| StaffingTarget {
        start: t.start.to_string(),
        arrivals: t.arrivals,
        positions: t.positions,
        agents: t.agents,
        agents_low: t.agents_low,
        agents_high: t.agents_high,
        scheduled: t.scheduled,
        gap: t.gap,
        service_level: t.service_level,
        figures: figures.iter().find(|f| f.start == t.start).map(StaffingFigures::from),
    };
    plan.targets.iter().map(target).collect()
}

impl Staffing {
    /// A plan, its basis in a reader's language, with figures where there are some.
    pub fn new(plan: &staffing::Plan, texts: &Texts, figures: &[Figures]) -> Self {
        Self {
            key: Key::from(&plan.series),
            issued_at: plan.issued_at.to_string(),
            targets: targets(plan, figures),
            basis: plan.basis.say(texts),
            team: None,
            profile: None,
        }
    }

    /// Adds the profile of the plan, and the team that serves the series.
    #[must_use]
    pub fn by(self, profile: Option<&Profile>, team: Option<&Team>) -> Self {
        let team = team.map(|team| team.name.to_string());
        Self { team, profile: profile.map(StaffingProfile::from), ..self }
    }
}

impl TeamStaffing {
    /// The plan of a team as a whole.
    pub fn new(team: &Team, plan: &staffing::Plan, figures: &[Figures], texts: &Texts) -> Self {
        Self {
            team: team.name.to_string(),
            series: team.series.iter().map(ToString::to_string).collect(),
            hours: team.hours.as_ref().map(ToString::to_string),
            minimum: team.minimum,
            profile: StaffingProfile::from(&team.profile),
            issued_at: plan.issued_at.to_string(),
            targets: targets(plan, figures),
            basis: plan.basis.say(texts),
        }
    }
}
