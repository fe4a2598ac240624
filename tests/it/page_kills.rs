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
use serde_json::json;

use crate::program::{Program, answer, surgecast};
use crate::receivers;

/// Each has its own alert and its own pages.
pub const REGIONS: usize = 8;
/// Kills of one store.
const KILLS: usize = 5;
/// Kills of all stores, unless `SURGECAST_PAGE_KILLS` says another number.
const ALL_KILLS: usize = 10;
/// The service is killed at the latest after this, at a random moment.
const KILLED_WITHIN_MS: u64 = 1500;

/// Of ten requests, so many are answered while the receiver does not work.
const ANSWERED: u32 = 4;

fn hour(hours: i64) -> String {
    (chrono::Utc::now() + chrono::TimeDelta::hours(hours)).format("%Y-%m-%dT%H:00:00Z").to_string()
}

/// The section of a config that sends pages to an address.
pub fn receiver(address: SocketAddr) -> String {
    format!(
        "[[alerts.receivers]]\nname = \"lead\"\ntype = \"webhook\"\nurl = \"http://{address}/\"\n"
    )
}

fn config(folder: &Path, address: SocketAddr) {
    let receiver = receiver(address);
    let text = format!(
        r#"
[server]
listen = "127.0.0.1:0"
[admin]
listen = "127.0.0.1:0"
[windows]
lateness = "1m"
max_future_skew = "1m"
{receiver}"#
    );
    std::fs::write(folder.join("surgecast.toml"), text).expect("config");
}

fn service(folder: &Path) -> Program {
    let mut command = surgecast(&["serve", "--config", "surgecast.toml"]);
    command.current_dir(folder);
    Program::start_command(command)
}

/// One agent in each region, for today.
pub fn roster() -> String {
    let shift = |region: usize| {
        json!({"region": format!("r{region}"), "service": "tv", "channel": "phone",
            "start": hour(-9), "end": hour(30), "agents": 1})
    };
    json!((0..REGIONS).map(shift).collect::<Vec<_>>()).to_string()
}

/// Calls of the last five hours in all regions, oldest first.
pub fn calls() -> String {
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
pub struct Lead {
    pub address: SocketAddr,
    /// Ids of the pages in the requests, whatever the answer was.
    received: Arc<Mutex<BTreeSet<String>>>,
    works: Arc<Mutex<bool>>,
    /// A page has arrived, and waits for an answer that will not come.
    holds: Inbox<()>,
}

impl Lead {
    /// Until it works, it answers `answered` of ten requests.
    pub fn new(seed: u64, answered: u32) -> Self {
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
                thread::spawn(move || take(stream, (dice, answered), &ids, &held));
            }
        });
        Self { address, received, works, holds }
    }

    /// Waits until a page has arrived whose answer is missing, at most for `within`; forgets the others that have.
    pub fn held(&self, within: Duration) -> bool {
        let is_held = self.holds.recv_timeout(within).is_ok();
        while self.holds.try_recv().is_ok() {}
        is_held
    }

    /// Answers all requests from now on.
    pub fn works(&self) {
        *self.works.lock().expect("a lock") = true;
    }

    /// Checks that the pages of a service are those that arrived: each alert has one first page, under one id.
    pub fn check(&self, program: &Program, what: &str) {
        let open = "/api/v1/alerts?open=true&rule=understaffed&limit=100";
        program.wait_for(open, |found| found.as_array().map(Vec::len) == Some(REGIONS));
        let pages = program.wait_for("/api/v1/pages?limit=1000", |pages| {
            let pages = pages.as_array().map(Vec::as_slice).unwrap_or_default();
            pages.len() >= REGIONS && pages.iter().all(|page| page["state"] == "delivered")
        });
        let pages = pages.as_array().expect("pages");
        let stored: BTreeSet<String> =
            pages.iter().filter_map(|page| page["id"].as_str()).map(str::to_owned).collect();
        assert_eq!(stored.len(), pages.len(), "an id belongs to one page");
        let received = self.received.lock().expect("a lock").clone();
        assert_eq!(received, stored, "{what}: what arrived is what was decided");
        let mut first: BTreeMap<&str, usize> = BTreeMap::new();
        for page in pages.iter().filter(|page| page["kind"] == "firing") {
            *first.entry(page["alert"].as_str().expect("an alert")).or_default() += 1;
        }
        assert_eq!(first.len(), REGIONS, "{what}: {pages:?}");
        assert!(first.values().all(|n| *n == 1), "{what}: {pages:?}");
    }
}

fn take(
    stream: TcpStream,
    (dice, answered): (u32, u32),
    ids: &Mutex<BTreeSet<String>>,
    held: &Sender<()>,
) {
    let request = match dice {
        dice if dice < answered => receivers::answer(stream, "200 OK", ""),
        0..6 => receivers::answer(stream, "500 Internal Server Error", ""),
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
    let lead = Lead::new(seed, ANSWERED);
    config(folder.path(), lead.address);
    let mut rng = ChaCha8Rng::seed_from_u64(seed + 1000);
    let mut program = service(folder.path());
    let put = program.request(Method::PUT, "/api/v1/roster").body(roster());
    let put = put.header("content-type", "application/json");
    assert_eq!(answer(put).status, 204);
    assert_eq!(program.post("/api/v1/events", calls()).status, 202);
    let mut unanswered = 0;
    for _ in 0..kills {
        let within = Duration::from_millis(rng.random_range(0..KILLED_WITHIN_MS));
        unanswered += usize::from(lead.held(within));
        program.kill();
        program = service(folder.path());
    }
    lead.works();
    lead.check(&program, &format!("seed {seed}"));
    unanswered
}

/// The number of kills in `SURGECAST_PAGE_KILLS`, or `usual`.
pub fn kills_or(usual: usize) -> usize {
    let all = std::env::var("SURGECAST_PAGE_KILLS").ok().and_then(|text| text.parse().ok());
    all.unwrap_or(usual)
}

#[test]
fn each_page_arrives_under_one_id_after_kills_between_decision_and_delivery() {
    let mut left = kills_or(ALL_KILLS);
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
