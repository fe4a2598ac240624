//! The whole configuration. `check` and `serve` build it by the same function, so that they report the same problems.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Tls;
use crate::alert::Schedule;
use crate::anomaly::AnomalyRules;
use crate::api;
use crate::api::config::{Admin, Server};
use crate::config::core::alarms;
use crate::config::core::forecast::Forecast;
use crate::config::core::reports;
use crate::config::core::staffing::{Staffing, default_profiles};
use crate::config::core::windows::{Regions, Windows};
use crate::config::core::{anomalies, recommendations, tickets};
use crate::config::{ConfigError, Flags, Layers, Reader, Secret, SecretFile};
use crate::domain::{Name, Timestamp, Zone};
use crate::input::config::Input;
use crate::kafka;
use crate::output::grafana::{self, GrafanaSettings};
use crate::output::influxdb::{self, InfluxSettings};
use crate::output::receivers::{
    self,
    config::{Alerts, ReceiverConfig},
};
use crate::staffing::{AdviceRules, Profile, Rules};
use crate::store::CustomerKey;
use crate::store::config::StoreConfig;
use crate::telemetry::config::{Log, OtlpSettings};
use crate::tickets::TicketPolicy;
use crate::window::AlarmRules;

#[cfg(test)]
mod tests;

/// A checked configuration. Paths are absolute or relative to the working directory.
#[derive(Debug)]
pub struct Settings {
    /// Path of the config file, as given.
    pub file: PathBuf,
    /// `[server]`.
    pub server: Server,
    /// `[admin]`.
    pub admin: Admin,
    /// `[store]`.
    pub store: StoreConfig,
    /// `[windows]`.
    pub windows: Windows,
    /// `[regions.NAME]`.
    pub regions: Regions,
    /// `[alarms]`, with the limit on active alarms from `[limits]`.
    pub alarms: AlarmRules,
    /// `[tickets]` and `[sla.NAME]`.
    pub policy: TicketPolicy,
    /// The key for hashing customer ids; `None` for the key of the store.
    pub customer_key: Option<Secret>,
    /// `[forecast]`.
    pub forecast: Forecast,
    /// `[kafka]`.
    pub kafka: Option<kafka::Settings>,
    /// `[influxdb]`.
    pub influxdb: Option<InfluxSettings>,
    /// `[grafana]`.
    pub grafana: Option<GrafanaSettings>,
    /// `[staffing.CHANNEL]`: the configured channels only; see [`Settings::profiles`].
    pub staffing: BTreeMap<Name, Profile>,
    /// Profiles of channels, services and regions, and `[teams.NAME]`.
    pub rules: Arc<Rules>,
    /// `[anomalies]`.
    pub anomalies: AnomalyRules,
    /// `[recommendations]`.
    pub advice: Arc<AdviceRules>,
    /// `[alerts]`.
    pub alerts: Alerts,
    /// `[[reports.schedule]]`.
    pub reports: Vec<Schedule>,
    /// `[[mapping]]`, `[lexicon]` and `[limits]`.
    pub input: Input,
    /// `[log]`.
    pub log: Log,
    /// `[telemetry]`, with a collector.
    pub otlp: Option<OtlpSettings>,
    /// Files with secrets that the configuration names.
    pub secret_files: Vec<SecretFile>,
    /// TLS of `[server]`.
    pub tls: Option<Tls>,
}

impl Settings {
    /// Reads all layers and the files that they name. Connects to nothing.
    ///
    /// # Errors
    /// [`ConfigError`]; [`ConfigError::Invalid`] has all problems.
    pub fn load(file: &Path, flags: &Flags) -> Result<Self, ConfigError> {
        Layers::of_file(file, flags)?.check(|root| Self::read(root, file))
    }

    /// Reads all sections. Problems are reported in this order.
    fn read(root: Reader<'_>, file: &Path) -> Self {
        let (server, admin) = api::config::read(&root);
        let tls = Tls::read(&root, &server);
        let store = StoreConfig::read(root.section("store"), "data");
        let windows = Windows::read(root.section("windows"));
        let regions = Regions::read(&root);
        let alarms = alarms::read(root.section("alarms"));
        let (policy, customer_key) = tickets::read(&root);
        let forecast = Forecast::read(root.section("forecast"));
        let kafka = kafka::config::read(root.section("kafka"));
        let influxdb = influxdb::config::read(root.section("influxdb"));
        let grafana = grafana::config::read(root.section("grafana"));
        let Staffing { channels: staffing, rules } = Staffing::read(&root, &windows, &regions);
        let advice = recommendations::read(root.section("recommendations"));
        let anomalies = anomalies::read(root.section("anomalies"));
        let alerts =
            receivers::config::read(root.section("alerts"), &server.public_url, server.language);
        let kinds: Vec<(String, &'static str)> =
            alerts.receivers.iter().map(|own| (own.name.to_string(), own.kind)).collect();
        let schedule = root.section("reports");
        let reports = reports::read(schedule, &kinds, windows.time_zone, server.language);
        let input = Input::read(&root, windows.event_time_zone);
        let log = Log::read(root.section("log"));
        let otlp = OtlpSettings::read(root.section("telemetry"));
        let secret_files = root.secret_files();
        root.finish();
        let alarms = AlarmRules { active_max: input.limits.standing_alarms, ..alarms };
        Self {
            file: file.to_owned(),
            server,
            admin,
            store,
            windows,
            regions,
            alarms,
            policy,
            customer_key,
            forecast,
            kafka,
            influxdb,
            grafana,
            staffing,
            rules: Arc::new(rules),
            anomalies,
            advice: Arc::new(advice),
            alerts,
            reports,
            input,
            log,
            otlp,
            secret_files,
            tls,
        }
    }

    /// The key for hashing customer ids; `None` for the key of the store.
    pub fn customer_key(&self) -> Option<CustomerKey> {
        self.customer_key.as_ref().map(|key| CustomerKey::new(key.expose().as_bytes()))
    }

    /// Settings that work, but may not do what their author meant.
    pub fn warnings(&self) -> Vec<String> {
        let files = self.secret_files.iter().filter_map(SecretFile::warning);
        let receivers = self.alerts.receivers.iter().filter_map(ReceiverConfig::warning);
        files.chain(receivers).chain(self.odd_windows()).collect()
    }

    /// Zones in which windows do not begin at full multiples of their width, such as windows of an hour in India.
    fn odd_windows(&self) -> Option<String> {
        let Windows { width, time_zone, .. } = self.windows;
        let zones = self.regions.zones.values().copied().chain([time_zone]);
        // Winter and summer of 2026.
        let days = [1_767_225_600, 1_782_864_000].map(Timestamp::from_secs);
        let is_odd = |zone: &Zone| {
            days.iter().any(|at| {
                let offset = zone.local(*at).and_utc().timestamp() - at.secs();
                offset.rem_euclid(i64::from(width.secs())) != 0
            })
        };
        let odd: BTreeSet<String> = zones.filter(is_odd).map(|zone| zone.to_string()).collect();
        let odd: Vec<String> = odd.into_iter().collect();
        (!odd.is_empty()).then(|| {
            format!(
                "windows.width: windows of {width} begin between full hours in {}, so their counts belong to no clock hour: use \
                 a smaller width, such as 15m",
                odd.join(", ")
            )
        })
    }

    /// The profiles of all channels: configured ones, and defaults for the others.
    pub fn profiles(&self) -> BTreeMap<Name, Profile> {
        let mut profiles = default_profiles();
        profiles.extend(self.staffing.clone());
        profiles
    }
}
