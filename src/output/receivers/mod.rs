//! Receivers of pages.

pub mod config;
mod webhook;

pub use webhook::{Secret, Webhook, next_try, signature};
