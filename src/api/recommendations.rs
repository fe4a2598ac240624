//! Recommendations: the list, what nobody covers, and people's answers.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::auth::Actor;
use super::language::Reads;
use super::params::{self, Params, PathPart, RestQuery};
use super::problem::Problem;
use super::read::read;
use super::state::ApiState;
use super::write::{Body, NOTE_CHARS_MAX, body, person, tell, text};
use crate::domain::{Act, AuditEntry};
use crate::engine::Command;
use crate::forecast::HORIZON;
use crate::staffing::{Answer, RecommendationState};
use crate::store::Reader;
use crate::text::Texts;
use crate::views::{AdviceTaken, Period, Recommendation, Uncovered, advice_taken};

/// Query parameters of recommendations.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RecommendationQuery {
    /// Only those of this team, or of this series as `region/service/channel`.
    pub team: Option<String>,
    /// `proposed`, `accepted`, `declined`, `done`, `expired` or `withdrawn`.
    pub state: Option<String>,
    /// `true`: only what is proposed, accepted or done, and not over.
    pub open: Option<bool>,
    /// Rows at most, 1 to 1000.
    pub limit: Option<usize>,
    /// Id of the last recommendation of the previous page.
    pub after: Option<String>,
}

/// A person's answer to a recommendation.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecommendationAnswer {
    /// Who answers. With tokens, the name of the token is used instead.
    pub by: Option<String>,
    /// For the audit trail.
    pub note: Option<String>,
}

/// Recommendations, newest first
#[utoipa::path(get, path = "/recommendations", params(RecommendationQuery), responses((status = 200, body = Vec<Recommendation>), (status = 400, body = Problem)))]
pub async fn recommendations(
    State(state): State<ApiState>,
    Reads(texts): Reads,
    Params(query): Params<RecommendationQuery>,
) -> Result<Response, Problem> {
    let limit = params::limit(query.limit)?;
    let known = |name: &str| {
        let found = RecommendationState::EVERY.into_iter().find(|state| state.as_str() == name);
        found.ok_or_else(|| {
            let names = RecommendationState::EVERY.map(RecommendationState::as_str).join(", ");
            Problem::bad_request(format!("state: use one of {names}"))
        })
    };
    let wanted = query.state.as_deref().map(known).transpose()?;
    let open_at = query.open.unwrap_or(false).then(|| state.clock.now());
    let rows = read(&state, move |reader| {
        let (team, after) = (query.team.as_deref(), query.after.as_deref());
        reader.recommendations(team, (wanted, open_at), limit + 1, after)
    });
    let rows = rows.await?;
    let last = rows.get(limit - 1).map(|own| own.id.clone());
    let rows = rows.iter().map(|own| Recommendation::new(own, &texts)).collect();
    Ok(params::page_of(rows, limit, |_| last.unwrap_or_default()))
}

/// Missing agents for whom there is no recommendation, the largest number first
#[utoipa::path(get, path = "/recommendations/uncovered", params(RestQuery), responses((status = 200, body = Vec<Uncovered>)))]
pub async fn uncovered(
    State(state): State<ApiState>,
    Params(query): Params<RestQuery>,
) -> Result<Response, Problem> {
    let rows = read(&state, Reader::uncovered).await?;
    Ok(params::rest_of(rows.iter().map(Uncovered::from), query.after))
}

/// Query parameters of what became of recommendations.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TakenQuery {
    /// `week` (default) or `quarter` of the year.
    pub by: Option<String>,
    /// Only of this team, or of this series as `region/service/channel`.
    pub team: Option<String>,
    /// RFC 3339: periods that begin at this time or later; default: the last 12 weeks, or the last year.
    pub from: Option<String>,
    /// RFC 3339: periods that begin before; default: six hours from now.
    pub to: Option<String>,
    /// The value in the `Link` header of the previous page.
    pub after: Option<usize>,
}

/// Which recommendations were accepted or done, and their effect, by team and week or quarter of the year, newest first
#[utoipa::path(get, path = "/recommendations/taken", params(TakenQuery), responses((status = 200, body = Vec<AdviceTaken>), (status = 400, body = Problem)))]
pub async fn taken(
    State(state): State<ApiState>,
    Params(query): Params<TakenQuery>,
) -> Result<Response, Problem> {
    let by = match query.by.as_deref() {
        None | Some("week") => Period::Week,
        Some("quarter") => Period::Quarter,
        Some(_) => return Err(Problem::bad_request("by: use week or quarter")),
    };
    let to = params::instant("to", query.to.as_ref())?.unwrap_or(state.clock.now() + HORIZON);
    let from = params::instant("from", query.from.as_ref())?.unwrap_or(to - by.reach());
    let team = query.team;
    let rows = read(&state, move |reader| advice_taken(reader, by, team.as_deref(), (from, to)));
    Ok(params::rest_of(rows.await?.into_iter(), query.after))
}

/// Accepts a recommendation: a person will do it, and it does not change any more
#[utoipa::path(post, path = "/recommendations/{id}/accept", params(("id" = String, Path)), request_body = RecommendationAnswer, responses((status = 200, body = Recommendation), (status = 404, body = Problem)))]
pub async fn accept_recommendation(
    State(state): State<ApiState>,
    Reads(texts): Reads,
    PathPart(id): PathPart,
    actor: Actor,
    given: Body<RecommendationAnswer>,
) -> Result<Json<Recommendation>, Problem> {
    answer(&state, &texts, id, (Answer::Accept, Act::RecommendationAccepted), actor, given).await
}

/// Declines a recommendation: it is not made again for that time
#[utoipa::path(post, path = "/recommendations/{id}/decline", params(("id" = String, Path)), request_body = RecommendationAnswer, responses((status = 200, body = Recommendation), (status = 404, body = Problem)))]
pub async fn decline_recommendation(
    State(state): State<ApiState>,
    Reads(texts): Reads,
    PathPart(id): PathPart,
    actor: Actor,
    given: Body<RecommendationAnswer>,
) -> Result<Json<Recommendation>, Problem> {
    answer(&state, &texts, id, (Answer::Decline, Act::RecommendationDeclined), actor, given).await
}

/// Says that a recommendation was carried out
#[utoipa::path(post, path = "/recommendations/{id}/done", params(("id" = String, Path)), request_body = RecommendationAnswer, responses((status = 200, body = Recommendation), (status = 404, body = Problem)))]
pub async fn recommendation_done(
    State(state): State<ApiState>,
    Reads(texts): Reads,
    PathPart(id): PathPart,
    actor: Actor,
    given: Body<RecommendationAnswer>,
) -> Result<Json<Recommendation>, Problem> {
    answer(&state, &texts, id, (Answer::Done, Act::RecommendationDone), actor, given).await
}

async fn answer(
    state: &ApiState,
    texts: &Texts,
    id: String,
    (answer, act): (Answer, Act),
    actor: Actor,
    given: Body<RecommendationAnswer>,
) -> Result<Json<Recommendation>, Problem> {
    let given = body(given)?;
    let by = person(&actor, given.by.as_deref())?;
    let note = given.note.as_deref().filter(|note| !note.trim().is_empty());
    let note = note.map(|note| text("note", note, NOTE_CHARS_MAX)).transpose()?;
    let entry = actor.did(act, &id, given.by.as_deref().map(str::trim));
    let said = [Some(entry.detail.clone()).filter(|detail| !detail.is_empty()), note];
    let detail = said.into_iter().flatten().collect::<Vec<_>>().join("; ");
    let entry = AuditEntry { detail, ..entry };
    let own = tell(state, entry, |reply| Command::Answer { id, answer, by, reply }).await?;
    Ok(Json(Recommendation::new(&own, texts)))
}
