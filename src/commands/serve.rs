//! `surgecast serve`: the service as the config has it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;

use crate::api::{ServiceInfo, TokenSet};
use crate::app::{self, Role, Setup};
use crate::clock::WallClock;
use crate::commands::usage::UsageError;
use crate::config::{Config, InfluxDb, Kafka, LogFormat, Receiver, ReceiverKind};
use crate::domain::{Clock, Name, Timestamp};
use crate::engine::{ForecasterConfig, IssueConfig, RefitConfig};
use crate::ingest::Decoder;
use crate::input::{self, Feed, FileFeed, LocalFeed, tables};
use crate::output::receivers::{Secret, Webhook};
use crate::output::{Channel, print};
use crate::staffing::{Profile, ProfileSpec};
use crate::telemetry::init_logging;
use crate::window::{AlarmRules, FoldConfig};

/// A source that is silent for longer no longer holds windows back.
const SOURCE_TIMEOUT: Duration = Duration::from_secs(900);
/// People are told of windows that ended this recently: older ones are history, not news.
const NEWS: Duration = Duration::from_secs(3600);

/// Runs the service until it is told to stop.
///
/// # Errors
/// [`UsageError`] for what the config or the flags say; others for what the machine says.
pub fn run(config: &Config, inputs: &[PathBuf], role: Role) -> anyhow::Result<()> {
    fits(config, inputs, role)?;
    init_logging(config.log.format == LogFormat::Json, &config.log.level);
    let clock = Arc::new(WallClock);
    let fold = FoldConfig {
        width: config.windows.width,
        lateness: config.windows.lateness,
        max_future_skew: Some(config.windows.max_future_skew),
    };
    let mut feeds: Vec<(Box<dyn Feed>, FoldConfig)> = Vec::new();
    for input in inputs.iter().filter(|input| input.as_os_str() != "-") {
        readable(input)?;
        let rules = FoldConfig { max_future_skew: None, ..fold };
        feeds.push((Box::new(FileFeed::new(input)), rules));
    }
    let channels = channels(config)?;
    let tokens = match &config.server.tokens_file {
        None => None,
        Some(path) => {
            let tokens = TokenSet::read(path);
            let shown = path.display();
            Some(Arc::new(
                tokens.map_err(|e| UsageError(format!("server.tokens_file {shown}: {e}")))?,
            ))
        }
    };
    let running = app::start(Setup {
        listen: config.server.listen,
        admin_listen: Some(config.admin.listen),
        store: config.store.path.clone(),
        info: info(config),
        decoder: decoder(config)?,
        tables: config.mapping.clone(),
        lexicon: config.lexicon.clone(),
        forecaster: forecaster(config, &channels, clock.now())?,
        fold,
        feeds,
        kafka: config.kafka.as_ref().map(Kafka::settings),
        queue_events: config.limits.queue_events,
        role,
        advertise: config.server.advertise.clone(),
        influxdb: config.influxdb.as_ref().map(InfluxDb::settings),
        public_url: config.server.public_url.clone(),
        channels,
        tokens,
        clock,
        periodic: Box::new(|_| Ok(())),
        main_source: LocalFeed::source_id(),
    })?;
    running.progress.set(1.0);
    if inputs.iter().any(|input| input.as_os_str() == "-") {
        let (log, wake) = (running.log.clone(), running.wake.clone());
        let clock: Arc<dyn Clock> = Arc::new(WallClock);
        app::spawn("standard input", move || input::read_standard_input(&log, &*wake, &clock))?;
    }
    print(&format!("surgecast listens on http://{}", running.address));
    if let Some(admin) = running.admin {
        print(&format!("probes and metrics on http://{admin}"));
    }
    running.wait()
}

/// What a role needs, and what does not go with it.
fn fits(config: &Config, inputs: &[PathBuf], role: Role) -> Result<(), UsageError> {
    if role == Role::Both {
        return Ok(());
    }
    if config.kafka.is_none() {
        let text =
            "--role: work is shared through Kafka only: add a [kafka] section, or leave it out";
        return Err(UsageError(text.into()));
    }
    if !inputs.is_empty() {
        let text =
            "--input: goes with --role both only: other instances would not see these events";
        return Err(UsageError(text.into()));
    }
    Ok(())
}

fn readable(input: &Path) -> Result<(), UsageError> {
    std::fs::File::open(input).map(drop).map_err(|error| {
        UsageError(format!("--input {}: cannot read it: {error}", input.display()))
    })
}

fn info(config: &Config) -> ServiceInfo {
    ServiceInfo {
        version: env!("CARGO_PKG_VERSION"),
        mode: "serve",
        speed: 1.0,
        width: config.windows.width,
        zone: config.windows.time_zone,
        regions: config.regions.clone(),
        body_bytes_max: config.limits.body_bytes,
        limits: config.limits.ingest(),
    }
}

/// What reads events, with the look-up tables of the config.
///
/// # Errors
/// [`UsageError`] for a table that cannot be used.
pub fn decoder(config: &Config) -> Result<Decoder, UsageError> {
    let mapping = tables::read(&config.mapping);
    let mapping = mapping.map_err(|why| UsageError(format!("[[mapping]]: {why}")))?;
    let lexicon = tables::read_lexicon(config.lexicon.as_deref());
    let lexicon = lexicon.map_err(|why| UsageError(format!("[lexicon]: {why}")))?;
    Ok(Decoder { limits: config.limits.ingest(), mapping, lexicon })
}

fn forecaster(
    config: &Config,
    channels: &BTreeMap<String, Channel>,
    now: Timestamp,
) -> anyhow::Result<ForecasterConfig> {
    let every = config.forecast.refit;
    let every_ms = every.as_millis().max(1) as i64;
    let refit = RefitConfig {
        width: config.windows.width,
        every,
        from: Timestamp::from_millis(now.millis().div_euclid(every_ms) * every_ms),
        used_from: now,
        patience: Duration::from_secs(5),
    };
    Ok(ForecasterConfig {
        width: config.windows.width,
        lateness: config.windows.lateness,
        source_timeout: SOURCE_TIMEOUT,
        series_max: config.limits.series,
        alarms: AlarmRules { standing_max: config.limits.standing_alarms, ..config.alarms },
        issue: IssueConfig {
            zone: config.windows.time_zone,
            zones: config.regions.clone(),
            calendars: config.calendars.clone(),
            calendar: config.windows.calendar.clone(),
            profiles: profiles(config)?,
            // From a midnight on, so that starts of one day issue the same.
            vintages_from: (now - config.forecast.backfill).utc_midnight(),
            alerts_from: now.utc_midnight(),
            told_from: now - NEWS,
            roster: None,
        },
        refit: Some(refit),
        nowcasts: true,
        receivers: channels.keys().cloned().collect(),
    })
}

/// Profiles of the channels that the config names, over the defaults of the rest.
///
/// # Errors
/// [`UsageError`] that names the key.
pub fn profiles(config: &Config) -> Result<BTreeMap<Name, Profile>, UsageError> {
    let mut profiles = default_profiles();
    for (channel, table) in &config.staffing {
        let spec: ProfileSpec = table.clone().try_into().map_err(|error: toml::de::Error| {
            UsageError(format!("[staffing.{channel}]: {}", error.message()))
        })?;
        let profile = spec
            .profile(channel)
            .map_err(|error| UsageError(format!("[staffing.{channel}] {error}")))?;
        profiles.insert(channel.clone(), profile);
    }
    Ok(profiles)
}

/// Profiles of `models/staffing.toml`.
pub fn default_profiles() -> BTreeMap<Name, Profile> {
    ["phone", "chat", "email", "social", "app"]
        .into_iter()
        .filter_map(|channel| Some((Name::new(channel).ok()?, Profile::default_of(channel)?)))
        .collect()
}

fn channels(config: &Config) -> anyhow::Result<BTreeMap<String, Channel>> {
    config
        .receivers
        .iter()
        .map(|receiver| Ok((receiver.name.to_string(), channel(config, receiver)?)))
        .collect()
}

fn channel(config: &Config, receiver: &Receiver) -> anyhow::Result<Channel> {
    let (ReceiverKind::Webhook, Some(url)) = (receiver.kind, &receiver.url) else {
        let text = format!(
            "receiver `{}`: this version delivers to type `webhook` only; the other types come later",
            receiver.name
        );
        return Err(UsageError(text).into());
    };
    let secret = receiver.secret.as_ref().map(|secret| Secret::new(secret.expose()));
    let webhook = Webhook::new(url.clone(), secret, config.server.public_url.clone());
    Ok(Channel::Webhook(Box::new(webhook.context("cannot set up HTTPS")?)))
}
