//! GET: the reports, as Markdown or HTML.

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::IntoParams;

use super::language::Reads;
use super::params::{self, Params, PathPart, WeekQuery};
use super::problem::Problem;
use super::read::read;
use super::state::ApiState;
use crate::domain::Name;
use crate::report::{Extent, Format, Report, Week, brief, full, incident, span_of, weekly, work};

/// A span, and all regions and services or some of them.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct FullQuery {
    /// A local day such as 2026-01-31, or a time in RFC 3339; default: 28 days before `to`.
    pub from: Option<String>,
    /// The day after the last day, or a time; default: the last midnight before which all windows are finalized. At most 400 days after `from`.
    pub to: Option<String>,
    /// A region; default: all.
    pub region: Option<String>,
    /// A service; default: all.
    pub service: Option<String>,
}

/// Planned work.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct BriefQuery {
    /// Id of the work; default: the work that runs now, or else the next one.
    pub maintenance: Option<String>,
}

/// Report on a week: status, five figures, hours far from the forecast, priorities, and the details behind them
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

/// Report on any span: summary, findings by category, recommendations and risks
///
/// Days and times are those of the zone of the region, or of `[windows]` for all. Markdown, or HTML where `Accept` asks for it.
#[utoipa::path(get, path = "/reports/full", params(FullQuery), responses((status = 200, content((String = "text/markdown"), (String = "text/html"))), (status = 400, body = Problem)))]
pub async fn full_report(
    State(state): State<ApiState>,
    Reads(texts): Reads,
    Params(query): Params<FullQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let filter = params::filter(query.region.as_ref(), query.service.as_ref(), None)?;
    let zone = state.zone(filter.region.as_ref().unwrap_or(&Name::all()));
    let (texts, rules) = (texts.local(zone), state.info.staffing.clone());
    let report = read(&state, move |reader| {
        let asked = (query.from.as_deref(), query.to.as_deref());
        let span = match span_of(reader, asked, zone)? {
            Ok(span) => span,
            Err(why) => return Ok(Err(why)),
        };
        let of = |span| Extent::of_span(span, zone).of(filter.region, filter.service);
        full(reader, span.map(of), &rules, &texts).map(Ok)
    });
    let report = report.await?.map_err(Problem::bad_request)?;
    Ok(answer(&report, &headers))
}

/// Brief for the call team on planned work: what, when, what to say, expected and actual contacts
///
/// Times are those of the zone of its region. Markdown, or HTML where `Accept` asks for it.
#[utoipa::path(get, path = "/reports/brief", params(BriefQuery), responses((status = 200, content((String = "text/markdown"), (String = "text/html"))), (status = 404, body = Problem)))]
pub async fn brief_report(
    State(state): State<ApiState>,
    Reads(texts): Reads,
    Params(query): Params<BriefQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let missing = match &query.maintenance {
        Some(id) => format!("there is no planned work `{id}`"),
        None => "no work is planned".to_owned(),
    };
    let zones = state.clone();
    let report = read(&state, move |reader| {
        let Some(work) = work(reader, query.maintenance.as_deref())? else { return Ok(None) };
        let zone = zones.zone(work.region.as_ref().unwrap_or(&Name::all()));
        brief(reader, &work, &texts.local(zone)).map(Some)
    });
    let report = report.await?.ok_or(Problem::not_found(missing))?;
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
