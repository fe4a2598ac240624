//! Service of tickets on the page.

use anyhow::ensure;
use fantoccini::Locator;

use super::desk::{accessible, axe_text};
use super::{chinese, eval, holds, in_browser, quiet, shoot, text};

const ENTER: &str = "\u{e007}";

/// Opens the panel with the keyboard and reads its four lists; then all of it in Chinese.
pub async fn check_tickets(base_url: &str) {
    let base = base_url.trim_end_matches('/').to_owned();
    in_browser(async |client| {
        client.goto(&format!("{base}/")).await?;
        holds(client, "the panel", "document.querySelector('#tickets')").await?;
        client.execute("document.querySelector('#tickets summary').focus()", vec![]).await?;
        client.find(Locator::Css("#tickets summary")).await?.send_keys(ENTER).await?;
        holds(client, "the open panel", "document.querySelector('#tickets').open").await?;
        let rows = |part: &str| format!("document.querySelectorAll('#tickets-{part} tbody tr')");
        for (part, at_least) in [("sla", 2), ("open", 5), ("call", 2), ("sentiment", 1)] {
            let there = format!("{}.length >= {at_least}", rows(part));
            holds(client, part, &there).await?;
        }
        let first =
            |part: &str| format!("[...{}].map((row) => row.textContent).join('\\n')", rows(part));
        let open = eval(client, &first("open")).await?;
        ensure!(
            open.contains("The sender's priority is 1 - Critical.") && open.contains("too late"),
            "{open}"
        );
        let call = eval(client, &first("call")).await?;
        ensure!(
            call.contains("A ticket missed its deadline.") && !call.contains("C-4711"),
            "{call}"
        );
        let said = text(client, "#tickets-sentiment").await?;
        ensure!(said.contains("1 of 1 tickets with a text was negative from "), "{said}");
        let week = text(client, "#tickets-sla tbody th").await?;
        ensure!(week.starts_with("20") && week.contains("-W"), "{week}");
        client.execute("document.querySelector('#tickets').scrollIntoView()", vec![]).await?;
        shoot(client, "tickets").await?;
        accessible(client, &axe_text()?, "tickets").await?;
        client.find(Locator::Css("#lang")).await?.click().await?;
        holds(client, "Chinese", "document.documentElement.lang === 'zh-Hans'").await?;
        client.execute("document.querySelector('#tickets').open = true", vec![]).await?;
        chinese(client, "tickets", &format!("{}.length >= 2", rows("call"))).await?;
        client.execute("document.querySelector('#tickets').scrollIntoView()", vec![]).await?;
        shoot(client, "tickets-zh").await?;
        quiet(client).await
    })
    .await;
}
