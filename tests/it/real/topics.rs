//! What happens to topics and groups while they are counted: deleted and created again, shortened by retention, extended by
//! partitions, used by another program. Counts add up: sent = counted + duplicate + late + future + unreadable + gone.

use std::collections::BTreeMap;
use std::time::Duration;

use super::faults::{says, ticket};
use super::servers::{Kafka, until};
use super::whole::{Site, now_s, stored};
use crate::program::{Program, surgecast};
use futures::executor::block_on;
use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use rdkafka::{ClientConfig, Message as _, Offset, TopicPartitionList};
use surgecast::domain::Timestamp;

const WAIT: Duration = Duration::from_secs(60);
const TICKETS: &str = "support.tickets";

/// A broker, and a client that changes its topics and writes records.
struct Cluster {
    kafka: Kafka,
    folder: tempfile::TempDir,
    config: ClientConfig,
    admin: AdminClient<DefaultClientContext>,
}

impl Cluster {
    /// A broker without topics.
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let kafka = Kafka::start(folder.path());
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", kafka.brokers());
        let admin = config.create().expect("an admin client");
        Self { kafka, folder, config, admin }
    }

    /// A broker with the topic of tickets.
    fn with_tickets(partitions: i32) -> Self {
        let cluster = Self::start();
        cluster.create(TICKETS, partitions, "LogAppendTime");
        cluster
    }

    /// A service that reads from it as a group.
    fn site(&self, group: &str) -> Site {
        Site::new(self.folder.path(), group, &self.kafka.brokers(), None, "")
    }

    fn create(&self, topic: &str, partitions: i32, time: &str) {
        self.create_with(topic, partitions, &[("message.timestamp.type", time)]);
    }

    fn create_with(&self, topic: &str, partitions: i32, settings: &[(&str, &str)]) {
        // The broker refuses while it still deletes a topic of this name.
        until("the topic to be created", || {
            let new = NewTopic::new(topic, partitions, TopicReplication::Fixed(1));
            let new = settings.iter().fold(new, |new, (key, value)| new.set(key, value));
            let made = block_on(self.admin.create_topics(&[new], &AdminOptions::new()));
            made.expect("an answer").iter().all(Result::is_ok)
        });
    }

    fn delete(&self, topic: &str) {
        let deleted = block_on(self.admin.delete_topics(&[topic], &AdminOptions::new()));
        for result in deleted.expect("an answer") {
            result.expect("deleted");
        }
    }

    /// Writes records. A fresh producer knows the present topic.
    fn write<'a>(&self, records: impl Iterator<Item = BaseRecord<'a, str, str>>) {
        let producer: BaseProducer = self.config.create().expect("a producer");
        for record in records {
            producer.send(record).expect("queued");
        }
        producer.flush(WAIT).expect("written");
    }

    /// Writes records to one partition.
    fn send(&self, topic: &str, partition: i32, bodies: &[String]) {
        self.write(bodies.iter().map(|body| record(topic, partition).payload(body.as_str())));
    }

    /// Like [`send`](Self::send), with a time in milliseconds since 1970.
    fn send_at(&self, topic: &str, partition: i32, bodies: &[String], at_ms: i64) {
        let records = bodies.iter().map(|body| record(topic, partition).payload(body.as_str()));
        self.write(records.map(|record| record.timestamp(at_ms)));
    }

    /// Sends records with a key and no value.
    fn send_null(&self, topic: &str, partition: i32, count: usize) {
        self.write((0..count).map(|_| record(topic, partition)));
    }

    /// The offset of the first record that partition 0 still has.
    fn first_record(&self, topic: &str) -> i64 {
        let mut config = self.config.clone();
        let reader: BaseConsumer = config.set("group.id", "looks").create().expect("a reader");
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(topic, 0, Offset::Beginning).expect("an offset");
        reader.assign(&list).expect("assigned");
        let record = reader.poll(Duration::from_secs(10));
        record.and_then(Result::ok).map_or(-1, |record| record.offset())
    }

    /// Deletes the records of a partition before an offset, as retention does.
    fn delete_before(&self, topic: &str, partition: i32, offset: i64) {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(topic, partition, Offset::Offset(offset)).expect("an offset");
        block_on(self.admin.delete_records(&list, &AdminOptions::new())).expect("deleted");
    }
}

/// A record with a key and no value.
fn record(topic: &str, partition: i32) -> BaseRecord<'_, str, str> {
    BaseRecord::to(topic).partition(partition).key("k")
}

fn tickets(name: &str, numbers: std::ops::Range<u32>) -> Vec<String> {
    numbers.map(|n| ticket(&format!("{name}-{n}"))).collect()
}

/// The samples of a metric by their labels.
fn metric(site: &Site, name: &str) -> BTreeMap<String, f64> {
    let text = reqwest::blocking::get(format!("http://{}/metrics", site.admin));
    let text = text.and_then(reqwest::blocking::Response::text).unwrap_or_default();
    let samples = text.lines().filter_map(|line| line.strip_prefix(name)?.rsplit_once(' '));
    samples.filter_map(|(labels, value)| Some((labels.to_owned(), value.parse().ok()?))).collect()
}

fn total(site: &Site, name: &str, label: &str) -> f64 {
    metric(site, name).iter().filter(|(labels, _)| labels.contains(label)).map(|(_, n)| n).sum()
}

/// Tickets in finalized windows.
fn counted(site: &Site) -> u64 {
    stored(&site.reader()).tickets.values().sum()
}

fn until_counted(site: &Site, program: &Program, expected: u64) {
    let mut last = 0;
    let found = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        until(&format!("{expected} tickets to be counted"), || {
            last = counted(site);
            last >= expected
        });
    }));
    assert!(found.is_ok() && last == expected, "{last} of {expected}:\n{}", program.said());
}

/// Waits until `/ready` answers 200, no partition or topic has a fault, and nothing is left to read.
fn until_ready(site: &Site) {
    let mut last = None;
    until("everything to be read and ready", || {
        last = site.ready();
        let is_ready = last.as_ref().is_some_and(|(code, body)| {
            let components = body["components"].as_object().expect("components");
            *code == 200 && components.keys().all(|name| !name.starts_with("kafka "))
        });
        is_ready && total(site, "surgecast_ingest_lag", "support") == 0.0
    });
}

/// Waits until so many tickets have been counted, in finalized windows or not. Windows wait for a partition that is not read.
fn until_taken(site: &Site, expected: f64) {
    until(&format!("{expected} tickets to be taken"), || {
        let all = metric(site, "surgecast_ingest_events_total");
        let of = |labels: &str| labels.contains("support") && labels.contains("\"counted\"");
        let taken: f64 = all.iter().filter(|(labels, _)| of(labels)).map(|(_, n)| n).sum();
        taken == expected
    });
}

fn until_assigned(program: &Program) {
    until("the partition to be read", || {
        program.said().contains("counting a partition source=support.tickets[0]")
    });
}

#[test]
fn a_topic_that_is_created_again_is_read_from_its_beginning() {
    let cluster = Cluster::with_tickets(1);
    let site = cluster.site("recreated");
    let mut program = site.serve();
    until_assigned(&program);
    let unreadable = |n| vec![format!("no event {n}")];
    cluster.send(TICKETS, 0, &[unreadable(1), tickets("A", 0..20)].concat());
    until_counted(&site, &program, 20);
    // While it is read; the new topic has more records than the old one.
    cluster.delete(TICKETS);
    cluster.create(TICKETS, 1, "LogAppendTime");
    cluster.send(TICKETS, 0, &[unreadable(2), tickets("B", 0..40)].concat());
    until_counted(&site, &program, 60);
    until_ready(&site);
    // It stays away for a while: that is a fault, and the others are read on.
    cluster.delete(TICKETS);
    says(&site, 503, "kafka support.tickets", "does not exist any more");
    cluster.create(TICKETS, 1, "LogAppendTime");
    cluster.send(TICKETS, 0, &tickets("C", 0..5));
    until_counted(&site, &program, 65);
    until_ready(&site);
    assert!(!program.said().contains("nothing is lost"), "{}", program.said());
    let unknown = total(&site, "surgecast_ingest_gone_unknown_total", "support");
    assert_eq!(unknown, 0.0, "it was read until the topics were replaced");
    // Nothing is counted twice after a restart.
    program.kill();
    cluster.send(TICKETS, 0, &tickets("C", 5..7));
    program = site.serve();
    until_counted(&site, &program, 67);
    // While nothing is running; the new topic has fewer records and more partitions.
    program.kill();
    cluster.delete(TICKETS);
    cluster.create(TICKETS, 2, "LogAppendTime");
    cluster.send(TICKETS, 0, &tickets("D", 0..2));
    cluster.send(TICKETS, 1, &tickets("D", 2..5));
    program = site.serve();
    until_counted(&site, &program, 72);
    // All of the old topic was counted, but nothing knows that. Partition 1 is new.
    says(&site, 200, "kafka support.tickets[0]", "It is not known how many more it had");
    assert_eq!(total(&site, "surgecast_ingest_gone_unknown_total", "support.tickets[0]"), 1.0);
    assert_eq!(total(&site, "surgecast_ingest_gone_unknown_total", "support.tickets[1]"), 0.0);
    // Each of the two has the first offset of its topic.
    program.wait_for("/api/v1/status", |status| status["dead_letters"]["malformed"] == 2);
}

#[test]
fn records_that_retention_deletes_before_counting_are_reported_and_counted() {
    let cluster = Cluster::with_tickets(1);
    let site = cluster.site("retention");
    let mut program = site.serve();
    until_assigned(&program);
    cluster.send(TICKETS, 0, &tickets("A", 0..20));
    until_counted(&site, &program, 20);
    // The reader is behind: it stands still while records come and go.
    let signal = |name: &str, program: &Program| {
        let pid = program.pid().to_string();
        let done = std::process::Command::new("kill").args([name, &pid]).status();
        assert!(done.expect("kill runs").success());
    };
    signal("-STOP", &program);
    // Its last request for records ends.
    std::thread::park_timeout(Duration::from_secs(2));
    cluster.send(TICKETS, 0, &tickets("B", 0..15));
    cluster.delete_before(TICKETS, 0, 30);
    signal("-CONT", &program);
    until_counted(&site, &program, 25);
    says(
        &site,
        200,
        "kafka support.tickets[0]",
        "10 records were deleted before they were counted",
    );
    assert_eq!(total(&site, "surgecast_ingest_gone_total", "support.tickets[0]"), 10.0);
    assert_eq!(total(&site, "surgecast_ingest_lag", "support.tickets[0]"), 0.0);
    // While nothing is running: of the records before offset 40, those before 35 were counted.
    program.kill();
    cluster.send(TICKETS, 0, &tickets("C", 0..10));
    cluster.delete_before(TICKETS, 0, 40);
    program = site.serve();
    until_counted(&site, &program, 30);
    assert_eq!(total(&site, "surgecast_ingest_gone_total", "support.tickets[0]"), 5.0);
    // Counted records may be deleted: that is no loss.
    program.kill();
    cluster.delete_before(TICKETS, 0, 45);
    cluster.send(TICKETS, 0, &tickets("D", 0..1));
    program = site.serve();
    until_counted(&site, &program, 31);
    until_ready(&site);
    assert_eq!(total(&site, "surgecast_ingest_gone_total", "support"), 0.0);
}

#[test]
fn without_the_groups_offsets_no_window_loses_counts_whose_records_are_gone() {
    let cluster = Cluster::with_tickets(1);
    let site = cluster.site("expired");
    let forget_offsets = || {
        until("the group to be deleted", || {
            let done = block_on(cluster.admin.delete_groups(&["expired"], &AdminOptions::new()));
            done.expect("an answer").iter().all(Result::is_ok)
        });
    };
    let gone = || total(&site, "surgecast_ingest_gone_total", "support.tickets[0]");
    let program = site.serve();
    until_assigned(&program);
    cluster.send(TICKETS, 0, &tickets("A", 0..25));
    until_taken(&site, 25.0);
    // All tickets are of one window. Of its 25 records that were counted, 15 are gone.
    program.kill();
    cluster.send(TICKETS, 0, &tickets("B", 0..3));
    cluster.delete_before(TICKETS, 0, 15);
    forget_offsets();
    let program = site.serve();
    until_counted(&site, &program, 28);
    until_ready(&site);
    assert!(program.said().contains("no longer has the group's offset"), "{}", program.said());
    assert_eq!(gone(), 0.0);
    // Now also records that were not counted.
    program.kill();
    cluster.send(TICKETS, 0, &tickets("C", 0..10));
    cluster.delete_before(TICKETS, 0, 32);
    forget_offsets();
    let program = site.serve();
    until_counted(&site, &program, 34);
    says(&site, 200, "kafka support.tickets[0]", "4 records were deleted before they were counted");
    assert_eq!(gone(), 4.0);
    // The commit is there again.
    program.kill();
    cluster.send(TICKETS, 0, &tickets("D", 0..2));
    let program = site.serve();
    until_counted(&site, &program, 36);
    assert!(!program.said().contains("no longer has the group's offset"), "{}", program.said());
}

#[test]
fn a_compacted_topic_is_named_and_what_it_still_has_is_counted() {
    let cluster = Cluster::start();
    let settings = [
        ("message.timestamp.type", "LogAppendTime"),
        ("cleanup.policy", "compact"),
        ("segment.ms", "100"),
        ("min.cleanable.dirty.ratio", "0.0"),
        ("max.compaction.lag.ms", "100"),
        ("delete.retention.ms", "0"),
    ];
    cluster.create_with(TICKETS, 1, &settings);
    let site = cluster.site("compacted");
    let program = site.serve();
    until_assigned(&program);
    // All have one key; each is counted while the reader keeps up. A record without a value is no event.
    cluster.send(TICKETS, 0, &tickets("A", 0..10));
    until_counted(&site, &program, 10);
    cluster.send_null(TICKETS, 0, 3);
    cluster.send(TICKETS, 0, &tickets("B", 0..5));
    until_counted(&site, &program, 15);
    says(&site, 200, "kafka support.tickets", "set cleanup.policy=delete");
    until("the cleaner to delete records", || {
        // A segment is closed when something is written after its age.
        cluster.send_null(TICKETS, 0, 1);
        cluster.first_record(TICKETS) > 9
    });
    // What was counted stays counted, and the offsets of deleted records are gaps.
    cluster.send(TICKETS, 0, &tickets("C", 0..4));
    until_counted(&site, &program, 19);
    program.wait_for("/api/v1/status", |status| status["dead_letters"] == serde_json::json!({}));
    // Nor after a restart, though the records of the open windows cannot be read again.
    program.kill();
    let program = site.serve();
    until_assigned(&program);
    cluster.send(TICKETS, 0, &tickets("D", 0..3));
    until_counted(&site, &program, 22);
}

#[test]
fn a_brokers_clock_that_is_an_hour_off_is_named_and_no_event_is_lost() {
    let cluster = Cluster::start();
    // Records with a time of an hour ago, as a broker stamps them whose clock is behind.
    cluster.create(TICKETS, 1, "CreateTime");
    let site = cluster.site("behind");
    let program = site.serve();
    until_assigned(&program);
    let hours_ago = (now_s() - 3600) * 1000;
    cluster.send_at(TICKETS, 0, &tickets("A", 0..8), hours_ago);
    until_counted(&site, &program, 8);
    until("the clock to be named", || {
        cluster.send_at(TICKETS, 0, &[ticket("again")], hours_ago);
        let (_, ready) = site.ready().unwrap_or_default();
        let reason = &ready["components"]["kafka support.tickets[0]"]["reason"];
        reason.as_str().is_some_and(|reason| reason.contains("behind this machine's clock"))
    });
    // An event of now is an hour ahead of such a clock: a dead letter that is kept, and named as one of the future.
    let live = format!(
        r#"{{"kind":"ticket","event_id":"live","ts":{},"region":"north","service":"fibre","channel":"phone"}}"#,
        now_s()
    );
    cluster.send_at(TICKETS, 0, &[live], hours_ago);
    program.wait_for("/api/v1/status", |status| status["dead_letters"]["future"] == 1);
    until_counted(&site, &program, 9);
}

#[test]
fn added_partitions_are_read_and_a_topic_with_producers_time_is_named() {
    let cluster = Cluster::with_tickets(1);
    cluster.create("network.alarms", 1, "CreateTime");
    let site = cluster.site("partitions");
    let program = site.serve();
    until_assigned(&program);
    cluster.send(TICKETS, 0, &tickets("A", 0..3));
    until_counted(&site, &program, 3);
    let more = NewPartitions::new(TICKETS, 3);
    let added = block_on(cluster.admin.create_partitions([&more], &AdminOptions::new()));
    added.expect("an answer").into_iter().for_each(|one| _ = one.expect("added"));
    cluster.send(TICKETS, 2, &tickets("B", 0..4));
    let skewed = format!(
        r#"{{"kind":"ticket","event_id":"F","ts":{},"region":"north","service":"fibre","channel":"phone"}}"#,
        now_s() + 86_400
    );
    let duplicate = ticket("B-0");
    cluster.send(
        TICKETS,
        1,
        &[vec![duplicate.clone(), duplicate, skewed], tickets("C", 0..2)].concat(),
    );
    // An id is known in its own partition only.
    until_counted(&site, &program, 10);
    let duplicates = || {
        let mut sum = 0;
        let all = site.reader().each_key(Timestamp::from_secs(0), |_, windows| {
            sum += windows.iter().map(|(_, record)| record.counts.duplicates).sum::<u32>();
        });
        all.expect("windows");
        sum
    };
    until("the duplicate to be counted", || duplicates() == 1);
    program.wait_for("/api/v1/status", |status| status["dead_letters"]["future"] == 1);
    let dead = program.get("/api/v1/status").json()["dead_letters"].clone();
    assert_eq!(dead, serde_json::json!({"future": 1}), "10 counted, 1 duplicate, 1 future of 12");
    says(&site, 200, "kafka network.alarms", "set LogAppendTime");
    // A clock that is an hour behind stamps records.
    let producer: BaseProducer = cluster.config.create().expect("a producer");
    until("the clock to be reported", || {
        // Clocks are compared by a record that is written after the broker was asked for the end of its partition.
        let record = BaseRecord::<str, str>::to("network.alarms").partition(0).payload("no alarm");
        producer.send(record.timestamp((now_s() - 3600) * 1000)).expect("queued");
        producer.flush(WAIT).expect("written");
        site.ready().is_some_and(|(code, body)| {
            let reason = &body["components"]["kafka network.alarms[0]"]["reason"];
            code == 200
                && reason.as_str().is_some_and(|r| r.contains("behind this machine's clock"))
        })
    });
}

#[test]
fn a_group_that_another_program_used_is_refused_with_the_way_out() {
    let cluster = Cluster::with_tickets(1);
    cluster.send(TICKETS, 0, &tickets("A", 0..6));
    let site = cluster.site("reused");
    let other: BaseConsumer =
        cluster.config.clone().set("group.id", "reused").create().expect("a consumer");
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(TICKETS, 0, Offset::Offset(3)).expect("an offset");
    other.commit(&list, CommitMode::Sync).expect("committed");
    drop(other);
    let program = site.serve();
    says(&site, 503, "kafka support.tickets[0]", "another program used the consumer group reused");
    says(
        &site,
        503,
        "kafka support.tickets[0]",
        "surgecast frontier reset --topic support.tickets",
    );
    assert!(!program.said().contains("nothing is lost"), "{}", program.said());
    assert_eq!(counted(&site), 0);
    program.kill();
    // The broker notices within the session's time-out that the member is gone.
    let reset = || {
        let args = ["frontier", "reset", "--topic", TICKETS, "--to", "earliest", "--yes"];
        let done = surgecast(&args).args(["--config", site.config()]).output().expect("it runs");
        done.status.success()
    };
    until("the reset", reset);
    let program = site.serve();
    until_counted(&site, &program, 6);
    until_ready(&site);
}

#[test]
fn a_partition_that_must_not_be_read_stops_no_other() {
    let cluster = Cluster::with_tickets(3);
    let site = cluster.site("shared");
    let mut config = cluster.config.clone();
    config.set("group.id", "shared").set("client.id", "billing");
    let other: BaseConsumer = config.create().expect("a consumer");
    let commit = |offset, metadata: Option<String>| {
        let mut list = TopicPartitionList::new();
        let mut element = list.add_partition(TICKETS, 0);
        element.set_offset(Offset::Offset(offset)).expect("an offset");
        metadata.into_iter().for_each(|metadata| element.set_metadata(metadata));
        other.commit(&list, CommitMode::Sync).expect("committed");
    };
    commit(2, None);
    for partition in 0..3 {
        cluster.send(TICKETS, partition, &tickets(&format!("P{partition}"), 0..5));
    }
    let program = site.serve();
    until_taken(&site, 10.0);
    says(&site, 503, "kafka support.tickets[0]", "another program used the consumer group shared");
    says(&site, 503, "kafka", "ready");
    cluster.send(TICKETS, 1, &tickets("Q", 0..3));
    until_taken(&site, 13.0);
    // A member of the group that is another program gets partitions which are then not counted.
    other.subscribe(&[TICKETS]).expect("subscribed");
    until("the other program to be named", || {
        other.poll(Duration::from_millis(100));
        let (_, ready) = site.ready().unwrap_or_default();
        let reason = &ready["components"]["kafka group shared"]["reason"];
        reason.as_str().is_some_and(|reason| reason.contains("billing at"))
    });
    other.unsubscribe();
    until("it to be gone", || {
        other.poll(Duration::from_millis(100));
        let (_, ready) = site.ready().unwrap_or_default();
        ready["components"].get("kafka group shared").is_none()
    });
    program.kill();
}

#[test]
fn a_partition_is_read_again_once_it_is_known_what_was_counted() {
    let cluster = Cluster::with_tickets(2);
    let site = cluster.site("again");
    let other: BaseConsumer =
        cluster.config.clone().set("group.id", "again").create().expect("a consumer");
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(TICKETS, 0, Offset::Offset(9)).expect("an offset");
    other.commit(&list, CommitMode::Sync).expect("committed");
    drop(other);
    for partition in 0..2 {
        cluster.send(TICKETS, partition, &tickets(&format!("P{partition}"), 0..5));
    }
    let program = site.serve();
    until_taken(&site, 5.0);
    // The group is deleted by hand: then nothing was counted before.
    program.kill();
    until("the group to be deleted", || {
        let done = block_on(cluster.admin.delete_groups(&["again"], &AdminOptions::new()));
        done.expect("an answer").iter().all(Result::is_ok)
    });
    let program = site.serve();
    until_counted(&site, &program, 10);
    until_ready(&site);
    program.kill();
}

#[test]
fn a_record_that_no_message_can_hold_is_a_dead_letter_and_stops_nothing() {
    let cluster = Cluster::with_tickets(1);
    let site = cluster.site("large");
    let program = site.serve();
    until_assigned(&program);
    cluster.send(TICKETS, 0, &tickets("A", 0..3));
    // A batch with one bad event, and a record that is no event at all.
    let batch: Vec<String> = tickets("B", 0..7000).into_iter().chain(["no event".into()]).collect();
    let batch = batch.join("\n");
    assert!((700_000..1_000_000).contains(&batch.len()), "{}", batch.len());
    cluster.send(TICKETS, 0, &[batch, "x".repeat(990_000)]);
    cluster.send(TICKETS, 0, &tickets("C", 0..4));
    until_counted(&site, &program, 7007);
    until_ready(&site);
    let dead = |malformed: u32, limit: u32| {
        let want = serde_json::json!({"malformed": malformed, "limit": limit});
        program.wait_for("/api/v1/status", |status| status["dead_letters"] == want);
    };
    dead(1, 1);
    let letters = program.get("/api/v1/dead-letters").json();
    for letter in letters.as_array().expect("letters") {
        let detail = letter["detail"].as_str().expect("a detail");
        assert!(detail.contains("only the first 524288 are kept here"), "{detail}");
    }
    // Over HTTP it is refused for what it is, and not as a fault of Kafka that passes.
    let event = format!(r#"{{"kind":"ticket","text":"{}"}}"#, "x".repeat(1_200_000));
    let refused = program.post("/api/v1/events", event);
    assert_eq!(refused.status, 422, "{refused:?}");
    dead(1, 2);
}
