//! Where decisions go: notification channels.

mod webhook;

pub use webhook::{Secret, Webhook, next_try, signature};
