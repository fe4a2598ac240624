//! Outputs: InfluxDB, Grafana, Kafka topics, and the receivers of pages.
//!
//! Each output reads the store by a cursor or from the outbox, so an output that is down delays only itself.

pub mod grafana;
pub mod influxdb;
pub mod pages;
pub mod receivers;
mod refused;
mod replayed_alarms;
mod sink;
mod topics;
mod writer;

pub use receivers::print;
pub use refused::RefusedPoints;
pub use sink::{Refused, Sink, SinkError, Written};
pub use topics::OutlookTopic;
pub use writer::{Pace, SinkWriter};
