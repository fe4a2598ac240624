//! All routes in one place, and their description.

use std::time::Duration;

use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{Html, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate};
use tower_http::decompression::RequestDecompressionLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;
use tracing::{Instrument as _, Span, field};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::description::{Description, complete};
use super::problem::Problem;
use super::state::ApiState;
use super::{
    accuracy, adjustments, audit, auth, backlog, csv, events, forward, gaps, gzip, outlook, page,
    pages, params, read, recommendations, report, service, silences, staffing, stream, tickets,
    timeline, topics, windows, write,
};
use crate::telemetry::{fail, span};
use crate::text::Language;

/// Time limit of all requests except the stream.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
const POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; \
                      connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

fn routes() -> (OpenApiRouter<ApiState>, OpenApiRouter<ApiState>) {
    let quick = OpenApiRouter::new()
        .routes(routes!(events::events))
        .routes(routes!(read::series))
        .routes(routes!(windows::windows))
        .routes(routes!(timeline::timeline))
        .routes(routes!(read::forecasts))
        .routes(routes!(staffing::staffing))
        .routes(routes!(gaps::gaps))
        .routes(routes!(backlog::backlog))
        .routes(routes!(service::service))
        .routes(routes!(service::calibration))
        .routes(routes!(tickets::tickets))
        .routes(routes!(tickets::sentiment))
        .routes(routes!(tickets::sla))
        .routes(routes!(tickets::outreach))
        .routes(routes!(outlook::outlook))
        .routes(routes!(outlook::overview))
        .routes(routes!(read::anomalies))
        .routes(routes!(accuracy::accuracy))
        .routes(routes!(report::weekly_report))
        .routes(routes!(report::incident_report))
        .routes(routes!(report::full_report))
        .routes(routes!(report::brief_report))
        .routes(routes!(topics::topics))
        .routes(routes!(read::alerts))
        .routes(routes!(read::alert))
        .routes(routes!(write::acknowledge))
        .routes(routes!(write::feedback))
        .routes(routes!(silences::silences, silences::silence))
        .routes(routes!(silences::end_silence))
        .routes(routes!(silences::incidents))
        .routes(routes!(pages::pages))
        .routes(routes!(pages::page))
        .routes(routes!(pages::resend_page))
        .routes(routes!(recommendations::recommendations))
        .routes(routes!(recommendations::uncovered))
        .routes(routes!(recommendations::taken))
        .routes(routes!(recommendations::accept_recommendation))
        .routes(routes!(recommendations::decline_recommendation))
        .routes(routes!(recommendations::recommendation_done))
        .routes(routes!(read::roster, write::put_roster))
        .routes(routes!(read::maintenance, write::post_maintenance))
        .routes(routes!(write::delete_maintenance))
        .routes(routes!(adjustments::list, adjustments::enter))
        .routes(routes!(adjustments::take_back))
        .routes(routes!(read::dead_letters))
        .routes(routes!(audit::audit))
        .routes(routes!(read::status));
    (quick, OpenApiRouter::new().routes(routes!(stream::stream)))
}

fn description() -> utoipa::openapi::OpenApi {
    let (quick, slow) = routes();
    let all = OpenApiRouter::with_openapi(Description::openapi())
        .nest("/api/v1", quick)
        .nest("/api/v1", slow);
    let mut api = all.into_openapi();
    complete(&mut api);
    api
}

/// The description of the API as indented JSON.
pub fn openapi() -> String {
    // Every part of it serialises: a test reads it.
    description().to_pretty_json().unwrap_or_default()
}

/// `GET /docs`: a list of the endpoints, for people.
async fn docs(State(state): State<ApiState>) -> Html<String> {
    let described = serde_json::to_value(description()).unwrap_or_default();
    let mut rows = String::new();
    for (path, methods) in described["paths"].as_object().into_iter().flatten() {
        for (method, about) in methods.as_object().into_iter().flatten() {
            let summary = about["summary"].as_str().unwrap_or_default();
            let method = method.to_uppercase();
            rows += &format!(
                "<tr><td>{method}</td><td><code>{path}</code></td><td>{summary}</td></tr>\n"
            );
        }
    }
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>surgecast API</title>\
         <meta name=\"viewport\" content=\"width=device-width\"><link rel=\"stylesheet\" href=\"/assets/app.css\">\
         <main><h1>surgecast API</h1><p>The full description is <a href=\"/openapi.json\">/openapi.json</a>.</p>\
         <table>{rows}</table></main></html>"
    );
    Html(page::at(&state.access.prefix, Language::En, &page))
}

/// The API and the page, below the path of `server.public_url` and without it: some proxies remove it.
pub fn router(state: ApiState) -> Router {
    let prefix = state.access.prefix.clone();
    let whole = at_root(state);
    if prefix.is_empty() {
        return whole;
    }
    let to = format!("{prefix}/");
    let start = get(move || async move { Redirect::permanent(&to) });
    let below = Router::new().nest_service(&format!("{prefix}/"), whole.clone());
    Router::new().route(&prefix, start).merge(below).fallback_service(whole)
}

fn at_root(state: ApiState) -> Router {
    let (quick, slow) = routes();
    let body_max = state.info.body_bytes_max;
    let quick: Router<ApiState> = quick.into();
    let quick = quick
        .layer(from_fn(csv::layer))
        .layer(from_fn_with_state(state.clone(), params::link_next))
        // Bodies are read within the limit after they are decoded.
        .layer(RequestDecompressionLayer::new())
        .layer(from_fn(gzip::layer))
        .layer(TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, ANSWER_WITHIN))
        .layer(DefaultBodyLimit::max(body_max));
    let slow: Router<ApiState> = slow.into();
    let compressed = DefaultPredicate::new().and(NotForContentType::SSE);
    let set =
        |name, value| SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value));
    Router::new()
        .nest("/api/v1", quick.merge(slow))
        .route("/", get(page::index))
        .route("/assets/{name}", get(page::asset))
        // Browsers ask for it beside what has no `<link>`, such as a file that is opened by itself.
        .route("/favicon.ico", get(page::icon))
        .route("/openapi.json", get(|| async { Json(description()) }))
        .route("/docs", get(docs))
        .route("/login", get(auth::page).post(auth::login))
        .route("/logout", post(auth::logout))
        .fallback(|| async { Problem::not_found("no such path; /docs lists all endpoints") })
        .method_not_allowed_fallback(|| async {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "use another method; /docs lists them")
        })
        .layer(from_fn_with_state(state.clone(), forward::to_leader))
        .layer(from_fn_with_state(state.clone(), auth::guard))
        .layer(from_fn_with_state(state.clone(), count))
        .layer(set(header::CONTENT_SECURITY_POLICY, POLICY))
        .layer(set(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(set(header::X_FRAME_OPTIONS, "DENY"))
        .layer(set(header::REFERRER_POLICY, "same-origin"))
        .layer(CompressionLayer::new().compress_when(compressed))
        .with_state(state)
}

/// The span of a request, named by its route: paths of requests are without number.
fn trace(request: &Request) -> Span {
    let span = span!(
        "request",
        otel.kind = "server",
        otel.name = field::Empty,
        "http.request.method" = field::Empty,
        "http.route" = field::Empty,
        "http.response.status_code" = field::Empty,
    );
    if !span.is_disabled() {
        let method = match request.method().as_str() {
            known @ ("GET" | "HEAD" | "POST" | "PUT" | "DELETE" | "OPTIONS") => known,
            // Clients may invent methods.
            _ => "_OTHER",
        };
        span.record("http.request.method", method);
        match request.extensions().get::<MatchedPath>() {
            Some(route) => {
                span.record("http.route", route.as_str());
                span.record("otel.name", format!("{method} {}", route.as_str()));
            }
            None => _ = span.record("otel.name", method),
        }
    }
    span
}

/// Counts answers, traces requests, and adds a problem body to error answers of layers.
async fn count(State(state): State<ApiState>, request: Request, next: Next) -> Response {
    use axum::response::IntoResponse;
    let span = trace(&request);
    let mut response = next.run(request).instrument(span.clone()).await;
    let status = response.status();
    state.metrics.request(status.as_u16());
    span.record("http.response.status_code", i64::from(status.as_u16()));
    if status.is_server_error() {
        fail(&span, "5xx");
    }
    let detail = match status {
        StatusCode::PAYLOAD_TOO_LARGE => {
            let most = state.info.body_bytes_max;
            format!("the body is larger than {most} bytes: send less at once")
        }
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            "Content-Encoding: use gzip, zstd, or none; a JSON body needs Content-Type: application/json".into()
        }
        StatusCode::GATEWAY_TIMEOUT => "no answer within 30 seconds: try again".into(),
        _ => return response,
    };
    let is_problem = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/problem"));
    if !is_problem {
        response = Problem::new(status, detail).into_response();
    }
    // The rest of the body is not read: nothing can follow on this connection.
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}
