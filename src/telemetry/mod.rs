//! Metrics, health, logs and traces. [`Metrics`] has the names of all metrics.

mod components;
pub mod config;
mod decoding;
mod exposition;
mod health;
mod log_limit;
mod logging;
mod metrics;
mod traces;

pub use decoding::DecodingMetrics;
pub use exposition::Exposition;
pub use health::{Health, Report, State};
pub use log_limit::LogLimit;
pub use logging::init as init_logging;
pub use metrics::Metrics;
pub(crate) use traces::span;
pub use traces::{Exporter, OtlpClient, TRACES, Traces, count, fail};
