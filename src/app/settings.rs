//! The whole configuration, built to the end by one function: what `check` approves is what `serve` starts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::api::config::{Admin, Server};
use crate::config::core::forecast::Forecast;
use crate::config::core::windows::{Regions, Windows};
use crate::config::core::{alarms, staffing};
use crate::config::{ConfigError, Flags, Layers, Reader};
use crate::domain::Name;
use crate::input::config::Input;
use crate::kafka;
use crate::output::influxdb::{self, InfluxSettings};
use crate::output::receivers::{self, config::ReceiverConfig};
use crate::staffing::Profile;
use crate::store::config::StoreConfig;
use crate::telemetry::config::Log;
use crate::window::AlarmRules;
use crate::{api, output};

#[cfg(test)]
mod tests;

/// A configuration that a service can be started with. Paths are absolute or relative to the working directory.
#[derive(Debug)]
pub struct Settings {
    /// The file it was read from, as it was named.
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
    /// `[alarms]`, with the limit on active ones from `[limits]`.
    pub alarms: AlarmRules,
    /// `[forecast]`.
    pub forecast: Forecast,
    /// `[kafka]`.
    pub kafka: Option<kafka::Settings>,
    /// `[influxdb]`.
    pub influxdb: Option<InfluxSettings>,
    /// `[staffing.CHANNEL]`: the channels that are configured; see [`Settings::profiles`].
    pub staffing: BTreeMap<Name, Profile>,
    /// `[[alerts.receivers]]`.
    pub receivers: Vec<ReceiverConfig>,
    /// `[[mapping]]`, `[lexicon]` and `[limits]`.
    pub input: Input,
    /// `[log]`.
    pub log: Log,
}

impl Settings {
    /// Reads all layers and everything that they name, and connects nowhere.
    ///
    /// # Errors
    /// [`ConfigError`]; [`ConfigError::Invalid`] names every problem there is.
    pub fn load(file: &Path, flags: &Flags) -> Result<Self, ConfigError> {
        Layers::of_file(file, flags)?.check(|root| Self::read(root, file))
    }

    /// Every section, in the order in which problems are told.
    fn read(root: Reader<'_>, file: &Path) -> Self {
        let (server, admin) = api::config::read(&root);
        let store = StoreConfig::read(root.section("store"), "data");
        let windows = Windows::read(root.section("windows"));
        let regions = Regions::read(&root);
        let alarms = alarms::read(root.section("alarms"));
        let forecast = Forecast::read(root.section("forecast"));
        let kafka = kafka::config::read(root.section("kafka"));
        let influxdb = influxdb::config::read(root.section("influxdb"));
        output::config::refuse_grafana(root.section("grafana"));
        let staffing = staffing::read(&root);
        let receivers = receivers::config::read(root.section("alerts"), &server.public_url);
        let input = Input::read(&root);
        let log = Log::read(root.section("log"));
        root.finish();
        let alarms = AlarmRules { standing_max: input.limits.standing_alarms, ..alarms };
        Self {
            file: file.to_owned(),
            server,
            admin,
            store,
            windows,
            regions,
            alarms,
            forecast,
            kafka,
            influxdb,
            staffing,
            receivers,
            input,
            log,
        }
    }

    /// Profiles of the channels that are configured, over the defaults of the rest.
    pub fn profiles(&self) -> BTreeMap<Name, Profile> {
        let mut profiles = staffing::default_profiles();
        profiles.extend(self.staffing.clone());
        profiles
    }
}
