//! `surgecast serve`: runs the service as configured.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::alert::Route;
use crate::api::ServiceInfo;
use crate::app::{self, Role, Running, Settings, Setup};
use crate::clock::WallClock;
use crate::commands::usage::UsageError;
use crate::domain::{Clock, Timestamp};
use crate::engine::{ForecasterConfig, IssueConfig, RefitConfig};
use crate::input::{LineReader, LocalFeed, place};
use crate::output::print;
use crate::telemetry::config::LogFormat;
use crate::telemetry::{Exporter, Traces, init_logging};
use crate::window::{AggregatorConfig, TicketRules};

/// Windows do not wait for a source that is silent for longer than this.
const SOURCE_TIMEOUT: Duration = Duration::from_secs(900);
/// Receivers are notified only of windows that ended at most this long before the start. Older windows are history.
const NOTIFY_BACK: Duration = Duration::from_secs(3600);

/// Runs the service until Ctrl-C or SIGTERM.
///
/// # Errors
/// [`UsageError`] for wrong flags; other errors for addresses, files and the store.
pub fn run(settings: Settings, inputs: &[PathBuf], role: Role) -> anyhow::Result<()> {
    check_role(&settings, inputs, role)?;
    check_inputs(inputs)?;
    let traces = settings.otlp.as_ref().map(Traces::new).transpose()?;
    init_logging(settings.log.format == LogFormat::Json, &settings.log.level, traces.as_ref());
    for warning in settings.warnings() {
        tracing::warn!("config: {warning}");
    }
    let scheme = if settings.tls.is_some() { "https" } else { "http" };
    let exporter = traces.map(Traces::exporter);
    let running = app::start(setup(settings, inputs, role, exporter))?;
    running.progress.set(1.0);
    read_streams(&running, inputs)?;
    print(&format!("surgecast listens on {scheme}://{}", running.address));
    if let Some(admin) = running.admin {
        print(&format!("probes and metrics on http://{admin}"));
    }
    running.wait()
}

/// Starts the readers of standard input and of FIFOs.
fn read_streams(running: &Running, inputs: &[PathBuf]) -> anyhow::Result<()> {
    let reader = LineReader {
        log: running.log.clone(),
        wake: running.wake.clone(),
        clock: Arc::new(WallClock),
        health: running.health.clone(),
    };
    if inputs.iter().any(|input| input.as_os_str() == "-") {
        let reader = reader.clone();
        app::spawn("standard input", move || reader.read_standard_input())?;
    }
    for fifo in files(inputs).filter(|input| is_stream(input)) {
        let (reader, fifo) = (reader.clone(), fifo.clone());
        app::spawn("fifo", move || reader.read_fifo(&fifo))?;
    }
    Ok(())
}

/// Whether an input is a FIFO or a device, which cannot be read again.
fn is_stream(input: &Path) -> bool {
    std::fs::metadata(input).is_ok_and(|found| !found.is_file() && !found.is_dir())
}

/// The inputs except standard input.
fn files(inputs: &[PathBuf]) -> impl Iterator<Item = &PathBuf> {
    inputs.iter().filter(|input| input.as_os_str() != "-")
}

fn setup(settings: Settings, inputs: &[PathBuf], role: Role, traces: Option<Exporter>) -> Setup {
    let clock = Arc::new(WallClock);
    let aggregator = AggregatorConfig {
        width: settings.windows.width,
        lateness: settings.windows.lateness,
        max_future_skew: Some(settings.windows.max_future_skew),
        names_max: AggregatorConfig::names_for(settings.input.limits.series),
    };
    let (info, forecaster) = (info(&settings), forecaster(&settings, role, clock.now()));
    let access = settings.server.access();
    let reloadable = app::reloadable(
        settings.server.tokens.as_ref(),
        settings.tls.as_ref(),
        &settings.secret_files,
    );
    let Settings { server, admin, store, input, kafka, influxdb, grafana, alerts, tls, .. } =
        settings;
    let receivers = alerts.receivers.into_iter();
    Setup {
        listen: server.listen,
        admin_listen: Some(admin.listen),
        store: store.path,
        texts_kept: store.texts,
        info,
        decoder: input.decoder,
        tables: input.tables,
        lexicon: input.lexicon,
        sentiment: input.sentiment,
        forecaster,
        aggregator,
        feeds: Vec::new(),
        files: files(inputs).filter(|input| !is_stream(input)).cloned().collect(),
        kafka,
        queue_events: input.limits.queue_events,
        role,
        advertise: server.advertise,
        influxdb,
        grafana,
        traces,
        public_url: server.public_url,
        receivers: receivers
            .map(|found| (found.name.to_string(), (found.route, found.receiver)))
            .collect(),
        heartbeat: alerts.heartbeat,
        access,
        tls,
        connections_max: server.connections_max,
        reloadable,
        clock,
        steady: Some(Arc::default()),
        periodic: Box::new(|_| Ok(())),
        main_source: LocalFeed::source_id(),
    }
}

/// Checks that the config and the inputs fit the role.
fn check_role(settings: &Settings, inputs: &[PathBuf], role: Role) -> Result<(), UsageError> {
    if role == Role::Both {
        return Ok(());
    }
    if settings.kafka.is_none() {
        let text = "--role: instances share work through Kafka only: add a [kafka] section, or omit --role";
        return Err(UsageError(text.into()));
    }
    if !inputs.is_empty() {
        let text = "--input: works with --role both only, because other instances would not see these events";
        return Err(UsageError(text.into()));
    }
    Ok(())
}

fn check_inputs(inputs: &[PathBuf]) -> anyhow::Result<()> {
    let mut seen: Vec<&PathBuf> = Vec::new();
    for input in files(inputs) {
        check_readable(input)?;
        if let Some(other) = seen.iter().find(|other| is_same(other, input)) {
            let text = format!(
                "--input {}: is the same file as {}, whose events would be counted twice: name it once",
                input.display(),
                other.display()
            );
            return Err(UsageError(text).into());
        }
        seen.push(input);
    }
    Ok(())
}

/// Whether two paths are the same file.
fn is_same(one: &Path, other: &Path) -> bool {
    let identity =
        |path: &Path| std::fs::metadata(path).ok().map(|found| (found.dev(), found.ino()));
    place(one) == place(other) || identity(one).is_some_and(|own| Some(own) == identity(other))
}

/// First bytes of compressed files, and the program that unpacks them.
const COMPRESSED: [(&[u8], &str); 4] = [
    (b"\x1f\x8b", "gunzip"),
    (b"\x28\xb5\x2f\xfd", "zstd -d"),
    (b"BZh", "bunzip2"),
    (b"\xfd7zXZ\0", "unxz"),
];

fn check_readable(input: &Path) -> anyhow::Result<()> {
    let shown = input.display();
    // Opening a FIFO waits for its writer.
    if is_stream(input) {
        return Ok(());
    }
    if input.is_dir() {
        let text = format!("--input {shown}: is a directory, name a file in it");
        return Err(UsageError(text).into());
    }
    let mut file = match std::fs::File::open(input) {
        Ok(file) => file,
        // Not a usage error: the file may appear in a moment.
        Err(error) if error.kind() == ErrorKind::NotFound => anyhow::bail!(
            "--input {shown}: there is no such file: check the path, or create an empty file"
        ),
        Err(error) => {
            let text = format!("--input {shown}: cannot read the file: {error}");
            return Err(UsageError(text).into());
        }
    };
    let mut head = [0; 6];
    let read = file.read(&mut head).unwrap_or(0);
    if let Some((_, tool)) = COMPRESSED.iter().find(|(magic, _)| head[..read].starts_with(magic)) {
        let text = format!(
            "--input {shown}: is compressed, and a compressed file cannot be followed: unpack it with `{tool}` first"
        );
        return Err(UsageError(text).into());
    }
    Ok(())
}

fn info(settings: &Settings) -> ServiceInfo {
    ServiceInfo {
        version: env!("CARGO_PKG_VERSION"),
        mode: "serve",
        speed: 1.0,
        stops_at: None,
        width: settings.windows.width,
        zone: settings.windows.time_zone,
        language: settings.server.language,
        regions: settings.regions.zones.clone(),
        staffing: settings.rules.clone(),
        body_bytes_max: settings.input.limits.body_bytes,
        limits: settings.input.limits.ingest(),
    }
}

fn forecaster(settings: &Settings, role: Role, now: Timestamp) -> ForecasterConfig {
    // Sorted by name, each name once.
    let receivers: BTreeMap<String, Route> = settings
        .alerts
        .receivers
        .iter()
        .map(|receiver| (receiver.name.to_string(), receiver.route.clone()))
        .collect();
    let every = settings.forecast.refit;
    let every_ms = every.as_millis().max(1) as i64;
    let refit = RefitConfig {
        width: settings.windows.width,
        every,
        from: Timestamp::from_millis(now.millis().div_euclid(every_ms) * every_ms),
        used_from: now,
        patience: Duration::from_secs(5),
    };
    ForecasterConfig {
        width: settings.windows.width,
        lateness: settings.windows.lateness,
        source_timeout: SOURCE_TIMEOUT,
        series_max: settings.input.limits.series,
        alarms: settings.alarms,
        tickets: TicketRules { known_max: settings.input.limits.open_tickets },
        policy: settings.policy.clone(),
        customer_key: settings.customer_key(),
        issue: IssueConfig {
            zone: settings.windows.time_zone,
            zones: settings.regions.zones.clone(),
            calendars: settings.regions.calendars.clone(),
            calendar: settings.windows.calendar.clone(),
            staffing: settings.rules.clone(),
            anomalies: settings.anomalies,
            advice: settings.advice.clone(),
            tables_patience: (role != Role::Count).then_some(Duration::ZERO),
            // From midnight, so that all starts on one day issue the same vintages.
            vintages_from: (now - settings.forecast.backfill).utc_midnight(),
            plans_from: (now - settings.forecast.backfill).utc_midnight(),
            alerts_from: now.utc_midnight(),
            notify_from: now - NOTIFY_BACK,
            quiet_hours: settings.alerts.quiet_hours.clone(),
            alert_rules: settings.alerts.rules.clone(),
            roster: None,
        },
        refit: Some(refit),
        nowcasts: true,
        receivers: receivers.into_iter().collect(),
        escalation: settings.alerts.escalation.clone(),
        reports: settings.reports.clone(),
    }
}
