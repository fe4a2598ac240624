//! What travels through Kafka, as text: partials, frontier notes and the metadata of a commit.
//!
//! Pure: bytes in, values out. The client that sends them is not here yet.
//! Every form carries its version, so that instances of two releases can share a topic.

mod commit;
mod wire;

pub use commit::{CommitError, METADATA_BYTES_MAX, decode_commit, encode_commit};
pub use wire::{WIRE_VERSION, Wire, WireError};
