//! surgecast forecasts ticket surges: alarms and tickets in, windows, forecasts, staffing and pages out.
//!
//! Read in this order; each room uses only those named beside it.
//!
//! | room | job | may use |
//! | --- | --- | --- |
//! | [`domain`] | series, event, window, civil time, durations, back-off | – |
//! | [`stats`] | distributions, medians, least squares | – |
//! | [`ingest`] | bytes → event, or a reject with a reason | domain |
//! | [`window`] | per-partition aggregation, lateness, watermark, partials, their merge | domain |
//! | [`forecast`] | history, seasonality, intervals, ledger scoring | stats, domain |
//! | [`anomaly`] | surprise against the forecast | forecast, stats, domain |
//! | [`staffing`] | Erlang, plan against the roster | forecast, stats, domain |
//! | [`alert`] | rules, life cycle, texts | anomaly, staffing, forecast, domain |
//! | [`simulate`] | an operator to try it on | stats, domain |
//! | [`clock`] | the machine's clocks, a fast one, one that tests move | domain |
//! | [`config`] | layers, what reads a section, sections of the core's rooms | the core's types |
//! | [`telemetry`] | metrics, tracing, health | config, domain |
//! | [`store`] | what must survive a restart | config, the core's types |
//! | [`engine`] | the forecaster: reports and commands in, one transaction out | store, clock, telemetry, the core's types |
//! | [`kafka`] | clients, topics, wire forms of partials and commits | config, clock, telemetry, window, ingest, domain |
//! | [`cluster`] | leadership, the replicated log, forwarding | engine, kafka, clock, telemetry, window, domain |
//! | [`input`] | the event log, files, standard input, Kafka's partitions | engine, store, kafka, config, clock, telemetry, window, ingest, domain |
//! | [`views`] | read models that API, topics, reports and page share | store, the core's types |
//! | [`output`] | InfluxDB, Kafka topics, receivers of pages | views, engine, store, kafka, config, telemetry, the core's types |
//! | [`report`] | weekly review, incidents | views, store, the core's types |
//! | [`api`] | HTTP: data, health, metrics, web page | views, report, input, cluster, engine, store, config, telemetry, the core's types |
//! | [`app`] | wiring: threads, queues, listeners | everything; only commands use it |
//! | [`commands`] | one file or folder a command | everything; nothing uses it |
//!
//! Down to `simulate` it is the **core**: values in, values out. No clock, runtime, disk or network there;
//! `clippy.toml` and `tests/it/purity.rs` hold it to that.

#![warn(clippy::unwrap_used, clippy::expect_used)]
// Tests tell a story from start to end, and may be longer.
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
pub mod views;
pub mod window;
