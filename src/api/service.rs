//! GET: attained service.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::IntoParams;

use super::params::{self, LIMIT_MAX, Page, Params, SpanQuery};
use super::problem::Problem;
use super::read::{list_of, read, span};
use super::staffing::unknown_team;
use super::state::ApiState;
use crate::views::{CalibrationRow, Service, ServiceReader, ServiceRow};
use crate::window::AggregationKey;

/// Which series or team, and which span.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ServiceQuery {
    /// A region, or `_all`.
    pub region: Option<String>,
    /// A service, or `_all`.
    pub service: Option<String>,
    /// A channel.
    pub channel: Option<String>,
    /// A team of the config: all its series together.
    pub team: Option<String>,
    /// RFC 3339; default: 24 hours before `to`.
    pub from: Option<String>,
    /// RFC 3339; default: now. At most 62 days after `from`.
    pub to: Option<String>,
    /// Maximum number of series, 1 to 1000; default 1000.
    pub limit: Option<usize>,
    /// Continue after this series, `region/service/channel`.
    pub after: Option<String>,
}

/// Attained service: contacts served in time, times to the first response, abandonment
///
/// If region, service and channel, or a team, are given: also by window, with the service level that the plans expected. Only series
/// whose events carry the ids of tickets are known. A contact counts in the window of its creation.
#[utoipa::path(get, path = "/service", params(ServiceQuery), responses((status = 200, body = Service), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub async fn service(
    State(state): State<ApiState>,
    Params(query): Params<ServiceQuery>,
) -> Result<Response, Problem> {
    let filter =
        params::filter(query.region.as_ref(), query.service.as_ref(), query.channel.as_ref())?;
    let (from, to) = (query.from.clone(), query.to.clone());
    let span = span(&SpanQuery { from, to, ..SpanQuery::default() }, state.clock.now())?;
    let rules = state.info.staffing.clone();
    if let Some(name) = &query.team {
        let team = rules.team(name).cloned().ok_or_else(|| unknown_team(name, &rules))?;
        let found = read(&state, move |reader| {
            let reader = ServiceReader::new(reader)?;
            let mut leaves = reader.leaves()?;
            leaves
                .retain(|leaf| rules.team_of(leaf).is_some_and(|serves| serves.name == team.name));
            reader.together(&leaves, span, &ServiceRow::Team(&team))
        });
        return Ok(Json(found.await?).into_response());
    }
    if let Some(series) = filter.one() {
        let missing = format!("the series {series} is not known");
        let found = read(&state, move |reader| {
            let service = ServiceReader::new(reader)?;
            let mut leaves = service.leaves()?;
            leaves.retain(|leaf| series.covers(leaf));
            let is_counted = |key: &AggregationKey| matches!(key, AggregationKey::Tickets(leaf) if series.covers(leaf));
            // A series that is counted has an answer, also where its tickets have no ids.
            if leaves.is_empty() && !reader.keys()?.iter().any(is_counted) {
                return Ok(None);
            }
            let row = ServiceRow::Series(&series, rules.profile_of(&series));
            service.together(&leaves, span, &row).map(Some)
        });
        return found
            .await?
            .map(|own| Json(own).into_response())
            .ok_or(Problem::not_found(missing));
    }
    let page = Page::new(query.limit, query.after.as_deref())?;
    let most = page.most;
    let found = read(&state, move |reader| {
        let admits = |key: &_| filter.admits_series(key) && page.reaches(key);
        ServiceReader::new(reader)?.sums(&rules, span, admits)
    });
    let mut found = found.await?;
    found.truncate(most + 1);
    Ok(list_of(found, most))
}

/// Which rows.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CalibrationQuery {
    /// A region.
    pub region: Option<String>,
    /// A service.
    pub service: Option<String>,
    /// A channel.
    pub channel: Option<String>,
    /// Maximum number of rows, 1 to 1000; default 1000.
    pub limit: Option<usize>,
    /// The value in the `Link` header of the previous page.
    pub after: Option<usize>,
}

/// Expected against attained service level of the past 14 days (UTC, today included), by team, or by region and service
///
/// Only rows whose events carry the ids of tickets and whose windows had a plan with a roster are listed. Deferred work is left out.
#[utoipa::path(get, path = "/service/calibration", params(CalibrationQuery), responses((status = 200, body = Vec<CalibrationRow>), (status = 400, body = Problem)))]
pub async fn calibration(
    State(state): State<ApiState>,
    Params(query): Params<CalibrationQuery>,
) -> Result<Response, Problem> {
    let filter =
        params::filter(query.region.as_ref(), query.service.as_ref(), query.channel.as_ref())?;
    let most = query.limit.map_or(Ok(LIMIT_MAX), |most| params::limit(Some(most)))?;
    let skipped = query.after.unwrap_or(0);
    let rules = state.info.staffing.clone();
    let cache = state.calibrations.clone();
    let rows = read(&state, move |reader| {
        let admits = |key: &_| filter.admits_series(key);
        ServiceReader::new(reader)?.calibrations(&cache, &rules, admits, (skipped, most + 1))
    });
    Ok(params::page_of(rows.await?, most, |_| (skipped + most).to_string()))
}
