//! Tests the built-in page in a real browser: Chromium, controlled by chromedriver.
#![allow(clippy::disallowed_methods, reason = "a test waits in real time, up to a limit")]

pub mod advice;
pub mod desk;
pub mod heat;
pub mod panels;
pub mod planner;
pub mod silences;
pub mod tickets;

use std::future::Future;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use reqwest::{Method, Url};
use serde_json::{Map, Value, json};

/// Time limit of all waits. The service may still be reading eight weeks of history when the page opens.
const PATIENCE: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(100);

/// Opens the page at `base_url` (such as `http://127.0.0.1:8080`), uses it like a planner, and panics if it does not
/// work. The service must be live, because the test waits for a window to be finalized. Writes screenshots to the
/// directory in `SURGECAST_SCREENSHOTS`, if that is set.
pub async fn check_page(base_url: &str) {
    let base = base_url.trim_end_matches('/').to_owned();
    in_browser(async |client| walk(client, &base).await).await;
}

/// Opens the page of one series (region/service/channel) and panics if it does not show the chart.
pub async fn check_series_page(base_url: &str, series: &str) {
    let address = format!("{}/#/series/{series}", base_url.trim_end_matches('/'));
    in_browser(async |client| {
        client.goto(&address).await?;
        chart(client).await?;
        let shown = text(client, "h1").await?.replace(' ', "");
        ensure!(shown == series, "the heading is {shown}, not {series}");
        shoot(client, "real-series").await?;
        quiet(client).await
    })
    .await;
}

/// Opens the page of a service with 2,000 leaf series in 40 regions. The page shows a part of them at a time.
pub async fn check_many(base_url: &str) {
    let address = format!("{}/", base_url.trim_end_matches('/'));
    in_browser(async |client| {
        let rows =
            |n: usize| format!("document.querySelectorAll('.coming tbody tr').length === {n}");
        client.goto(&address).await?;
        holds(client, "a hundred rows", &rows(100)).await?;
        ensure!(text(client, ".count").await?.contains("2,000"), "the count is not 2,000");
        shoot(client, "many").await?;
        let search = client.find(Locator::Css("#f-q")).await?;
        search.send_keys("region-07 Phone").await?;
        holds(client, "the rows that were searched for", &rows(10)).await?;
        let all = "const q = document.querySelector('#f-q'); q.value = ''; q.dispatchEvent(new Event('input'))";
        client.execute(all, vec![]).await?;
        holds(client, "a hundred again", &rows(100)).await?;
        client.execute("document.querySelector('.coming ~ button').click()", vec![]).await?;
        holds(client, "a hundred more", &rows(200)).await?;
        client.execute("document.querySelector('#f-totals').click()", vec![]).await?;
        let sort = client.find(Locator::Css("#f-sort")).await?;
        sort.select_by_value("peak").await?;
        let first = "document.querySelector('.coming tbody tr a').textContent";
        holds(client, "the total first", &format!("{first}.startsWith('all regions')")).await?;
        shoot(client, "many-totals").await?;
        client.find(Locator::Css(".coming tbody tr a")).await?.click().await?;
        lines(client).await?;
        client.goto(&format!("{address}#/series/region-07/service-03/phone")).await?;
        chart(client).await?;
        quiet(client).await
    })
    .await;
}

/// Opens the page in Chinese, and panics where it shows an English sentence: with a nowcast of `nowcast`, an anomaly of `anomaly`
/// (series, as region/service/channel) and an alert, each of which has to appear.
pub async fn check_chinese(base_url: &str, nowcast: &str, anomaly: &str) {
    let base = base_url.trim_end_matches('/').to_owned();
    in_browser(async |client| {
        client.goto(&format!("{base}/")).await?;
        client.find(Locator::Css("#lang")).await?.click().await?;
        holds(client, "Chinese", "document.documentElement.lang === 'zh-Hans'").await?;
        let hash = |to: &str| format!("location.hash = '#/{to}'");
        client.execute(&hash(&format!("series/{nowcast}")), vec![]).await?;
        chinese(client, "a nowcast", "document.querySelector('.nowcast')").await?;
        shoot(client, "series-zh").await?;
        client.execute(&hash(&format!("series/{anomaly}")), vec![]).await?;
        let shown = "document.querySelector('[aria-labelledby=s-anom] li')";
        chinese(client, "an anomaly", shown).await?;
        client.execute(&hash(""), vec![]).await?;
        chinese(client, "an alert", "document.querySelector('article.alert')").await?;
        let also = "[...document.querySelectorAll('article.alert')].some(a => \
                    a.querySelector('.also:not([hidden]) li a')?.textContent)";
        chinese(client, "an alert that belongs to another", also).await?;
        shoot(client, "overview-zh").await?;
        client.execute(&hash("accuracy"), vec![]).await?;
        chinese(client, "accuracy", "document.querySelector('table.figures')").await?;
        desk::check_desk_in_chinese(client, &base, nowcast).await?;
        quiet(client).await
    })
    .await;
}

/// Texts of the page with three or more Latin words in a row. Commands, and what customers said, may be English.
const ENGLISH: &str = r#"
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const shown = [...document.querySelectorAll("[aria-label]:not([lang=en])")].map((node) => node.getAttribute("aria-label"));
    for (let node = walk.nextNode(); node; node = walk.nextNode()) {
        if (!node.parentElement.closest("script, style, noscript, code, [lang=en]")) shown.push(node.data);
    }
    const words = /[a-z][a-z’'-]*(\s+[a-z][a-z’'-]*){2,}/i;
    return shown.filter((text) => words.test(text.replace(/“[^”]*”/g, "")));
"#;

/// Waits until `condition` is true in the page; then no text is English.
async fn chinese(client: &Client, what: &str, condition: &str) -> Result<()> {
    let script = format!("if (!({condition})) return null; {ENGLISH}");
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        let found = client.execute(&script, vec![]).await?;
        match found.as_array().map(Vec::as_slice) {
            None => tokio::time::sleep(POLL).await,
            Some([]) => return Ok(()),
            Some(_) => bail!("with {what}, the Chinese page says {found}"),
        }
    }
    bail!("{what} did not appear within {PATIENCE:?}")
}

async fn in_browser(walk: impl AsyncFnOnce(&Client) -> Result<()>) {
    let browser = Browser::start().await.expect("chromedriver and Chromium start");
    let client = browser.client.clone();
    let done = walk(&client).await;
    // Close the session also after a failure, or Chromium would continue to run.
    let closed = client.close().await;
    drop(browser);
    done.expect("the page works");
    closed.expect("the browser closes");
}

async fn walk(client: &Client, base: &str) -> Result<()> {
    client.goto(&format!("{base}/")).await?;
    overview(client).await?;
    shoot(client, "overview").await?;
    live(client).await?;
    enter(client).await?;
    language(client).await?;
    theme(client).await?;
    series(client).await?;
    take_back(client).await?;
    accuracy(client).await?;
    quiet(client).await
}

/// Checks rows, sparklines, and names of all controls.
async fn overview(client: &Client) -> Result<()> {
    holds(client, "rows", "document.querySelectorAll('.coming tbody tr').length > 0").await?;
    let drawn = "[...document.querySelectorAll('svg.spark')].some(s => \
                 s.querySelector('.past').getAttribute('d').length > 20 && \
                 s.querySelector('.next').getAttribute('d').length > 20)";
    holds(client, "a sparkline", drawn).await?;
    let named = "[...document.querySelectorAll('button, select, input, a')].every(e => \
                 (e.labels?.length || e.textContent.trim() || e.getAttribute('aria-label')))";
    holds(client, "a name on every control", named).await?;
    holds(client, "four figures", "document.querySelectorAll('.kpi .value').length === 4").await
}

/// Checks that the page updates without a reload.
async fn live(client: &Client) -> Result<()> {
    holds(client, "a live stream", "document.querySelector('#conn').dataset.state === 'live'")
        .await?;
    client.execute("window.surgecastMark = true", vec![]).await?;
    let settled = text(client, "#settled").await?;
    let clock = text(client, "#clock").await?;
    differs(client, "#clock", &clock).await?;
    differs(client, "#settled", &settled).await?;
    holds(client, "the same document", "window.surgecastMark === true").await
}

/// Enters an adjustment for a billing run.
async fn enter(client: &Client) -> Result<()> {
    client.execute("document.querySelector('#planner').open = true", vec![]).await?;
    for (field, text) in [("#p-label", "billing run"), ("#p-by", "Li")] {
        client.find(Locator::Css(field)).await?.send_keys(text).await?;
    }
    client.find(Locator::Css("#planner form button.primary")).await?.click().await?;
    let listed =
        "document.querySelector('#planner li strong')?.textContent.includes('billing run')";
    holds(client, "the entry", listed).await?;
    shoot(client, "planner").await?;
    // The header would cover the next element to click.
    client.execute("window.scrollTo(0, 0)", vec![]).await?;
    Ok(())
}

async fn take_back(client: &Client) -> Result<()> {
    client.execute("document.querySelector('#planner').open = true", vec![]).await?;
    holds(client, "the entry again", "document.querySelector('#planner li button')").await?;
    client.execute("document.querySelectorAll('#planner li > button')[1].click()", vec![]).await?;
    client.execute("document.querySelector('#planner .sure button').click()", vec![]).await?;
    holds(client, "no entry", "document.querySelectorAll('#planner li').length === 0").await
}

async fn language(client: &Client) -> Result<()> {
    for _ in 0..2 {
        let before = eval(client, "document.documentElement.lang").await?;
        let title = text(client, "h1").await?;
        client.find(Locator::Css("#lang")).await?.click().await?;
        differs(client, "h1", &title).await?;
        let after = eval(client, "document.documentElement.lang").await?;
        ensure!(before != after, "<html lang> stayed {before} when the language changed");
        let chinese = text(client, "h1").await?.chars().any(|c| ('一'..='龥').contains(&c));
        ensure!(chinese == (after == "zh-Hans"), "the heading is not in {after}");
    }
    Ok(())
}

async fn theme(client: &Client) -> Result<()> {
    let background = "getComputedStyle(document.body).backgroundColor";
    client.find(Locator::Css("#display summary")).await?.click().await?;
    let select = client.find(Locator::Css("#theme")).await?;
    select.select_by_value("light").await?;
    let light = eval(client, background).await?;
    select.select_by_value("dark").await?;
    let dark = eval(client, background).await?;
    ensure!(light != dark, "dark and light have the same background {dark}");
    shoot(client, "overview-dark").await?;
    client.execute("document.querySelector('#display').open = true", vec![]).await?;
    select.select_by_value("light").await?;
    Ok(())
}

/// Checks the accuracy page in both languages.
async fn accuracy(client: &Client) -> Result<()> {
    client.find(Locator::Css("a[href='#/accuracy']")).await?.click().await?;
    let rows =
        "document.querySelectorAll('main section:first-of-type .figures tbody tr').length === 4";
    holds(client, "rows for leads of 1, 3 and 6 h and all leads", rows).await?;
    let series = "document.querySelectorAll('main section a[href^=\"#/series/\"]').length === 36";
    holds(client, "each leaf series in one of the three lists", series).await?;
    shoot(client, "accuracy").await?;
    client.find(Locator::Css("#lang")).await?.click().await?;
    holds(client, "the same in Chinese", rows).await?;
    shoot(client, "accuracy-zh").await?;
    client.find(Locator::Css("#lang")).await?.click().await?;
    Ok(())
}

/// Opens the first series of the table, and returns with Escape.
async fn series(client: &Client) -> Result<()> {
    let name = text(client, ".coming tbody tr a").await?;
    client.find(Locator::Css(".coming tbody tr a")).await?.click().await?;
    chart(client).await?;
    ensure!(text(client, "h1").await? == name, "the heading is not the series that was opened");
    holds(client, "an explanation", "document.querySelectorAll('dl.why dd').length > 0").await?;
    let topics = "document.querySelectorAll('table.topics tbody tr').length === 6";
    holds(client, "the topics of complaints", topics).await?;
    let shaded = "document.querySelector('#plot').layout.shapes.some(s => s.name === 'entered')";
    holds(client, "the entry on the chart", shaded).await?;
    let named = "document.querySelector('.causes')?.textContent.includes('billing run')";
    holds(client, "the entry among the causes", named).await?;
    holds(client, "the table", "document.querySelectorAll('details tbody tr').length > 0").await?;
    shoot(client, "series").await?;
    client.find(Locator::Css("body")).await?.send_keys("\u{e00c}").await?;
    holds(client, "the way back", "document.querySelector('.coming') !== null").await
}

/// Waits for the chart with its three panels: arrivals, alarms and agents.
async fn chart(client: &Client) -> Result<()> {
    lines(client).await?;
    let panels = "document.querySelectorAll('#plot .cartesianlayer > .subplot').length === 3";
    holds(client, "three panels", panels).await
}

/// Waits for the lines of arrivals.
async fn lines(client: &Client) -> Result<()> {
    let lines = "document.querySelectorAll('#plot .scatterlayer .trace path.js-line').length > 2";
    holds(client, "a chart", lines).await
}

/// Checks that the browser console has no severe messages.
async fn quiet(client: &Client) -> Result<()> {
    let log = client.issue_cmd(BrowserLog).await?;
    let severe: Vec<_> =
        log.as_array().into_iter().flatten().filter(|entry| entry["level"] == "SEVERE").collect();
    ensure!(severe.is_empty(), "severe messages in the console: {severe:?}");
    Ok(())
}

async fn eval(client: &Client, expression: &str) -> Result<String> {
    let value = client.execute(&format!("return String({expression})"), vec![]).await?;
    Ok(value.as_str().unwrap_or_default().to_owned())
}

async fn text(client: &Client, css: &str) -> Result<String> {
    let script = "return document.querySelector(arguments[0])?.textContent ?? ''";
    let value = client.execute(script, vec![json!(css)]).await?;
    Ok(value.as_str().unwrap_or_default().to_owned())
}

/// Waits until `expression` is true in the page.
async fn holds(client: &Client, what: &str, expression: &str) -> Result<()> {
    let ok =
        until(|| async { Ok(eval(client, &format!("!!({expression})")).await? == "true") }).await?;
    if !ok {
        let seen = text(client, "body").await?;
        let seen: String = seen.chars().take(600).collect();
        bail!("{what} did not appear within {PATIENCE:?}; text of the page: {seen}");
    }
    Ok(())
}

async fn differs(client: &Client, css: &str, old: &str) -> Result<()> {
    let ok = until(|| async {
        let new = text(client, css).await?;
        Ok(!new.is_empty() && new != old)
    });
    ensure!(ok.await?, "{css} is still {old:?} after {PATIENCE:?}");
    Ok(())
}

/// Waits until `condition` is true; returns false after [`PATIENCE`].
async fn until<F: Future<Output = Result<bool>>>(condition: impl Fn() -> F) -> Result<bool> {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if condition().await? {
            return Ok(true);
        }
        tokio::time::sleep(POLL).await;
    }
    Ok(false)
}

/// Takes screenshots in the sizes of a desktop and a phone, if `SURGECAST_SCREENSHOTS` is set.
async fn shoot(client: &Client, name: &str) -> Result<()> {
    let Some(folder) = std::env::var_os("SURGECAST_SCREENSHOTS").map(PathBuf::from) else {
        return Ok(());
    };
    std::fs::create_dir_all(&folder)?;
    for (width, height) in [(390, 844), (1400, 1000)] {
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600});
        client.issue_cmd(Cdp("Emulation.setDeviceMetricsOverride", size)).await?;
        holds(client, "the new width", &format!("innerWidth === {width}")).await?;
        let fits = "document.documentElement.scrollWidth <= innerWidth";
        holds(client, "a page without sideways scrolling", fits).await?;
        let drawn = "[...document.querySelectorAll('#plot')].every(p => \
                     p.querySelector('.main-svg')?.clientWidth === p.clientWidth)";
        holds(client, "a chart of the new width", drawn).await?;
        let picture = client.screenshot().await?;
        std::fs::write(folder.join(format!("{name}-{width}x{height}.png")), picture)?;
    }
    client.issue_cmd(Cdp("Emulation.clearDeviceMetricsOverride", json!({}))).await?;
    Ok(())
}

/// chromedriver with one session. Both end when it is dropped.
struct Browser {
    client: Client,
    _driver: Driver,
    _profile: tempfile::TempDir,
}

struct Driver(Child);

impl Drop for Driver {
    fn drop(&mut self) {
        // The process may have ended before.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Browser {
    async fn start() -> Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let driver = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context(
                "chromedriver does not start: install it (chromium-driver) and put it on PATH",
            )?;
        let driver = Driver(driver);
        let address = ("127.0.0.1", port);
        ensure!(
            until(|| async { Ok(tokio::net::TcpStream::connect(address).await.is_ok()) }).await?,
            "chromedriver does not listen on port {port}"
        );
        let profile = tempfile::tempdir()?;
        let client = ClientBuilder::native()
            .capabilities(capabilities(profile.path()))
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .context("chromedriver cannot start Chromium")?;
        Ok(Self { client, _driver: driver, _profile: profile })
    }
}

fn capabilities(profile: &Path) -> Map<String, Value> {
    let profile = format!("--user-data-dir={}", profile.display());
    let args = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--hide-scrollbars",
        "--lang=en-GB",
        "--window-size=1400,1000",
        &profile,
    ];
    let mut wanted = Map::new();
    wanted.insert("goog:loggingPrefs".into(), json!({"browser": "ALL"}));
    wanted.insert("goog:chromeOptions".into(), json!({"args": args}));
    wanted
}

fn session_url(
    base: &Url,
    session: Option<&str>,
    tail: &str,
) -> Result<Url, <Url as std::str::FromStr>::Err> {
    base.join(&format!("session/{}/{tail}", session.unwrap_or_default()))
}

/// The messages of the browser console since the last call.
#[derive(Debug)]
struct BrowserLog;

impl WebDriverCompatibleCommand for BrowserLog {
    fn endpoint(
        &self,
        base: &Url,
        session: Option<&str>,
    ) -> Result<Url, <Url as std::str::FromStr>::Err> {
        session_url(base, session, "se/log")
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(json!({"type": "browser"}).to_string()))
    }
}

/// One command of the Chrome DevTools Protocol.
#[derive(Debug)]
struct Cdp(&'static str, Value);

impl WebDriverCompatibleCommand for Cdp {
    fn endpoint(
        &self,
        base: &Url,
        session: Option<&str>,
    ) -> Result<Url, <Url as std::str::FromStr>::Err> {
        session_url(base, session, "goog/cdp/execute")
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(json!({"cmd": self.0, "params": self.1}).to_string()))
    }
}
