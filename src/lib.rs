//! surgecast forecasts ticket surges: alarms and tickets in, windows, forecasts, staffing and pages out.
//!
//! Read in this order; each room uses only those named beside it.
//!
//! | room | job | may use |
//! | --- | --- | --- |
//! | [`domain`] | series, event, window, civil time | – |
//! | [`stats`] | distributions, medians, least squares | – |
//! | [`ingest`] | bytes → event, or a reject with a reason | domain |
//! | [`window`] | per-partition fold, lateness, frontier, partials, their merge | domain |
//! | [`forecast`] | history, seasonality, intervals, ledger scoring | stats, domain |
//! | [`anomaly`] | surprise against the forecast | forecast, stats, domain |
//! | [`staffing`] | Erlang, plan against the roster | forecast, stats, domain |
//! | [`alert`] | rules, life cycle, texts | anomaly, staffing, forecast, domain |
//! | [`simulate`] | an operator to try it on | stats, domain |
//! | [`kafka`] | the clients that read and write, wire forms of partials and commits | telemetry, window, ingest, domain |
//! | [`store`] | what must survive a restart | the core's types |
//! | [`sink`] | InfluxDB, notification channels | store, window, outputs, domain |
//! | [`api`] | HTTP: data, health, metrics, web page | store, telemetry, the core's types |
//! | [`telemetry`] | metrics, tracing, health | domain |
//! | [`app`] | wiring, workers, shutdown, commands | everything; nothing uses `app` |
//!
//! Down to `simulate` it is the **core**: values in, values out. No clock, runtime, disk or network there;
//! `clippy.toml` and `tests/it/purity.rs` hold it to that.

pub mod alert;
pub mod anomaly;
pub mod api;
pub mod app;
pub mod domain;
pub mod forecast;
pub mod ingest;
pub mod kafka;
pub mod simulate;
pub mod sink;
pub mod staffing;
pub mod stats;
pub mod store;
pub mod telemetry;
pub mod window;
