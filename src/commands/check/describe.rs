//! Describes what a config would run.

use crate::alert::Route;
use crate::app::Settings;
use crate::domain::{Name, format_duration};
use crate::output::receivers::config::ReceiverConfig;
use crate::output::receivers::severity_word;

/// One line for each listener, source, sink and receiver.
pub(super) fn describe(settings: &Settings) -> String {
    let windows = &settings.windows;
    let (server, admin) = (&settings.server, &settings.admin);
    let mut lines = vec![
        format!("config {} is valid", settings.file.display()),
        format!("api, web page  {} (links: {})", server.listen, server.public_url),
        format!("  access       {}", access(settings)),
        format!("admin          {}", admin.listen),
        format!("store          {}", settings.store.path.display()),
        format!(
            "windows        {}, lateness {}, future skew {}, {}",
            windows.width,
            format_duration(windows.lateness),
            format_duration(windows.max_future_skew),
            windows.time_zone
        ),
    ];
    for (region, zone) in &settings.regions.zones {
        lines.push(format!("  region       {region}: {zone}"));
    }
    lines.push(format!(
        "forecast       refit every {}, backfill {}",
        format_duration(settings.forecast.refit),
        format_duration(settings.forecast.backfill)
    ));
    lines.extend(sources(settings));
    if let Some(influxdb) = &settings.influxdb {
        let (url, org, bucket) = (&influxdb.url, &influxdb.org, &influxdb.bucket);
        lines.push(format!("sink           InfluxDB {url}, {org}/{bucket}"));
    }
    if let Some(grafana) = &settings.grafana {
        let kinds: Vec<&str> = grafana.kinds.iter().map(|kind| kind.as_str()).collect();
        let (url, kinds) = (&grafana.url, kinds.join(", "));
        lines.push(format!("sink           Grafana {url}, annotations: {kinds}"));
    }
    if let Some(otlp) = &settings.otlp {
        lines.push(format!("traces         OTLP {}, service {}", otlp.url, otlp.service_name));
    }
    lines.extend(settings.alerts.receivers.iter().map(pages_to));
    if let Some(heartbeat) = &settings.alerts.heartbeat {
        let host = host(&heartbeat.url.0).unwrap_or_default();
        lines.push(format!("heartbeat      {host}, every {}", format_duration(heartbeat.every)));
    }
    if settings.alerts.receivers.is_empty() {
        lines.push(
            "pages          no receivers: alerts are on the web page and in the API only".into(),
        );
    }
    let channels: Vec<&str> = settings.staffing.keys().map(|name| name.as_str()).collect();
    lines.push(match channels.as_slice() {
        [] => "staffing       defaults for all channels".into(),
        some => format!("staffing       {}; defaults for other channels", some.join(", ")),
    });
    let teams: Vec<&str> = settings.rules.teams().iter().map(|team| team.name.as_str()).collect();
    if !teams.is_empty() {
        lines.push(format!("teams          {}", teams.join(", ")));
    }
    lines.join("\n") + "\n"
}

fn sources(settings: &Settings) -> Vec<String> {
    let http = if settings.kafka.is_some() { "to Kafka" } else { "to the local log" };
    let mut lines = vec![format!("source         HTTP: POST /api/v1/events, {http}")];
    if let Some(kafka) = &settings.kafka {
        let topics = &kafka.topics;
        lines.push(format!(
            "source         Kafka {}, group {}: {}, {}, {}",
            kafka.brokers, kafka.group, topics.alarms, topics.tickets, topics.maintenance
        ));
    }
    if let Some(file) = &settings.input.lexicon {
        lines.push(format!("lexicon        {}", file.display()));
    }
    if let Some(file) = &settings.input.sentiment {
        lines.push(format!("sentiment      {}", file.display()));
    }
    lines
}

fn access(settings: &Settings) -> String {
    match (&settings.server.tokens, settings.server.listen.ip().is_loopback()) {
        (Some(tokens), _) => format!("tokens in {}", tokens.file().display()),
        (None, true) => "open, on loopback only".into(),
        (None, false) => "open to everyone who can connect (allow_open = true)".into(),
    }
}

fn pages_to(receiver: &ReceiverConfig) -> String {
    let ReceiverConfig { name, kind, url, signed, .. } = receiver;
    // Only the host is shown, because the URL of a chat service contains its key.
    let host = host(url).map(|host| format!(" at {host}")).unwrap_or_default();
    let signed = if *signed { ", with a secret" } else { "" };
    format!("pages          {name}: {kind}{host}{signed}{}", route(&receiver.route))
}

fn host(url: &str) -> Option<String> {
    reqwest::Url::parse(url).ok()?.host_str().map(str::to_owned)
}

/// Describes which pages a receiver gets, if not all.
fn route(route: &Route) -> String {
    let mut parts = Vec::new();
    if !route.rules.is_empty() {
        parts.push(format!("rules {}", route.rules.iter().cloned().collect::<Vec<_>>().join(", ")));
    }
    if !route.regions.is_empty() {
        let names: Vec<&str> = route.regions.iter().map(Name::as_str).collect();
        parts.push(format!("regions {}", names.join(", ")));
    }
    if let Some(least) = route.min_severity {
        parts.push(format!("from {}", severity_word(least)));
    }
    if let Some(duty) = &route.duty {
        parts.push(format!("on duty {duty}"));
    }
    if parts.is_empty() { String::new() } else { format!("; only {}", parts.join("; ")) }
}
