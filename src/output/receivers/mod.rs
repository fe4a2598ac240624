//! Receivers of pages.

mod webhook;

pub use webhook::{Secret, Webhook, next_try, signature};
