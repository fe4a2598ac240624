//! GET: the reports, as Markdown or HTML.

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};

use super::language::Reads;
use super::params::{Params, PathPart, WeekQuery};
use super::problem::Problem;
use super::read::read;
use super::state::ApiState;
use crate::report::{Format, Report, Week, incident, weekly};

/// Status, five figures, hours beyond the forecast and priorities of a week, and what they are made of
///
/// Weeks and times are those of the zone of `[windows]`. Markdown, or HTML where `Accept` asks for it.
#[utoipa::path(get, path = "/reports/weekly", params(WeekQuery), responses((status = 200, content((String = "text/markdown"), (String = "text/html"))), (status = 400, body = Problem)))]
pub async fn weekly_report(
    State(state): State<ApiState>,
    Reads(texts): Reads,
    Params(query): Params<WeekQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let week = query.week.as_deref().map(str::parse::<Week>).transpose();
    let week = week.map_err(|e| Problem::bad_request(format!("week: {e}")))?;
    let texts = texts.local(state.info.zone);
    let report = read(&state, move |reader| weekly(reader, week, &texts)).await?;
    Ok(answer(&report, &headers))
}

/// Review of one alert: its surge, what was known when, alarms, agents, actions, and what to change
///
/// Times are those of the zone of its region. Markdown, or HTML where `Accept` asks for it.
#[utoipa::path(get, path = "/reports/incidents/{id}", params(("id" = String, Path)), responses((status = 200, content((String = "text/markdown"), (String = "text/html"))), (status = 404, body = Problem)))]
pub async fn incident_report(
    State(state): State<ApiState>,
    Reads(texts): Reads,
    PathPart(id): PathPart,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let missing = format!("there is no alert `{id}`");
    let report = read(&state, move |reader| incident(reader, &id, &texts)).await?;
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
    (
        [(header::CONTENT_TYPE, kind), (header::VARY, "accept, accept-language".into())],
        report.write(format),
    )
        .into_response()
}
