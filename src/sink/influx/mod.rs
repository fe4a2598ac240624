//! InfluxDB 2: points over its write API.

mod client;
mod points;

pub use client::{InfluxClient, InfluxSettings, SetupProblem, Written};
pub use points::{
    Line, accuracy, alert, anomaly, forecast, forecast_lead, outlook, staffing, windows,
};
