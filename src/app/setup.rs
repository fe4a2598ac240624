//! The parameters of a service.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::{Reloadable, Tls};
use crate::api::{Access, ServiceInfo};
use crate::clock::SteadyClock;
use crate::domain::{Clock, SourceId};
use crate::engine::{ForecasterConfig, PeriodicTask};
use crate::ingest::Decoder;
use crate::input::Feed;
use crate::input::config::MapTable;
use crate::kafka;
use crate::output::grafana::GrafanaSettings;
use crate::output::influxdb::InfluxSettings;
use crate::output::pages::Heartbeat;
use crate::output::receivers::Receivers;
use crate::telemetry::Exporter;
use crate::window::AggregatorConfig;

/// What an instance does, if several instances share the work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Role {
    /// Counts the events of its Kafka partitions, and forwards API requests to the leader
    Count,
    /// Forecasts as the leader, or stands by to take over
    Forecast,
    /// Counts events and forecasts
    #[default]
    Both,
}

/// All parameters that differ between demo and service.
pub struct Setup {
    pub listen: SocketAddr,
    pub admin_listen: Option<SocketAddr>,
    pub store: PathBuf,
    /// How long customers' texts and ids are kept.
    pub texts_kept: Duration,
    pub info: ServiceInfo,
    pub decoder: Decoder,
    /// Look-up tables of `decoder`, which are read again when their files change.
    pub tables: Vec<MapTable>,
    /// File of the lexicon, which is read again when it changes; `None` for the built-in lexicon.
    pub lexicon: Option<PathBuf>,
    /// File of the words with a sentiment, which is read again when it changes; `None` for the built-in words.
    pub sentiment: Option<PathBuf>,
    pub forecaster: ForecasterConfig,
    pub aggregator: AggregatorConfig,
    /// Sources in addition to the local event log, each with the configuration of its aggregator.
    pub feeds: Vec<(Box<dyn Feed>, AggregatorConfig)>,
    /// Files of events that are followed.
    pub files: Vec<PathBuf>,
    /// The Kafka cluster for reading and writing events, if there is one.
    pub kafka: Option<kafka::Settings>,
    /// Number of events that may be counted before they are reported to the log.
    pub queue_events: usize,
    /// The work of this instance in a cluster.
    pub role: Role,
    /// URL at which other instances reach this one; `None` for the listen address.
    pub advertise: Option<String>,
    pub influxdb: Option<InfluxSettings>,
    pub grafana: Option<GrafanaSettings>,
    /// Sends traces, if there is a collector.
    pub traces: Option<Exporter>,
    /// Base of links in pages and points.
    pub public_url: String,
    pub receivers: Receivers,
    /// Tells another service that this one works.
    pub heartbeat: Option<Heartbeat>,
    /// Who may use the API.
    pub access: Access,
    /// TLS of the API; without it the API speaks plain HTTP.
    pub tls: Option<Tls>,
    /// Connections to the API at a time.
    pub connections_max: usize,
    /// Secrets that are read again on SIGHUP, and when their files change.
    pub reloadable: Vec<Reloadable>,
    pub clock: Arc<dyn Clock>,
    /// The clock by which windows are finalized, if it is not `clock`. It reports its jumps.
    pub steady: Option<Arc<SteadyClock>>,
    pub periodic: PeriodicTask,
    /// The catch-up ends when this source has been read to its end once.
    pub main_source: SourceId,
}
