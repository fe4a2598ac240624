//! What a service is started with.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use crate::api::{ServiceInfo, TokenSet};
use crate::domain::{Clock, SourceId};
use crate::engine::{ForecasterConfig, PeriodicTask};
use crate::ingest::Decoder;
use crate::input::Feed;
use crate::input::config::MapTable;
use crate::kafka;
use crate::output::influxdb::InfluxSettings;
use crate::output::receivers::Receivers;
use crate::window::AggregatorConfig;

/// What an instance does of the work that several share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Role {
    /// Counts partitions and sends questions on to the leader
    Count,
    /// Forecasts: leads, or stands by to take over
    Forecast,
    #[default]
    Both,
}

/// Everything that demo and service differ in.
pub struct Setup {
    pub listen: SocketAddr,
    pub admin_listen: Option<SocketAddr>,
    pub store: PathBuf,
    pub info: ServiceInfo,
    pub decoder: Decoder,
    /// Look-up tables that `decoder` was made with, to be read again when they change.
    pub tables: Vec<MapTable>,
    /// The lexicon's file, likewise, if it is not the one that is built in.
    pub lexicon: Option<PathBuf>,
    pub forecaster: ForecasterConfig,
    pub aggregator: AggregatorConfig,
    /// Sources besides the local event log, each with its rules.
    pub feeds: Vec<(Box<dyn Feed>, AggregatorConfig)>,
    /// The cluster that events are read from and written to, if there is one.
    pub kafka: Option<kafka::Settings>,
    /// Events held before the log hears of them.
    pub queue_events: usize,
    /// What this instance does of the work that a cluster shares.
    pub role: Role,
    /// Where other instances reach this one; where it listens, if nothing is said.
    pub advertise: Option<String>,
    pub influxdb: Option<InfluxSettings>,
    /// Base of links in what goes out.
    pub public_url: String,
    pub receivers: Receivers,
    pub tokens: Option<Arc<TokenSet>>,
    pub clock: Arc<dyn Clock>,
    pub periodic: PeriodicTask,
    /// The source whose first end ends the catch-up.
    pub main_source: SourceId,
}
