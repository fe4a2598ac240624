//! Where decisions go: notification channels and time-series databases.

pub mod influx;
mod webhook;

pub use webhook::{Secret, Webhook, next_try, signature};
