//! Where decisions go: InfluxDB, Kafka topics, and the receivers of pages.
//!
//! Everything here reads the store by a cursor or from the outbox: what is down delays itself only.

pub mod config;
pub mod influxdb;
mod outbox;
pub mod receivers;
mod topics;
mod writer;

pub use outbox::{Channel, Outbox, print};
pub use topics::OutlookTopic;
pub use writer::{Sink, SinkWriter};
