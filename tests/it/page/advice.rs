//! Recommendations in the browser: read, answered with the keyboard, and what became of them.

use anyhow::{Result, ensure};
use fantoccini::Locator;
use serde_json::{Value, json};

use super::desk::{accessible, axe_text};
use super::{Cdp, chinese, eval, holds, in_browser, quiet, shoot, text};

/// Tabs at most from the name to a button: other recommendations have three buttons each.
const TABS_MAX: usize = 30;
const ENTER: &str = "\u{e007}";
/// A name that would be markup, if it were not data.
const BY: &str = "<b id=hacked>Li</b>";

/// `24 %`, as the page writes a share: halves are rounded up, where `format!` alone rounds them to even.
fn percent(share: &Value) -> String {
    format!("{:.0}\u{a0}%", (share.as_f64().unwrap_or(f64::NAN) * 100.0).round())
}

/// Reads the recommendation `own` of the API on the page, and accepts it with the keyboard. Names stay data.
pub async fn check_advice(base_url: &str, own: &Value) {
    let base = base_url.trim_end_matches('/').to_owned();
    in_browser(async |client| {
        client.goto(&format!("{base}/#/staffing")).await?;
        let id = own["id"].as_str().unwrap_or_default();
        let find = format!("[...document.querySelectorAll('article.advice')].find((card) => card.dataset.key === {})", json!(id));
        holds(client, "the recommendation", &find).await?;
        client.execute(&format!("{find}.id = 'own'"), vec![]).await?;
        let card = "document.querySelector('#own')";
        ensure!(text(client, "#own h3").await? == own["text"], "the text differs from {own}");
        ensure!(text(client, "#own .reason").await? == own["reason"], "the reason differs from {own}");
        ensure!(text(client, "#own .badge").await? == "Proposed", "opening the page has answered");
        for (fact, wanted) in [
            ("from_team", own["source"].as_str().unwrap_or_default().to_owned()),
            ("to_team", own["team"].as_str().unwrap_or_default().to_owned()),
            ("agents", own["agents"].to_string()),
            ("with", percent(&own["service_level_with"])),
            ("without", percent(&own["service_level_without"])),
            ("confidence", percent(&own["confidence"])),
            ("cost", own["cost"].as_f64().unwrap_or(f64::NAN).to_string()),
        ] {
            let shown = text(client, &format!("#own [data-fact={fact}] dd")).await?;
            ensure!(shown == wanted, "{fact}: the page says {shown}, the API {wanted}");
        }
        let time = text(client, "#own [data-fact=time] dd").await?;
        let hour = own["from"].as_str().and_then(|from| from.get(11..16)).unwrap_or("?");
        ensure!(time.contains(hour) && time.ends_with("UTC"), "{time} is not {}", own["from"]);
        shoot(client, "recommendations").await?;

        // Without a name nothing is sent: the field asks for it.
        let accept = "#own [data-answer=accept]";
        let name = client.find(Locator::Css("#advice-by")).await?;
        client.find(Locator::Css(accept)).await?.send_keys(ENTER).await?;
        holds(client, "the field of the name", "document.activeElement.id === 'advice-by'").await?;
        name.send_keys(BY).await?;
        let there = format!("document.activeElement === document.querySelector('{accept}')");
        for _ in 0..TABS_MAX {
            tab(client).await?;
            if eval(client, &there).await? == "true" {
                break;
            }
        }
        ensure!(eval(client, &there).await? == "true", "the key Tab does not lead to the button");
        client.find(Locator::Css(accept)).await?.send_keys(ENTER).await?;
        holds(client, "the answer", &format!("{card}.dataset.state === 'accepted'")).await?;
        let left = "[...document.querySelectorAll('#own [data-answer]:not([hidden])')].map((b) => b.dataset.answer).join()";
        ensure!(eval(client, left).await? == "done,decline", "the buttons do not fit the state");
        ensure!(text(client, "#own .acked").await?.starts_with(BY), "who has answered is missing");
        holds(client, "the focus in the card", &format!("{card}.contains(document.activeElement)")).await?;
        let markup = "document.querySelector('#hacked, main img, main script') !== null";
        ensure!(eval(client, markup).await? == "false", "a name has become markup");
        shoot(client, "recommendation-accepted").await?;
        quiet(client).await
    })
    .await;
}

/// Reads what became of recommendations on the page: the one row is `own` of the API; then both in Chinese.
pub async fn check_taken(base_url: &str, own: &Value) {
    let base = base_url.trim_end_matches('/').to_owned();
    in_browser(async |client| {
        client.goto(&format!("{base}/#/staffing")).await?;
        holds(client, "the panel", "document.querySelector('#taken')").await?;
        client.execute("document.querySelector('#taken').open = true", vec![]).await?;
        let row = format!("[...document.querySelectorAll('#taken tbody tr')].find((row) => row.children[1].textContent === {})", own["team"]);
        holds(client, "the row", &row).await?;
        client.execute(&format!("{row}.id = 'own'"), vec![]).await?;
        for (column, wanted) in [
            ("share", percent(&own["share_taken"])),
            ("taken", own["taken"].to_string()),
            ("declined", own["declined"].to_string()),
            ("hours", own["agent_hours"].as_f64().unwrap_or(f64::NAN).to_string()),
            ("cost", own["cost"].as_f64().unwrap_or(f64::NAN).to_string()),
        ] {
            let shown = text(client, &format!("#own td[data-column={column}]")).await?;
            ensure!(shown == wanted, "{column}: the page says {shown}, the API {own}");
        }
        let head = text(client, "#own th").await?;
        ensure!(own["period"] == head, "the page says {head}, the API {own}");
        client.find(Locator::Css("#taken-by")).await?.select_by_value("quarter").await?;
        let quarter = "/^20\\d\\d-Q[1-4]$/.test(document.querySelector('#taken tbody th')?.textContent)";
        holds(client, "a quarter of the year", quarter).await?;
        shoot(client, "recommendations-taken").await?;
        accessible(client, &axe_text()?, "recommendations").await?;
        client.find(Locator::Css("#lang")).await?.click().await?;
        holds(client, "Chinese", "document.documentElement.lang === 'zh-Hans'").await?;
        client.execute("document.querySelector('#taken').open = true", vec![]).await?;
        chinese(client, "recommendations", "document.querySelector('#taken tbody td') && document.querySelector('article.advice')").await?;
        shoot(client, "recommendations-zh").await?;
        quiet(client).await
    })
    .await;
}

/// Presses the tab key.
async fn tab(client: &fantoccini::Client) -> Result<()> {
    for kind in ["keyDown", "keyUp"] {
        let key = json!({"type": kind, "key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9});
        client.issue_cmd(Cdp("Input.dispatchKeyEvent", key)).await?;
    }
    Ok(())
}
