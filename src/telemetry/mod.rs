//! Metrics, health and logs. [`Metrics`] has the names of all metrics.

mod components;
pub mod config;
mod decoding;
mod exposition;
mod health;
mod logging;
mod metrics;
mod seldom;

pub use decoding::DecodingMetrics;
pub use exposition::Exposition;
pub use health::{Health, Report, State};
pub use logging::init as init_logging;
pub use metrics::Metrics;
pub use seldom::Seldom;
