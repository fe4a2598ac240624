//! Pages over kill -9 between decision and delivery: each one arrives, always under one id.
#![allow(
    clippy::disallowed_methods,
    reason = "the service runs at the real time; the number of kills is a setting"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::mpsc::{Receiver as Inbox, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use reqwest::Method;
use serde_json::{Value, json};

use crate::program::{Program, answer, surgecast};
use crate::receivers;

/// Each has its own alert and its own pages.
const REGIONS: usize = 8;
/// Kills of one store.
const KILLS: usize = 5;
/// Kills of all stores, unless `SURGECAST_PAGE_KILLS` says another number.
const ALL_KILLS: usize = 10;
/// The service is killed at the latest after this, at a random moment.
const KILLED_WITHIN_MS: u64 = 1500;

fn hour(hours: i64) -> String {
    (chrono::Utc::now() + chrono::TimeDelta::hours(hours)).format("%Y-%m-%dT%H:00:00Z").to_string()
}

fn config(folder: &Path, address: SocketAddr) {
    let text = format!(
        r#"
[server]
listen = "127.0.0.1:0"
[admin]
listen = "127.0.0.1:0"
[windows]
lateness = "1m"
max_future_skew = "1m"
[[alerts.receivers]]
name = "lead"
type = "webhook"
url = "http://{address}/"
"#
    );
    std::fs::write(folder.join("surgecast.toml"), text).expect("config");
}

fn service(folder: &Path) -> Program {
    let mut command = surgecast(&["serve", "--config", "surgecast.toml"]);
    command.current_dir(folder);
    Program::start_command(command)
}

/// Calls of the last five hours in all regions, oldest first.
fn calls() -> String {
    let now = chrono::Utc::now();
    let call = |at: usize, region: usize| {
        let ts = now - chrono::TimeDelta::seconds(30 * at as i64);
        json!({"kind": "ticket", "event_id": format!("t{at}-{region}"), "ts": ts.to_rfc3339(),
            "action": "create", "region": format!("r{region}"), "service": "tv", "channel": "phone"})
    };
    let all = (0..600).rev().flat_map(|at| (0..REGIONS).map(move |region| call(at, region)));
    json!(all.collect::<Vec<_>>()).to_string()
}

/// A receiver of pages that fails until it is told to work.
struct Lead {
    address: SocketAddr,
    /// Ids of the pages in the requests, whatever the answer was.
    received: Arc<Mutex<BTreeSet<String>>>,
    works: Arc<Mutex<bool>>,
    /// A page has arrived, and waits for an answer that will not come.
    holds: Inbox<()>,
}

impl Lead {
    fn new(seed: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("its address");
        let (received, works) =
            (Arc::<Mutex<BTreeSet<String>>>::default(), Arc::<Mutex<bool>>::default());
        let (held, holds) = channel();
        let (ids, ok) = (received.clone(), works.clone());
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let dice = if *ok.lock().expect("a lock") { 0 } else { rng.random_range(0..10) };
                let (ids, held) = (ids.clone(), held.clone());
                thread::spawn(move || take(stream, dice, &ids, &held));
            }
        });
        Self { address, received, works, holds }
    }
}

fn take(stream: TcpStream, dice: u32, ids: &Mutex<BTreeSet<String>>, held: &Sender<()>) {
    let request = match dice {
        0..4 => receivers::answer(stream, "200 OK", ""),
        4..6 => receivers::answer(stream, "500 Internal Server Error", ""),
        6 => receivers::read_request(&stream),
        _ => {
            let request = receivers::read_request(&stream);
            // The service is killed after the page has arrived and before it knows.
            let _ = held.send(());
            receivers::hold(stream);
            request
        }
    };
    // A request that a kill cut off has not arrived.
    let request = if request.contains("\r\n\r\n") { request } else { String::new() };
    let id = request.lines().find_map(|line| line.strip_prefix("webhook-id: "));
    ids.lock().expect("a lock").extend(id.map(str::to_owned));
}

/// One store: its service is killed so many times, then the receiver works.
/// Returns how often a page had arrived whose answer was missing.
fn round(seed: u64, kills: usize) -> usize {
    let folder = tempfile::tempdir().expect("a folder");
    let lead = Lead::new(seed);
    config(folder.path(), lead.address);
    let mut rng = ChaCha8Rng::seed_from_u64(seed + 1000);
    let mut program = service(folder.path());
    let shifts: Vec<Value> = (0..REGIONS)
        .map(|region| {
            json!({"region": format!("r{region}"), "service": "tv", "channel": "phone",
                "start": hour(-9), "end": hour(30), "agents": 1})
        })
        .collect();
    let put = program.request(Method::PUT, "/api/v1/roster").json(&json!(shifts));
    assert_eq!(answer(put).status, 204);
    assert_eq!(program.post("/api/v1/events", calls()).status, 202);
    let mut unanswered = 0;
    for _ in 0..kills {
        let within = Duration::from_millis(rng.random_range(0..KILLED_WITHIN_MS));
        unanswered += usize::from(lead.holds.recv_timeout(within).is_ok());
        program.kill();
        while lead.holds.try_recv().is_ok() {}
        program = service(folder.path());
    }
    *lead.works.lock().expect("a lock") = true;
    let open = "/api/v1/alerts?open=true&rule=understaffed&limit=100";
    program.wait_for(open, |found| found.as_array().map(Vec::len) == Some(REGIONS));
    let pages = program.wait_for("/api/v1/pages?limit=1000", |pages| {
        let pages = pages.as_array().expect("pages");
        pages.len() >= REGIONS && pages.iter().all(|page| page["state"] == "delivered")
    });
    let pages = pages.as_array().expect("pages");
    let stored: BTreeSet<String> =
        pages.iter().filter_map(|page| page["id"].as_str()).map(str::to_owned).collect();
    assert_eq!(stored.len(), pages.len(), "an id belongs to one page");
    let received = lead.received.lock().expect("a lock").clone();
    assert_eq!(received, stored, "seed {seed}: what arrived is what was decided");
    let mut first: BTreeMap<&str, usize> = BTreeMap::new();
    for page in pages.iter().filter(|page| page["kind"] == "firing") {
        *first.entry(page["alert"].as_str().expect("an alert")).or_default() += 1;
    }
    assert_eq!(first.len(), REGIONS, "seed {seed}: {pages:?}");
    assert!(first.values().all(|n| *n == 1), "seed {seed}: {pages:?}");
    unanswered
}

#[test]
fn each_page_arrives_under_one_id_after_kills_between_decision_and_delivery() {
    let all = std::env::var("SURGECAST_PAGE_KILLS").ok().and_then(|text| text.parse().ok());
    let mut left = all.unwrap_or(ALL_KILLS);
    let mut seed = 1;
    while left > 0 {
        let kills = left.min(KILLS);
        let unanswered = round(seed, kills);
        println!(
            "seed {seed}: {kills} kills, {unanswered} of them between the arrival of a page and its answer"
        );
        left -= kills;
        seed += 1;
    }
}
