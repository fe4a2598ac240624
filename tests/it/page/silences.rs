//! Silences in the browser: entered at an alert, listed, and ended after a question.

use anyhow::{Result, ensure};
use fantoccini::{Client, Locator};

use super::desk::{accessible, axe_text};
use super::{chinese, eval, holds, in_browser, quiet, shoot, text};

/// A name that would be markup, if it were not data.
pub const BY: &str = "<b id=hacked>Li</b>";
const ENTER: &str = "\u{e007}";

/// Silences the only open alert of the service at `base_url`, with the keyboard, and ends the silence again.
pub async fn check_silences(base_url: &str) {
    let base = base_url.trim_end_matches('/').to_owned();
    in_browser(async |client| {
        client.goto(&format!("{base}/#/")).await?;
        holds(client, "an alert", "document.querySelector('article.alert')").await?;
        ensure!(eval(client, "document.querySelector('#silences').hidden").await? == "true");
        press(client, "article.alert .silencing > button").await?;
        holds(client, "the form", "document.activeElement.id.startsWith('silence-by-')").await?;
        let critical = "article.alert .silencing input[type=checkbox]";
        let is_critical = "document.querySelector('article.alert').dataset.severity === 'critical'";
        let checked =
            eval(client, &format!("document.querySelector('{critical}').checked")).await?;
        ensure!(
            checked == eval(client, is_critical).await?,
            "a critical alert asks for its own silence"
        );
        client.find(Locator::Css("article.alert .silencing input")).await?.send_keys(BY).await?;
        accessible(client, &axe_text()?, "the form of a silence").await?;
        press(client, "article.alert .silencing .primary").await?;
        let said = "document.querySelector('article.alert .silenced')?.textContent";
        holds(
            client,
            "that it is silenced",
            &format!("{said}?.startsWith('Silenced by <b id=hacked>')"),
        )
        .await?;
        holds(
            client,
            "no second button",
            "document.querySelector('article.alert .silencing').hidden",
        )
        .await?;
        ensure!(eval(client, "document.querySelector('#hacked') === null").await? == "true");
        client.execute("document.querySelector('#silences').open = true", vec![]).await?;
        let row = text(client, "#silences li").await?;
        ensure!(row.contains("north / broadband") && row.contains(BY), "{row}");
        accessible(client, &axe_text()?, "the list of silences").await?;
        shoot(client, "silences").await?;
        let other = client.find(Locator::Css("#lang")).await?;
        other.send_keys(ENTER).await?;
        chinese(
            client,
            "a silence",
            "document.querySelector('article.alert .silenced')?.textContent.includes('静默至')",
        )
        .await?;
        client.find(Locator::Css("#lang")).await?.send_keys(ENTER).await?;
        holds(
            client,
            "English",
            &format!("document.documentElement.lang === 'en' && {said}?.startsWith('Silenced by')"),
        )
        .await?;
        client.execute("document.querySelector('#silences').open = true", vec![]).await?;
        // It asks first, and no is the answer that is near.
        press(client, "#silences li > button").await?;
        holds(client, "the question", "document.activeElement.textContent === 'No, keep it'")
            .await?;
        press(client, "#silences .sure button:last-child").await?;
        holds(client, "the silence is kept", "document.querySelector('#silences .sure').hidden")
            .await?;
        press(client, "#silences li > button").await?;
        press(client, "#silences .sure .primary").await?;
        holds(client, "no silence", "document.querySelector('#silences').hidden").await?;
        holds(
            client,
            "an alert without a silence",
            "document.querySelector('article.alert .silenced').hidden",
        )
        .await?;
        quiet(client).await
    })
    .await;
}

async fn press(client: &Client, css: &str) -> Result<()> {
    Ok(client.find(Locator::Css(css)).await?.send_keys(ENTER).await?)
}
