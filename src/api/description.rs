//! The description of the API: the parts that are the same for all routes.
//!
//! What each status means, that errors are problems, which token an operation needs.

use axum::http::Method;
use utoipa::OpenApi;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{Components, Content, Ref, RefOr, Response};

use super::auth;

/// Completes the description that the handlers give of themselves.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "surgecast",
        description = "Windows, forecasts, staffing and alerts of a telecom operator's tickets. Times are \
                       RFC 3339 in UTC; errors are RFC 9457 problems."
    ),
    paths(auth::login, auth::logout)
)]
pub struct Description;

/// Adds what all operations have in common.
pub fn complete(api: &mut utoipa::openapi::OpenApi) {
    for (path, item) in &mut api.paths.paths {
        for (method, operation) in operations(item) {
            if auth::is_guarded(path) {
                require_token(operation, auth::needed(&method, path).name());
            }
            if method == Method::GET {
                offer_csv(path, operation);
            }
            for (status, response) in &mut operation.responses.responses {
                if let RefOr::T(response) = response {
                    explain(status, response);
                }
            }
        }
    }
    let components = api.components.get_or_insert_with(Components::default);
    for (name, scheme) in schemes() {
        components.security_schemes.insert(name.to_owned(), scheme.into());
    }
}

/// Routes whose answer is a list although their description is an object.
const LISTS: [&str; 7] =
    ["accuracy", "forecasts", "outlook", "overview", "service", "staffing", "timeline"];

/// Adds CSV as a second format of lists.
fn offer_csv(path: &str, operation: &mut Operation) {
    let responses = &mut operation.responses.responses;
    let Some(RefOr::T(response)) = responses.get_mut("200") else { return };
    let Some(RefOr::T(json)) = response.content.get("application/json") else { return };
    let is_array = matches!(json.schema, Some(RefOr::T(Schema::Array(_))));
    if is_array || path.strip_prefix("/api/v1/").is_some_and(|path| LISTS.contains(&path)) {
        let text = ObjectBuilder::new().schema_type(Type::String);
        response.content.insert("text/csv".to_owned(), Content::new(Some(text)).into());
        responses.entry("406".to_owned()).or_insert_with(|| Response::default().into());
    }
}

/// The operations of a path with their methods; the API has no others.
fn operations(item: &mut PathItem) -> impl Iterator<Item = (Method, &mut Operation)> {
    let all = [
        (Method::GET, item.get.as_mut()),
        (Method::PUT, item.put.as_mut()),
        (Method::POST, item.post.as_mut()),
        (Method::DELETE, item.delete.as_mut()),
    ];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation?)))
}

/// A bearer token or the cookie that `/login` sets, with a scope.
fn require_token(operation: &mut Operation, scope: &str) {
    let either = schemes().map(|(name, _)| SecurityRequirement::new(name, [scope]));
    operation.security = Some(either.into());
    let responses = &mut operation.responses.responses;
    for status in ["401", "403"] {
        responses.entry(status.to_owned()).or_insert_with(|| Response::default().into());
    }
}

fn schemes() -> [(&'static str, SecurityScheme); 2] {
    let about = "A token of `server.tokens_file`, with the scope `read`, `operate` or `ingest` that the \
                 operation lists. Without that file there are no tokens, and every caller on this machine may do everything.";
    let token = Http::builder().scheme(HttpAuthScheme::Bearer).description(Some(about)).build();
    let about = "The same token as a cookie, for browsers: `POST /login` sets it.";
    let cookie = ApiKeyValue::with_description(auth::COOKIE, about);
    [
        ("token", SecurityScheme::Http(token)),
        ("cookie", SecurityScheme::ApiKey(ApiKey::Cookie(cookie))),
    ]
}

/// Describes a response, unless its route does, and gives errors a problem as their body.
fn explain(status: &str, response: &mut Response) {
    if response.description.is_empty() {
        response.description = meaning(status).to_owned();
    }
    let is_problem = response.content.contains_key("application/problem+json");
    if status.starts_with(['4', '5']) && !is_problem {
        let problem = Content::new(Some(Ref::new("#/components/schemas/Problem")));
        response.content = [("application/problem+json".to_owned(), problem.into())].into();
    }
}

/// What a status means throughout the API.
fn meaning(status: &str) -> &'static str {
    match status {
        "200" => "What the request asked for.",
        "201" => "The entry is stored; the body shows it.",
        "202" => "The events are stored and will be counted.",
        "204" => "The change is made; there is no body.",
        "303" => "Signed in: the cookie is set, and the page is at `/`.",
        "400" => "A parameter or the body is wrong; `detail` says what would work.",
        "401" => "The request has no valid token.",
        "403" => {
            "The token lacks the scope that the operation needs, or a page of another site sent a request that changes something."
        }
        "404" => "Nothing matches the request, or nothing yet.",
        "406" => "The request accepts only CSV, but this answer is not a list.",
        "409" => "The entry has to be confirmed, or there are too many; `detail` says which.",
        "413" => "The body is too large; send less at once.",
        "415" => "The body's `Content-Encoding` is not gzip, zstd or identity.",
        "421" => "The host of the request is unknown: see `server.allowed_hosts`.",
        "422" => "No event was accepted; `rejected` has the reason for each event.",
        "429" => {
            "Too many failed sign-ins wait for their answer; try again after `Retry-After` seconds."
        }
        "503" => "The service cannot answer now; try again after `Retry-After` seconds.",
        "507" => "The disk is full.",
        _ => "`detail` says what happened.",
    }
}
