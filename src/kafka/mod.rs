//! Kafka: the clients that read and write, and the formats of messages and commit metadata.
//!
//! Each message carries its version, so that instances of two releases can share a topic. A [`Consumer`] returns
//! borrowed records; the caller counts them and decides what is committed.

mod batch;
mod commit;
pub mod config;
mod consumer;
mod context;
mod counted;
mod faults;
mod frontier;
#[cfg(test)]
mod fuzz;
mod log;
mod producer;
mod queue;
mod resume;
pub mod sessions;
mod settings;
mod topic_ids;
mod topics;
mod watcher;
mod wire;

pub use batch::DeliveryHandle;
pub use commit::{CommitError, METADATA_BYTES_MAX, decode_commit, encode_commit};
pub use consumer::{Consumer, End, Ends};
pub use context::{COMPONENT, Change, Context, Fetched, report};
pub use counted::{Counted, CountedSoFar};
pub use faults::{Fault, Faults};
pub use frontier::{Frontiers, PartitionFrontier, ResumeAt, reset};
pub use log::{From as LogFrom, LogMessage, LogReader, LogWriter};
pub use producer::{InFlight, Outgoing, Producer};
pub use queue::Received;
pub use resume::{Replaced, Resume};
pub use settings::{KafkaProblem, Settings, Topics};
pub use topics::{missing, prepare};
pub use wire::{EncodedWire, WIRE_VERSION, Wire, WireError};

/// Version and features of the built-in Kafka client, such as the authentication methods.
pub fn client_version() -> String {
    let (_, version) = rdkafka::util::get_rdkafka_version();
    let made = rdkafka::ClientConfig::new().create_native_config();
    match made.and_then(|config| config.get("builtin.features")) {
        Ok(features) => format!("librdkafka {version}: {}", features.replace(',', ", ")),
        Err(_) => format!("librdkafka {version}"),
    }
}
