//! `[alerts]`: the receivers of pages, how pages are delivered to each, and the heartbeat.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::{Address, KINDS, Kind, Receiver, Secret, Settings, Url};
use crate::alert::{AlertSeverity, Escalation, Route, RuleSet, rule_names};
use crate::config::Reader;
use crate::config::core::rules;
use crate::domain::{Hours, Name};
use crate::output::pages::Heartbeat;
use crate::text::Language;

const HEARTBEAT_EVERY: Duration = Duration::from_secs(60);
const ESCALATE_AFTER: Duration = Duration::from_secs(600);
const NAMES_MAX: usize = 100;
const HTTP: &str = "use an http:// or https:// address";
const SEVERITIES: &str = "use \"info\", \"warning\" or \"critical\"";
const SMTP: &str = "use smtp://HOST:PORT or smtps://HOST:PORT";

/// `[alerts]`.
#[derive(Debug, Default)]
pub struct Alerts {
    pub receivers: Vec<ReceiverConfig>,
    pub heartbeat: Option<Heartbeat>,
    /// Receivers that are notified later, and reminders.
    pub escalation: Escalation,
    /// Hours in which pages of warnings are held back, in the time zone of their region.
    pub quiet_hours: Option<Hours>,
    /// The limits of all rules except the lack of agents.
    pub rules: Arc<RuleSet>,
}

/// One of `[[alerts.receivers]]`.
pub struct ReceiverConfig {
    /// The name, which is unique among receivers.
    pub name: Name,
    /// Its kind, as written in configs.
    pub kind: &'static str,
    /// The address. It may contain a key, so only its host is ever shown. Empty for a kind without an address.
    pub url: String,
    /// Whether there is a secret.
    pub signed: bool,
    /// A file of certificates that are trusted in addition to those of this machine.
    pub ca_file: Option<PathBuf>,
    /// Which pages it gets.
    pub route: Route,
    /// The implementation that delivers.
    pub receiver: Box<dyn Receiver>,
}

impl ReceiverConfig {
    /// A warning, if pages go unencrypted, or do not leave this machine.
    pub fn warning(&self) -> Option<String> {
        let url = reqwest::Url::parse(&self.url).ok()?;
        let (name, host) = (&self.name, url.host_str()?.trim_matches(['[', ']']));
        let address = host.parse::<IpAddr>().ok();
        if host == "localhost" || address.is_some_and(|address| address.is_loopback()) {
            return Some(format!(
                "receiver {name}: {host} is this machine, so pages do not leave it"
            ));
        }
        let text = format!(
            "receiver {name}: pages go to {host} over plain HTTP, and everyone on the way can read them: use https"
        );
        (url.scheme() == "http").then_some(text)
    }
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

/// Reads `[alerts]`. Links in pages lead to `public_url`; `language` is the default language of pages.
pub fn read(section: Reader<'_>, public_url: &str, language: Language) -> Alerts {
    let mut names = BTreeSet::new();
    let entries = section.array("receivers").into_iter();
    let receivers: Vec<ReceiverConfig> =
        entries.filter_map(|entry| receiver(entry, public_url, language, &mut names)).collect();
    let heartbeat = heartbeat(section.section("heartbeat"));
    let escalation = escalation(&section, &names);
    let quiet_hours = section.parse("quiet_hours", "use days and hours", str::parse::<Hours>);
    let named = receivers.iter().flat_map(|own| own.route.rules.iter());
    let rules = Arc::new(rules::read(&section).paged(named));
    section.finish();
    Alerts { receivers, heartbeat, escalation, quiet_hours, rules }
}

fn escalation(section: &Reader<'_>, names: &BTreeSet<Name>) -> Escalation {
    let order = list(section, "escalation", "use a list of names of receivers");
    for (at, name) in order.iter().enumerate() {
        if !names.iter().any(|known| known.as_str() == name) {
            let why = format!("found `{name}`: no receiver has this name");
            section.problem("escalation", why);
        } else if order[..at].contains(name) {
            section.problem("escalation", format!("found `{name}` twice: name each receiver once"));
        }
    }
    let lengths = Duration::from_secs(60)..=Duration::from_secs(86_400);
    let after = section.length("escalate_after", lengths.clone()).unwrap_or(ESCALATE_AFTER);
    Escalation { order, after, remind_after: section.length("remind_after", lengths) }
}

fn heartbeat(section: Reader<'_>) -> Option<Heartbeat> {
    let is_there = section.is_there();
    let url = section.url("url");
    let every = section.length("every", Duration::from_secs(5)..=Duration::from_secs(3600));
    if is_there {
        section.missing("url", HTTP);
    }
    section.finish();
    url.map(|url| Heartbeat { url: Url(url), every: every.unwrap_or(HEARTBEAT_EVERY) })
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
    let kind = entry.parse("type", &kinds, |text| known(text).ok_or_else(|| kinds.clone()));
    entry.missing("name", allowed);
    entry.missing("type", &kinds);
    if let Some(name) = name.as_ref().filter(|name| !names.insert((*name).clone())) {
        entry.problem("name", format!("found `{name}` twice: each receiver needs its own name"));
    }
    let route = route(&entry);
    let url = kind.map_or_else(|| entry.url("url"), |kind| address(&entry, kind));
    let settings = settings(&entry, url.unwrap_or_default(), public_url, language);
    let made = kind.and_then(|kind| {
        refuse_others(&entry, kind);
        // Its absence is reported already.
        if kind.address != Address::None && settings.url.0.is_empty() {
            return None;
        }
        let (url, signed) = (settings.url.0.clone(), settings.secret.is_some());
        let ca_file = settings.ca_file.clone();
        let receiver = (kind.make)(settings);
        let problem = |problems: Vec<(&'static str, String)>| {
            problems.into_iter().for_each(|(key, why)| entry.problem(key, why));
        };
        receiver.map_err(problem).ok().map(|receiver| (kind.word, url, signed, ca_file, receiver))
    });
    entry.finish();
    let (name, (kind, url, signed, ca_file, receiver)) = (name?, made?);
    Some(ReceiverConfig { name, kind, url, signed, ca_file, route, receiver })
}

/// The URL, as a kind needs it.
fn address(entry: &Reader<'_>, kind: &Kind) -> Option<String> {
    match kind.address {
        Address::Http => {
            let url = entry.url("url");
            entry.missing("url", HTTP);
            url
        }
        Address::HttpOrOwn(_) if entry.has("url") => entry.url("url"),
        Address::HttpOrOwn(own) => Some(own.to_owned()),
        Address::Smtp => {
            let url = entry.url_of("url", &["smtp", "smtps"], SMTP);
            entry.missing("url", SMTP);
            url
        }
        Address::None => {
            if entry.has("url") {
                let why = format!("a receiver of type `{}` has no address: take it out", kind.word);
                entry.problem("url", why);
            }
            None
        }
    }
}

/// Reads keys that only some kinds of receivers have. Whether a kind may have them is checked elsewhere.
fn settings(entry: &Reader<'_>, url: String, public_url: &str, language: Language) -> Settings {
    let own = entry.parse("language", "use \"en\" or \"zh\"", str::parse::<Language>);
    let secret = entry.secret("secret", "secret_file");
    Settings {
        url: Url(url),
        secret: secret.map(Secret::from),
        public_url: public_url.to_owned(),
        language: own.unwrap_or(language),
        ca_file: entry.path("ca_file"),
        allow_link_local: entry.flag("allow_link_local").unwrap_or(false),
        mention: list(entry, "mention", "use a list of mobile numbers, or [\"all\"]"),
        keyword: entry.text("keyword", "use the word that the robot asks for"),
        from: entry.text("from", "use an address such as noc@example.org"),
        to: list(entry, "to", "use a list of addresses"),
        username: entry.text("username", "use the user of the mail server"),
    }
}

fn list(entry: &Reader<'_>, key: &'static str, allowed: &str) -> Vec<String> {
    let found = entry.list(key, allowed).unwrap_or_default();
    if found.iter().any(|text| text.trim().is_empty()) || found.len() > NAMES_MAX {
        entry.problem(key, format!("{allowed}, at most {NAMES_MAX}"));
    }
    found
}

/// Reports keys that only other kinds have.
fn refuse_others(entry: &Reader<'_>, kind: &Kind) {
    let keys: BTreeSet<&'static str> = KINDS.iter().flat_map(|kind| kind.keys).copied().collect();
    for key in keys.into_iter().filter(|key| !kind.keys.contains(key) && entry.has(key)) {
        let have: Vec<&str> =
            KINDS.iter().filter(|kind| kind.keys.contains(&key)).map(|kind| kind.word).collect();
        let (word, have) = (kind.word, have.join(", "));
        let why = format!("a receiver of type `{word}` has no such key (only {have}): take it out");
        entry.problem(key, why);
    }
}

fn route(entry: &Reader<'_>) -> Route {
    let rules = list(entry, "rules", "use a list of rules");
    let known = rule_names();
    for rule in rules.iter().filter(|rule| !known.contains(&rule.as_str())) {
        entry.problem("rules", format!("found `{rule}`: use {}", known.join(", ")));
    }
    let regions = list(entry, "regions", "use a list of regions");
    let regions = regions.iter().filter_map(|region| {
        let name = Name::new(region);
        name.map_err(|error| entry.problem("regions", format!("found `{region}`: {error}"))).ok()
    });
    Route {
        regions: regions.collect(),
        rules: rules.into_iter().collect(),
        min_severity: entry.parse("min_severity", SEVERITIES, str::parse::<AlertSeverity>),
        duty: entry.parse("duty", "use days and hours", str::parse::<Hours>),
    }
}

fn known(word: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.word == word)
}

/// The names of all kinds, for a text.
fn words() -> String {
    let words: Vec<&str> = KINDS.iter().map(|kind| kind.word).collect();
    words.join(", ")
}
