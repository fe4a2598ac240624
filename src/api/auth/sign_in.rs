//! Signing in and out, for browsers: a token becomes a cookie.

use axum::extract::rejection::FormRejection;
use axum::extract::{Form, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use serde::Deserialize;
use utoipa::ToSchema;

use super::Access;
use super::attempts::origin_of;
use crate::api::language::Reads;
use crate::api::problem::Problem;
use crate::api::state::ApiState;
use crate::text::Texts;

/// The cookie that holds the token of a signed-in browser.
pub const COOKIE: &str = "surgecast_token";
const TEMPLATE: &str = include_str!("../page/sign-in.html");

/// The form of the sign-in page.
#[derive(Deserialize, ToSchema)]
pub struct Login {
    /// A token of `server.tokens_file`.
    token: String,
}

impl Access {
    /// A cookie for the browser; an empty one signs it out.
    fn cookie(&self, token: &str) -> String {
        let secure = if self.is_secure { "; Secure" } else { "" };
        let age = if token.is_empty() { "; Max-Age=0" } else { "" };
        let path = &self.prefix;
        format!("{COOKIE}={token}; Path={path}/; HttpOnly; SameSite=Strict{secure}{age}")
    }

    fn see(&self, path: &str) -> (StatusCode, [(header::HeaderName, String); 1]) {
        (StatusCode::SEE_OTHER, [(header::LOCATION, format!("{}{path}", self.prefix))])
    }
}

/// `GET /login`: the form.
pub async fn page(State(state): State<ApiState>, Reads(texts): Reads) -> Response {
    match state.access.tokens {
        Some(_) => form(&state, &texts, false).into_response(),
        None => Redirect::to(&format!("{}/", state.access.prefix)).into_response(),
    }
}

/// The sign-in page; after a failed sign-in it says so.
fn form(state: &ApiState, texts: &Texts, has_failed: bool) -> Html<String> {
    let mut page = crate::api::page::at(&state.access.prefix, texts.language(), TEMPLATE);
    for id in ["sign_in_failed", "sign_in_token", "sign_in", "sign_in_hint"] {
        let place = format!("data-i18n=\"{id}\">");
        page = page.replace(&place, &format!("{place}{}", texts.text(id, None)));
    }
    if has_failed {
        page = page.replace("data-fault hidden", "data-fault");
    }
    Html(page)
}

/// Signs a browser in: a token becomes a cookie
#[utoipa::path(post, path = "/login", request_body(content = Login, content_type = "application/x-www-form-urlencoded"), responses((status = 303), (status = 401, description = "This token is not known."), (status = 429)))]
pub async fn login(
    State(state): State<ApiState>,
    Reads(texts): Reads,
    request: Request,
) -> Result<Response, Problem> {
    use axum::extract::FromRequest as _;
    let (from, wants_page) = (origin_of(&request), wants_page(request.headers()));
    let given: Result<Form<Login>, FormRejection> = Form::from_request(request, &state).await;
    let Form(given) = given.map_err(|error| Problem::bad_request(error.body_text()))?;
    let access = &state.access;
    let Some(tokens) = &access.tokens else { return Ok(access.see("/").into_response()) };
    let token = given.token.trim();
    let name = tokens.now().find(token).map(|(name, _)| name.to_owned());
    let Some(name) = name else {
        let problem = access.attempts.failed(from, &state.metrics).await;
        if !wants_page {
            return Err(problem);
        }
        let page = form(&state, &texts, true);
        return Ok((problem.status(), page).into_response());
    };
    tracing::info!(name, from, "api: signed in");
    Ok(([(header::SET_COOKIE, access.cookie(token))], access.see("/")).into_response())
}

/// Signs a browser out: removes its cookie
#[utoipa::path(post, path = "/logout", responses((status = 303, description = "Signed out: the cookie is removed.")))]
pub async fn logout(State(state): State<ApiState>) -> Response {
    let access = &state.access;
    let to = if access.tokens.is_some() { "/login" } else { "/" };
    ([(header::SET_COOKIE, access.cookie(""))], access.see(to)).into_response()
}

/// Whether the request is from a browser that displays a page.
fn wants_page(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}
