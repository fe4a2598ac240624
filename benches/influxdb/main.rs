//! Speed of writing to a real InfluxDB, and of the queries of the boards. Needs the InfluxDB of the tests.
//!
//! `cargo bench --bench influxdb`: a day of `INFLUX_WINDOWS` (48) windows of `INFLUX_SERIES` (1,000) series is written by the sink, and by
//! a loop that posts the same bodies, in `INFLUX_PAIRS` (5) pairs. The bodies are those that the sink sends, recorded before.
//!
//! `cargo bench --bench influxdb -- boards`: fills a bucket with `INFLUX_WEEKS` (8) weeks of `INFLUX_SERIES` series, with all measurements
//! that boards read, and runs every query of every board. This takes half an hour and 5 GB. `INFLUX_FOLDER` keeps the database, and
//! uses it again.
#![allow(clippy::disallowed_methods, reason = "a benchmark measures time")]
#![allow(clippy::unwrap_used, reason = "a benchmark may stop")]

mod boards;
#[path = "../common/mod.rs"]
mod common;
#[path = "../scale/config.rs"]
mod config;
mod fill;
mod recorder;
#[path = "../../tests/it/real/servers.rs"]
#[allow(dead_code, reason = "Kafka is not needed")]
mod servers;
#[path = "../scale/site.rs"]
#[allow(dead_code, reason = "another benchmark fills stores")]
mod site;
mod speed;

fn main() {
    let Some(args) = common::arguments() else { return };
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        [] => speed::run(),
        ["boards"] => boards::run(),
        _ => panic!("argument: nothing, or boards"),
    }
}
