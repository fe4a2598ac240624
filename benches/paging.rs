//! How soon a page reaches a healthy receiver while another one hangs, with many series.
//!
//! `cargo bench --bench paging`: `PAGING_SERIES` (10,000) series of one running service, of which 100 regions have too few agents.
//! Measures from the commit that stores a page to its first byte at the receiver, beside a bare request to the same receiver;
//! then, for a surge of calls in 20 other regions, from the accepted calls to the page. Open windows are examined for tickets
//! once a minute. The commit is seen by reading the store all the time, so figures include up to 10 ms of this.
#![allow(clippy::disallowed_methods, reason = "a benchmark measures time")]
#![allow(clippy::unwrap_used, reason = "a benchmark may stop")]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};

mod common;

use common::{Killed, port, setting};

const SERVICES: [&str; 5] = ["broadband", "mobile", "tv", "voice", "cloud"];
const CHANNELS: [&str; 4] = ["phone", "chat", "email", "social"];
/// Regions with too few agents from the start, and regions whose calls surge later.
const SHORT: usize = 100;
const SURGING: usize = 20;
/// The query of [`watch`]: pages after a row.
const NEW_PAGES: &str =
    "SELECT id, notice FROM outbox WHERE receiver = 'works' AND id > ?1 ORDER BY id";
/// Windows of history.
const WINDOWS: i64 = 8;
const WIDTH_S: i64 = 900;
const BATCH: usize = 20_000;

fn now_ms() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64() * 1000.0
}

fn rfc3339(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// When each page arrived first, by its id.
type Arrivals = Arc<Mutex<BTreeMap<String, f64>>>;

/// A receiver that answers at once.
fn healthy(arrivals: &Arrivals) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let arrivals = arrivals.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let arrivals = arrivals.clone();
            std::thread::spawn(move || take(&stream, &arrivals));
        }
    });
    address
}

/// Takes all requests of a connection.
fn take(stream: &TcpStream, arrivals: &Arrivals) -> Option<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let (mut id, mut length, mut first) = (None, 0, None);
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            first = first.or_else(|| Some(now_ms()));
            let line = line.trim_end().to_lowercase();
            if let Some(value) = line.strip_prefix("webhook-id: ") {
                id = Some(value.to_owned());
            } else if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.parse().ok()?;
            } else if line.is_empty() {
                break;
            }
        }
        reader.read_exact(&mut vec![0; length]).ok()?;
        let mut answer = stream;
        answer.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").ok()?;
        arrivals.lock().unwrap().entry(id?).or_insert(first?);
    }
}

/// Notes when each page is first seen in the store.
fn watch(store: &Path) -> Arrivals {
    let commits = Arrivals::default();
    let (seen, path) = (commits.clone(), store.to_owned());
    std::thread::spawn(move || {
        let conn =
            rusqlite::Connection::open_with_flags(path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY);
        let conn = conn.unwrap();
        conn.busy_timeout(Duration::from_secs(5)).unwrap();
        let mut last = 0_i64;
        loop {
            let mut found = conn.prepare_cached(NEW_PAGES).unwrap();
            let mut rows = found.query([last]).unwrap();
            while let Some(row) = rows.next().unwrap() {
                let id: String = row.get(1).unwrap();
                last = last.max(row.get(0).unwrap());
                seen.lock().unwrap().entry(id.to_lowercase()).or_insert_with(now_ms);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    });
    commits
}

/// A receiver that takes connections and never answers.
fn hanging() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut held = Vec::new();
        held.extend(listener.incoming().flatten());
    });
    address
}

struct Service {
    _process: Killed,
    api: String,
    http: reqwest::blocking::Client,
}

impl Service {
    fn start(folder: &Path, healthy: SocketAddr, hanging: SocketAddr) -> Self {
        let api = format!("127.0.0.1:{}", port());
        let admin = port();
        let config = format!(
            r#"
[server]
listen = "{api}"
[admin]
listen = "127.0.0.1:{admin}"
[store]
path = "data"
[windows]
lateness = "1m"
max_future_skew = "1m"
[forecast]
backfill = "0s"
[log]
level = "error"
[[alerts.receivers]]
name = "hangs"
type = "webhook"
url = "http://{hanging}/"
[[alerts.receivers]]
name = "works"
type = "webhook"
url = "http://{healthy}/"
"#
        );
        let path = folder.join("surgecast.toml");
        std::fs::write(&path, config).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_surgecast"));
        command.args(["serve", "--config"]).arg(&path).current_dir(folder);
        let process = Killed(command.stdout(Stdio::null()).spawn().unwrap());
        let http = reqwest::blocking::Client::builder().timeout(Duration::from_secs(120));
        let service = Self { _process: process, api, http: http.build().unwrap() };
        until("the service to start", || service.get("/status").is_some());
        service
    }

    fn get(&self, path: &str) -> Option<Value> {
        self.http.get(format!("http://{}/api/v1{path}", self.api)).send().ok()?.json().ok()
    }

    fn post(&self, events: &[Value]) {
        let request = self.http.post(format!("http://{}/api/v1/events", self.api));
        let answer = request.json(&events).send().unwrap();
        assert_eq!(answer.status().as_u16(), 202, "{}", answer.text().unwrap_or_default());
    }

    fn put_roster(&self, shifts: &[Value]) {
        let request = self.http.put(format!("http://{}/api/v1/roster", self.api));
        let answer = request.json(&shifts).send().unwrap();
        assert_eq!(answer.status().as_u16(), 204, "{}", answer.text().unwrap_or_default());
    }
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(600);
    while !holds() {
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn ticket(id: String, at: DateTime<Utc>, region: usize, service: &str, channel: &str) -> Value {
    json!({"kind": "ticket", "event_id": id, "ts": rfc3339(at), "action": "create",
        "region": format!("r{region:04}"), "service": service, "channel": channel})
}

/// One ticket of each series in each window, and many calls in the regions with too few agents; oldest first.
fn history(regions: usize, upto: DateTime<Utc>) -> Vec<Value> {
    let mut events = Vec::new();
    for window in (0..WINDOWS).rev() {
        let start = upto - TimeDelta::seconds((window + 1) * WIDTH_S);
        for region in 0..regions {
            for service in SERVICES {
                for channel in CHANNELS {
                    let id = format!("{window}-{region}-{service}-{channel}");
                    events.push(ticket(id, start, region, service, channel));
                }
            }
        }
        for n in 0..50 {
            let at = start + TimeDelta::seconds(n * WIDTH_S / 50);
            let call = |region| {
                ticket(format!("{window}-{region}-{n}"), at, region, SERVICES[0], CHANNELS[0])
            };
            events.extend((0..SHORT).map(call));
        }
    }
    events
}

fn percentile(sorted: &[f64], share: f64) -> f64 {
    sorted[((sorted.len() - 1) as f64 * share).round() as usize]
}

fn print(what: &str, mut times_ms: Vec<f64>) {
    times_ms.sort_by(f64::total_cmp);
    println!(
        "{what}: n {}, median {:.0} ms, p99 {:.0} ms, most {:.0} ms",
        times_ms.len(),
        percentile(&times_ms, 0.5),
        percentile(&times_ms, 0.99),
        percentile(&times_ms, 1.0)
    );
}

/// Time of a bare request to the receiver, milliseconds.
fn bare(address: SocketAddr) -> f64 {
    let http = reqwest::blocking::Client::new();
    let mut times: Vec<f64> = (0..101)
        .map(|n| {
            let began = Instant::now();
            let request =
                http.post(format!("http://{address}/")).header("webhook-id", format!("bare{n}"));
            request.body("{}").send().unwrap();
            began.elapsed().as_secs_f64() * 1000.0
        })
        .collect();
    times.sort_by(f64::total_cmp);
    percentile(&times, 0.5)
}

fn main() {
    if common::arguments().is_none() {
        return;
    }
    let regions = setting("PAGING_SERIES", 10_000) as usize / (SERVICES.len() * CHANNELS.len());
    assert!(regions >= SHORT + SURGING, "use at least {} series", (SHORT + SURGING) * 20);
    let folder = tempfile::tempdir().unwrap();
    let arrivals = Arrivals::default();
    let works = healthy(&arrivals);
    let service = Service::start(folder.path(), works, hanging());
    let commits = watch(&folder.path().join("data/state.db"));
    let bare_ms = bare(works);
    arrivals.lock().unwrap().clear();

    let now = Utc::now();
    let shift = |region: usize, agents: u32| {
        json!({"region": format!("r{region:04}"), "service": SERVICES[0], "channel": CHANNELS[0],
            "start": (now - TimeDelta::hours(9)).format("%Y-%m-%dT%H:00:00Z").to_string(),
            "end": (now + TimeDelta::hours(30)).format("%Y-%m-%dT%H:00:00Z").to_string(), "agents": agents})
    };
    let mut shifts: Vec<Value> = (0..SHORT).map(|region| shift(region, 1)).collect();
    shifts.extend((SHORT..SHORT + SURGING).map(|region| shift(region, 3)));
    service.put_roster(&shifts);
    let began = Instant::now();
    let windows_end = now - TimeDelta::seconds(now.timestamp().rem_euclid(WIDTH_S));
    history(regions, windows_end).chunks(BATCH).for_each(|batch| service.post(batch));
    // Events of the open window finalize those before it.
    let open: Vec<Value> = (0..regions)
        .map(|region| {
            ticket(format!("open-{region}"), Utc::now(), region, SERVICES[0], CHANNELS[0])
        })
        .collect();
    service.post(&open);
    let is_of = |id: &String, from: usize, to: usize| {
        (from..to).any(|region| id.contains(&format!("r{region:04}")))
    };
    let arrived = |from, to| {
        let known = arrivals.lock().unwrap();
        let of: Vec<String> = known.keys().filter(|id| is_of(id, from, to)).cloned().collect();
        of
    };
    until("the first pages", || arrived(0, SHORT).len() >= SHORT);
    println!(
        "{} series, pages of {SHORT} regions after {:.1} s",
        regions * 20,
        began.elapsed().as_secs_f64()
    );

    // A surge in regions that had enough agents.
    let calls: Vec<Value> = (0..300)
        .flat_map(|n| (SHORT..SHORT + SURGING).map(move |region| (n, region)))
        .map(|(n, region)| {
            ticket(format!("surge-{n}-{region}"), Utc::now(), region, SERVICES[0], CHANNELS[0])
        })
        .collect();
    service.post(&calls);
    let posted_ms = now_ms();
    until("pages of the surge", || arrived(SHORT, SHORT + SURGING).len() >= SURGING);
    std::thread::sleep(Duration::from_secs(5));

    let (known, commits) = (arrivals.lock().unwrap().clone(), commits.lock().unwrap().clone());
    let pairs = known.iter().filter_map(|(id, arrival)| Some((id, arrival, commits.get(id)?)));
    print(
        "from the commit to the first byte",
        pairs.map(|(_, at, commit)| (at - commit).max(0.0)).collect(),
    );
    println!("a bare request to the same receiver: median {bare_ms:.2} ms");
    let of_surge =
        known.iter().filter(|(id, at)| is_of(id, SHORT, SHORT + SURGING) && **at > posted_ms);
    let of_surge = of_surge.map(|(_, at)| at - posted_ms).collect();
    print("from the accepted calls of a surge to the first byte of its page", of_surge);
}
