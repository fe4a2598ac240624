//! Plans: of series as they are stored, of a team as a whole, and under other assumptions.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::IntoParams;

use super::language::Reads;
use super::params::{self, Page, Params};
use super::problem::Problem;
use super::read::{each, read};
use super::state::ApiState;
use crate::domain::{DAY, SeriesKey, Timestamp, WindowWidth};
use crate::forecast::Vintage;
use crate::staffing::{
    Figures, LearnedAht, Plan, Planner, Presence, Profile, Rules, Team, WhatIf, check_target,
    parse_seconds, parse_target, pooled, shares,
};
use crate::store::{Filter, Reader, StoreError};
use crate::text::{Stored, Texts};
use crate::views::{Staffing, TeamStaffing};

/// Largest factor of arrivals.
const FACTOR_MAX: f64 = 100.0;
const AGENTS_MAX: u32 = 100_000;

/// Which plans, and under which assumptions. `aht` and what follows it need one series or team: the plan is computed anew, and
/// nothing is stored.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct StaffingQuery {
    /// A region, or `_all`.
    pub region: Option<String>,
    /// A service, or `_all`.
    pub service: Option<String>,
    /// A channel, or `_all`.
    pub channel: Option<String>,
    /// A team of the config, as a whole.
    pub team: Option<String>,
    /// Series at most, 1 to 1000; 1000 by default.
    pub limit: Option<usize>,
    /// Goes on after this series, `region/service/channel`.
    pub after: Option<String>,
    /// What if: the handling time of a contact, such as `330s`; for chats, the time of a chat that an agent handles alone.
    pub aht: Option<String>,
    /// What if: agents on the schedule in every window.
    pub agents: Option<u32>,
    /// What if: the service target, such as `80/30`.
    pub target: Option<String>,
    /// What if: the shrinkage, 0 to 0.95.
    pub shrinkage: Option<f64>,
    /// What if: arrivals are multiplied by it, 0 to 100.
    pub arrivals_factor: Option<f64>,
}

impl StaffingQuery {
    fn what_if(&self) -> Result<WhatIf, Problem> {
        let wrong = |text: String| Problem::bad_request(text);
        let aht = self.aht.as_deref().map(|text| {
            parse_seconds(text)
                .ok_or_else(|| wrong(format!("aht: {text}: use a length such as 330s or 5m30s")))
        });
        let target = self
            .target
            .as_deref()
            .map(|text| parse_target(text).map_err(|error| wrong(format!("target: {error}"))));
        let within = |key: &str, value: Option<f64>, most: f64| match value {
            Some(value) if !(0.0..=most).contains(&value) => {
                Err(wrong(format!("{key}: {value}: use a number from 0 to {most}")))
            }
            value => Ok(value),
        };
        if let Some(agents) = self.agents.filter(|agents| *agents > AGENTS_MAX) {
            return Err(wrong(format!("agents: {agents}: use up to {AGENTS_MAX}")));
        }
        Ok(WhatIf {
            aht: aht.transpose()?,
            agents: self.agents,
            target: target.transpose()?,
            shrinkage: within("shrinkage", self.shrinkage, 0.95)?,
            arrivals_factor: within("arrivals_factor", self.arrivals_factor, FACTOR_MAX)?,
        })
    }
}

/// 404 for a team that is not in the config.
pub(super) fn unknown_team(name: &str, rules: &Rules) -> Problem {
    let known: Vec<&str> = rules.teams().iter().map(|team| team.name.as_str()).collect();
    let known = match known.is_empty() {
        true => "the config has no teams".to_owned(),
        false => format!("teams: {}", known.join(", ")),
    };
    Problem::not_found(format!("there is no team `{name}`; {known}"))
}

/// Agents needed over the next six hours
#[utoipa::path(get, path = "/staffing", params(StaffingQuery), responses((status = 200, body = Staffing), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub async fn staffing(
    State(state): State<ApiState>,
    Reads(texts): Reads,
    Params(query): Params<StaffingQuery>,
) -> Result<Response, Problem> {
    let what_if = query.what_if()?;
    let filter =
        params::filter(query.region.as_ref(), query.service.as_ref(), query.channel.as_ref())?;
    let (rules, width) = (state.info.staffing.clone(), state.info.width);
    if let Some(name) = &query.team {
        let team = rules.team(name).cloned().ok_or_else(|| unknown_team(name, &rules))?;
        answerable(&what_if, &team.profile)?;
        let desk = Desk { width, rules, what_if, texts };
        let missing = format!("team {name} has no forecast yet");
        let found = read(&state, move |reader| desk.of_team(reader, &team)).await?;
        return found.map(|found| Json(found).into_response()).ok_or(Problem::not_found(missing));
    }
    let one = filter.one();
    if what_if != WhatIf::default() {
        let Some(series) = &one else {
            return Err(Problem::bad_request(
                "aht, agents, target, shrinkage and arrivals_factor need one series (region, service and channel) or a team",
            ));
        };
        if let Some(team) = rules.team_of(series) {
            return Err(Problem::bad_request(format!(
                "{series} is served by team {0}: ask with team={0}",
                team.name
            )));
        }
        if let Some(profile) = rules.profile_of(series) {
            answerable(&what_if, profile)?;
        }
    }
    let page = Page::new(query.limit, query.after.as_deref())?;
    let explains = one.is_some();
    let desk = Desk { width, rules, what_if, texts };
    each(&state, filter, page, move |reader, series| {
        let found = desk.of_series(reader, series, explains)?;
        let rules = &desk.rules;
        let by = |one: Staffing| {
            let profile = rules.profile_of(series).map(|profile| desk.what_if.profile(profile));
            one.by(profile.as_ref(), rules.team_of(series))
        };
        Ok(if explains { found.map(by) } else { found })
    })
    .await
}

/// Checks that the model of a profile can compute the requested target.
fn answerable(what_if: &WhatIf, profile: &Profile) -> Result<(), Problem> {
    let Some(target) = &what_if.target else { return Ok(()) };
    check_target(profile.model.name(), target)
        .map_err(|error| Problem::bad_request(format!("target: {}", error.text)))
}

/// Computes the answers: it has the rules, the assumptions and the texts.
struct Desk {
    width: WindowWidth,
    rules: std::sync::Arc<Rules>,
    what_if: WhatIf,
    texts: Texts,
}

impl Desk {
    /// The stored plan of a series, with figures if requested; under other assumptions a new plan.
    fn of_series(
        &self,
        reader: &Reader,
        series: &SeriesKey,
        explains: bool,
    ) -> Result<Option<Staffing>, StoreError> {
        let stored = reader.plan(series)?;
        if !explains {
            return Ok(stored.map(|plan| Staffing::new(&plan, &self.texts, &[])));
        }
        if let Some(team) = self.rules.team_of(series) {
            let Some(whole) = self.whole(reader, team)? else {
                return Ok(stored.map(|plan| Staffing::new(&plan, &self.texts, &[])));
            };
            let work = self.work(&whole, team);
            let Whole { plan, figures, parts, .. } = whole;
            let parts: Vec<(&SeriesKey, &Vintage)> =
                parts.iter().map(|vintage| (&vintage.series, vintage)).collect();
            let fresh = shares(&plan, &parts, &work).remove(series);
            let plan = stored.zip(fresh).map(|(stored, fresh)| current(stored, fresh));
            return Ok(plan.map(|plan| Staffing::new(&plan, &self.texts, &figures)));
        }
        let (Some(profile), Some(served)) =
            (self.rules.profile_of(series), reader.served(series, None)?)
        else {
            return Ok(stored.map(|plan| Staffing::new(&plan, &self.texts, &[])));
        };
        let filter = Filter {
            region: Some(series.region.clone()),
            service: Some(series.service.clone()),
            channel: Some(series.channel.clone()),
        };
        let from = served.vintage.issued_at - DAY;
        let shifts = reader.shifts(&filter, from, Timestamp::MAX)?;
        let roster = shifts.iter().map(Presence::from).collect();
        let initial = stored.as_ref().map(InitialState::of).unwrap_or_default();
        let (fresh, figures) = self.planned(profile, (&served.vintage, &initial), roster, None);
        let is_asked = self.what_if != WhatIf::default();
        let plan = match stored {
            Some(stored) if !is_asked => Some(current(stored, fresh)),
            None if !is_asked => None,
            _ => Some(fresh),
        };
        Ok(plan.map(|plan| Staffing::new(&plan, &self.texts, &figures)))
    }

    /// The plan of a team as a whole.
    fn of_team(&self, reader: &Reader, team: &Team) -> Result<Option<TeamStaffing>, StoreError> {
        let whole = self.whole(reader, team)?;
        let texts = &self.texts;
        let team = Team { profile: self.what_if.profile(&team.profile), ..team.clone() };
        Ok(whole.map(|own| TeamStaffing::new(&team, &own.plan, &own.figures, texts)))
    }

    fn whole(&self, reader: &Reader, team: &Team) -> Result<Option<Whole>, StoreError> {
        let members = reader.series_keys()?.into_iter();
        let members = members.filter(|key| !key.is_roll_up() && team.serves(key));
        let (mut vintages, mut roster) = (Vec::new(), Vec::new());
        let mut initial = InitialState::default();
        for series in members {
            // Each plan has the backlog and the handling times of the whole team.
            if initial == InitialState::default() {
                initial = reader.plan(&series)?.as_ref().map(InitialState::of).unwrap_or_default();
            }
            vintages.extend(reader.served(&series, None)?.map(|served| served.vintage));
        }
        let Some(vintage) = pooled(&vintages) else { return Ok(None) };
        let from = vintage.issued_at - DAY;
        let own = reader.team_shifts(from, Timestamp::MAX)?.into_iter();
        roster.extend(
            own.filter(|shift| shift.team == team.name).map(|shift| shift.presence(&team.profile)),
        );
        if roster.is_empty() {
            let of_series = reader.shifts(&Filter::default(), from, Timestamp::MAX)?;
            let own = of_series.iter().filter(|shift| team.serves(&shift.series));
            roster.extend(own.map(Presence::from));
        }
        let (plan, figures) = self.planned(&team.profile, (&vintage, &initial), roster, Some(team));
        Ok(Some(Whole { plan, figures, parts: vintages, initial }))
    }

    /// The work of each part of a team's plan, by window.
    fn work(&self, whole: &Whole, team: &Team) -> Vec<Vec<f64>> {
        let Whole { parts, initial, .. } = whole;
        let planner: Planner = self.rules.planner(self.profile(&team.profile, initial));
        let learned = self.learned(initial);
        // How the open tickets are divided is known to the forecaster only.
        let work = parts.iter().map(|own| {
            let scaled = learned.map(|learned| learned.same_load(own));
            planner.work_of(scaled.as_ref().unwrap_or(own), self.width, team)
        });
        work.collect()
    }

    /// The profile with the requested assumptions.
    fn profile(&self, profile: &Profile, initial: &InitialState) -> Profile {
        let profile = self.what_if.profile(profile);
        self.learned(initial).map_or_else(|| profile.clone(), |own| own.profile(&profile))
    }

    /// The learned handling times. A requested handling time replaces them.
    fn learned<'b>(&self, initial: &'b InitialState) -> Option<&'b LearnedAht> {
        initial.learned.as_ref().filter(|_| self.what_if.aht.is_none())
    }

    fn planned(
        &self,
        profile: &Profile,
        (vintage, initial): (&Vintage, &InitialState),
        roster: Vec<Presence>,
        team: Option<&Team>,
    ) -> (Plan, Vec<Figures>) {
        let (wanted, roster) = (self.what_if.vintage(vintage), self.what_if.roster(roster));
        let profile = self.profile(profile, initial);
        let learned = self.learned(initial);
        let scaled = learned.map(|own| (own.same_load(&wanted), own.same_load(vintage)));
        let (used, as_usual) = scaled.as_ref().map_or((&wanted, vintage), |(a, b)| (a, b));
        let usual: Vec<f64> = as_usual.targets.iter().map(|target| target.baseline).collect();
        let mut planner: Planner = self.rules.planner(profile);
        planner.opens_with(initial.opening);
        let plan = planner.plan(used, self.width, &roster, &usual, team);
        let figures = planner.figures(&plan, (used, self.width), &roster, team);
        let plan = match learned {
            Some(own) => own.plan_of(plan, &wanted),
            None => plan,
        };
        (plan, figures)
    }
}

/// The plan of a team as a whole, and the forecasts of its series.
struct Whole {
    plan: Plan,
    figures: Vec<Figures>,
    parts: Vec<Vintage>,
    initial: InitialState,
}

/// The stored plan. After a new roster it is replaced by the new one, because plans for a roster are stored only with the next
/// forecast.
fn current(stored: Plan, fresh: Plan) -> Plan {
    let scheduled = |plan: &Plan| -> Vec<(Timestamp, Option<u32>)> {
        plan.targets.iter().map(|target| (target.start, target.scheduled)).collect()
    };
    if scheduled(&stored) == scheduled(&fresh) { stored } else { fresh }
}

/// The initial state of a stored plan, besides the forecast.
#[derive(Default, PartialEq)]
struct InitialState {
    /// Open tickets, if their number was known.
    opening: Option<f64>,
    /// Handling times, if they were learned.
    learned: Option<LearnedAht>,
}

impl InitialState {
    fn of(plan: &Plan) -> Self {
        match &plan.basis {
            Stored::Value(basis) => {
                Self { opening: basis.backlog.map(f64::from), learned: basis.learned.clone() }
            }
            Stored::Sentence(_) => Self::default(),
        }
    }
}
