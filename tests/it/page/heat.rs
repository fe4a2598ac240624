//! The heat map of the Staffing view in the browser: its four figures, and what was expected beside what was attained.

use anyhow::{Result, ensure};
use fantoccini::{Client, Locator};
use serde_json::{Value, json};

use super::desk::{accessible, axe_text, saved};
use super::{Cdp, chinese, eval, holds, in_browser, quiet, shoot, text};

const RIGHT: &str = "\u{e014}";
const ENTER: &str = "\u{e007}";

/// What the page has to show of the row `calls` on a day (UTC).
pub struct Shown<'a> {
    /// `2026-11-30`.
    pub day: &'a str,
    /// A half hour of which all windows are over, such as `14:00`, and its attained service level in percent.
    pub half_hour: (&'a str, i64),
    /// Open tickets of its series now.
    pub open: u64,
    /// What the API says about expected and attained service level.
    pub calibration: &'a Value,
}

/// Chooses each figure with the keyboard, and reads cells, the file, and the panel below.
pub async fn check_heat(base_url: &str, shown: &Shown<'_>) {
    let base = base_url.trim_end_matches('/').to_owned();
    in_browser(async |client| {
        let address = format!("{base}/#/staffing?day={}", shown.day);
        client.goto(&format!("{address}&show=attained")).await?;
        attained(client, shown).await?;
        figures(client).await?;
        // The address keeps the choice.
        client.goto(&format!("{base}/assets/icon.svg")).await?;
        client.goto(&format!("{address}&show=backlog")).await?;
        let checked = "document.querySelector('.switch input:checked')?.value === 'backlog'";
        holds(client, "the figure of the address", checked).await?;
        holds(client, "open tickets", "document.querySelector('.heat-map td:is(.b1, .b2, .b3)')").await?;
        shoot(client, "heat-backlog").await?;
        compared(client, shown).await?;
        client.goto(&format!("{base}/#/series/north/tv/phone")).await?;
        let open = format!("document.querySelector('[aria-labelledby=s-staff] .left')?.textContent.includes('Open tickets now: {}')", shown.open);
        holds(client, "open tickets beside the plan", &open).await?;
        let gone = "[...document.querySelectorAll('details th')].some((th) => th.textContent === 'Abandoned')";
        holds(client, "a column of abandonment", gone).await?;
        everywhere(client, &base, shown.day).await?;
        quiet(client).await
    })
    .await;
}

/// Cells that are over have a percentage; others say why they have none.
async fn attained(client: &Client, shown: &Shown<'_>) -> Result<()> {
    let (at, percent) = shown.half_hour;
    let row = "[...document.querySelectorAll('.heat-map tbody tr')].find((row) => row.querySelector('button').textContent === 'calls')";
    let cell = format!(
        "[...({row}?.querySelectorAll('td') ?? [])].find((td) => td.title.startsWith('{at}'))"
    );
    holds(client, "the half hour", &format!("{cell}?.matches('.heat:not(.none)')")).await?;
    let number =
        eval(client, &format!("{cell}.querySelector('[aria-hidden]').textContent")).await?;
    let says = eval(client, &format!("{cell}.title")).await?;
    ensure!(
        number == percent.to_string() && says.contains(&format!("{percent}\u{a0}% of")),
        "{at}: {number}, {says}, not {percent}"
    );
    let said = "[...document.querySelectorAll('.heat-map td')].every((td) => td.matches('.heat') && td.title && td.textContent.includes(td.title))";
    holds(client, "words in every cell", said).await?;
    let why = text(client, "#heat-why").await?;
    ensure!(why.contains("do not carry the ids of tickets"), "{why}");
    let other = "[...document.querySelectorAll('.heat-map tbody tr')].find((row) => row.textContent.includes('broadband'))";
    let none = format!(
        "{other} && [...{other}.querySelectorAll('td')].every((td) => td.matches('.none'))"
    );
    holds(client, "no figure without ids", &none).await?;
    shoot(client, "heat-attained").await?;
    let file = saved(client, ".shown-csv").await?;
    let lines: Vec<&str> = file.lines().collect();
    ensure!(
        lines.len() == 3 && lines[0].starts_with(&format!("Team,{}T00:00:00Z,", shown.day)),
        "{file:.300}"
    );
    let own = lines.iter().find(|line| line.starts_with("calls,")).copied().unwrap_or_default();
    let shares: Vec<f64> = own.split(',').skip(1).filter_map(|cell| cell.parse().ok()).collect();
    ensure!(
        own.split(',').count() == 49
            && shares.iter().any(|share| (share * 100.0).round() as i64 == percent),
        "{own}"
    );
    Ok(())
}

/// Arrow keys move through the figures, and the title follows.
async fn figures(client: &Client) -> Result<()> {
    client.execute("document.querySelector('.switch input:checked').focus()", vec![]).await?;
    for (key, title) in [
        ("backlog", "Open tickets"),
        ("gap", "Gap in agents"),
        ("expected", "Expected service level"),
        ("attained", "Attained service level"),
    ] {
        let input = client.active_element().await?;
        input.send_keys(RIGHT).await?;
        let chosen = format!(
            "document.activeElement.value === '{key}' && document.querySelector('#s-map').textContent.startsWith('{title}') && \
             new URLSearchParams(location.hash.split('?')[1]).get('show') === {}",
            if key == "gap" { "null".to_owned() } else { format!("'{key}'") }
        );
        holds(client, title, &chosen).await?;
        let cells = "document.querySelectorAll('.heat-map td.heat:not(.none)').length > 0";
        holds(client, "cells with a figure", cells).await?;
    }
    Ok(())
}

/// The panel says what the API says.
async fn compared(client: &Client, shown: &Shown<'_>) -> Result<()> {
    client.find(Locator::Css("#said summary")).await?.send_keys(ENTER).await?;
    holds(client, "a row", "document.querySelectorAll('#said tbody tr').length === 1").await?;
    let row = text(client, "#said tbody tr").await?;
    let percent = |key: &str| {
        format!(
            "{:.0}\u{a0}%",
            (shown.calibration[key].as_f64().unwrap_or(f64::NAN) * 100.0).round()
        )
    };
    let (model, had) = (percent("expected_service_level"), percent("service_level"));
    ensure!(
        row.starts_with(&format!("calls{model}{had}")),
        "the page says {row}, the API {}",
        shown.calibration
    );
    let file = saved(client, "#said .csv").await?;
    ensure!(file.contains("expected_service_level"), "{file:.200}");
    Ok(())
}

/// Every figure passes the checker on a desktop and a phone, in both themes and languages.
async fn everywhere(client: &Client, base: &str, day: &str) -> Result<()> {
    let axe = axe_text()?;
    for (width, theme, language) in [(1280, "light", "en"), (390, "dark", "zh")] {
        let size =
            json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600});
        client.issue_cmd(Cdp("Emulation.setDeviceMetricsOverride", size)).await?;
        for show in ["gap", "expected", "attained", "backlog"] {
            client.goto(&format!("{base}/assets/icon.svg")).await?;
            let choose = "localStorage.setItem('surgecast.theme', arguments[0]); localStorage.setItem('surgecast.lang', arguments[1])";
            client.execute(choose, vec![json!(theme), json!(language)]).await?;
            client.goto(&format!("{base}/#/staffing?day={day}&show={show}")).await?;
            let cells = "document.querySelectorAll('.heat-map td.heat:not(.none)').length > 0";
            holds(client, show, cells).await?;
            client.execute("document.querySelector('#said').open = true", vec![]).await?;
            holds(client, "the panel", "document.querySelector('#said tbody tr')").await?;
            if language == "zh" {
                chinese(client, show, cells).await?;
            }
            accessible(client, &axe, &format!("{show} {width} {theme} {language}")).await?;
            let fits = "document.documentElement.scrollWidth <= innerWidth";
            holds(client, "a page without sideways scrolling", fits).await?;
        }
    }
    client.issue_cmd(Cdp("Emulation.clearDeviceMetricsOverride", json!({}))).await?;
    Ok(())
}
