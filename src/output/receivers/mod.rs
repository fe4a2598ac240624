//! Receivers of pages: one file per kind. [`KINDS`] lists the kinds that a config can name.

mod alertmanager;
pub mod config;
mod console;
mod dingtalk;
mod email;
mod feishu;
mod http;
mod message;
mod pagerduty;
mod receiver;
mod robot;
mod signature;
mod slack;
mod teams;
#[cfg(test)]
mod tests;
mod webhook;
mod wecom;

pub use console::{Console, print};
pub use email::smtp_port;
pub use http::{Problem, chain};
pub use message::{link, severity_word};
pub use receiver::{Attempt, Fault, Limit, Receiver, Receivers, Refusal, Secret, Settings, Url};
pub use webhook::{Webhook, signature};

/// Makes a receiver of one kind. Errors name keys of the config and what is wrong with them.
pub type Make = fn(Settings) -> Result<Box<dyn Receiver>, Vec<Problem>>;

/// A kind of receiver.
#[derive(Clone, Copy)]
pub struct Kind {
    /// The name in the configuration.
    pub word: &'static str,
    pub make: Make,
    /// Where its pages go.
    pub address: Address,
    /// Keys that only some kinds of receivers have, and that this kind has.
    pub keys: &'static [&'static str],
}

/// What a kind needs for a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Address {
    /// `http` or `https`.
    Http,
    /// `http` or `https`. Without a URL, the service's own one is used.
    HttpOrOwn(&'static str),
    /// `smtp` or `smtps`.
    Smtp,
    /// No URL.
    None,
}

/// All kinds.
pub const KINDS: &[Kind] = &[
    kind(webhook::KIND, webhook::make, Address::Http, &[]),
    kind(alertmanager::KIND, alertmanager::make, Address::Http, &[]),
    kind(pagerduty::KIND, pagerduty::make, Address::HttpOrOwn(pagerduty::URL), &[]),
    kind(slack::KIND, slack::make, Address::Http, &[]),
    kind(teams::KIND, teams::make, Address::Http, &[]),
    kind(dingtalk::KIND, dingtalk::make, Address::Http, &["mention", "keyword"]),
    kind(feishu::KIND, feishu::make, Address::Http, &["mention", "keyword"]),
    kind(wecom::KIND, wecom::make, Address::Http, &["mention"]),
    kind(email::KIND, email::make, Address::Smtp, &["from", "to", "username"]),
    kind(console::KIND, console::make, Address::None, &[]),
];

const fn kind(
    word: &'static str,
    make: Make,
    address: Address,
    keys: &'static [&'static str],
) -> Kind {
    Kind { word, make, address, keys }
}
