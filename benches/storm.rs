//! An alarm storm: two million alarm messages within one minute of event time, half of them duplicates or flaps, while tickets
//! continue. Checks the counts, and measures memory and the age of displayed data.
//!
//! Run `tests/servers/kafka.sh install` first. `STORM_ALARMS` (2,000,000) messages over 36 scopes in six partitions.
#![allow(clippy::disallowed_methods, reason = "a benchmark measures time")]
#![allow(clippy::unwrap_used, reason = "a benchmark may stop")]

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer as _, ThreadedProducer};
use serde_json::Value;

mod common;

use common::{Killed, broker, client, peak_megabytes, port, setting};

const TICKETS_A_SECOND: u64 = 200;

fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64
}

fn producer(brokers: &str) -> ThreadedProducer<DefaultProducerContext> {
    client(brokers)
        .set("linger.ms", "20")
        .set("batch.size", "1000000")
        .set("queue.buffering.max.messages", "1000000")
        .create()
        .unwrap()
}

fn send(producer: &ThreadedProducer<DefaultProducerContext>, topic: &str, key: &str, body: &str) {
    let mut record = BaseRecord::to(topic).key(key).payload(body);
    while let Err((_, back)) = producer.send(record) {
        record = back;
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Message `n`: of four messages of an alarm a raise, its duplicate, a clear, and a second raise.
fn alarm(n: u64, begin_ms: i64, total: u64) -> (String, String) {
    let (id, step) = (n / 4, n % 4);
    let ts = begin_ms + (n * 59_000 / total) as i64;
    let ts = if step == 1 { begin_ms + ((n - 1) * 59_000 / total) as i64 } else { ts };
    let region = ["north", "east", "south", "west"][id as usize % 4];
    let service = ["broadband", "mobile", "voice"][id as usize / 4 % 3];
    let (event, action) = match step {
        0 | 1 => (format!("{id}-r"), "raise"),
        2 => (format!("{id}-c"), "clear"),
        _ => (format!("{id}-f"), "raise"),
    };
    let key = format!("A-{id}");
    let body = format!(
        r#"{{"kind":"alarm","event_id":"{event}","alarm_id":"{key}","action":"{action}","ts":{ts},"severity":"major","region":"{region}","service":"{service}","device":"OLT-{}","type":"linkDown","text":"PON port down"}}"#,
        id % 5000
    );
    (key, body)
}

struct Service {
    process: Killed,
    api: String,
    http: reqwest::blocking::Client,
}

impl Service {
    fn start(brokers: &str, folder: &std::path::Path) -> Self {
        let api = format!("127.0.0.1:{}", port());
        let config = format!(
            "[server]\nlisten = \"{api}\"\n[admin]\nlisten = \"127.0.0.1:{}\"\n[store]\npath = \"data\"\n\
             [kafka]\nbrokers = [\"{brokers}\"]\n[forecast]\nbackfill = \"0s\"\n[log]\nlevel = \"warn\"\n",
            port()
        );
        let path = folder.join("surgecast.toml");
        std::fs::write(&path, config).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_surgecast"));
        let child = command.args(["serve", "--config"]).arg(&path).stdout(Stdio::null()).spawn();
        let process = Killed(child.unwrap());
        Self { process, api, http: reqwest::blocking::Client::new() }
    }

    fn get(&self, path: &str) -> Option<Value> {
        self.http.get(format!("http://{}/api/v1{path}", self.api)).send().ok()?.json().ok()
    }

    /// Numbers of raises, clears and tickets of all series.
    fn counts(&self) -> Option<(u64, u64, u64)> {
        let windows = self.get("/windows?region=_all&service=_all&channel=_all")?;
        let (mut raised, mut cleared, mut tickets) = (0, 0, 0);
        for window in windows.as_array()? {
            let of = |what: &str| window["alarms"][what].as_u64().unwrap_or(0);
            raised += of("major");
            cleared += of("cleared");
            tickets += window["tickets"].as_u64().unwrap_or(0);
        }
        Some((raised, cleared, tickets))
    }
}

fn main() {
    if common::arguments().is_none() {
        return;
    }
    let total = setting("STORM_ALARMS", 2_000_000) / 4 * 4;
    let folder = tempfile::tempdir().unwrap();
    let (_broker, brokers) = broker(folder.path());
    let service = Service::start(&brokers, folder.path());
    while service.get("/status").is_none() {
        std::thread::sleep(Duration::from_millis(200));
    }
    // The topics exist once the service counts.
    let stop = Arc::new(AtomicBool::new(false));
    let sent = Arc::new(AtomicU64::new(0));
    let tickets = {
        let (brokers, stop, sent) = (brokers.clone(), stop.clone(), sent.clone());
        std::thread::spawn(move || {
            let producer = producer(&brokers);
            let mut n = 0;
            while !stop.load(Ordering::Relaxed) {
                for _ in 0..TICKETS_A_SECOND / 20 {
                    let ts = now_ms();
                    let body = format!(
                        r#"{{"kind":"ticket","event_id":"T-{n}","ts":{ts},"region":"north","service":"mobile","channel":"phone","text":"no internet"}}"#
                    );
                    send(&producer, "support.tickets", &format!("T-{n}"), &body);
                    n += 1;
                }
                sent.store(n, Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(50));
            }
            producer.flush(Duration::from_secs(60)).unwrap();
            n
        })
    };
    while service.counts().is_none_or(|(_, _, tickets)| tickets < 100) {
        std::thread::sleep(Duration::from_millis(200));
    }
    println!("before the storm: {:.0} MB", peak_megabytes(service.process.0.id()));
    let began = Instant::now();
    let begin_ms = now_ms() - 59_000;
    let storm = {
        let brokers = brokers.clone();
        std::thread::spawn(move || {
            let producer = producer(&brokers);
            for n in 0..total {
                let (key, body) = alarm(n, begin_ms, total);
                send(&producer, "network.alarms", &key, &body);
            }
            producer.flush(Duration::from_secs(120)).unwrap();
        })
    };
    // Age of the displayed data: when the newest counted ticket was sent, found by its number.
    let (mut oldest_s, mut log) = (0.0_f64, std::collections::VecDeque::new());
    let expected = (total / 2, total / 4);
    let seen_all = loop {
        log.push_back((Instant::now(), sent.load(Ordering::Relaxed)));
        let counts = service.counts();
        if let Some((_, _, seen)) = counts {
            while log.get(1).is_some_and(|(_, n)| *n <= seen) {
                log.pop_front();
            }
        }
        if let Some((at, _)) = log.front() {
            oldest_s = oldest_s.max(at.elapsed().as_secs_f64());
        }
        if let Some((raised, cleared, _)) = counts
            && (raised, cleared) >= expected
        {
            break began.elapsed().as_secs_f64();
        }
        assert!(began.elapsed() < Duration::from_secs(900), "counted {counts:?} of {expected:?}");
        std::thread::sleep(Duration::from_millis(200));
    };
    storm.join().unwrap();
    stop.store(true, Ordering::Relaxed);
    let tickets = tickets.join().unwrap();
    while service.counts().is_none_or(|(_, _, seen)| seen < tickets) {
        std::thread::sleep(Duration::from_millis(100));
    }
    let (raised, cleared, seen) = service.counts().unwrap();
    println!(
        "{total} alarm messages: {raised} raises and {cleared} clears counted (sent: {} and {} distinct), {seen} of \
         {tickets} tickets",
        expected.0, expected.1
    );
    println!(
        "all counted after {seen_all:.1} s; displayed data was at most {oldest_s:.1} s old; peak memory {:.0} MB",
        peak_megabytes(service.process.0.id())
    );
    assert_eq!((raised, cleared, seen), (expected.0, expected.1, tickets));
}
