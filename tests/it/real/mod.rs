//! Tests with a real Kafka broker and a real InfluxDB. `tests/servers/*.sh install` installs both into the cache;
//! `tests/run` does this first.
//!
//! A server that cannot start fails the test. Only the test with data that this repository may not contain is skipped
//! without the data.

mod cluster;
mod compose;
mod data;
mod faults;
mod grafana;
mod itself;
mod kills;
mod kubernetes;
mod outage;
mod page_leaders;
mod pages;
mod panels;
mod prometheus;
mod servers;
mod tokens;
mod topics;
mod traces;
mod transactions;
mod unsteady;
mod warm_start;
mod whole;
