//! GET: the reports, as Markdown or HTML.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};

use super::params::{Params, WeekQuery};
use super::problem::Problem;
use super::read::read;
use super::state::ApiState;
use crate::report::{Format, Report, Week, incident, weekly};

/// What happened in a week, how good forecasts were, and what to look at
///
/// Markdown, or HTML where `Accept` asks for it.
#[utoipa::path(get, path = "/reports/weekly", params(WeekQuery), responses((status = 200, content((String = "text/markdown"), (String = "text/html"))), (status = 400, body = Problem)))]
pub async fn weekly_report(
    State(state): State<ApiState>,
    Params(query): Params<WeekQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let week = match &query.week {
        Some(text) => text.parse().map_err(|e| Problem::bad_request(format!("week: {e}")))?,
        None => Week::before(state.clock.now()),
    };
    let report = read(&state, move |reader| weekly(reader, week)).await?;
    Ok(answer(&report, &headers))
}

/// One alert, what it was about, and what came
///
/// Markdown, or HTML where `Accept` asks for it.
#[utoipa::path(get, path = "/reports/incidents/{id}", params(("id" = String, Path)), responses((status = 200, content((String = "text/markdown"), (String = "text/html"))), (status = 404, body = Problem)))]
pub async fn incident_report(
    State(state): State<ApiState>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let missing = format!("there is no alert `{id}`");
    let report = read(&state, move |reader| incident(reader, &id)).await?;
    let report = report.ok_or(Problem::not_found(missing))?;
    Ok(answer(&report, &headers))
}

/// HTML for browsers, Markdown for all others.
fn answer(report: &Report, headers: &HeaderMap) -> Response {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    let (kind, format) = match accept {
        Some(accept) if accept.contains("text/html") => ("text/html", Format::Html),
        _ => ("text/markdown", Format::Markdown),
    };
    let kind = format!("{kind}; charset=utf-8");
    ([(header::CONTENT_TYPE, kind), (header::VARY, "accept".into())], report.write(format))
        .into_response()
}
