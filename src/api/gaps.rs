//! GET: needed and scheduled agents over a span, past and planned, by team.

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;

use super::params::{self, LIMIT_MAX, Params};
use super::problem::Problem;
use super::read::read;
use super::state::ApiState;
use super::timeline::checked;
use crate::domain::DAY;
use crate::forecast::HORIZON;
use crate::views;

/// Which rows, and which windows.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct GapQuery {
    /// A region.
    pub region: Option<String>,
    /// A service.
    pub service: Option<String>,
    /// A channel.
    pub channel: Option<String>,
    /// RFC 3339; default: 30 hours before `to`. Plans are kept for 14 days.
    pub from: Option<String>,
    /// RFC 3339; default: six hours from now. At most 1000 windows after `from`.
    pub to: Option<String>,
    /// Whether windows that no forecast reaches yet are planned for the usual number of tickets; default false. With more than 500
    /// series, narrow them down by region, service or channel.
    pub outline: Option<bool>,
    /// Maximum number of rows, 1 to 1000; default 1000.
    pub limit: Option<usize>,
    /// The value in the `Link` header of the previous page.
    pub after: Option<usize>,
}

/// Agents needed and scheduled by window, past and planned; by team, or by region and service
///
/// The row with the largest gap comes first. Beside the plan: what contacts attained, where events carry the ids of tickets.
#[utoipa::path(get, path = "/staffing/windows", params(GapQuery), responses((status = 200, body = Vec<views::GapRow>), (status = 400, body = Problem)))]
pub async fn gaps(
    State(state): State<ApiState>,
    Params(query): Params<GapQuery>,
) -> Result<Response, Problem> {
    let filter =
        params::filter(query.region.as_ref(), query.service.as_ref(), query.channel.as_ref())?;
    let to = params::instant("to", query.to.as_ref())?.unwrap_or(state.clock.now() + HORIZON);
    let from = params::instant("from", query.from.as_ref())?.unwrap_or(to - DAY - HORIZON);
    let span = checked(from, to, state.info.width)?;
    let most = query.limit.map_or(Ok(LIMIT_MAX), |most| params::limit(Some(most)))?;
    let skipped = query.after.unwrap_or(0);
    let rules = state.info.staffing.clone();
    let outlined = query.outline.unwrap_or(false);
    let rows = read(&state, move |reader| {
        let rows = views::gaps(reader, &rules, &filter, span, outlined)?.into_iter();
        let mut rows: Vec<_> = rows.skip(skipped).take(most + 1).collect();
        views::add_service(reader, &rules, &filter, span, &mut rows)?;
        Ok(rows)
    });
    let rows = rows.await?;
    Ok(params::page_of(rows, most, |_| (skipped + most).to_string()))
}
