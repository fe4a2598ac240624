//! `surgecast check`: says whether a config would run, and what it would do.

use std::fs;
use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;

use crate::commands::usage::{ConfigArgs, UsageError, refuse_unsupported};
use crate::config::{Config, Receiver, ReceiverKind};
use crate::domain::format_duration;

#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Also try the listen addresses and whether the store can be written
    #[arg(long)]
    connect: bool,
}

/// Prints what would run.
///
/// # Errors
/// [`UsageError`] with every problem of the config, or with what `--connect` found.
pub fn run(args: &CheckArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let config = args.config.load()?;
    out.write_all(describe(&config).as_bytes())?;
    refuse_unsupported(&config)?;
    if args.connect {
        let problems = try_out(&config);
        if !problems.is_empty() {
            return Err(UsageError(format!("cannot run here:\n  {}", problems.join("\n  "))).into());
        }
        writeln!(out, "addresses are free and the store can be written")?;
    }
    writeln!(out, "this would run")?;
    Ok(())
}

/// What would run, for a person.
fn describe(config: &Config) -> String {
    let windows = &config.windows;
    let mut lines = vec![
        format!("config {} is read", config.file.display()),
        format!("api and page   {} (links: {})", config.server.listen, config.server.public_url),
        format!("  access       {}", access(config)),
        format!("admin          {}", config.admin.listen),
        format!("store          {}", config.store.path.display()),
        format!(
            "windows        {}, lateness {}, future skew {}, {}",
            windows.width,
            format_duration(windows.lateness),
            format_duration(windows.max_future_skew),
            windows.time_zone
        ),
    ];
    for (region, zone) in &config.regions {
        lines.push(format!("  region       {region}: {zone}"));
    }
    lines.push(format!(
        "forecast       refit every {}, backfill {}",
        format_duration(config.forecast.refit),
        format_duration(config.forecast.backfill)
    ));
    let http = if config.kafka.is_some() { "to Kafka" } else { "to the local log" };
    lines.push(format!("source         HTTP: POST /api/v1/events, {http}"));
    if let Some(kafka) = &config.kafka {
        lines.push(format!(
            "source         Kafka {}, group {}: {}, {}, {}",
            kafka.brokers.join(","),
            kafka.group,
            kafka.alarms,
            kafka.tickets,
            kafka.maintenance
        ));
    }
    if let Some(file) = &config.lexicon {
        lines.push(format!("lexicon        {}", file.display()));
    }
    if let Some(influxdb) = &config.influxdb {
        let (url, org, bucket) = (&influxdb.url, &influxdb.org, &influxdb.bucket);
        lines.push(format!("sink           InfluxDB {url}, {org}/{bucket}"));
    }
    if let Some(grafana) = &config.grafana {
        lines.push(format!("sink           Grafana {} ({NOT_YET})", grafana.url));
    }
    lines.extend(config.receivers.iter().map(pages_to));
    if config.receivers.is_empty() {
        lines
            .push("pages          nobody: alerts are shown on the page and in the API only".into());
    }
    let channels: Vec<&str> = config.staffing.keys().map(|name| name.as_str()).collect();
    lines.push(match channels.as_slice() {
        [] => "staffing       defaults for every channel".into(),
        some => format!("staffing       {}; defaults for other channels", some.join(", ")),
    });
    lines.join("\n") + "\n"
}

const NOT_YET: &str = "not in this version";

fn access(config: &Config) -> String {
    match (&config.server.tokens_file, config.server.listen.ip().is_loopback()) {
        (Some(file), _) => format!("tokens of {}", file.display()),
        (None, true) => "open, on loopback only".into(),
        (None, false) => "open to everyone who reaches it, as allow_open says".into(),
    }
}

fn pages_to(receiver: &Receiver) -> String {
    let kind = ReceiverKind::EVERY
        .iter()
        .find(|(_, kind)| *kind == receiver.kind)
        .map_or("", |(word, _)| *word);
    // Chat services keep their key in the address: only the host is told.
    let host = receiver
        .url
        .as_deref()
        .and_then(|url| reqwest::Url::parse(url).ok())
        .and_then(|url| url.host_str().map(str::to_owned));
    let signed = if receiver.secret.is_some() { ", with a secret" } else { "" };
    let host = host.map(|host| format!(" at {host}")).unwrap_or_default();
    format!("pages          {}: {kind}{host}{signed}", receiver.name)
}

fn try_out(config: &Config) -> Vec<String> {
    let mut problems = Vec::new();
    for (key, address) in [("server", config.server.listen), ("admin", config.admin.listen)] {
        if let Err(error) = try_listen(address) {
            problems.push(format!("{key}.listen {address}: {error}"));
        }
    }
    if let Err(error) = try_write(&config.store.path) {
        let path = config.store.path.display();
        problems.push(format!("store.path {path}: {error}; use a directory that can be written"));
    }
    problems
}

fn try_listen(address: SocketAddr) -> io::Result<()> {
    TcpListener::bind(address).map(drop)
}

/// Writes and removes a file where the store will be; leaves a directory behind only if it was there.
fn try_write(folder: &Path) -> io::Result<()> {
    let was_there = folder.exists();
    fs::create_dir_all(folder)?;
    let probe = folder.join(format!(".surgecast-check-{}", std::process::id()));
    let written = fs::write(&probe, b"check").and_then(|()| fs::remove_file(&probe));
    if !was_there {
        // Parents that were made stay: they are empty and the service would make them too.
        fs::remove_dir(folder)?;
    }
    written
}
