//! InfluxDB 2: points over its write API.

mod alarms;
mod attained;
mod batches;
mod client;
pub mod config;
mod feeds;
mod fields;
mod history;
mod mapping;
mod planned;
mod points;
mod recommended;
mod scores;
mod sink;
mod teams;
#[cfg(test)]
mod tests;
mod tokens;

pub use client::{InfluxClient, InfluxSettings, SetupProblem};
pub use fields::Line;
pub use history::{HistoryProblem, InfluxHistory, Tickets};
pub use points::{accuracy, alert, anomaly, forecast, forecast_lead, outlook, staffing, windows};
pub use sink::{InfluxContext, InfluxSink};
