//! InfluxDB 2: points over its write API.

mod client;
pub mod config;
mod points;
mod sink;

pub use client::{InfluxClient, InfluxSettings, SetupProblem};
pub use points::{
    Line, accuracy, alert, anomaly, forecast, forecast_lead, outlook, staffing, windows,
};
pub use sink::InfluxSink;
