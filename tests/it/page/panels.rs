//! Boards drawn in the browser with Grafana's own libraries, by the page that `tests/panels` builds. No Grafana server runs.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use fantoccini::Client;
use serde_json::{Value, json};

use super::{Cdp, holds, in_browser, quiet};

/// How a board is drawn.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// `dark` or `light`.
    pub theme: &'static str,
    pub width: u32,
}

/// A board with the answers to its queries, by panel and query. Times are in milliseconds.
#[derive(Debug)]
pub struct Filled {
    /// Name of its picture.
    pub name: String,
    pub board: Value,
    pub answers: Value,
    pub from_ms: i64,
    pub to_ms: i64,
    pub now_ms: i64,
}

/// The folder with the built page: `tests/run` names it.
fn folder() -> PathBuf {
    let named = std::env::var_os("SURGECAST_PANELS").map(PathBuf::from);
    let folder = named.unwrap_or_else(|| {
        let cache = std::env::var_os("SURGECAST_CACHE").map(PathBuf::from);
        let home = std::env::var_os("HOME").map(PathBuf::from).expect("HOME");
        cache.unwrap_or_else(|| home.join(".cache/surgecast")).join("panels/page")
    });
    let page = folder.join("page.js");
    assert!(page.exists(), "{} is missing: run tests/panels/install", page.display());
    folder
}

/// Draws each board in each look, and returns what a reader sees of its panels. Saves pictures to `pictures`.
pub async fn draw(boards: &[Filled], looks: &[Look], pictures: Option<PathBuf>) -> Vec<Vec<Value>> {
    let address = serve().await;
    let mut drawn = Vec::new();
    in_browser(async |client| {
        for board in boards {
            for look in looks {
                client.goto(&format!("http://{address}/index.html")).await?;
                let seen = draw_one(client, board, *look, pictures.as_ref()).await;
                let seen = seen.with_context(|| format!("{}, {look:?}", board.name))?;
                drawn.push(seen);
            }
        }
        Ok(())
    })
    .await;
    drawn
}

async fn draw_one(
    client: &Client,
    filled: &Filled,
    look: Look,
    pictures: Option<&PathBuf>,
) -> Result<Vec<Value>> {
    let request = json!({
        "board": filled.board, "answers": filled.answers, "mode": look.theme, "width": look.width,
        "from": filled.from_ms, "to": filled.to_ms, "now": filled.now_ms,
    });
    holds(client, "the page", "window.surgecast").await?;
    let height = call(client, "draw", &request).await?.as_f64().context("a height")?;
    let size = json!({"width": look.width, "height": height.ceil(), "deviceScaleFactor": 1, "mobile": false});
    client.issue_cmd(Cdp("Emulation.setDeviceMetricsOverride", size)).await?;
    let request = json!({ "board": filled.board, "now": filled.now_ms });
    let seen = call(client, "seen", &request).await?;
    if let Some(folder) = pictures {
        std::fs::create_dir_all(folder)?;
        let name = format!("{}-{}-{}.png", filled.name, look.theme, look.width);
        std::fs::write(folder.join(name), client.screenshot().await?)?;
    }
    client.issue_cmd(Cdp("Emulation.clearDeviceMetricsOverride", json!({}))).await?;
    quiet(client).await?;
    seen.as_array().cloned().context("panels")
}

/// Calls a function of the page, and waits for its result.
async fn call(client: &Client, function: &str, argument: &Value) -> Result<Value> {
    let script = format!(
        "const [argument, done] = arguments; surgecast.{function}(argument)\
         .then(done, (error) => done({{ error: String(error.stack) }}))"
    );
    let result = client.execute_async(&script, vec![argument.clone()]).await?;
    ensure!(result.get("error").is_none(), "{}", result["error"]);
    Ok(result)
}

/// Serves the page's files on a free port, until the test ends.
async fn serve() -> std::net::SocketAddr {
    let app = Router::new().fallback(file).with_state(Arc::new(folder()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("its address");
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

async fn file(State(folder): State<Arc<PathBuf>>, uri: Uri) -> Response {
    let path = folder.join(uri.path().trim_start_matches('/'));
    let kind = match path.extension().and_then(|end| end.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    };
    match std::fs::read(&path) {
        Ok(body) => ([(header::CONTENT_TYPE, kind)], body).into_response(),
        Err(_) => StatusCode::NOT_FOUND.into_response(),
    }
}
