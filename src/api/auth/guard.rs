//! Checks every request before it is handled: its host, its origin and its token.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::attempts::origin_of;
use super::{Actor, COOKIE, Scope, Tokens, is_guarded, needed};
use crate::api::problem::Problem;
use crate::api::state::ApiState;
use crate::telemetry::LogLimit;

static HOST_LINE: LogLimit = LogLimit::new();
static ORIGIN_LINE: LogLimit = LogLimit::new();

/// Refuses requests for unknown hosts, changes from pages of other sites, and requests under `/api` whose token does not
/// allow them. Passes the others on with their [`Actor`].
pub async fn guard(State(state): State<ApiState>, mut request: Request, next: Next) -> Response {
    if let Err(problem) = allowed(&state, &request) {
        return problem.into_response();
    }
    let Some(tokens) = &state.access.tokens else { return next.run(request).await };
    if !is_guarded(request.uri().path()) {
        return next.run(request).await;
    }
    let from = origin_of(&request);
    match token_of(tokens, &request) {
        Token::Of(actor) => {
            request.extensions_mut().insert(actor);
            next.run(request).await
        }
        Token::Missing => {
            let detail = "sign in with a token: Authorization: Bearer …, or POST /login";
            unauthorized(Problem::new(StatusCode::UNAUTHORIZED, detail))
        }
        Token::Unknown => unauthorized(state.access.attempts.failed(from, &state.metrics).await),
        Token::Lacks(scope) => {
            let detail = format!("this token lacks the scope `{}`", scope.name());
            Problem::new(StatusCode::FORBIDDEN, detail).into_response()
        }
    }
}

fn unauthorized(problem: Problem) -> Response {
    ([(header::WWW_AUTHENTICATE, "Bearer")], problem.into_response()).into_response()
}

fn allowed(state: &ApiState, request: &Request) -> Result<(), Problem> {
    let hosts = &state.access.hosts;
    if let Err(problem) = hosts.check_host(request) {
        refused(
            state,
            request,
            "host",
            &HOST_LINE,
            "the host is unknown: add it to server.allowed_hosts if it is yours",
        );
        return Err(problem);
    }
    if let Err(problem) = hosts.check_origin(request.method(), request.headers()) {
        let why = "a page of another site sent a change: set server.public_url or server.allowed_hosts if that site is yours";
        refused(state, request, "origin", &ORIGIN_LINE, why);
        return Err(problem);
    }
    Ok(())
}

fn refused(state: &ApiState, request: &Request, reason: &'static str, line: &LogLimit, why: &str) {
    state.metrics.refused(reason);
    let Some(count) = line.due() else { return };
    let shown = |name| {
        let value = request.headers().get(name).map(|value| format!("{value:?}"));
        value.unwrap_or_else(|| "none".into()).chars().take(200).collect::<String>()
    };
    let (host, origin) = (shown(header::HOST), shown(header::ORIGIN));
    tracing::warn!(count, host, origin, from = origin_of(request), "api: request refused, {why}");
}

/// What the token of a request is.
enum Token {
    Missing,
    Unknown,
    Lacks(Scope),
    Of(Actor),
}

fn token_of(tokens: &Tokens, request: &Request) -> Token {
    let needed = needed(request.method(), request.uri().path());
    let Some(given) = presented(request.headers()) else { return Token::Missing };
    match tokens.now().find(given) {
        None => Token::Unknown,
        Some((name, scopes)) if scopes.contains(&needed) => Token::Of(Actor(Some(name.to_owned()))),
        Some(_) => Token::Lacks(needed),
    }
}

/// The token of a request, from its header or its cookie.
pub(super) fn presented(headers: &HeaderMap) -> Option<&str> {
    let bearer = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok());
    // The scheme's name may have any case (RFC 9110).
    let is_bearer = |scheme: &str| scheme.eq_ignore_ascii_case("bearer");
    if let Some((scheme, token)) = bearer.and_then(|value| value.split_once(' '))
        && is_bearer(scheme)
    {
        return Some(token.trim());
    }
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut parts = cookies.flat_map(|cookies| cookies.split(';'));
    parts.find_map(|part| part.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}
