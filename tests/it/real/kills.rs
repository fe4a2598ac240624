//! Repeated kills under load: each record is counted or becomes a dead letter exactly once.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer as _, ThreadedProducer};
use rdkafka::{ClientConfig, Message as _, Offset, TopicPartitionList};
use serde_json::Value;
use surgecast::domain::{Reason, Timestamp};
use surgecast::window::Counts;

use super::cluster::Instance;
use super::data::WINDOW;
use super::servers::{Kafka, until};
use super::whole::{Site, now_s};
use crate::program::surgecast;

/// The other test with several instances uses the client's default strategy, range.
const STICKY: &str =
    "[kafka.properties]\n\"partition.assignment.strategy\" = \"cooperative-sticky\"\n";
const PARTITIONS: i32 = 6;
const LATENESS: i64 = 600;
const SKEW_MS: i64 = 300_000;
const KILLS: u64 = 10;
const RECORDS: u64 = 150_000;

/// Key and body of the `n`-th record: mostly valid ones, and some of each invalid kind.
fn record(n: u64, begin: i64) -> (String, String) {
    // A Weyl sequence: evenly spread and reproducible.
    let draw = (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) % 1000;
    let ts = begin + (n * 4 * 3600 / RECORDS) as i64 - (draw % 300) as i64;
    let id = if draw < 60 { n.saturating_sub(60) } else { n };
    let region = ["north", "east", "south"][(id % 3) as usize];
    let key = format!("K-{id}");
    let ticket = |ts: i64| {
        format!(
            r#"{{"kind":"ticket","event_id":"E-{id}","ts":{ts},"region":"{region}","service":"tv","channel":"kiosk"}}"#
        )
    };
    let body = match draw {
        // A duplicate of the record sixty positions before.
        0..60 => {
            let draw = (id.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) % 1000;
            ticket(begin + (id * 4 * 3600 / RECORDS) as i64 - (draw % 300) as i64)
        }
        60..70 => ticket(ts - 7200),
        70..75 => ticket(now_s() + 86_400),
        75..80 => format!("no JSON {n}"),
        80..85 => format!(r#"{{"kind":"ticket","event_id":"E-{id}"}}"#),
        _ => ticket(ts),
    };
    (key, body)
}

fn client(kafka: &Kafka) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", kafka.brokers());
    config
}

/// The expected result, counted by one undisturbed pass over the topic.
#[derive(Debug, Default, PartialEq)]
struct Truth {
    /// Tickets by region and window start.
    windows: BTreeMap<(String, i64), u32>,
    duplicates: u64,
    late: u64,
    future: u64,
    unreadable: u64,
}

/// The newest event time of a partition: an event that is more than a day ahead waits for a second id, as does the first.
#[derive(Default)]
struct Newest {
    upto: Option<i64>,
    waiting: Vec<(i64, String)>,
}

impl Newest {
    fn take(&mut self, ts: i64, id: &str) {
        if self.upto.is_some_and(|upto| ts <= upto + 86_400) {
            self.upto = self.upto.max(Some(ts));
        } else {
            let seconds = self.waiting.iter().filter(|(at, of)| of != id && ts >= at - 3600);
            self.upto = self.upto.max(seconds.map(|(at, _)| ts.min(*at)).max());
            self.waiting.push((ts, id.to_owned()));
        }
        self.waiting.retain(|(at, _)| Some(*at) > self.upto);
    }
}

impl Truth {
    fn records(&self) -> u64 {
        let counted: u64 = self.windows.values().map(|n| u64::from(*n)).sum();
        counted + self.duplicates + self.late + self.future + self.unreadable
    }

    fn of(kafka: &Kafka, topic: &str) -> Self {
        let mut truth = Self::default();
        for partition in 0..PARTITIONS {
            let consumer: BaseConsumer =
                client(kafka).set("group.id", "truth").create().expect("a consumer");
            let wait = Duration::from_secs(20);
            let (low, high) = consumer.fetch_watermarks(topic, partition, wait).expect("marks");
            let mut list = TopicPartitionList::new();
            list.add_partition_offset(topic, partition, Offset::Offset(low)).expect("offset");
            consumer.assign(&list).expect("assigned");
            let (mut next, mut newest, mut ids) = (low, Newest::default(), HashSet::new());
            while next < high {
                let Some(Ok(message)) = consumer.poll(wait) else { continue };
                next = message.offset() + 1;
                let append = message.timestamp().to_millis().expect("append time");
                truth.add(message.payload().expect("bytes"), append, &mut newest, &mut ids);
            }
        }
        truth
    }

    fn add(&mut self, bytes: &[u8], append: i64, newest: &mut Newest, ids: &mut HashSet<String>) {
        let event: Option<Value> = serde_json::from_slice(bytes).ok();
        let Some((event, ts)) = event.and_then(|e| e["ts"].as_i64().map(|ts| (e, ts))) else {
            self.unreadable += 1;
            return;
        };
        if ts * 1000 > append + SKEW_MS {
            self.future += 1;
            return;
        }
        let start = ts.div_euclid(WINDOW) * WINDOW;
        let closed = newest.upto.map(|newest| (newest - LATENESS).div_euclid(WINDOW) * WINDOW);
        if closed.is_some_and(|closed| start + WINDOW <= closed) {
            self.late += 1;
            return;
        }
        newest.take(ts, &event["event_id"].to_string());
        // An id belongs to one window, because a duplicate has the same time.
        if !ids.insert(format!("{}@{start}", event["event_id"])) {
            self.duplicates += 1;
            return;
        }
        let region = event["region"].as_str().expect("a region").to_owned();
        *self.windows.entry((region, start)).or_default() += 1;
    }

    /// The result in an instance's store.
    fn stored(instance: &Instance) -> Self {
        let reader = instance.site.reader();
        let mut found = Self::default();
        let all = reader.each_key(Timestamp::from_secs(0), |cell, windows| {
            for (start, record) in windows {
                let Counts { tickets, duplicates, .. } = record.counts;
                found.duplicates += u64::from(duplicates);
                if let surgecast::window::AggregationKey::Tickets(series) = cell
                    && tickets > 0
                {
                    found.windows.insert((series.region.to_string(), start.secs()), tickets);
                }
            }
        });
        all.expect("windows");
        let letters = reader.dead_letter_counts().expect("dead letters");
        let of = |reason: Reason| letters.get(&reason).copied().unwrap_or(0);
        found.late = of(Reason::Late);
        found.future = of(Reason::Future);
        found.unreadable = of(Reason::Malformed) + of(Reason::Field);
        found
    }
}

/// Sends all records. `allowed` limits the number of records sent so far.
fn send(kafka: &Kafka, allowed: Arc<AtomicU64>, begin: i64) -> std::thread::JoinHandle<()> {
    let producer: ThreadedProducer<DefaultProducerContext> =
        client(kafka).set("enable.idempotence", "true").create().expect("a producer");
    std::thread::spawn(move || {
        for n in 0..RECORDS {
            while allowed.load(Ordering::Relaxed) <= n {
                std::thread::park_timeout(Duration::from_millis(5));
            }
            let (key, body) = record(n, begin);
            let mut record = BaseRecord::to("support.tickets").key(&key).payload(&body);
            while let Err((_, back)) = producer.send(record) {
                record = back;
                std::thread::park_timeout(Duration::from_millis(5));
            }
        }
        producer.flush(Duration::from_secs(60)).expect("all are delivered");
    })
}

#[test]
fn each_record_counts_exactly_once_after_kills_and_rebalances() {
    let folder = tempfile::tempdir().expect("a folder");
    let kafka = Kafka::start(folder.path());
    let start =
        |name: &str| Instance::start_with(folder.path(), name, (&kafka, None, STICKY), "both");
    let mut first = start("a");
    until("the topics to exist", || first.program.get("/api/v1/status").status == 200);
    let allowed = Arc::new(AtomicU64::new(0));
    let begin = (now_s() - 6 * 3600).div_euclid(WINDOW) * WINDOW;
    let sender = send(&kafka, allowed.clone(), begin);
    let committed = |instance: &Instance| -> i64 {
        let path = instance.site.folder.join("data/state.db");
        if !Path::new(&path).exists() {
            return 0;
        }
        let sources = instance.site.reader().sources().unwrap_or_default();
        sources.iter().map(|source| source.decided_upto.max(0)).sum()
    };
    // One instance is killed while events arrive, each time at a different point of its work.
    let share = RECORDS / (KILLS + 4);
    for kill in 0..KILLS {
        let before = committed(&first);
        allowed.fetch_add(share, Ordering::Relaxed);
        let enough = before + (share as i64) * (1 + kill as i64 % 4) / 8;
        until("some events to be counted", || committed(&first) > enough);
        first = first.killed_and_started();
    }
    // Two more instances start while events arrive, the leader is killed, and another instance starts.
    allowed.fetch_add(share, Ordering::Relaxed);
    until("a leader", || first.leads());
    let second = start("b");
    let third = start("c");
    allowed.fetch_add(share, Ordering::Relaxed);
    until("the others to count", || {
        [&second, &third].iter().all(|i| i.program.said().contains("counting a partition"))
    });
    let Instance { site: first, program, .. } = first;
    program.kill();
    let fourth = start("d");
    allowed.store(RECORDS, Ordering::Relaxed);
    sender.join().expect("all are sent");
    let truth = Truth::of(&kafka, "support.tickets");
    assert_eq!(truth.records(), RECORDS, "{truth:?}");
    assert!(truth.duplicates > 0 && truth.late > 0 && truth.future > 0 && truth.unreadable > 0);
    for instance in [&second, &third, &fourth] {
        let done = AtomicBool::new(false);
        let mut found = Truth::default();
        for _ in 0..1200 {
            found = Truth::stored(instance);
            if found == truth {
                done.store(true, Ordering::Relaxed);
                break;
            }
            std::thread::park_timeout(Duration::from_millis(100));
        }
        let sources = instance.site.reader().sources();
        assert!(
            done.load(Ordering::Relaxed),
            "found {found:?}\nwanted {truth:?}\n{sources:?}\n{}",
            instance.program.said()
        );
    }
    println!(
        "{RECORDS} sent = {} counted + {} duplicates + {} late + {} from the future + {} unreadable",
        truth.records() - truth.duplicates - truth.late - truth.future - truth.unreadable,
        truth.duplicates,
        truth.late,
        truth.future,
        truth.unreadable
    );
    dead_letters(&kafka, &second, &truth);
    outlook(&kafka);
    // On a busy machine a session may have expired, so that partitions move to another instance.
    until("each partition to be read to its end by one instance", || {
        let metrics = [&second, &third, &fourth].map(|i| i.metrics());
        (0..PARTITIONS).all(|partition| {
            let lag = format!("surgecast_ingest_lag{{source=\"support.tickets[{partition}]\"}} 0");
            metrics.iter().filter(|text| text.contains(&lag)).count() == 1
        })
    });
    // The frontier cannot be reset while an instance counts.
    let refused =
        frontier(&second.site, &["reset", "--topic", "support.tickets", "--to", "latest", "--yes"]);
    assert!(!refused.0 && refused.1.contains("stop all of them first"), "{}", refused.1);
    drop((second, third, fourth));
    let (shown, text) = frontier(&first, &["show"]);
    assert!(shown && text.contains("support.tickets[5]"), "{text}");
    until("the group to be empty", || {
        frontier(&first, &["reset", "--topic", "support.tickets", "--to", "earliest", "--yes"]).0
    });
    let new_store = start("new-store");
    until("all to be counted again", || Truth::stored(&new_store) == truth);
}

/// Checks that the topic has the newest outlook of each series, in the format of the API.
fn outlook(kafka: &Kafka) {
    let mut series = HashSet::new();
    until("all series in the topic", || {
        for partition in 0..PARTITIONS {
            let consumer: BaseConsumer =
                client(kafka).set("group.id", "outlook").create().expect("a consumer");
            let wait = Duration::from_secs(20);
            let (low, high) =
                consumer.fetch_watermarks("cluster.outlook", partition, wait).expect("marks");
            let mut list = TopicPartitionList::new();
            list.add_partition_offset("cluster.outlook", partition, Offset::Offset(low))
                .expect("offset");
            consumer.assign(&list).expect("assigned");
            let mut next = low;
            while next < high {
                let Some(Ok(message)) = consumer.poll(wait) else { continue };
                next = message.offset() + 1;
                let record: Value =
                    serde_json::from_slice(message.payload().expect("bytes")).expect("JSON");
                assert_eq!(record["forecast"]["targets"].as_array().map(Vec::len), Some(24));
                assert!(record["anomalies"].is_array(), "{record}");
                series.insert(String::from_utf8_lossy(message.key().expect("a key")).into_owned());
            }
        }
        // Three leaves and their roll-ups.
        series.len() > 3 && series.contains("north/tv/kiosk")
    });
}

fn frontier(site: &Site, args: &[&str]) -> (bool, String) {
    let done = surgecast(&["frontier", args[0], "--config", site.config()])
        .args(&args[1..])
        .output()
        .expect("frontier runs");
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    (done.status.success(), text + &String::from_utf8_lossy(&done.stderr))
}

/// Checks that the topic has all dead letters unchanged, and that the commands list, show and resend them.
fn dead_letters(kafka: &Kafka, instance: &Instance, truth: &Truth) {
    let consumer: BaseConsumer =
        client(kafka).set("group.id", "letters").create().expect("a consumer");
    let topic = "cluster.dead-letters";
    let (_, high) =
        consumer.fetch_watermarks(topic, 0, Duration::from_secs(20)).expect("its marks");
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, 0, Offset::Beginning).expect("offset");
    consumer.assign(&list).expect("assigned");
    let (mut keys, mut next) = (HashSet::new(), 0);
    while next < high {
        let Some(Ok(message)) = consumer.poll(Duration::from_secs(20)) else { continue };
        next = message.offset() + 1;
        keys.insert(message.key().expect("a key").to_vec());
    }
    let all = truth.late + truth.future + truth.unreadable;
    assert_eq!(keys.len() as u64, all, "each dead letter has its own key");
    let run = |args: &[&str]| {
        let done = surgecast(&["dead-letters", args[0], "--config", instance.site.config()])
            .args(&args[1..])
            .output()
            .expect("dead-letters runs");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8_lossy(&done.stdout).into_owned()
    };
    let listed = run(&["list", "--reason", "malformed", "--format", "json"]);
    let listed: Value = serde_json::from_str(&listed).expect("JSON");
    let id = listed[0]["id"].as_i64().expect("an id").to_string();
    assert!(run(&["show", &id]).contains("no JSON"));
    assert!(run(&["replay", &id]).contains("0 sent, 1 still cannot be counted"));
    let late = run(&["replay", "--reason", "late", "--dry-run"]);
    assert!(late.contains(&format!("{} would be sent", truth.late)), "{late}");
}
