//! The configuration once it is checked: what the rest of the program may rely on.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::{Name, WindowWidth, Zone};
use crate::forecast::Calendar;
use crate::ingest::{Attribute, Target};
use crate::window::AlarmRules;

use super::Secret;

/// A checked configuration. Paths are absolute or relative to the working directory.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The file it was read from, as it was named.
    pub file: PathBuf,
    pub server: Server,
    pub admin: Admin,
    pub store: Store,
    pub windows: Windows,
    /// Holidays of the regions that have a calendar of their own.
    pub calendars: BTreeMap<Name, Arc<Calendar>>,
    /// Time zones of the regions that have their own; see [`Config::zone`].
    pub regions: BTreeMap<Name, Zone>,
    /// When alarms begin and end; the limit on those that stand is one of [`Limits`].
    pub alarms: AlarmRules,
    pub forecast: Forecast,
    pub kafka: Option<Kafka>,
    pub influxdb: Option<InfluxDb>,
    pub grafana: Option<Grafana>,
    /// One table per channel as it stands in the file; the staffing room reads them.
    pub staffing: BTreeMap<Name, toml::Table>,
    pub receivers: Vec<Receiver>,
    /// Tables that fill in regions, services and channels, in the order in which they are tried.
    pub mapping: Vec<MapTable>,
    /// The lexicon that tickets' texts are sorted by; the one that is built in where none is given.
    pub lexicon: Option<PathBuf>,
    pub limits: Limits,
    pub log: Log,
}

impl Config {
    /// The time zone of a region.
    pub fn zone(&self, region: &Name) -> Zone {
        self.regions.get(region).copied().unwrap_or(self.windows.time_zone)
    }

    /// Sections that are configured and that this version does not act upon yet.
    pub fn unsupported(&self) -> Vec<&'static str> {
        let sections = [("[grafana]", self.grafana.is_some())];
        sections.into_iter().filter(|(_, there)| *there).map(|(name, _)| name).collect()
    }
}

/// `[server]`: the API and the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    pub listen: SocketAddr,
    /// Base of links in pages, without a `/` at its end; `http://<listen>` where none is given.
    pub public_url: String,
    /// Where other instances reach this one; the address that it listens on where none is given.
    pub advertise: Option<String>,
    /// Bearer tokens; without it everyone who reaches `listen` may do everything.
    pub tokens_file: Option<PathBuf>,
    /// Whether listening beyond loopback without tokens was asked for.
    pub allow_open: bool,
}

/// `[admin]`: /live, /ready and /metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admin {
    pub listen: SocketAddr,
}

/// `[store]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Store {
    /// Directory of `state.db` and `events.db`.
    pub path: PathBuf,
}

/// `[windows]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Windows {
    pub width: WindowWidth,
    pub lateness: Duration,
    /// At most `lateness`.
    pub max_future_skew: Duration,
    /// Zone of regions that have none of their own.
    pub time_zone: Zone,
    /// Holidays of regions that have none of their own.
    pub calendar: Arc<Calendar>,
}

/// `[forecast]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forecast {
    /// How far back vintages are issued over history that was there before, so that accuracy is known.
    pub backfill: Duration,
    /// How often models are fitted anew.
    pub refit: Duration,
}

/// `[kafka]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kafka {
    /// `host:port` each.
    pub brokers: Vec<String>,
    pub group: String,
    pub alarms: String,
    pub tickets: String,
    pub maintenance: String,
    /// librdkafka properties; values may be passwords.
    pub properties: BTreeMap<String, Secret>,
}

impl Kafka {
    /// The defaults, at these brokers.
    pub fn at(brokers: Vec<String>) -> Self {
        Self {
            brokers,
            group: "surgecast".into(),
            alarms: "network.alarms".into(),
            tickets: "support.tickets".into(),
            maintenance: "network.maintenance".into(),
            properties: BTreeMap::new(),
        }
    }

    /// As the clients take it.
    pub fn settings(&self) -> crate::kafka::Settings {
        let topics = crate::kafka::Topics {
            alarms: self.alarms.clone(),
            tickets: self.tickets.clone(),
            maintenance: self.maintenance.clone(),
        };
        let plain = |(key, value): (&String, &Secret)| (key.clone(), value.expose().to_owned());
        crate::kafka::Settings {
            brokers: self.brokers.join(","),
            group: self.group.clone(),
            topics,
            properties: self.properties.iter().map(plain).collect(),
        }
    }
}

/// `[influxdb]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InfluxDb {
    pub url: String,
    pub org: String,
    pub bucket: String,
    pub token: Option<Secret>,
}

impl InfluxDb {
    /// As the client takes it.
    pub fn settings(&self) -> crate::output::influxdb::InfluxSettings {
        crate::output::influxdb::InfluxSettings {
            url: self.url.clone(),
            org: self.org.clone(),
            bucket: self.bucket.clone(),
            token: self.token.as_ref().map(|token| token.expose().to_owned()).unwrap_or_default(),
        }
    }
}

/// `[grafana]`: parsed and checked; not connected to in this version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grafana {
    pub url: String,
    pub token: Option<Secret>,
    pub annotations: bool,
}

/// One of `[[alerts.receivers]]`.
#[derive(Clone, PartialEq, Eq)]
pub struct Receiver {
    /// Different for each receiver.
    pub name: Name,
    pub kind: ReceiverKind,
    /// Only PagerDuty's may be left out: it has a public one.
    pub url: Option<String>,
    pub secret: Option<Secret>,
}

/// Chat services keep their key in the address: it is not shown either.
impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, kind, .. } = self;
        f.debug_struct("Receiver").field("name", name).field("kind", kind).finish_non_exhaustive()
    }
}

/// Where a page goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceiverKind {
    Webhook,
    Alertmanager,
    PagerDuty,
    Slack,
    Teams,
    DingTalk,
    Feishu,
    WeCom,
}

impl ReceiverKind {
    /// Each with the word that configs use.
    pub const EVERY: [(&'static str, Self); 8] = [
        ("webhook", Self::Webhook),
        ("alertmanager", Self::Alertmanager),
        ("pagerduty", Self::PagerDuty),
        ("slack", Self::Slack),
        ("teams", Self::Teams),
        ("dingtalk", Self::DingTalk),
        ("feishu", Self::Feishu),
        ("wecom", Self::WeCom),
    ];
}

/// One of `[[mapping]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapTable {
    pub target: Target,
    pub attribute: Attribute,
    /// CSV: `match,pattern,value`.
    pub file: PathBuf,
}

/// `[limits]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest event, in bytes.
    pub event_bytes: usize,
    /// Largest request body, in bytes.
    pub body_bytes: usize,
    /// Most ticket series; events of further ones are dead letters.
    pub series: usize,
    /// Most alarms that may stand at a time.
    pub standing_alarms: usize,
    /// Most events between the log and the fold.
    pub queue_events: usize,
}

impl Limits {
    /// Those that decoding needs.
    pub fn ingest(&self) -> crate::ingest::Limits {
        crate::ingest::Limits { event_bytes: self.event_bytes, ..Default::default() }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

/// `[log]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    pub format: LogFormat,
    /// A `tracing` filter, such as `info` or `info,surgecast=debug`.
    pub level: String,
}
