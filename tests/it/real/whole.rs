//! The whole system with real data: alarms and tickets from Kafka; windows, forecasts and staffing in InfluxDB.
#![allow(clippy::disallowed_methods, reason = "the times of real data are moved to today")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;
use surgecast::store::Reader;
use surgecast::window::{AggregationKey, Counts};

use super::data::{self, Count, WINDOW};
use super::grafana::{Choice, check_boards};
use super::servers::{Influx, Kafka, ORG, TOKEN, free_port, until, until_no_progress};
use crate::page::check_series_page;
use crate::program::{Program, surgecast};

/// The config of a service, with its folder, broker and database.
pub struct Site {
    pub folder: PathBuf,
    config: PathBuf,
    pub admin: String,
}

impl Site {
    /// Writes the config. Store, consumer group and bucket have the name `name`.
    pub fn new(folder: &Path, name: &str, brokers: &str, influx: Option<&str>, more: &str) -> Self {
        let folder = folder.join(name);
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join("influx.token"), TOKEN).expect("token");
        let admin = format!("127.0.0.1:{}", free_port());
        let influx = influx.map_or(String::new(), |url| {
            format!(
                "[influxdb]\nurl = \"{url}\"\norg = \"{ORG}\"\nbucket = \"{name}\"\n\
                 token_file = \"influx.token\"\n"
            )
        });
        let text = format!(
            "[server]\nlisten = \"127.0.0.1:0\"\n[admin]\nlisten = \"{admin}\"\n[store]\npath = \"data\"\n\
             [windows]\ntime_zone = \"Europe/London\"\n[forecast]\nbackfill = \"12h\"\n\
             [kafka]\nbrokers = [\"{brokers}\"]\ngroup = \"{name}\"\n{influx}{more}"
        );
        let config = folder.join("surgecast.toml");
        std::fs::write(&config, text).expect("config");
        Self { folder, config, admin }
    }

    pub fn config(&self) -> &str {
        self.config.to_str().expect("UTF-8")
    }

    pub fn serve(&self) -> Program {
        Program::start(&["serve", "--config", self.config()])
    }

    pub fn replay(&self, files: &[&Path]) -> std::process::Command {
        let mut command = surgecast(&["replay", "--to", "kafka", "--config", self.config()]);
        command.args(files);
        command
    }

    pub fn reader(&self) -> Reader {
        Reader::open(&self.folder.join("data")).expect("the store")
    }

    /// Status code and body of `/ready`.
    pub fn ready(&self) -> Option<(u16, Value)> {
        let answer = reqwest::blocking::get(format!("http://{}/ready", self.admin)).ok()?;
        Some((answer.status().as_u16(), answer.json().ok()?))
    }
}

pub fn now_s() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    now.as_secs() as i64
}

fn add(count: &mut Count, key: &AggregationKey, start: i64, counts: &Counts) {
    match key {
        AggregationKey::Tickets(series) if counts.tickets > 0 => {
            count.tickets.insert((series.to_string(), start), counts.tickets.into());
        }
        AggregationKey::Alarms(scope) => {
            let place = format!("{}/{}", scope.region, scope.service);
            let severities = ["critical", "major", "minor", "warning", "indeterminate"];
            let raised = severities.into_iter().zip(counts.raised);
            for (field, n) in raised.chain([("clear", counts.cleared)]).filter(|(_, n)| *n > 0) {
                count.alarms.insert((place.clone(), field.into(), start), n.into());
            }
        }
        _ => {}
    }
}

/// The counts of a store.
pub fn stored(reader: &Reader) -> Count {
    let mut count = Count::default();
    let all = reader.each_key(surgecast::domain::Timestamp::from_secs(0), |cell, windows| {
        for (start, record) in windows {
            add(&mut count, cell, start.secs(), &record.counts);
        }
    });
    all.expect("windows");
    count
}

/// Waits until the store has counted all events and finalized all windows.
fn wait_until_counted(site: &Site, program: &Program, expected: &Count) {
    let last = expected.tickets.keys().map(|(_, start)| *start).max().expect("windows");
    let reader = site.reader();
    let finalized = || {
        let status = program.try_get("/api/v1/status")?;
        let upto = chrono::DateTime::parse_from_rfc3339(status["settled_upto"].as_str()?).ok()?;
        Some(upto.timestamp())
    };
    until_no_progress(|| {
        let finalized = finalized();
        let store = stored(&reader);
        if finalized.is_some_and(|upto| upto > last) && store == *expected {
            return Ok(());
        }
        Err(format!(
            "finalized up to {finalized:?}, the last window is {last}\ntickets: {}\nalarms: {}\nsources: {:?}",
            differences(&store.tickets, &expected.tickets),
            differences(&store.alarms, &expected.alarms),
            reader.sources().expect("sources"),
        ))
    })
    .unwrap_or_else(|error| panic!("{error}\noutput of the program:\n{}", program.said()));
}

/// The first few differences of two counts.
fn differences<K: Ord + std::fmt::Debug>(
    store: &BTreeMap<K, u64>,
    files: &BTreeMap<K, u64>,
) -> String {
    let keys: std::collections::BTreeSet<&K> = store.keys().chain(files.keys()).collect();
    let differences: Vec<String> = keys
        .into_iter()
        .filter(|key| store.get(key) != files.get(key))
        .map(|key| format!("{key:?}: {:?}, in the files {:?}", store.get(key), files.get(key)))
        .collect();
    let first: Vec<_> = differences.iter().take(5).collect();
    format!("{} differ {first:?}", differences.len())
}

/// Waits until all changes of the store are written to InfluxDB.
pub fn wait_until_written(reader: &Reader) {
    until_no_progress(|| {
        let cursor = reader.cursor("influxdb").expect("cursor");
        match reader.changes(cursor, 1).expect("changes").is_empty() {
            true => Ok(()),
            false => Err(format!("InfluxDB has the changes up to {cursor} only")),
        }
    })
    .unwrap_or_else(|error| panic!("{error}"));
}

/// Counts of one series from the API, requested month by month.
fn in_api(program: &Program, series: &str, from: i64) -> BTreeMap<i64, u64> {
    const MONTH: usize = 30 * 86_400;
    let [region, service, channel] = names(series);
    let rfc3339 = |at: i64| {
        let at = chrono::DateTime::from_timestamp(at, 0).expect("a time");
        at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
    };
    let mut counted = BTreeMap::new();
    for start in (from..now_s()).step_by(MONTH) {
        let (from, to) = (rfc3339(start), rfc3339(start + MONTH as i64));
        let place = format!("region={region}&service={service}&channel={channel}");
        let windows = program.all(&format!("/api/v1/windows?{place}&from={from}&to={to}"));
        counted.extend(windows.iter().filter_map(|window| {
            let start = chrono::DateTime::parse_from_rfc3339(window["start"].as_str()?).ok()?;
            Some((start.timestamp(), window["tickets"].as_u64().filter(|n| *n > 0)?))
        }));
    }
    counted
}

fn names(series: &str) -> [&str; 3] {
    let names: Vec<&str> = series.split('/').collect();
    names.try_into().expect("region/service/channel")
}

/// Ticket counts above zero in InfluxDB, for leaves and roll-ups.
fn in_influx(influx: &Influx, bucket: &str) -> BTreeMap<(String, i64), u64> {
    let rows = influx.query(&format!(
        "from(bucket: \"{bucket}\") |> range(start: 0, stop: 1d)
         |> filter(fn: (r) => r._measurement == \"tickets\" and r._field == \"count\" and r._value > 0)
         |> map(fn: (r) => ({{r with _time: uint(v: r._time)}}))
         |> keep(columns: [\"_time\", \"_value\", \"region\", \"service\", \"channel\"]) |> group()"
    ));
    let rows = rows.into_iter().map(|row| {
        let series = format!("{}/{}/{}", row["region"], row["service"], row["channel"]);
        let at: i64 = row["_time"].parse().expect("a time");
        ((series, at / 1_000_000_000), row["_value"].parse().expect("a count"))
    });
    rows.collect()
}

/// Counts of leaves and all their roll-ups.
fn rolled_up(leaves: &BTreeMap<(String, i64), u64>) -> BTreeMap<(String, i64), u64> {
    let mut sums = BTreeMap::new();
    for ((series, start), n) in leaves {
        let leaf = names(series);
        for bits in 0..8 {
            let part = |i: usize| if bits >> i & 1 == 1 { "_all" } else { leaf[i] };
            let series = format!("{}/{}/{}", part(0), part(1), part(2));
            *sums.entry((series, *start)).or_insert(0) += n;
        }
    }
    sums
}

/// Alarm counts above zero in InfluxDB, without roll-ups.
fn alarms_in_influx(influx: &Influx, bucket: &str) -> BTreeMap<(String, String, i64), u64> {
    let rows = influx.query(&format!(
        "from(bucket: \"{bucket}\") |> range(start: 0, stop: 1d)
         |> filter(fn: (r) => r._measurement == \"alarms\" and r._field != \"active\" and r._value > 0)
         |> filter(fn: (r) => r.region != \"_all\" and r.service != \"_all\")
         |> map(fn: (r) => ({{r with _time: uint(v: r._time)}}))
         |> keep(columns: [\"_time\", \"_value\", \"_field\", \"region\", \"service\"]) |> group()"
    ));
    let rows = rows.into_iter().map(|row| {
        let field = row["_field"].trim_start_matches("raised_").replace("cleared", "clear");
        let at: i64 = row["_time"].parse().expect("a time");
        let place = format!("{}/{}", row["region"], row["service"]);
        ((place, field, at / 1_000_000_000), row["_value"].parse().expect("a count"))
    });
    rows.collect()
}

/// All points of a bucket in the two days before an instant, except for the outlook and the feeds, which change.
fn points(influx: &Influx, bucket: &str, before: i64) -> BTreeMap<String, String> {
    // The same two days for each call.
    let [after, before] = [before - 2 * 86_400, before].map(|at| {
        let at = chrono::DateTime::from_timestamp(at, 0).expect("a time");
        at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
    });
    let rows = influx.query(&format!(
        "from(bucket: \"{bucket}\") |> range(start: {after}, stop: {before})
         |> filter(fn: (r) => r._measurement != \"outlook\" and r._measurement != \"feed\")
         |> toString() |> group()"
    ));
    let key = |row: &BTreeMap<String, String>| {
        let tag = |name: &str| row.get(name).cloned().unwrap_or_default();
        [
            "_time",
            "_measurement",
            "_field",
            "region",
            "service",
            "channel",
            "rule",
            "severity",
            "type",
        ]
        .map(tag)
        .join("|")
    };
    rows.iter().map(|row| (key(row), row["_value"].clone())).collect()
}

/// Checks that each series has a forecast and, if its channel has a profile, a plan, both of 24 windows.
fn check_outputs(program: &Program, leaves: &[&str]) {
    for series in leaves {
        let [region, service, channel] = names(series);
        let query = format!("region={region}&service={service}&channel={channel}");
        let forecast = program.get(&format!("/api/v1/forecasts?{query}")).json();
        assert_eq!(forecast["targets"].as_array().map(Vec::len), Some(24), "{series}: {forecast}");
        let staffing = program.get(&format!("/api/v1/staffing?{query}")).json();
        if channel != "other" {
            assert_eq!(
                staffing["targets"].as_array().map(Vec::len),
                Some(24),
                "{series}: {staffing}"
            );
        }
    }
}

/// Splits the events at an instant into two parts, so that the broker can be killed while the second part is sent.
fn cut(events: &data::Events, folder: &Path, at: i64) -> [Vec<PathBuf>; 2] {
    let mut parts = [Vec::new(), Vec::new()];
    for file in [&events.alarms, &events.tickets] {
        let text = std::fs::read_to_string(file).expect("events");
        for (n, part) in parts.iter_mut().enumerate() {
            let keep = |line: &&str| {
                let event: Value = serde_json::from_str(line).expect("JSON");
                (event["ts"].as_i64().expect("ts") >= at) == (n == 1)
            };
            let lines: Vec<&str> = text.lines().filter(keep).collect();
            let name = file.file_name().and_then(|name| name.to_str()).expect("a name");
            let path = folder.join(format!("{n}-{name}"));
            std::fs::write(&path, lines.join("\n") + "\n").expect("a file");
            part.push(path);
        }
    }
    parts
}

fn paths(files: &[PathBuf]) -> Vec<&Path> {
    files.iter().map(PathBuf::as_path).collect()
}

#[test]
fn all_real_alarms_and_tickets_reach_the_outputs() {
    let Some(data) = data::folder() else {
        println!(
            "SKIPPED: the real data is not part of the repository, and is not beside the project"
        );
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let mut kafka = Kafka::start(folder.path());
    let mut influx = Influx::start(folder.path());
    // The end of the last window that can be finalized: the lateness is ten minutes.
    let now = (now_s() - 660).div_euclid(WINDOW) * WINDOW;
    let events = data::convert(&data, folder.path(), now);
    let expected = data::count(&[&events.alarms, &events.tickets]);
    println!(
        "{} tickets and {} alarm events",
        expected.tickets.values().sum::<u64>(),
        expected.alarms.values().sum::<u64>()
    );
    let parts = cut(&events, folder.path(), now - 6 * 3600);

    let site = Site::new(folder.path(), "real", &kafka.brokers(), Some(&influx.url()), "");
    let made = surgecast(&["setup", "influxdb", "--config", site.config()]).output();
    let made = made.expect("setup runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let sent = site.replay(&paths(&parts[0])).output().expect("replay runs");
    assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));

    // The service is killed while it catches up.
    let program = site.serve();
    until("a part to be counted", || site.reader().sources().is_ok_and(|s| s.len() > 6));
    program.kill();
    let program = site.serve();
    // The broker is killed while events are sent and read.
    let mut sender = site.replay(&paths(&parts[1])).spawn().expect("replay starts");
    kafka.kill();
    until("the service to notice", || {
        site.ready().is_some_and(|(code, body)| {
            code == 503 && body["components"]["kafka"]["status"] == "failing"
        })
    });
    kafka.restart();
    assert!(sender.wait().expect("replay ends").success());

    wait_until_counted(&site, &program, &expected);
    // A client that waits between two tries notices the broker later than the one that counts.
    until("the service to be ready again", || site.ready().is_some_and(|(code, _)| code == 200));
    wait_until_written(&site.reader());
    let store = stored(&site.reader());
    assert_eq!(store, expected, "the store has what the files have");
    let series: std::collections::BTreeSet<&str> =
        expected.tickets.keys().map(|(series, _)| series.as_str()).collect();
    let leaves: Vec<&str> = series.into_iter().collect();
    let first = expected.tickets.keys().map(|(_, start)| *start).min().expect("windows");
    for leaf in &leaves {
        let own = expected.tickets.iter().filter(|((series, _), _)| series == leaf);
        let own: BTreeMap<i64, u64> = own.map(|((_, start), n)| (*start, *n)).collect();
        assert_eq!(in_api(&program, leaf, first), own, "the API has {leaf}");
    }
    assert_eq!(
        in_influx(&influx, "real"),
        rolled_up(&expected.tickets),
        "InfluxDB has all tickets"
    );
    assert_eq!(alarms_in_influx(&influx, "real"), expected.alarms, "InfluxDB has all alarms");
    check_outputs(&program, &leaves);
    check_boards(&influx, "real", &[Choice::All, Choice::All, Choice::All], false);
    let leaf = names(leaves[leaves.len() / 2]);
    let one = [0, 1, 2].map(|part| Choice::These(&leaf[part..=part]));
    check_boards(&influx, "real", &one, false);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(check_series_page(&program.url, leaves[leaves.len() / 2]));
    let (status, said) = program.interrupt();
    assert!(status.success(), "{said}");

    // Two more runs, each with its own store and consumer group, into the same bucket. In the second one, InfluxDB is absent until
    // months of events are counted, and is killed while it takes them.
    influx.delete_bucket("real");
    let mut again = |name: &str, is_absent: bool| {
        let more = "";
        let site = Site::new(folder.path(), name, &kafka.brokers(), Some(&influx.url()), more);
        let text = std::fs::read_to_string(site.config()).expect("config");
        let text = text.replace(&format!("bucket = \"{name}\""), "bucket = \"again\"");
        std::fs::write(site.config(), text).expect("config");
        let made = surgecast(&["setup", "influxdb", "--config", site.config()]).status();
        assert!(made.expect("setup runs").success());
        if is_absent {
            influx.kill();
        }
        let program = site.serve();
        wait_until_counted(&site, &program, &expected);
        if is_absent {
            let cursor = || site.reader().cursor("influxdb").expect("cursor");
            assert_eq!(cursor(), 0);
            influx.restart();
            until("changes to be written", || cursor() > 0);
            influx.kill();
            influx.restart();
        }
        wait_until_written(&site.reader());
        let (status, said) = program.interrupt();
        assert!(status.success(), "{said}");
        points(&influx, "again", now)
    };
    let (once, twice) = (again("second", false), again("third", true));
    assert!(once.len() > 1000, "only {} points", once.len());
    let keys: std::collections::BTreeSet<&String> = once.keys().chain(twice.keys()).collect();
    let both = keys.iter().map(|key| (*key, once.get(*key), twice.get(*key)));
    let differing: Vec<_> = both.filter(|(_, first, second)| first != second).collect();
    assert!(
        differing.is_empty(),
        "{} of {}: {:#?}",
        differing.len(),
        once.len(),
        &differing[..20.min(differing.len())]
    );
    println!("{} points were written twice without a change", once.len());
}
