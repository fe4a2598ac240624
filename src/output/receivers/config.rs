//! `[[alerts.receivers]]`: the receivers of pages.

use std::collections::BTreeSet;
use std::fmt;

use super::{KINDS, Make, Receiver, Secret, Settings};
use crate::config::Reader;
use crate::domain::Name;
use crate::text::Language;

/// Kinds that are not supported yet.
const LATER: [&str; 7] =
    ["alertmanager", "pagerduty", "slack", "teams", "dingtalk", "feishu", "wecom"];

/// One of `[[alerts.receivers]]`.
pub struct ReceiverConfig {
    /// Different for each receiver.
    pub name: Name,
    /// Its kind, as written in configs.
    pub kind: &'static str,
    /// Where pages go. May hold a key: only its host is ever shown.
    pub url: String,
    /// Whether pages are signed.
    pub signed: bool,
    /// The implementation that delivers.
    pub receiver: Box<dyn Receiver>,
}

/// Chat services keep their key in the address: it is not shown.
impl fmt::Debug for ReceiverConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, kind, signed, .. } = self;
        f.debug_struct("ReceiverConfig")
            .field("name", name)
            .field("kind", kind)
            .field("signed", signed)
            .finish_non_exhaustive()
    }
}

/// Reads `[alerts]`. Links in pages lead to `public_url`; pages are in `language` where
/// a receiver names none.
pub fn read(section: Reader<'_>, public_url: &str, language: Language) -> Vec<ReceiverConfig> {
    let mut names = BTreeSet::new();
    let entries = section.array("receivers").into_iter();
    let receivers =
        entries.filter_map(|entry| receiver(entry, public_url, language, &mut names)).collect();
    section.finish();
    receivers
}

fn receiver(
    entry: Reader<'_>,
    public_url: &str,
    language: Language,
    names: &mut BTreeSet<Name>,
) -> Option<ReceiverConfig> {
    let allowed = "use a name of 1 to 64 characters";
    let kinds = format!("use {}", words());
    let name = entry.parse("name", allowed, Name::new);
    let kind = entry.parse("type", &kinds, |text| known(text).ok_or_else(|| refused(text)));
    let url = entry.url("url");
    let secret = entry.secret("secret", "secret_file");
    let own = entry.parse("language", "use \"en\" or \"zh\"", str::parse::<Language>);
    let language = own.unwrap_or(language);
    entry.missing("name", allowed);
    entry.missing("type", &kinds);
    if kind.is_some() {
        entry.missing("url", "use an http:// or https:// address");
    }
    if let Some(name) = name.as_ref().filter(|name| !names.insert((*name).clone())) {
        entry.problem("name", format!("found `{name}` twice: each receiver needs its own name"));
    }
    let made = kind.zip(url).and_then(|((kind, make), url)| {
        let key = secret.clone().map(Secret::from);
        let settings =
            Settings { url: url.clone(), secret: key, public_url: public_url.to_owned(), language };
        let receiver = make(settings).map_err(|why| entry.problem("url", why)).ok()?;
        Some((kind, url, receiver))
    });
    entry.finish();
    let (name, (kind, url, receiver)) = (name?, made?);
    Some(ReceiverConfig { name, kind, url, signed: secret.is_some(), receiver })
}

fn known(word: &str) -> Option<(&'static str, Make)> {
    KINDS.iter().find(|(kind, _)| *kind == word).copied()
}

/// The error for an unknown kind: lists the supported ones.
fn refused(word: &str) -> String {
    let kinds = words();
    match LATER.contains(&word) {
        true => format!(
            "this version delivers to type {kinds} only; the other types come later: use {kinds}"
        ),
        false => format!("use {kinds}"),
    }
}

/// All kinds, as a text lists them.
fn words() -> String {
    let words: Vec<&str> = KINDS.iter().map(|(word, _)| *word).collect();
    words.join(" or ")
}
