//! Producers that write in transactions. A transaction ends with a control record, which is not an event.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};

use super::faults::ticket;
use super::servers::{Kafka, until};
use super::whole::{Site, stored};

const WAIT: Duration = Duration::from_secs(60);

/// Writes tickets in a transaction, to one partition.
fn transaction(producer: &BaseProducer, ids: &[&str], is_kept: bool) {
    producer.begin_transaction().expect("a transaction");
    for id in ids {
        let text = ticket(id);
        let record = BaseRecord::to("support.tickets").partition(0).key("k").payload(&text);
        producer.send(record).expect("queued");
    }
    match is_kept {
        true => producer.commit_transaction(WAIT).expect("committed"),
        false => {
            producer.flush(WAIT).expect("written");
            producer.abort_transaction(WAIT).expect("aborted");
        }
    }
}

#[test]
fn a_partition_that_ends_with_a_transaction_is_read_to_its_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let kafka = Kafka::start(folder.path());
    let site = Site::new(folder.path(), "transactions", &kafka.brokers(), None, "");
    let program = site.serve();
    until("its topics to be read", || {
        program.said().contains("counting a partition source=support.tickets[0]")
    });
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", kafka.brokers()).set("transactional.id", "tests");
    let producer: BaseProducer = config.create().expect("a producer");
    producer.init_transactions(WAIT).expect("transactions");
    transaction(&producer, &["T-1", "T-2"], true);
    transaction(&producer, &["T-3"], false);
    // The window of an hour ago is finalized after all partitions have been read to their ends.
    let counted = || stored(&site.reader()).tickets.values().sum::<u64>();
    until("the window to be finalized", || counted() == 2);
    // Later records are counted too.
    transaction(&producer, &["T-4"], true);
    until("the window to be revised", || counted() == 3);
}

#[test]
fn records_behind_an_open_transaction_do_not_count_as_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let kafka = Kafka::start(folder.path());
    let site = Site::new(folder.path(), "open", &kafka.brokers(), None, "");
    let program = site.serve();
    until("its topics to be read", || {
        program.said().contains("counting a partition source=support.tickets[0]")
    });
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", kafka.brokers());
    let plain: BaseProducer = config.create().expect("a producer");
    let producer: BaseProducer = config.set("transactional.id", "open").create().expect("another");
    producer.init_transactions(WAIT).expect("transactions");
    let send = |producer: &BaseProducer, id: &str| {
        let text = ticket(id);
        let record = BaseRecord::to("support.tickets").partition(0).key("k").payload(&text);
        producer.send(record).expect("queued");
        producer.flush(WAIT).expect("written");
    };
    producer.begin_transaction().expect("a transaction");
    send(&producer, "T-1");
    send(&plain, "T-2");
    send(&plain, "T-3");
    let lag = || {
        let text = reqwest::blocking::get(format!("http://{}/metrics", site.admin));
        let text = text.and_then(reqwest::blocking::Response::text).unwrap_or_default();
        let name = "surgecast_ingest_lag{source=\"support.tickets[0]\"} ";
        text.lines().find_map(|line| line.strip_prefix(name)?.parse::<i64>().ok())
    };
    until("the lag to count what waits", || lag() == Some(3));
    let counted = || stored(&site.reader()).tickets.values().sum::<u64>();
    assert_eq!(counted(), 0);
    producer.commit_transaction(WAIT).expect("committed");
    until("all to be counted", || counted() == 3);
    until("nothing to wait", || lag() == Some(0));
    let (code, ready) = site.ready().expect("an answer");
    assert_eq!((code, &ready["status"]), (200, &serde_json::json!("ready")), "{ready}");
}
