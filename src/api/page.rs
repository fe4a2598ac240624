//! The built-in page: files that are part of the program, and its texts from the catalogue.

use std::sync::LazyLock;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use xxhash_rust::xxh3::xxh3_64;

use super::language::Reads;
use super::params::PathPart;
use super::problem::Problem;
use super::state::ApiState;
use crate::text::{Language, page_module};

macro_rules! assets {
    ($($name:literal),+ $(,)?) => {
        /// Files of the page by name.
        const ASSETS: &[(&str, &str)] = &[$(($name, include_str!(concat!("page/", $name)))),+];
    };
}

assets![
    "accuracy.js",
    "advice.js",
    "agents.js",
    "alerts.js",
    "app.css",
    "app.js",
    "chart.js",
    "clock.js",
    "csv.js",
    "day.js",
    "dom.js",
    "early.js",
    "feed.js",
    "heat.js",
    "i18n.js",
    "icon.svg",
    "keys.js",
    "kpi.js",
    "net.js",
    "overview.js",
    "planner.js",
    "roster.js",
    "said.js",
    "series.js",
    "service.js",
    "silences.js",
    "spark.js",
    "staffing.js",
    "taken.js",
    "tickets.js",
    "time.js",
    "topics.js",
    "whatif.js",
];

/// plotly.js from the crate `plotly`, without the surrounding tags.
static PLOTLY: LazyLock<String> = LazyLock::new(|| {
    let tags = plotly::Plot::offline_js_sources();
    let script = tags.split_once('>').map_or("", |(_, rest)| rest);
    script.split_once("</script>").map_or(script, |(script, _)| script).to_owned()
});

/// The texts of each language, as modules.
static TEXTS: LazyLock<[String; 2]> = LazyLock::new(|| Language::ALL.map(page_module));

const INDEX: &str = include_str!("page/index.html");

/// The page in a language, for a service whose paths begin with `prefix`.
pub(super) fn at(prefix: &str, language: Language, page: &str) -> String {
    let tag = format!("<html lang=\"{}\">", language.tag());
    let page = page.replacen("<html lang=\"en\">", &tag, 1);
    ["href", "src", "action"].into_iter().fold(page, |page, attribute| {
        page.replace(&format!("{attribute}=\"/"), &format!("{attribute}=\"{prefix}/"))
    })
}

/// `GET /`: in the language of the request, until the reader chooses one on the page.
pub async fn index(
    State(state): State<ApiState>,
    Reads(texts): Reads,
    headers: HeaderMap,
) -> Response {
    let mut page = at(&state.access.prefix, texts.language(), INDEX);
    if state.access.tokens.is_some() {
        page = page.replace("data-sign-out hidden", "data-sign-out");
    }
    let page = serve("index.html", page, &headers);
    ([(header::VARY, "accept-language")], page).into_response()
}

/// `GET /assets/{name}`
pub async fn asset(PathPart(name): PathPart, headers: HeaderMap) -> Result<Response, Problem> {
    let texts = Language::ALL.into_iter().find(|language| name == format!("{language}.js"));
    let found = match texts {
        Some(language) => Some(TEXTS[language as usize].as_str()),
        None if name == "plotly.js" => Some(PLOTLY.as_str()),
        None => ASSETS.iter().find(|(known, _)| *known == name).map(|(_, text)| *text),
    };
    let text = found.ok_or_else(|| Problem::not_found("there is no such file"))?;
    Ok(serve(&name, text, &headers))
}

/// `GET /favicon.ico`
pub async fn icon(headers: HeaderMap) -> Result<Response, Problem> {
    asset(PathPart("icon.svg".to_owned()), headers).await
}

fn serve<T: AsRef<[u8]> + Into<Body>>(name: &str, text: T, headers: &HeaderMap) -> Response {
    let kind = match name.rsplit_once('.') {
        Some((_, "js")) => "text/javascript; charset=utf-8",
        Some((_, "css")) => "text/css; charset=utf-8",
        Some((_, "svg")) => "image/svg+xml",
        _ => "text/html; charset=utf-8",
    };
    let tag = format!("\"{:x}\"", xxh3_64(text.as_ref()));
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let cache = [(header::ETAG, tag.as_str()), (header::CACHE_CONTROL, "no-cache")];
    if known.is_some_and(|known| known.contains(&tag)) {
        return (StatusCode::NOT_MODIFIED, cache).into_response();
    }
    (cache, [(header::CONTENT_TYPE, kind)], text.into()).into_response()
}
