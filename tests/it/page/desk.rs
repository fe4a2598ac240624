//! The planner's desk in the browser: days, staffing, what-if, entries, files, print, accessibility.

use anyhow::{Context, Result, bail, ensure};
use fantoccini::{Client, Locator};
use serde_json::{Value, json};

use super::{Cdp, chart, eval, holds, in_browser, lines, quiet, shoot, text};
use crate::program::cached;

/// The version of axe-core that `tests/run` fetches.
const AXE: &str = "axe-core-4.10.3/axe.min.js";
const ENTER: &str = "\u{e007}";
const ESCAPE: &str = "\u{e00c}";
/// An A4 page in landscape within margins of 10 mm, in CSS pixels.
pub(super) const PAPER: (u32, u32) = (1046, 717);

/// Uses the page at `base_url` like a planner who looks at a day, tries other numbers and prints. `series` has a plan.
pub async fn check_desk(base_url: &str, series: &str) {
    let base = base_url.trim_end_matches('/').to_owned();
    in_browser(async |client| {
        client.goto(&format!("{base}/#/series/{series}")).await?;
        chart(client).await?;
        day(client).await?;
        tries(client).await?;
        header(client).await?;
        client.goto(&format!("{base}/#/series/{series}?day=2026-03-09")).await?;
        lines(client).await?;
        print(client).await?;
        zones(client).await?;
        staffing(client, &base).await?;
        entries(client, &base).await?;
        quiet(client).await
    })
    .await;
}

/// Checks every view with axe-core, in both themes, both languages and two widths; on a phone the overview must be short.
pub async fn check_access(base_url: &str, series: &str) {
    let base = base_url.trim_end_matches('/').to_owned();
    in_browser(async |client| {
        let axe = axe_text()?;
        for (width, theme, language) in [(1280, "light", "en"), (390, "dark", "zh"), (1280, "dark", "en")] {
            let size = json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600});
            client.issue_cmd(Cdp("Emulation.setDeviceMetricsOverride", size)).await?;
            client.goto(&format!("{base}/assets/icon.svg")).await?;
            let choose = "localStorage.setItem('surgecast.theme', arguments[0]); localStorage.setItem('surgecast.lang', arguments[1])";
            client.execute(choose, vec![json!(theme), json!(language)]).await?;
            let day = format!("series/{series}?day=2026-03-09");
            let views = [("", ".coming tbody tr"), ("staffing", ".heat-map td"), (&day, "tr th[scope=row]"), ("accuracy", ".figures")];
            for (hash, shown) in views {
                client.goto(&format!("{base}/assets/icon.svg")).await?;
                client.goto(&format!("{base}/#/{hash}")).await?;
                holds(client, shown, &format!("document.querySelectorAll('{shown}').length > 3 || '{hash}' === 'accuracy' && document.querySelector('{shown}')")).await?;
                client.execute("document.querySelectorAll('details').forEach((node) => (node.open = true))", vec![]).await?;
                if hash.is_empty() {
                    // Planned work has its brief beside it, and the reports are in reach.
                    let brief = "document.querySelector('#maint + ul a[href*=\"reports/brief?maintenance=w%2F1\"]')";
                    holds(client, "a link to the brief", brief).await?;
                    let full = format!("document.querySelector('#full').href.endsWith('reports/full?language={language}')");
                    holds(client, "a link to the full report", &full).await?;
                }
                accessible(client, &axe, &format!("#/{hash} {width} {theme} {language}")).await?;
                if width < 600 && hash.is_empty() {
                    client.execute("document.querySelectorAll('details').forEach((node) => (node.open = false))", vec![]).await?;
                    let height: u32 = eval(client, "document.documentElement.scrollHeight").await?.parse()?;
                    ensure!(height < 3000, "the overview is {height} pixels high on a phone");
                    let fits = "document.documentElement.scrollWidth <= innerWidth";
                    holds(client, "a page without sideways scrolling", fits).await?;
                }
            }
        }
        client.issue_cmd(Cdp("Emulation.clearDeviceMetricsOverride", json!({}))).await?;
        quiet(client).await
    })
    .await;
}

/// The checker, as a script.
pub(super) fn axe_text() -> Result<String> {
    std::fs::read_to_string(cached(AXE)).context("axe-core is missing: `tests/run` fetches it")
}

pub(super) async fn accessible(client: &Client, axe: &str, what: &str) -> Result<()> {
    client.execute(axe, vec![]).await?;
    let run = "const done = arguments[0]; axe.run(document, { resultTypes: ['violations'] }).then((found) => done(\
               found.violations.map((v) => [v.id, v.impact, v.nodes.map((n) => n.target.join(' ')).slice(0, 5)])))";
    let found = client.execute_async(run, vec![]).await?;
    ensure!(found == json!([]), "axe-core finds in {what}: {found}");
    Ok(())
}

/// The day before: what came, first and newest forecast, the week before; then what was known at a time.
async fn day(client: &Client) -> Result<()> {
    client.execute("document.querySelector('.days button').click()", vec![]).await?;
    holds(client, "the day in the address", "/day=2026-03-0\\d/.test(location.hash)").await?;
    let traces = "document.querySelector('#plot').data.filter((t) => t.name && ['A week before', 'First forecast'].includes(t.name)).length === 2";
    holds(client, "last week and the first forecast on the chart", traces).await?;
    holds(client, "four sums", "document.querySelectorAll('.day-sums .value').length === 4")
        .await?;
    let rows = "document.querySelectorAll('details.panel tbody tr').length >= 96";
    holds(client, "a row for each window", rows).await?;
    let first = "document.querySelector('#plot').data.find((t) => t.name === 'A week before').x";
    let length = eval(client, &format!("{first}.at(-1) - {first}[0] + 900000")).await?;
    ensure!(length == "86400000", "{length} ms are not a day");
    let known = "const at = document.querySelector('#d-issued'); at.value = `${document.querySelector('#d-day').value}T09:00`; \
                 at.dispatchEvent(new Event('change'))";
    client.execute(known, vec![]).await?;
    holds(client, "the time in the address", "/issued=/.test(location.hash)").await?;
    // Six hours after 09:00 nothing was forecast yet.
    let last = format!(
        "Math.max(...document.querySelector('#plot').data.find((t) => t.name === 'Median forecast').x) - {first}[0] < 15.1 * 3600000"
    );
    holds(client, "no forecast beyond 15:00", &last).await?;
    shoot(client, "day").await?;
    client.back().await?;
    client.back().await?;
    holds(client, "the present again", "!/day=/.test(location.hash)").await?;
    chart(client).await?;
    // A link to a time marks its window.
    client.execute("location.hash += '?at=2026-03-09T06:00:00Z'", vec![]).await?;
    holds(client, "the marked window", "document.querySelector('tr.wanted')").await?;
    let shape = "document.querySelector('#plot').layout.shapes.some((s) => s.name === 'wanted')";
    holds(client, "the mark on the chart", shape).await
}

/// A slider shows its effect, and the button begins an entry with the factor.
async fn tries(client: &Client) -> Result<()> {
    client.execute("document.querySelector('#what-if').open = true", vec![]).await?;
    holds(client, "five sliders", "document.querySelectorAll('.sliders input').length === 5")
        .await?;
    let before = text(client, ".what tbody tr:nth-child(3) td").await?;
    let slide = "const s = document.querySelector('#w-arrivals_factor'); s.value = 2; s.dispatchEvent(new Event('input'))";
    client.execute(slide, vec![]).await?;
    let after = ".what tbody tr:nth-child(3) td:last-child";
    holds(
        client,
        "the effect",
        &format!("!['–', ''].includes(document.querySelector('{after}').textContent)"),
    )
    .await?;
    let after = text(client, after).await?;
    ensure!(after != before, "twice the tickets need {after} agents, as before");
    shoot(client, "what-if").await?;
    client.execute("document.querySelector('#what-if a.button').click()", vec![]).await?;
    let filled = "document.querySelector('#planner')?.open && document.querySelector('#p-value').value === '2' && document.querySelector('#p-region').value !== ''";
    holds(client, "the entry that was begun", filled).await
}

/// The header is one line on a desktop, in both languages; its menu of reports works with the keyboard.
async fn header(client: &Client) -> Result<()> {
    for language in ["zh-Hans", "en"] {
        client.execute("document.querySelector('#lang').click()", vec![]).await?;
        let chosen = format!("document.documentElement.lang === '{language}'");
        holds(client, "the language", &chosen).await?;
        for width in [1240, 1280, 1380, 1600] {
            let size =
                json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false});
            client.issue_cmd(Cdp("Emulation.setDeviceMetricsOverride", size)).await?;
            holds(client, "the new width", &format!("innerWidth === {width}")).await?;
            let height: f64 =
                eval(client, "document.querySelector('.top').offsetHeight").await?.parse()?;
            ensure!(height < 60.0, "the header is {height} pixels high at {width} in {language}");
        }
    }
    client.issue_cmd(Cdp("Emulation.clearDeviceMetricsOverride", json!({}))).await?;
    client.execute("scrollTo(0, 0)", vec![]).await?;
    client.find(Locator::Css("#reports summary")).await?.send_keys(ENTER).await?;
    holds(client, "the reports", "document.querySelector('#full').checkVisibility()").await?;
    shoot(client, "reports-menu").await?;
    let route = eval(client, "location.hash").await?;
    client.find(Locator::Css("#weekly")).await?.send_keys(ESCAPE).await?;
    let closed = "!document.querySelector('#reports').open && document.activeElement.matches('#reports summary')";
    holds(client, "the closed menu", closed).await?;
    ensure!(eval(client, "location.hash").await? == route, "Escape has left the view");
    Ok(())
}

/// The chart with its captions fits on one page.
async fn print(client: &Client) -> Result<()> {
    let media = json!({"media": "print"});
    client.execute("document.documentElement.dataset.theme = 'dark'", vec![]).await?;
    client.execute("dispatchEvent(new Event('beforeprint'))", vec![]).await?;
    client.issue_cmd(Cdp("Emulation.setEmulatedMedia", media)).await?;
    let size =
        json!({"width": PAPER.0, "height": PAPER.1, "deviceScaleFactor": 1, "mobile": false});
    client.issue_cmd(Cdp("Emulation.setDeviceMetricsOverride", size)).await?;
    let fits = format!(
        "(() => {{ const panel = document.querySelector('#plot').closest('section').getBoundingClientRect(); \
          const all = [...document.querySelectorAll('#plot .main-svg')].map((s) => s.getBoundingClientRect()); \
          return all.length > 0 && all.every((s) => s.right <= {0} && s.width > 500) && panel.bottom + scrollY <= {1}; }})()",
        PAPER.0, PAPER.1
    );
    holds(client, "the whole chart on one page", &fits).await?;
    let caption = "getComputedStyle(document.querySelector('.print-only')).display === 'block' && \
                   /Asia.Shanghai/.test(document.querySelector('.print-only').textContent)";
    holds(client, "date, issue time and zone", caption).await?;
    ensure!(
        eval(client, "document.documentElement.dataset.theme").await? == "light",
        "paper is dark"
    );
    client.issue_cmd(Cdp("Emulation.setEmulatedMedia", json!({"media": ""}))).await?;
    client.issue_cmd(Cdp("Emulation.clearDeviceMetricsOverride", json!({}))).await?;
    client.execute("dispatchEvent(new Event('afterprint'))", vec![]).await?;
    ensure!(
        eval(client, "document.documentElement.dataset.theme").await? == "dark",
        "the screen is light"
    );
    client.execute("document.documentElement.dataset.theme = 'light'", vec![]).await?;
    Ok(())
}

/// The viewer's own zone, and back.
async fn zones(client: &Client) -> Result<()> {
    let zone = json!({"timezoneId": "America/New_York"});
    client.issue_cmd(Cdp("Emulation.setTimezoneOverride", zone)).await?;
    let open = "document.querySelector('#display').open = true";
    client.execute(open, vec![]).await?;
    client.find(Locator::Css("#zones")).await?.select_by_value("viewer").await?;
    holds(
        client,
        "the viewer's zone",
        "document.querySelector('#zone').textContent.startsWith('America/New_York')",
    )
    .await?;
    let note = "document.querySelector('#s-chart') && document.body.textContent.includes('Times are local: America/New_York')";
    holds(client, "the same on the chart", note).await?;
    client.execute(open, vec![]).await?;
    client.find(Locator::Css("#zones")).await?.select_by_value("region").await?;
    holds(
        client,
        "the region's zone",
        "document.querySelector('#zone').textContent.startsWith('Asia/Shanghai')",
    )
    .await
}

/// Saves the first table of a view and returns the file's text.
pub(super) async fn saved(client: &Client, button: &str) -> Result<String> {
    let catch = "window.saved = null; URL.createObjectURL = (blob) => { blob.text().then((text) => (window.saved = text)); return '#'; }; \
                 HTMLAnchorElement.prototype.click = function () {}; document.querySelector(arguments[0]).click()";
    client.execute(catch, vec![json!(button)]).await?;
    holds(client, "a file", "window.saved !== null").await?;
    eval(client, "window.saved").await
}

/// The heat map of a day, the day of one row, and its file.
async fn staffing(client: &Client, base: &str) -> Result<()> {
    client.goto(&format!("{base}/#/staffing")).await?;
    holds(
        client,
        "48 half hours",
        "document.querySelectorAll('.heat-map tbody tr:first-child td').length === 48",
    )
    .await?;
    let said = "[...document.querySelectorAll('.heat-map td.heat')].every((cell) => cell.title && cell.textContent.includes(cell.title))";
    holds(client, "words in every cell", said).await?;
    let second = text(client, ".heat-map tbody tr:nth-child(2) button").await?;
    client
        .execute("document.querySelector('.heat-map tbody tr:nth-child(2) button').click()", vec![])
        .await?;
    let chosen = format!(
        "document.querySelector('#s-row').textContent.includes({second:?}) && /row=/.test(location.hash)"
    );
    holds(client, "the chosen row", &chosen).await?;
    let lines = "document.querySelectorAll('.plot.low .scatterlayer .trace').length >= 1";
    holds(client, "needed and scheduled agents", lines).await?;
    shoot(client, "staffing").await?;
    let file = saved(client, ".csv").await?;
    ensure!(
        file.starts_with("team,region,service,gap_max,target_service_level,start,"),
        "{:.200}",
        file
    );
    client.goto(&format!("{base}/")).await?;
    holds(client, "rows", "document.querySelectorAll('.coming tbody tr').length > 0").await?;
    let file = saved(client, ".csv").await?;
    ensure!(file.lines().count() == 37, "36 series and a header, not {}", file.lines().count());
    Ok(())
}

/// Adds, edits and removes an entry; no tickets for whole services only after a confirmation.
async fn entries(client: &Client, base: &str) -> Result<()> {
    client.goto(&format!("{base}/#/?sort=name")).await?;
    holds(client, "the form", "document.querySelector('#p-from')?.value").await?;
    client.execute("document.querySelector('#planner').open = true", vec![]).await?;
    let fill = "const set = (id, v) => (document.querySelector(id).value = v); set('#p-label', 'strike'); set('#p-by', 'Li'); set('#p-value', '0'); \
                document.querySelector('#planner form').requestSubmit()";
    client.execute(fill, vec![]).await?;
    holds(client, "the question", "document.querySelector('#p-sure').checkVisibility()").await?;
    ensure!(
        eval(client, "document.querySelectorAll('#planner ul.current li').length").await? == "0",
        "entered without a confirmation"
    );
    client.execute("document.querySelector('#p-sure').click(); document.querySelector('#planner form').requestSubmit()", vec![]).await?;
    let listed = |what: &str| {
        format!(
            "document.querySelector('#planner ul.current li strong')?.textContent.includes('{what}')"
        )
    };
    holds(client, "the entry", &listed("strike ×0.00")).await?;
    // Its first button edits it.
    client
        .execute("document.querySelector('#planner ul.current li button').click()", vec![])
        .await?;
    holds(client, "the entry in the form", "document.querySelector('#p-label').value === 'strike'")
        .await?;
    let edit = "document.querySelector('#p-value').value = '0.5'; document.querySelector('#planner form').requestSubmit()";
    client.execute(edit, vec![]).await?;
    holds(client, "the edited entry", &listed("strike ×0.50")).await?;
    ensure!(
        eval(client, "document.querySelectorAll('#planner ul.current li').length").await? == "1",
        "entered twice"
    );
    // It is over: it stays in the second list.
    let over = "document.querySelector('#planner ul.current li button').click(); \
                const back = (id, h) => { const f = document.querySelector(id); f.value = new Date(Date.parse(`${f.value}Z`) - h * 3600000).toISOString().slice(0, 16); }; \
                back('#p-from', 24); back('#p-to', 24); document.querySelector('#planner form').requestSubmit()";
    client.execute(over, vec![]).await?;
    holds(
        client,
        "the entry that is over",
        "document.querySelectorAll('#planner .over li').length === 1",
    )
    .await?;
    client.execute("document.querySelector('#planner .over').open = true", vec![]).await?;
    shoot(client, "entries").await?;
    let remove = "document.querySelectorAll('#planner .over li > button')[1].click()";
    client.execute(remove, vec![]).await?;
    holds(
        client,
        "the question before it is removed",
        "document.querySelector('#planner .over .sure').checkVisibility()",
    )
    .await?;
    client.execute("document.querySelector('#planner .over .sure button').click()", vec![]).await?;
    holds(client, "no entry", "document.querySelectorAll('#planner li').length === 0").await
}

/// Opens views in Chinese and fails where one shows an English sentence.
pub async fn check_desk_in_chinese(client: &Client, base: &str, series: &str) -> Result<()> {
    for (hash, shown) in [
        ("staffing", ".heat-map td"),
        (&*format!("series/{series}?day=2026-03-09"), ".day-sums .value"),
    ] {
        client.goto(&format!("{base}/#/{hash}")).await?;
        super::chinese(client, hash, &format!("document.querySelector('{shown}')")).await?;
        let found: Value = client.execute("return document.title", vec![]).await?;
        if found.as_str().is_none_or(str::is_empty) {
            bail!("{hash} has no title");
        }
    }
    shoot(client, "day-zh").await
}
