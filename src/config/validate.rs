//! Raw layers → checked configuration, or every problem there is.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use figment::value::{Dict, Value};

use super::raw::RawConfig;
use super::reader::{Reader, shown};
use super::types::{
    Admin, Config, Forecast, Grafana, InfluxDb, Kafka, Limits, Log, LogFormat, MapTable, Receiver,
    ReceiverKind, Server, Store, Windows,
};
use super::{Problem, Secret};
use crate::domain::{DAY, HOUR, MINUTE, Name, WindowWidth, Zone, format_duration, parse_duration};
use crate::forecast::Calendar;
use crate::ingest::{Attribute, Lexicon, Table, Target};
use crate::window::AlarmRules;

const fn loopback(port: u16) -> SocketAddr {
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

/// Checks all sections. Where something is wrong a default stands in until the end, so that the
/// rest is checked too.
pub(super) fn validate(raw: &RawConfig) -> Result<Config, Vec<Problem>> {
    let problems = RefCell::default();
    let root = Reader::root(raw, &problems);
    // In the order of the sections, so that problems are told in it.
    let server = server(root.section("server"));
    let admin = admin(root.section("admin"));
    let store = store(root.section("store"));
    let windows = windows(root.section("windows"));
    let (regions, calendars) = regions(&root);
    let config = Config {
        file: raw.file.clone(),
        server,
        admin,
        store,
        windows,
        calendars,
        regions,
        alarms: alarm_rules(root.section("alarms")),
        forecast: forecast(root.section("forecast")),
        kafka: kafka(root.section("kafka")),
        influxdb: influxdb(root.section("influxdb")),
        grafana: grafana(root.section("grafana")),
        staffing: staffing(&root),
        receivers: alerts(root.section("alerts")),
        mapping: mapping(&root),
        lexicon: lexicon(root.section("lexicon")),
        limits: limits(root.section("limits")),
        log: log(root.section("log")),
    };
    open_to_all(&root, &config);
    root.finish();
    let problems = problems.into_inner();
    if problems.is_empty() { Ok(config) } else { Err(problems) }
}

fn server(section: Reader<'_>) -> Server {
    let listen = section.address("listen").unwrap_or(loopback(8080));
    let server = Server {
        listen,
        public_url: section.url("public_url").unwrap_or_else(|| format!("http://{listen}")),
        advertise: section.url("advertise"),
        tokens_file: section.file("tokens_file").map(|(path, _)| path),
        allow_open: section.flag("allow_open").unwrap_or(false),
    };
    section.finish();
    server
}

fn admin(section: Reader<'_>) -> Admin {
    let admin = Admin { listen: section.address("listen").unwrap_or(loopback(9464)) };
    section.finish();
    admin
}

/// Beyond loopback only with tokens, or where someone said that they mean it.
fn open_to_all(root: &Reader<'_>, config: &Config) {
    let tokens = root.section("server").value("tokens_file").is_some();
    if tokens || config.server.allow_open {
        return;
    }
    for (name, listen) in [("server", config.server.listen), ("admin", config.admin.listen)] {
        if !listen.ip().is_loopback() {
            let text = format!(
                "found `{listen}`, which others can reach, and there are no tokens: set \
                 server.tokens_file, listen on 127.0.0.1, or say server.allow_open = true (--allow-open)"
            );
            root.section(name).problem("listen", text);
        }
    }
    let (api, admin) = (config.server.listen, config.admin.listen);
    if api == admin && api.port() != 0 {
        let text = format!("found `{admin}`, which server.listen uses: choose another port");
        root.section("admin").problem("listen", text);
    }
}

fn store(section: Reader<'_>) -> Store {
    let store = Store { path: section.path("path").unwrap_or_else(|| PathBuf::from("data")) };
    section.finish();
    store
}

fn windows(section: Reader<'_>) -> Windows {
    let width = section.parse("width", "use 5m, 10m, 15m, 30m or 60m", |text| {
        let length = parse_duration(text).map_err(|e| e.to_string())?;
        WindowWidth::new(length).map_err(|_| "use 5m, 10m, 15m, 30m or 60m".to_owned())
    });
    let lateness = section.length("lateness", Duration::ZERO..=DAY).unwrap_or(10 * MINUTE);
    let skew = section.length("max_future_skew", Duration::ZERO..=DAY);
    if let Some(skew) = skew.filter(|skew| *skew > lateness) {
        let text = format!(
            "found `{}`, more than windows.lateness ({}): use at most that",
            format_duration(skew),
            format_duration(lateness)
        );
        section.problem("max_future_skew", text);
    }
    let windows = Windows {
        width: width.unwrap_or(WindowWidth::QUARTER),
        lateness,
        max_future_skew: skew.unwrap_or((5 * MINUTE).min(lateness)),
        time_zone: zone(&section).unwrap_or(Zone::UTC),
        calendar: calendar(&section).unwrap_or_default(),
    };
    section.finish();
    windows
}

/// `holidays`: a calendar that is built in, or a file.
fn calendar(section: &Reader<'_>) -> Option<Arc<Calendar>> {
    let name = section.text("holidays", "use cn, gb or a file like models/holidays/gb.toml")?;
    if let Some(shipped) = Calendar::shipped(&name) {
        return Some(Arc::new(shipped));
    }
    let (path, text) = section.file("holidays")?;
    match Calendar::from_toml(&text) {
        Ok(calendar) => Some(Arc::new(calendar)),
        Err(error) => {
            section.problem("holidays", format!("{}: {error}", path.display()));
            None
        }
    }
}

fn zone(section: &Reader<'_>) -> Option<Zone> {
    section.parse("time_zone", "use an IANA time zone such as Asia/Shanghai", str::parse)
}

/// A table's name that events carry too.
fn table_name(root: &Reader<'_>, section: &str, name: &str, value: &Value) -> Option<Name> {
    match Name::new(name) {
        Ok(name) => Some(name),
        Err(error) => {
            let path = format!("{section}.{name}");
            root.problem_at(&path, Some(value), format!("the name {error}"));
            None
        }
    }
}

type Regions = (BTreeMap<Name, Zone>, BTreeMap<Name, Arc<Calendar>>);

fn regions(root: &Reader<'_>) -> Regions {
    let (mut zones, mut calendars) = (BTreeMap::new(), BTreeMap::new());
    for (name, value, section) in root.named("regions") {
        let name = table_name(root, "regions", name, value);
        let (zone, calendar) = (zone(&section), calendar(&section));
        if let Some(name) = name {
            zones.extend(zone.map(|zone| (name.clone(), zone)));
            calendars.extend(calendar.map(|calendar| (name, calendar)));
        }
        section.finish();
    }
    (zones, calendars)
}

fn forecast(section: Reader<'_>) -> Forecast {
    let forecast = Forecast {
        backfill: section.length("backfill", Duration::ZERO..=400 * DAY).unwrap_or(7 * DAY),
        refit: section.length("refit", 5 * MINUTE..=7 * DAY).unwrap_or(6 * HOUR),
    };
    section.finish();
    forecast
}

fn kafka(section: Reader<'_>) -> Option<Kafka> {
    let default = Kafka::at(brokers(&section));
    let topic = |key, default| section.text(key, "use a topic's name").unwrap_or(default);
    let kafka = Kafka {
        brokers: default.brokers,
        group: section.text("group", "use a consumer group's name").unwrap_or(default.group),
        alarms: topic("alarms", default.alarms),
        tickets: topic("tickets", default.tickets),
        maintenance: topic("maintenance", default.maintenance),
        properties: properties(section.section("properties")),
    };
    let there = section.is_there();
    if there && let Err(problem) = kafka.settings().check() {
        section.problem("properties", problem.to_string());
    }
    section.finish();
    there.then_some(kafka)
}

fn brokers(section: &Reader<'_>) -> Vec<String> {
    let allowed = "use host:port each, such as [\"127.0.0.1:9092\"]";
    let texts: Vec<&str> = match section.value("brokers") {
        // `a:9092,b:9092`, as every Kafka tool takes it: the environment has no other handy form.
        Some(Value::String(_, text)) => text.split(',').map(str::trim).collect(),
        Some(Value::Array(_, items)) => items.iter().map(|v| v.as_str().unwrap_or("")).collect(),
        Some(other) => {
            section.problem("brokers", format!("found {}: {allowed}", shown(other)));
            return Vec::new();
        }
        None => {
            if section.is_there() {
                section.missing("brokers", allowed);
            }
            return Vec::new();
        }
    };
    let is_broker = |text: &str| {
        text.rsplit_once(':').is_some_and(|(host, port)| {
            !host.is_empty() && !host.contains('/') && port.parse::<u16>().is_ok_and(|p| p > 0)
        })
    };
    for bad in texts.iter().filter(|text| !is_broker(text)) {
        section.problem("brokers", format!("found `{bad}`: {allowed}"));
    }
    if texts.is_empty() {
        section.problem("brokers", format!("found none: {allowed}"));
    }
    texts.into_iter().map(str::to_owned).collect()
}

fn properties(section: Reader<'_>) -> BTreeMap<String, Secret> {
    fn flatten(
        section: &Reader<'_>,
        prefix: &str,
        dict: &Dict,
        into: &mut BTreeMap<String, Secret>,
    ) {
        for (key, value) in dict {
            let key = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
            match value {
                // `SURGECAST__KAFKA__PROPERTIES__SASL__USERNAME` arrives as tables in tables.
                Value::Dict(_, inner) => flatten(section, &key, inner, into),
                Value::Array(..) | Value::Empty(..) => {
                    let text = format!("found {}: use text, a number, true or false", shown(value));
                    section.problem_at(&section.join(&key), Some(value), text);
                }
                plain => {
                    let text = shown(plain);
                    into.insert(key, Secret::new(text.trim_matches('`')));
                }
            }
        }
    }
    let mut all = BTreeMap::new();
    for (key, value) in section.entries() {
        flatten(&section, "", &Dict::from([(key.clone(), value.clone())]), &mut all);
    }
    all
}

fn influxdb(section: Reader<'_>) -> Option<InfluxDb> {
    let there = section.is_there();
    let influxdb = InfluxDb {
        url: required_url(&section),
        org: section.text("org", "use the organisation's name").unwrap_or_default(),
        bucket: section.text("bucket", "use the bucket's name").unwrap_or("surgecast".into()),
        token: section.secret("token", "token_file"),
    };
    if there {
        section.missing("org", "use the organisation's name");
    }
    section.finish();
    there.then_some(influxdb)
}

fn grafana(section: Reader<'_>) -> Option<Grafana> {
    let there = section.is_there();
    let grafana = Grafana {
        url: required_url(&section),
        token: section.secret("token", "token_file"),
        annotations: section.flag("annotations").unwrap_or(true),
    };
    section.finish();
    there.then_some(grafana)
}

fn required_url(section: &Reader<'_>) -> String {
    if section.is_there() {
        section.missing("url", "use an http:// or https:// address");
    }
    section.url("url").unwrap_or_default()
}

fn staffing(root: &Reader<'_>) -> BTreeMap<Name, toml::Table> {
    let mut tables = BTreeMap::new();
    for (name, value, _) in root.named("staffing") {
        let Some(name) = table_name(root, "staffing", name, value) else { continue };
        // What is no table has been noted by `named`.
        if let Ok(table) = value.deserialize::<toml::Table>() {
            tables.insert(name, table);
        }
    }
    tables
}

fn alerts(section: Reader<'_>) -> Vec<Receiver> {
    let mut names = BTreeSet::new();
    let receivers = section.array("receivers");
    let receivers = receivers.into_iter().filter_map(|entry| receiver(entry, &mut names)).collect();
    section.finish();
    receivers
}

fn receiver(entry: Reader<'_>, names: &mut BTreeSet<Name>) -> Option<Receiver> {
    let name = entry.parse("name", "use a name of 1 to 64 characters", Name::new);
    let kind = entry.word("type", &ReceiverKind::EVERY);
    let url = entry.url("url");
    let secret = entry.secret("secret", "secret_file");
    entry.missing("name", "use a name of 1 to 64 characters");
    let words: Vec<&str> = ReceiverKind::EVERY.iter().map(|(word, _)| *word).collect();
    entry.missing("type", &format!("use {}", words.join(", ")));
    match kind {
        Some(ReceiverKind::PagerDuty) if secret.is_none() => {
            entry.missing("secret_file", "PagerDuty needs its routing key there");
        }
        Some(ReceiverKind::PagerDuty) => {}
        _ => entry.missing("url", "use an http:// or https:// address"),
    }
    if let Some(name) = name.as_ref().filter(|name| !names.insert((*name).clone())) {
        entry.problem("name", format!("found `{name}` twice: each receiver needs its own name"));
    }
    entry.finish();
    Some(Receiver { name: name?, kind: kind?, url, secret })
}

const TARGETS: [(&str, Target); 3] =
    [("region", Target::Region), ("service", Target::Service), ("channel", Target::Channel)];
const ATTRIBUTES: [(&str, Attribute); 8] = [
    ("device", Attribute::Device),
    ("place", Attribute::Place),
    ("dn", Attribute::Dn),
    ("service", Attribute::Service),
    ("party", Attribute::Party),
    ("channel", Attribute::Channel),
    ("category", Attribute::Category),
    ("system", Attribute::System),
];

fn mapping(root: &Reader<'_>) -> Vec<MapTable> {
    let table = |entry: Reader<'_>| {
        let target = entry.word("target", &TARGETS);
        let attribute = entry.word("attribute", &ATTRIBUTES);
        let file = entry.file("table");
        entry.missing("target", "use region, service or channel");
        entry.missing(
            "attribute",
            "use device, place, dn, service, party, channel, category or system",
        );
        entry.missing("table", "name a CSV file: match,pattern,value");
        if let Some((_, text)) = &file
            && let Err(error) = Table::from_csv(text)
        {
            entry.problem("table", error.to_string());
        }
        entry.finish();
        Some(MapTable { target: target?, attribute: attribute?, file: file?.0 })
    };
    root.array("mapping").into_iter().filter_map(table).collect()
}

fn alarm_rules(section: Reader<'_>) -> AlarmRules {
    let usual = AlarmRules::default();
    let length = |key, most, usual| section.length(key, Duration::ZERO..=most).unwrap_or(usual);
    let rules = AlarmRules {
        hold_clear: length("hold_clear", HOUR, usual.hold_clear),
        chatter_raises: section.count("chatter_raises", 2..=100).unwrap_or(usual.chatter_raises),
        chatter_within: length("chatter_within", 6 * HOUR, usual.chatter_within),
        resync_within: length("resync_within", DAY, usual.resync_within),
        ..usual
    };
    section.finish();
    rules
}

fn lexicon(section: Reader<'_>) -> Option<PathBuf> {
    let (file, text) = section.file("file").unzip();
    if let Some(Err(error)) = text.map(|text| Lexicon::from_toml(&text)) {
        section.problem("file", error.to_string());
    }
    section.finish();
    file
}

fn limits(section: Reader<'_>) -> Limits {
    let limits = Limits {
        event_bytes: section.count("event_bytes", 1024..=1 << 20).unwrap_or(64 << 10),
        body_bytes: section.count("body_bytes", 64 << 10..=256 << 20).unwrap_or(8 << 20),
        series: section.count("series", 1..=1_000_000).unwrap_or(10_000),
        standing_alarms: section.count("standing_alarms", 1..=10_000_000).unwrap_or(100_000),
        queue_events: section.count("queue_events", 100..=10_000_000).unwrap_or(20_000),
    };
    section.finish();
    limits
}

fn log(section: Reader<'_>) -> Log {
    let formats = [("text", LogFormat::Text), ("json", LogFormat::Json)];
    let allowed = "use error, warn, info, debug or trace, or a filter such as info,surgecast=debug";
    let level =
        section.parse("level", allowed, |text| {
            match tracing_subscriber::EnvFilter::builder().parse(text) {
                Ok(_) => Ok(text.to_owned()),
                Err(_) => Err(allowed),
            }
        });
    let log = Log {
        format: section.word("format", &formats).unwrap_or(LogFormat::Text),
        level: level.unwrap_or_else(|| "info".into()),
    };
    section.finish();
    log
}
