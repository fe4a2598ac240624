//! surgecast forecasts surges of trouble tickets. It counts a telecom operator's network alarms and tickets, forecasts
//! ticket arrivals, plans agents and pages shift leads.
//!
//! The code is divided into rooms. Read them in this order. A room may use only the rooms in the third column.
//!
//! | room | job | may use |
//! | --- | --- | --- |
//! | [`domain`] | defines series, events, windows, civil time, durations and back-off | – |
//! | [`text`] | holds the catalogues of texts, one for each language | domain |
//! | [`stats`] | computes distributions, medians and least squares | – |
//! | [`ingest`] | decodes bytes into events, or rejects them with a reason | domain |
//! | [`window`] | counts events by window and partition, merges the counts, and tracks active alarms | domain |
//! | [`tickets`] | decides how urgent tickets are, by when they have to be answered, and which customers to call | window, domain |
//! | [`forecast`] | learns from history, forecasts arrivals with intervals, and scores forecasts | stats, text, domain |
//! | [`anomaly`] | finds windows, alarms and sources that differ from their forecast or from what is usual | forecast, stats, text, domain |
//! | [`staffing`] | computes agents by queueing models, and compares them with the roster | forecast, stats, text, domain |
//! | [`alert`] | decides when alerts begin and end, and writes their texts | anomaly, staffing, forecast, stats, text, domain |
//! | [`simulate`] | simulates an operator's alarms and tickets | stats, domain |
//! | [`clock`] | provides real time, a fast clock and a clock for tests | domain |
//! | [`config`] | merges the layers of a configuration and reads sections | the core's types |
//! | [`telemetry`] | collects metrics, logs, traces and health | config, domain |
//! | [`store`] | stores all state that must survive a restart | config, the core's types |
//! | [`engine`] | runs the forecaster: one transaction for each report or command | store, clock, telemetry, the core's types |
//! | [`kafka`] | connects to Kafka: clients, topics, wire formats of partials and commits | config, clock, telemetry, window, ingest, domain |
//! | [`cluster`] | elects the leader, replicates the log and forwards requests | engine, kafka, clock, telemetry, window, domain |
//! | [`input`] | reads events: the local event log, files, standard input, Kafka's partitions | engine, store, kafka, config, clock, telemetry, window, ingest, domain |
//! | [`views`] | builds the read models of API, topics, reports and page | store, the core's types |
//! | [`report`] | writes reports on weeks, incidents, any span and planned work | views, store, the core's types |
//! | [`output`] | writes to InfluxDB, Grafana and Kafka topics, and delivers pages and reports to receivers | report, views, engine, store, kafka, config, clock, telemetry, the core's types |
//! | [`api`] | answers HTTP requests: data, health, metrics and the web page | views, report, input, cluster, engine, store, config, telemetry, the core's types |
//! | [`app`] | starts the service: threads, queues and listeners | everything; only commands use it |
//! | [`commands`] | runs the commands, one file or folder each | everything; nothing uses it |
//!
//! The rooms from `domain` to `simulate` are the **core**. They compute values from values, without clock, runtime, disk
//! or network. `clippy.toml` and `tests/it/purity.rs` check this.

#![warn(clippy::unwrap_used, clippy::expect_used)]
// Test functions may be longer, because some follow a scenario from start to end.
#![cfg_attr(not(test), warn(clippy::too_many_lines))]

pub mod alert;
pub mod anomaly;
pub mod api;
pub mod app;
pub mod clock;
pub mod cluster;
pub mod commands;
pub mod config;
pub mod domain;
pub mod engine;
pub mod forecast;
pub mod ingest;
pub mod input;
pub mod kafka;
pub mod output;
pub mod report;
pub mod simulate;
pub mod staffing;
pub mod stats;
pub mod store;
pub mod telemetry;
pub mod text;
pub mod tickets;
pub mod views;
pub mod window;
