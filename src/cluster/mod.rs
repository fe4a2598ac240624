//! Several instances that share the work: who leads, and the replicated log that all of them read.

mod forward;
mod leadership;
mod log;

pub use forward::{Forwarder, was_forwarded};
pub use leadership::{Candidate, Leadership};
pub use log::LogFeed;
