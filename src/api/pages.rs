//! Pages: what was sent to whom, and what was given up.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::auth::Actor;
use super::language::Reads;
use super::params::{self, PageQuery, Params, PathPart};
use super::problem::Problem;
use super::read::read;
use super::requests::Resend;
use super::state::ApiState;
use super::write::{Body, body, tell};
use crate::domain::{Act, AuditEntry};
use crate::engine::Command;
use crate::views;

/// Pages to receivers, newest first
#[utoipa::path(get, path = "/pages", params(PageQuery), responses((status = 200, body = Vec<views::Page>), (status = 400, body = Problem)))]
pub async fn pages(
    State(state): State<ApiState>,
    Reads(texts): Reads,
    Params(query): Params<PageQuery>,
) -> Result<Response, Problem> {
    let (delivery, limit) = (query.state()?, params::limit(query.limit)?);
    let rows = read(&state, move |reader| {
        reader.outbox(delivery, query.receiver.as_deref(), limit + 1, query.after)
    })
    .await?;
    let last = rows.get(limit - 1).map(|(cursor, _)| cursor.to_string());
    let rows = rows.iter().map(|(_, row)| views::Page::new(row, &texts)).collect();
    Ok(params::page_of(rows, limit, |_| last.unwrap_or_default()))
}

/// One page, with its delivery to each receiver
#[utoipa::path(get, path = "/pages/{id}", params(("id" = String, Path)), responses((status = 200, body = Vec<views::Page>), (status = 404, body = Problem)))]
pub async fn page(
    State(state): State<ApiState>,
    Reads(texts): Reads,
    PathPart(id): PathPart,
) -> Result<Json<Vec<views::Page>>, Problem> {
    let missing = format!("there is no page `{id}`");
    let rows = read(&state, move |reader| reader.page(&id)).await?;
    if rows.is_empty() {
        return Err(Problem::not_found(missing));
    }
    Ok(Json(rows.iter().map(|row| views::Page::new(row, &texts)).collect()))
}

/// Sends an undelivered page again
#[utoipa::path(post, path = "/pages/{id}/resend", params(("id" = String, Path)), request_body = Resend, responses((status = 204), (status = 404, body = Problem)))]
pub async fn resend_page(
    State(state): State<ApiState>,
    PathPart(id): PathPart,
    actor: Actor,
    given: Body<Resend>,
) -> Result<StatusCode, Problem> {
    let receiver = body(given)?.receiver;
    let detail = receiver.clone().unwrap_or_default();
    let entry = AuditEntry { detail, ..actor.did(Act::PageResent, &id, None) };
    tell(&state, entry, |reply| Command::Resend { page: id, receiver, reply }).await?;
    Ok(StatusCode::NO_CONTENT)
}
