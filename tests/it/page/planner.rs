//! A planner who has only the page: each goal takes at most three clicks.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use fantoccini::{Client, Locator};
use serde_json::{Value, json};

use super::desk::PAPER;
use super::{Cdp, eval, holds, in_browser, quiet, shoot, text};

const CLICKS_MAX: usize = 3;

/// The clicks of one goal. Choosing a file and moving a slider count too; typing a name does not.
struct Goal<'a> {
    client: &'a Client,
    what: &'static str,
    clicks: usize,
}

impl<'a> Goal<'a> {
    /// A goal begins on the overview.
    async fn begin(client: &'a Client, base: &str, what: &'static str) -> Result<Self> {
        client.goto(&format!("{base}/assets/icon.svg")).await?;
        client.goto(&format!("{base}/")).await?;
        holds(client, "the overview", "document.querySelectorAll('.coming tbody tr').length > 0")
            .await?;
        Ok(Self { client, what, clicks: 0 })
    }

    fn count(&mut self) -> Result<()> {
        self.clicks += 1;
        ensure!(self.clicks <= CLICKS_MAX, "{}: more than {CLICKS_MAX} clicks", self.what);
        Ok(())
    }

    /// A real click, on what is seen.
    async fn click(&mut self, css: &str) -> Result<()> {
        self.count()?;
        holds(
            self.client,
            css,
            &format!("document.querySelector({})?.checkVisibility()", json!(css)),
        )
        .await?;
        let seen = "document.querySelector(arguments[0]).scrollIntoView({ block: 'center' })";
        self.client.execute(seen, vec![json!(css)]).await?;
        let node = self.client.find(Locator::Css(css)).await?;
        node.click().await.with_context(|| format!("{}: {css}", self.what))
    }

    async fn file(&mut self, css: &str, file: &Path) -> Result<()> {
        let file = file.to_str().context("a path in UTF-8")?;
        Ok(self.client.find(Locator::Css(css)).await?.send_keys(file).await?)
    }

    async fn slide(&mut self, css: &str, by: i64) -> Result<()> {
        self.count()?;
        let slide = "const s = document.querySelector(arguments[0]); s.value = Number(s.value) + arguments[1]; s.dispatchEvent(new Event('input'))";
        self.client.execute(slide, vec![json!(css), json!(by)]).await?;
        Ok(())
    }
}

const STAFFING: &str = "a[href='#/staffing']";

/// Sunday evening: a roster from `file` for the night and the morning, its worst half hour, two agents more, a recommendation, and paper. Returns the
/// recommendation that was accepted.
pub async fn check_sunday(base_url: &str, file: &Path, series: &str) -> Value {
    let base = base_url.trim_end_matches('/').to_owned();
    let mut accepted = Value::Null;
    in_browser(async |client| {
        import(client, &base, file).await?;
        worst(client, &base).await?;
        two_more(client, &base, series).await?;
        accepted = json!(accept(client, &base).await?);
        print(client, &base).await?;
        quiet(client).await
    })
    .await;
    accepted
}

async fn import(client: &Client, base: &str, file: &Path) -> Result<()> {
    let mut goal = Goal::begin(client, base, "import a roster").await?;
    goal.click(STAFFING).await?;
    goal.click("#r-choose").await?;
    goal.file("#r-file", file).await?;
    holds(client, "the preview", "document.querySelector('#roster').open && document.querySelectorAll('#roster tbody tr').length === 1").await?;
    shoot(client, "planner-roster").await?;
    goal.click("#roster .primary").await?;
    holds(
        client,
        "that it is stored",
        "document.querySelector('#roster [role=status]').textContent.startsWith('Stored: 1 shift')",
    )
    .await
}

/// The worst half hour of tomorrow's morning is in one sentence, and its cell has the strongest colour.
async fn worst(client: &Client, base: &str) -> Result<()> {
    let mut goal = Goal::begin(client, base, "the worst half hour of tomorrow's morning").await?;
    goal.click(STAFFING).await?;
    goal.click("#d-after").await?;
    let says = "(document.querySelector('#heat-worst')?.textContent ?? '')";
    let found = format!(
        "/^Worst half hour: (0\\d|1[01]):[03]0, north \\/ broadband: .* short/.test({says})"
    );
    holds(client, "the worst half hour", &found).await?;
    shoot(client, "planner-worst").await?;
    let at = eval(client, &format!("{says}.match(/\\d\\d:\\d\\d/)[0]")).await?;
    let cell = format!(
        "[...document.querySelectorAll('.heat-map td.l3')].some((td) => td.title.startsWith('{at}'))"
    );
    holds(client, "its cell", &cell).await?;
    // At this time of day no forecast reaches tomorrow's morning.
    let beyond = "[...document.querySelectorAll('.heat-map td.outline.l3')].some((td) => td.title.startsWith('10:00') && td.title.endsWith('for the usual number of tickets'))";
    holds(client, "the morning", beyond).await
}

async fn two_more(client: &Client, base: &str, series: &str) -> Result<()> {
    let mut goal = Goal::begin(client, base, "try two agents more").await?;
    goal.click(&format!("a[href='#/series/{series}']")).await?;
    goal.click("#what-if > summary").await?;
    holds(client, "the sliders", "document.querySelector('#w-agents')").await?;
    let now = "Number(document.querySelector('label[for=w-agents] output').textContent)";
    let before: i64 = eval(client, now).await?.parse()?;
    goal.slide("#w-agents", 2).await?;
    holds(client, "two more", &format!("{now} === {}", before + 2)).await?;
    let effect = "!['–', ''].includes(document.querySelector('.what tbody tr:last-child td:last-child').textContent)";
    holds(client, "the effect", effect).await
}

async fn accept(client: &Client, base: &str) -> Result<String> {
    let mut goal = Goal::begin(client, base, "accept a recommendation").await?;
    goal.click(STAFFING).await?;
    holds(
        client,
        "a recommendation",
        "document.querySelector('article.advice [data-answer=accept]')",
    )
    .await?;
    client.find(Locator::Css("#advice-by")).await?.send_keys("Li").await?;
    client.execute("document.querySelector('article.advice:has([data-answer=accept]:not([hidden]))').id = 'own'", vec![]).await?;
    let id = eval(client, "document.querySelector('#own').dataset.key").await?;
    goal.click("#own [data-answer=accept]").await?;
    holds(client, "the answer", "document.querySelector('#own').dataset.state === 'accepted'")
        .await?;
    shoot(client, "planner-accepted").await?;
    Ok(id)
}

/// The browser prints; the map is on the paper as a whole.
async fn print(client: &Client, base: &str) -> Result<()> {
    let mut goal = Goal::begin(client, base, "print the day").await?;
    goal.click(STAFFING).await?;
    holds(client, "the map", "document.querySelectorAll('.heat-map td').length > 48").await?;
    // The dialog itself belongs to the browser.
    client.execute("window.print = () => (window.printed = true)", vec![]).await?;
    goal.click("#s-print").await?;
    holds(client, "the dialog of the browser", "window.printed").await?;
    let paper = json!({"landscape": true, "preferCSSPageSize": true, "printBackground": true});
    let pdf = client.issue_cmd(Cdp("Page.printToPDF", paper)).await?;
    let data = pdf["data"].as_str().context("a file")?;
    ensure!(data.starts_with("JVBERi0"), "not a PDF: {data:.40}");
    client.issue_cmd(Cdp("Emulation.setEmulatedMedia", json!({"media": "print"}))).await?;
    let size =
        json!({"width": PAPER.0, "height": PAPER.1, "deviceScaleFactor": 1, "mobile": false});
    client.issue_cmd(Cdp("Emulation.setDeviceMetricsOverride", size)).await?;
    let whole = format!(
        "[...document.querySelectorAll('.heat-map, .heat-map td:last-child')].every((node) => node.getBoundingClientRect().right <= {})",
        PAPER.0
    );
    holds(client, "the whole map on the paper", &whole).await?;
    client.issue_cmd(Cdp("Emulation.setEmulatedMedia", json!({"media": ""}))).await?;
    client.issue_cmd(Cdp("Emulation.clearDeviceMetricsOverride", json!({}))).await?;
    Ok(())
}

/// Monday morning: what the accepted recommendation brought is a row of the page: the one at `at`, as `own` of the API has it.
pub async fn check_monday(base_url: &str, (at, own): (usize, &Value)) {
    let base = base_url.trim_end_matches('/').to_owned();
    in_browser(async |client| {
        let mut goal = Goal::begin(client, &base, "see what it brought").await?;
        goal.click(STAFFING).await?;
        goal.click("#taken > summary").await?;
        // The rows are those of the API, in its order.
        let row = format!("document.querySelectorAll('#taken tbody tr')[{at}]");
        holds(client, "the row", &row).await?;
        client.execute(&format!("{row}.id = 'own'"), vec![]).await?;
        ensure!(text(client, "#own th").await? == own["period"], "another period than {own}");
        let team = text(client, "#own td").await?.replace(' ', "");
        ensure!(team == own["team"], "{team} is another team than {own}");
        let percent = |key: &str| {
            format!("{:.0}\u{a0}%", (own[key].as_f64().unwrap_or(f64::NAN) * 100.0).round())
        };
        for (column, wanted) in [
            ("taken", own["taken"].to_string()),
            ("compared", own["compared"].to_string()),
            ("with", percent("service_level_with")),
            ("without", percent("service_level_without")),
        ] {
            let shown = text(client, &format!("#own td[data-column={column}]")).await?;
            ensure!(shown == wanted, "{column}: the page says {shown}, the API {own}");
        }
        shoot(client, "planner-monday").await?;
        quiet(client).await
    })
    .await;
}
