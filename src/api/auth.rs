//! Bearer tokens with scopes. Without a token set everybody who reaches the address may do everything,
//! which the configuration allows on loopback only.

use std::fmt;
use std::sync::Arc;

use axum::extract::{Form, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::ToSchema;

use super::problem::Problem;

/// What a token allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    Read,
    Operate,
    Ingest,
}

impl Scope {
    /// As it stands in a tokens file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Operate => "operate",
            Self::Ingest => "ingest",
        }
    }
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Token {
    name: String,
    scopes: Vec<Scope>,
    token: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    tokens: Vec<Token>,
}

/// The tokens of `server.tokens_file`.
#[derive(Clone)]
pub struct TokenSet(Vec<Token>);

impl fmt::Debug for TokenSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenSet({})", self.0.len())
    }
}

/// Why a tokens file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TokensError {
    #[error("{}", .0.message())]
    Syntax(#[from] toml::de::Error),
    #[error("token {0}: use at least 16 characters")]
    Short(String),
    #[error("it holds no token: add [[tokens]] with name, scopes and token")]
    Empty,
}

impl TokenSet {
    /// Reads `[[tokens]]` with `name`, `scopes` (`read`, `operate`, `ingest`) and `token`.
    ///
    /// # Errors
    /// [`TokensError`]; never with a token's text in it.
    pub fn from_toml(text: &str) -> Result<Self, TokensError> {
        let file: File = toml::from_str(text)?;
        let short = file.tokens.iter().filter(|token| token.token.len() < 16);
        let short: Vec<String> = short.map(|token| format!("`{}`", token.name)).collect();
        if !short.is_empty() {
            return Err(TokensError::Short(short.join(", ")));
        }
        if file.tokens.is_empty() { Err(TokensError::Empty) } else { Ok(Self(file.tokens)) }
    }

    /// Scopes of a token. Every token is compared in full, so that time tells nothing.
    fn scopes(&self, given: &str) -> Option<&[Scope]> {
        let mut found = None;
        for token in &self.0 {
            if same(token.token.as_bytes(), given.as_bytes()) {
                found = Some(token.scopes.as_slice());
            }
        }
        found
    }
}

fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |odd, (a, b)| odd | (a ^ b)) == 0
}

/// The cookie that holds the token of a signed-in browser.
pub const COOKIE: &str = "surgecast_token";

fn presented(headers: &HeaderMap) -> Option<&str> {
    let bearer = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok());
    if let Some(token) = bearer.and_then(|v| v.strip_prefix("Bearer ")) {
        return Some(token.trim());
    }
    let cookies = headers.get(header::COOKIE)?.to_str().ok()?;
    cookies.split(';').find_map(|part| part.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}

/// Whether a path wants a token.
pub fn is_guarded(path: &str) -> bool {
    path.starts_with("/api/")
}

/// The scope that a request of a guarded path needs.
pub fn needed(method: &Method, path: &str) -> Scope {
    match *method {
        // They hold what customers said.
        Method::GET | Method::HEAD if path.ends_with("/dead-letters") => Scope::Operate,
        Method::GET | Method::HEAD => Scope::Read,
        Method::POST if path.ends_with("/events") => Scope::Ingest,
        _ => Scope::Operate,
    }
}

/// Refuses requests of `/api` whose token does not allow them.
pub async fn guard(
    State(tokens): State<Option<Arc<TokenSet>>>,
    request: Request,
    next: Next,
) -> Response {
    let Some(tokens) = tokens else { return next.run(request).await };
    let path = request.uri().path();
    if !is_guarded(path) {
        return next.run(request).await;
    }
    let needed = needed(request.method(), path);
    match presented(request.headers()).and_then(|token| tokens.scopes(token)) {
        None => {
            let detail = "sign in with a token: Authorization: Bearer …, or POST /login";
            let problem = Problem::new(StatusCode::UNAUTHORIZED, detail).into_response();
            ([(header::WWW_AUTHENTICATE, "Bearer")], problem).into_response()
        }
        Some(scopes) if scopes.contains(&needed) => next.run(request).await,
        Some(_) => {
            let detail = format!("this token lacks the scope `{}`", needed.name());
            Problem::new(StatusCode::FORBIDDEN, detail).into_response()
        }
    }
}

/// The form of the sign-in page.
#[derive(Deserialize, ToSchema)]
pub struct Login {
    /// A token of `server.tokens_file`.
    token: String,
}

/// Signs a browser in: a token becomes a cookie
#[utoipa::path(post, path = "/login", request_body(content = Login, content_type = "application/x-www-form-urlencoded"), responses((status = 303), (status = 401, description = "This token is not known.")))]
pub async fn login(
    State(tokens): State<Option<Arc<TokenSet>>>,
    Form(given): Form<Login>,
) -> Result<Response, Problem> {
    let known = tokens.is_none_or(|tokens| tokens.scopes(&given.token).is_some());
    if !known || given.token.contains([';', '\r', '\n']) {
        return Err(Problem::new(StatusCode::UNAUTHORIZED, "this token is not known"));
    }
    let cookie = format!("{COOKIE}={}; Path=/; HttpOnly; SameSite=Strict", given.token);
    let headers = [(header::SET_COOKIE, cookie), (header::LOCATION, "/".to_owned())];
    Ok((StatusCode::SEE_OTHER, headers).into_response())
}
