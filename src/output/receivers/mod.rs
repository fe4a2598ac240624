//! Receivers of pages: one file per kind. [`KINDS`] lists the kinds that a config can name.

pub mod config;
mod console;
mod receiver;
mod schedule;
mod webhook;

pub use console::{Console, print};
pub use receiver::{Attempt, Receiver, Receivers, Secret, Settings};
pub use schedule::next_try;
pub use webhook::{Webhook, signature};

/// Makes a receiver of one kind. An error says what is wrong with the settings or the machine.
pub type Make = fn(Settings) -> Result<Box<dyn Receiver>, String>;

/// Kinds by the word that configs use.
pub const KINDS: &[(&str, Make)] = &[(webhook::KIND, webhook::make)];
