//! Logs that can be read again from any offset: the local event log, files, the simulated operator.

mod file;
mod local;
mod operator;

pub use file::FileFeed;
pub use local::LocalFeed;
pub use operator::OperatorFeed;
