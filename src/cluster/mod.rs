//! Several instances: election of the leader, the replicated log, and forwarding to the leader.

mod forward;
mod leadership;
mod log;

pub use forward::{Forwarder, was_forwarded};
pub use leadership::{Candidate, Leadership};
pub use log::LogFeed;
