//! Against a real Kafka broker and a real InfluxDB, which `tests/servers/*.sh install` puts into the cache.
//!
//! `tests/run` does that first. A server that cannot start fails the test: nothing here skips but for data
//! that may not be carried in this repository.

mod cluster;
mod compose;
mod data;
mod faults;
mod grafana;
mod kills;
mod servers;
mod transactions;
mod whole;
