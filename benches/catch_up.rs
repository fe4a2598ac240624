//! Catch-up from Kafka, from decoding to durable commit, compared with a bare `BaseConsumer` that only reads.
//!
//! Run `tests/servers/kafka.sh install` first. `CATCH_UP_EVENTS` (3,000,000) events of about 220 bytes in six partitions are
//! read `CATCH_UP_PAIRS` (5) times by each, alternately, each time with a new consumer group. Prints events a second and CPU
//! time an event of both, and the medians of the ratios. With `CATCH_UP_OTHER=PROGRAM` another build of surgecast takes its
//! turn in every pair, so that two versions can be compared. With `CATCH_UP_TICKETS=1` each event carries a `ticket_id`, whose
//! life is then followed; the bare consumer then also writes the ids to a topic, as the service must. With `CATCH_UP_LEADS=1` the service also forecasts: it is done when its store has everything that it
//! wrote to the replicated log.
#![allow(clippy::disallowed_methods, reason = "a benchmark measures time")]
#![allow(clippy::unwrap_used, reason = "a benchmark may stop")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rdkafka::Message as _;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer as _, ThreadedProducer};

mod common;

use common::{Killed, broker, client, cpu, port, setting};

const PARTITIONS: i32 = 6;
/// Where the bare consumer writes ids.
const IDS: &str = "ids";
/// Bytes of ids in a record.
const IDS_BYTES: usize = 300_000;

/// Tickets of six hours over 36 series, keyed by id.
fn fill(brokers: &str, events: u64) {
    let admin: AdminClient<DefaultClientContext> = client(brokers).create().unwrap();
    let replication = || TopicReplication::Fixed(1);
    let topics = [
        ("support.tickets", PARTITIONS),
        ("network.alarms", 1),
        ("network.maintenance", 1),
        (IDS, 1),
    ];
    let topics = topics.map(|(name, n)| NewTopic::new(name, n, replication()));
    let made = admin.create_topics(&topics, &AdminOptions::new());
    futures::executor::block_on(made).unwrap();
    let producer: ThreadedProducer<DefaultProducerContext> = client(brokers)
        .set("linger.ms", "50")
        .set("batch.size", "1000000")
        .set("queue.buffering.max.messages", "1000000")
        .create()
        .unwrap();
    let first = 1_767_225_600_000_u64;
    let with_ids = setting("CATCH_UP_TICKETS", 0) == 1;
    for n in 0..events {
        let ts = first + n * 6 * 3_600_000 / events;
        let region = ["north", "east", "south", "west"][n as usize % 4];
        let service = ["broadband", "mobile", "voice"][n as usize / 4 % 3];
        let channel = ["phone", "chat", "email"][n as usize / 12 % 3];
        let ticket =
            if with_ids { format!(r#""ticket_id":"INC-{n:010}","#) } else { String::new() };
        let event = format!(
            r#"{{"kind":"ticket","event_id":"T-{n:010}",{ticket}"action":"create","ts":{ts},"region":"{region}","service":"{service}","channel":"{channel}","priority":"P2","tier":"premium","text":"no internet since this morning, the lamp is red"}}"#
        );
        let key = format!("T-{n:010}");
        let mut record =
            BaseRecord::to("support.tickets").payload(&event).key(&key).partition((n % 6) as i32);
        while let Err((_, back)) = producer.send(record) {
            record = back;
            std::thread::sleep(Duration::from_millis(5));
        }
        if n == 0 {
            println!("one event has {} bytes", event.len());
        }
    }
    producer.flush(Duration::from_secs(60)).unwrap();
}

/// Client settings of both readers: the service's own, which limit the memory of a storm, or larger ones with
/// `CATCH_UP_LARGE=1`.
fn buffers() -> [(&'static str, &'static str); 5] {
    let of = |backoff, fetch, messages, kbytes| {
        [
            ("fetch.queue.backoff.ms", backoff),
            ("fetch.message.max.bytes", fetch),
            ("queued.min.messages", messages),
            ("queued.max.messages.kbytes", kbytes),
            ("statistics.interval.ms", "1000"),
        ]
    };
    match setting("CATCH_UP_LARGE", 0) {
        0 => of("10", "1048576", "100000", "24576"),
        _ => of("100", "4194304", "200000", "65536"),
    }
}

/// Writes the ids of tickets with the settings of the service: what no program can save that follows tickets across instances.
struct Ids {
    producer: ThreadedProducer<DefaultProducerContext>,
    rows: Vec<u8>,
}

impl Ids {
    fn new(brokers: &str) -> Self {
        let mut config = client(brokers);
        [("acks", "all"), ("enable.idempotence", "true"), ("linger.ms", "5")]
            .into_iter()
            .chain([("compression.codec", "lz4"), ("queue.buffering.max.kbytes", "16384")])
            .for_each(|(key, value)| _ = config.set(key, value));
        Self { producer: config.create().unwrap(), rows: Vec::with_capacity(2 * IDS_BYTES) }
    }

    /// Adds a row as long as one of the service, with the time and the id of the ticket.
    fn add(&mut self, event: &[u8]) {
        let after = |name: &[u8]| {
            let at = event.windows(name.len()).position(|part| part == name).unwrap();
            &event[at + name.len()..]
        };
        self.rows.extend_from_slice(b"[");
        self.rows.extend_from_slice(&after(b"\"ts\":")[..13]);
        self.rows.extend_from_slice(b",12,\"o\",\"");
        self.rows.extend_from_slice(&after(b"\"ticket_id\":\"")[..14]);
        self.rows.extend_from_slice(b"\",1],");
        if self.rows.len() >= IDS_BYTES {
            self.send();
        }
    }

    fn send(&mut self) {
        let mut record = BaseRecord::<(), _>::to(IDS).payload(&self.rows);
        while let Err((_, back)) = self.producer.send(record) {
            record = back;
            std::thread::sleep(Duration::from_millis(1));
        }
        self.rows.clear();
    }

    fn finish(mut self) {
        self.send();
        self.producer.flush(Duration::from_secs(60)).unwrap();
    }
}

/// Reads all events without processing, and writes their ids if they have any. Returns seconds and CPU seconds.
fn bare(brokers: &str, group: &str, events: u64) -> (f64, f64) {
    let before = cpu(std::process::id());
    let began = Instant::now();
    let mut config = client(brokers);
    buffers().into_iter().for_each(|(key, value)| _ = config.set(key, value));
    let consumer: BaseConsumer = config
        .set("group.id", group)
        .set("enable.auto.commit", "false")
        .set("auto.offset.reset", "earliest")
        .create()
        .unwrap();
    consumer.subscribe(&["support.tickets"]).unwrap();
    let mut ids = (setting("CATCH_UP_TICKETS", 0) == 1).then(|| Ids::new(brokers));
    let (mut read, mut first) = (0, None);
    while read < events {
        if let Some(Ok(record)) = consumer.poll(Duration::from_millis(100)) {
            read += 1;
            first.get_or_insert_with(Instant::now);
            if let Some(ids) = &mut ids {
                ids.add(record.payload().unwrap());
            }
        }
    }
    if let Some(ids) = ids {
        ids.finish();
    }
    // Do not count the time to join the group.
    let seconds = first.map_or(0.0, |first| first.elapsed().as_secs_f64());
    println!("    (joined the group after {:.1} s)", began.elapsed().as_secs_f64() - seconds);
    (seconds, cpu(std::process::id()) - before)
}

/// Runs the service until all events are counted and committed. Returns seconds since it has its partitions, and CPU seconds.
fn counted(program: &Path, brokers: &str, folder: &Path, group: &str, events: u64) -> (f64, f64) {
    let folder = folder.join(group);
    std::fs::create_dir_all(&folder).unwrap();
    let admin = format!("127.0.0.1:{}", port());
    let buffers = buffers().map(|(key, value)| format!("\"{key}\" = \"{value}\"\n")).concat();
    let config = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n[admin]\nlisten = \"{admin}\"\n[store]\npath = \"data\"\n\
         [kafka]\nbrokers = [\"{brokers}\"]\ngroup = \"{group}\"\n[forecast]\nbackfill = \"0s\"\n[log]\nlevel = \"error\"\n\
         [kafka.properties]\n{buffers}"
    );
    let path: PathBuf = folder.join("surgecast.toml");
    std::fs::write(&path, config).unwrap();
    let mut command = Command::new(program);
    let leads = setting("CATCH_UP_LEADS", 0) == 1;
    let role = if leads { "both" } else { "count" };
    let child =
        command.args(["serve", "--role", role, "--config"]).arg(&path).stdout(Stdio::null());
    let service = Killed(child.spawn().unwrap());
    let http = reqwest::blocking::Client::new();
    let total = || -> u64 {
        let text = http.get(format!("http://{admin}/metrics")).send().and_then(|a| a.text());
        let text = text.unwrap_or_default();
        let counted = text.lines().filter(|line| {
            line.starts_with("surgecast_ingest_events_total") && line.contains("support.tickets")
        });
        counted.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
    };
    let check: BaseConsumer = client(brokers).set("group.id", group).create().unwrap();
    while !has_joined(&check, group) {
        std::thread::sleep(Duration::from_millis(5));
    }
    let joined = Instant::now();
    while total() < events {
        std::thread::sleep(Duration::from_millis(20));
    }
    // All counts are durable once the last report is committed.
    let mut list = rdkafka::TopicPartitionList::new();
    list.add_partition_range("support.tickets", 0, PARTITIONS - 1);
    let wanted = events as i64 / i64::from(PARTITIONS) - 1;
    loop {
        let found = check.committed_offsets(list.clone(), Duration::from_secs(5)).unwrap();
        // The metadata has more parts after this one.
        let decided = |text: &str| -> Option<i64> {
            text.split(' ').find_map(|part| part.strip_prefix("decided="))?.parse().ok()
        };
        let all = found.elements();
        if all.iter().all(|element| decided(element.metadata()).is_some_and(|n| n >= wanted)) {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    if leads {
        let topic = format!("{group}.partials");
        let (_, end) = check.fetch_watermarks(&topic, 0, Duration::from_secs(5)).unwrap();
        while log_offset(&folder) < end {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    (joined.elapsed().as_secs_f64(), cpu(service.0.id()))
}

/// Whether the group has given partitions to its member.
fn has_joined(check: &BaseConsumer, group: &str) -> bool {
    let found = check.fetch_group_list(Some(group), Duration::from_secs(5));
    found.is_ok_and(|found| found.groups().iter().any(|own| own.state() == "Stable"))
}

/// Offset of the replicated log up to which the service has stored everything.
fn log_offset(folder: &Path) -> i64 {
    let store = rusqlite::Connection::open(folder.join("data/state.db")).unwrap();
    let sql = "SELECT bytes FROM blobs WHERE key = 'log_offset'";
    let found: rusqlite::Result<Vec<u8>> = store.query_row(sql, [], |row| row.get(0));
    found.ok().and_then(|bytes| postcard::from_bytes(&bytes).ok()).unwrap_or(0)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() {
    if common::arguments().is_none() {
        return;
    }
    let (events, pairs) =
        (setting("CATCH_UP_EVENTS", 3_000_000) / 6 * 6, setting("CATCH_UP_PAIRS", 5));
    let folder = tempfile::tempdir().unwrap();
    let (_broker, brokers) = broker(folder.path());
    fill(&brokers, events);
    let program = Path::new(env!("CARGO_BIN_EXE_surgecast"));
    let other = std::env::var_os("CATCH_UP_OTHER").map(PathBuf::from);
    let rate = |seconds: f64| events as f64 / seconds / 1000.0;
    let each = |cpu: f64| cpu / events as f64 * 1e9;
    let (mut ratios, mut cpu_ratios) = (Vec::new(), Vec::new());
    let (mut other_ratios, mut other_cpu_ratios) = (Vec::new(), Vec::new());
    for pair in 0..pairs {
        let (bare_s, bare_cpu) = bare(&brokers, &format!("bare-{pair}"), events);
        let of = |program, name| {
            counted(program, &brokers, folder.path(), &format!("{name}-{pair}"), events)
        };
        // Whoever comes first reads what the bare reader left in the page cache: take turns.
        let theirs = |first: bool| {
            let other = other.as_deref().filter(|_| first == (pair % 2 == 0))?;
            Some(of(other, "other"))
        };
        let before = theirs(true);
        let (ours_s, ours_cpu) = of(program, "ours");
        if let Some((other_s, other_cpu)) = before.or_else(|| theirs(false)) {
            println!(
                "    other build {:.0} k/s, {:.0} ns CPU an event",
                rate(other_s),
                each(other_cpu)
            );
            other_ratios.push(other_s / ours_s);
            other_cpu_ratios.push(ours_cpu / other_cpu);
        }
        println!(
            "pair {pair}: bare {:.0} k/s, {:.0} ns CPU an event; surgecast {:.0} k/s, {:.0} ns; speed ratio {:.2}",
            rate(bare_s),
            each(bare_cpu),
            rate(ours_s),
            each(ours_cpu),
            bare_s / ours_s
        );
        ratios.push(bare_s / ours_s);
        cpu_ratios.push(ours_cpu / bare_cpu);
    }
    println!(
        "median of {pairs} pairs: {:.2} × the bare reader's speed, {:.2} × its CPU",
        median(ratios),
        median(cpu_ratios)
    );
    if !other_ratios.is_empty() {
        println!(
            "median of {pairs} pairs: {:.2} × the other build's speed, {:.2} × its CPU",
            median(other_ratios),
            median(other_cpu_ratios)
        );
    }
}
