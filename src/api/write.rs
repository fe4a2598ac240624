//! Changes that people make. They go to the leader and are answered once they are stored.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::{BytesRejection, JsonRejection};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use tokio::sync::oneshot;

use super::auth::Actor;
use super::language::Reads;
use super::params::{Params, PathPart, RosterQuery};
use super::problem::Problem;
use super::read::{open_recommendations, read};
use super::requests::{Acknowledgement, Feedback, NewMaintenance};
use super::state::ApiState;
use crate::alert;
use crate::domain::{
    Act, AuditEntry, MaintenanceAction, MaintenanceEvent, Name, Timestamp, read_instant,
    unprintable,
};
use crate::engine::{Command, CommandError, Reply};
use crate::text::Texts;
use crate::views::{self, SentRow};

/// Maximum number of shifts in one request.
const SHIFTS_MAX: usize = 50_000;
pub(super) const NOTE_CHARS_MAX: usize = 1000;
pub(super) const ID_CHARS_MAX: usize = 256;
pub(super) const BY_CHARS_MAX: usize = 100;

pub(super) type Body<T> = Result<Json<T>, JsonRejection>;

pub(super) fn body<T>(body: Body<T>) -> Result<T, Problem> {
    body.map(|Json(value)| value).map_err(|error| match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::too_large(error.body_text()),
        _ => Problem::bad_request(unreadable(&error.body_text())),
    })
}

/// An error of a body in words of JSON.
fn unreadable(error: &str) -> String {
    let error = error
        .replace("Failed to deserialize the JSON body into the target type", "body")
        .replace("Failed to parse the request body as JSON", "the body is not JSON");
    error.replace("invalid type: map", "invalid type: object").replace("a sequence", "an array")
}

/// Sends a command with its entry of the audit trail to the forecaster, and waits until it is stored.
pub(super) async fn tell<T>(
    state: &ApiState,
    entry: AuditEntry,
    command: impl FnOnce(Reply<T>) -> Command,
) -> Result<T, Problem> {
    let act = entry.act;
    let (reply, answer) = oneshot::channel();
    state
        .commands
        .try_send(Command::Audited { entry, command: Box::new(command(reply)) })
        .map_err(|_| Problem::busy("too many changes are waiting to be stored"))?;
    let answer = answer
        .await
        .map_err(|_| Problem::busy("the change was not replicated to the standbys: try again"))?;
    match answer {
        Err(CommandError::NotFound) => Err(Problem::not_found(unknown(act))),
        answer => Ok(answer?),
    }
}

/// Says that nothing has the id of a change.
fn unknown(act: Act) -> &'static str {
    match act {
        Act::Acknowledged => "no open alert has this id",
        Act::Judged => "no alert has this id",
        Act::PageResent => "no undelivered page has this id",
        Act::RecommendationAccepted | Act::RecommendationDeclined | Act::RecommendationDone => {
            "no recommendation that still takes this answer has this id"
        }
        Act::SilenceEnded => "no silence in force or planned has this id",
        _ => "nothing has this id",
    }
}

pub(super) fn text(key: &str, text: &str, chars_max: usize) -> Result<String, Problem> {
    let trimmed = text.trim();
    if trimmed.is_empty() || trimmed.chars().count() > chars_max {
        return Err(Problem::bad_request(format!("{key}: use 1 to {chars_max} characters")));
    }
    if trimmed.chars().any(|c| unprintable(c) && c != '\n') {
        return Err(Problem::bad_request(format!("{key}: has a control character")));
    }
    Ok(trimmed.to_owned())
}

/// A parameter that is one line of text, such as a name or an id.
pub(super) fn line(key: &str, given: &str, chars_max: usize) -> Result<String, Problem> {
    match given.trim().contains('\n') {
        true => Err(Problem::bad_request(format!("{key}: has a line break"))),
        false => text(key, given, chars_max),
    }
}

/// The name of a person: the name of the token, or without tokens the name in the request.
pub(super) fn person(actor: &Actor, given: Option<&str>) -> Result<String, Problem> {
    let checked = |given| line("by", given, BY_CHARS_MAX);
    match (&actor.0, given.filter(|given| !given.trim().is_empty())) {
        (Some(token), given) => given.map(checked).transpose().map(|_| token.clone()),
        (None, Some(given)) => checked(given),
        (None, None) => Err(Problem::bad_request("by: is missing: give your name")),
    }
}

/// Acknowledges an alert
#[utoipa::path(post, path = "/alerts/{id}/ack", params(("id" = String, Path)), request_body = Acknowledgement, responses((status = 200, body = views::Alert), (status = 404, body = Problem)))]
pub async fn acknowledge(
    State(state): State<ApiState>,
    Reads(texts): Reads,
    PathPart(id): PathPart,
    actor: Actor,
    given: Body<Acknowledgement>,
) -> Result<Json<views::Alert>, Problem> {
    let given = body(given)?.by;
    let by = person(&actor, given.as_deref())?;
    let entry = actor.did(Act::Acknowledged, &id, given.as_deref().map(str::trim));
    let alert = tell(&state, entry, |reply| Command::Acknowledge { id, by, reply }).await?;
    shown(&state, &texts, alert).await
}

/// Stores feedback: whether an alert was useful
#[utoipa::path(post, path = "/alerts/{id}/feedback", params(("id" = String, Path)), request_body = Feedback, responses((status = 200, body = views::Alert), (status = 404, body = Problem)))]
pub async fn feedback(
    State(state): State<ApiState>,
    Reads(texts): Reads,
    PathPart(id): PathPart,
    actor: Actor,
    given: Body<Feedback>,
) -> Result<Json<views::Alert>, Problem> {
    let given = body(given)?;
    let mut said = if given.useful { "useful" } else { "not useful" }.to_owned();
    if let Some(note) = given.note.as_deref().filter(|note| !note.trim().is_empty()) {
        said = format!("{said}: {}", text("note", note, NOTE_CHARS_MAX)?);
    }
    let entry = AuditEntry { detail: said.clone(), ..actor.did(Act::Judged, &id, None) };
    let alert = tell(&state, entry, |reply| Command::Feedback { id, text: said, reply }).await?;
    shown(&state, &texts, alert).await
}

/// An alert in the form of the lists.
async fn shown(
    state: &ApiState,
    texts: &Texts,
    mut alert: alert::Alert,
) -> Result<Json<views::Alert>, Problem> {
    open_recommendations(state).await?.add_to(&mut alert);
    Ok(Json(views::Alert::new(&alert, texts)))
}

/// Replaces the roster of the series and teams in the request, for the hours that it covers
///
/// JSON rows, or CSV with the columns `team,start,end,agents,absent`. An answer with status 200 is a summary: of a dry run, or of a
/// roster that is stored and has rows that can have no effect.
#[utoipa::path(
    put,
    path = "/roster",
    params(RosterQuery),
    request_body(content((Vec<views::RosterRow> = "application/json"), (String = "text/csv"))),
    responses((status = 200, body = views::RosterSummary), (status = 204), (status = 400, body = Problem))
)]
pub async fn put_roster(
    State(state): State<ApiState>,
    Reads(texts): Reads,
    actor: Actor,
    Params(query): Params<RosterQuery>,
    headers: HeaderMap,
    given: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let given = given.map_err(|error| Problem::too_large(error.body_text()))?;
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let is_csv = kind.trim_start().starts_with("text/csv");
    if !is_csv && !kind.contains("json") {
        return Err(Problem::bad_request("use Content-Type: application/json or text/csv"));
    }
    let rows = if is_csv {
        let text = std::str::from_utf8(&given)
            .map_err(|_| Problem::bad_request("the text is not UTF-8: save the file as UTF-8"))?;
        views::RosterRow::of_csv(text).map_err(Problem::bad_request)?
    } else {
        let rows: Vec<views::RosterRow> = body(Json::from_bytes(&given))?;
        rows.into_iter().enumerate().map(|(place, row)| SentRow { place, row: Ok(row) }).collect()
    };
    if rows.len() > SHIFTS_MAX {
        return Err(Problem::too_large(format!("{} shifts: send up to {SHIFTS_MAX}", rows.len())));
    }
    let (rules, now) = (state.info.staffing.clone(), state.clock.now());
    let zone = |region: &Name| state.zone(region);
    let roster =
        views::Roster::checked(&rows, is_csv, &rules, &zone).map_err(Problem::bad_request)?;
    let (roster, summary) = read(&state, move |reader| {
        let changes = views::roster_changes(reader, &roster)?;
        let (warnings, more_warnings) =
            views::roster_warnings(reader, &roster, &rules, now, &texts)?;
        let summary = views::RosterSummary::from(&roster);
        Ok((roster, views::RosterSummary { changes, warnings, more_warnings, ..summary }))
    })
    .await?;
    if query.dry_run.unwrap_or(false) {
        return Ok(Json(summary).into_response());
    }
    let views::Roster { shifts, team_shifts, .. } = roster;
    let detail = format!("{} shifts", rows.len());
    let entry = AuditEntry { detail, ..actor.did(Act::RosterReplaced, "roster", None) };
    tell(&state, entry, |reply| Command::PutRoster { shifts, team_shifts, reply }).await?;
    if summary.warnings.is_empty() {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    Ok(Json(summary).into_response())
}

/// Adds planned work, or changes the plan with the same id
#[utoipa::path(post, path = "/maintenance", request_body = NewMaintenance, responses((status = 201, body = views::Maintenance), (status = 400, body = Problem)))]
pub async fn post_maintenance(
    State(state): State<ApiState>,
    actor: Actor,
    given: Body<NewMaintenance>,
) -> Result<(StatusCode, Json<views::Maintenance>), Problem> {
    let event = planned(&body(given)?, state.clock.now())?;
    let shown = views::Maintenance::from(&event);
    let entry = actor.did(Act::WorkPlanned, &event.event_id, None);
    tell(&state, entry, |reply| Command::PutMaintenance { event: Box::new(event), reply }).await?;
    Ok((StatusCode::CREATED, Json(shown)))
}

fn planned(given: &NewMaintenance, now: Timestamp) -> Result<MaintenanceEvent, Problem> {
    let name = |key: &str, name: &Option<String>| {
        let checked = name.as_deref().map(Name::new).transpose();
        checked.map_err(|error| Problem::bad_request(format!("{key}: the name {error}")))
    };
    let time = |key: &str, text: &str| {
        read_instant(text).map_err(|e| Problem::bad_request(format!("{key}: {e}")))
    };
    let optional = |key: &str, given: &Option<String>| {
        given.as_deref().map(|t| text(key, t, NOTE_CHARS_MAX).map(Into::into)).transpose()
    };
    let (starts_at, ends_at) =
        (time("starts_at", &given.starts_at)?, time("ends_at", &given.ends_at)?);
    if starts_at >= ends_at {
        return Err(Problem::bad_request("ends_at: has to come after starts_at"));
    }
    Ok(MaintenanceEvent {
        event_id: line("id", &given.id, ID_CHARS_MAX)?.into(),
        action: MaintenanceAction::Plan,
        ts: now,
        starts_at,
        ends_at,
        region: name("region", &given.region)?,
        service: name("service", &given.service)?,
        impact: optional("impact", &given.impact)?,
        text: optional("text", &given.text)?,
    })
}

/// Cancels planned work
#[utoipa::path(delete, path = "/maintenance/{id}", params(("id" = String, Path)), responses((status = 204), (status = 404, body = Problem)))]
pub async fn delete_maintenance(
    State(state): State<ApiState>,
    PathPart(id): PathPart,
    actor: Actor,
) -> Result<StatusCode, Problem> {
    let now = state.clock.now();
    let known = super::read::read(&state, move |r| r.maintenance(now, Timestamp::MAX)).await?;
    let Some(mut event) = known.into_iter().find(|event| *event.event_id == *id) else {
        return Err(Problem::not_found(format!("no planned work has the id `{id}`")));
    };
    event.action = MaintenanceAction::Cancel;
    event.ts = now;
    let entry = actor.did(Act::WorkCancelled, &event.event_id, None);
    tell(&state, entry, |reply| Command::PutMaintenance { event: Box::new(event), reply }).await?;
    Ok(StatusCode::NO_CONTENT)
}
