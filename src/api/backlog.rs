//! GET: open tickets by series.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};

use super::params::{ListQuery, Params};
use super::problem::Problem;
use super::read::{list_of, read};
use super::state::ApiState;
use crate::views::Backlog;

/// Open tickets by series, with times to the first response and handling times
///
/// Only series whose events carry the ids of tickets, or snapshots, are listed.
#[utoipa::path(get, path = "/backlog", params(ListQuery), responses((status = 200, body = Backlog), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub async fn backlog(
    State(state): State<ApiState>,
    Params(query): Params<ListQuery>,
) -> Result<Response, Problem> {
    let (filter, page) = (query.filter()?, query.page()?);
    let one = filter.one();
    let found = read(&state, move |reader| reader.backlogs(&filter)).await?;
    let rules = &state.info.staffing;
    let row = |(series, own): &(_, _)| {
        let profile = rules.profile_of(series);
        Backlog::new(series, own, profile.map(|profile| profile.aht.as_secs_f64()))
    };
    if let Some(series) = one {
        let missing =
            || Problem::not_found(format!("nothing is known of the open tickets of {series}"));
        return found.first().map(|own| Json(row(own)).into_response()).ok_or_else(missing);
    }
    let shown = found.iter().filter(|(series, _)| page.reaches(series)).take(page.most + 1);
    Ok(list_of(shown.map(|own| (own.0.clone(), row(own))).collect(), page.most))
}
