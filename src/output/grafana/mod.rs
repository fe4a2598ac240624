//! Grafana: anomalies, surges, outages, planned work and pages as annotations, over its HTTP API.
//!
//! Each episode has one annotation: it is created once, and changed or ended under the id that Grafana returned. The store
//! keeps that id. Grafana stores no keys of its clients. So before an annotation is created, it is looked up by a unique tag:
//! after a crash between the answer and the store, it is found and not created twice.

mod client;
pub mod config;
mod episodes;
mod outages;
mod planned;
mod sink;
#[cfg(test)]
mod stand_in;
#[cfg(test)]
mod tests;

pub use client::{GrafanaClient, GrafanaSettings};
pub use sink::{GrafanaContext, GrafanaSink};
