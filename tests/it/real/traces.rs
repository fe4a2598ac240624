//! Traces of an instance that reads Kafka.

use super::faults::ticket;
use super::servers::{Kafka, until};
use super::whole::Site;
use crate::collector::Collector;

#[test]
fn commits_of_intake_are_traced() {
    let folder = tempfile::tempdir().expect("a folder");
    let kafka = Kafka::start(folder.path());
    let collector = Collector::start();
    let more = format!("[telemetry]\notlp = \"http://{}\"\n", collector.address);
    let site = Site::new(folder.path(), "traces", &kafka.brokers(), None, &more);
    let program = site.serve();
    let file = folder.path().join("tickets.ndjson");
    std::fs::write(&file, ticket("T-1")).expect("events");
    let done = site.replay(&[&file]).output().expect("it runs");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    kafka.send("support.tickets", "not json");
    let commits = || collector.named("intake.commit");
    let counted = |key: &str| -> u64 {
        commits().iter().filter_map(|span| span["attributes"][key].as_u64()).sum()
    };
    until("both records to be committed", || {
        counted("dead_letters") == 1 && counted("partitions") >= 1
    });
    for span in commits() {
        assert_eq!(
            (&span["kind"], &span["status"]),
            (&"producer".into(), &"unset".into()),
            "{span}"
        );
        let keys: Vec<&str> = span["attributes"]
            .as_object()
            .expect("attributes")
            .keys()
            .map(String::as_str)
            .collect();
        assert_eq!(keys, ["dead_letters", "messages", "partitions"]);
        // Rounds in which partitions only say that they are there are not sent.
        let [letters, partitions] =
            ["dead_letters", "partitions"].map(|key| span["attributes"][key].as_u64());
        assert!(letters > Some(0) || partitions > Some(0), "{span}");
    }
    drop(program);
}
