//! Sources of events: the local event log behind `POST /events`, files, standard input and Kafka's partitions.
//!
//! A [`SourceProcessor`] decodes and counts the records of one source in order. Its results go to the forecaster as a
//! [`Report`](crate::engine::Report).

pub mod config;
mod decoders;
mod file;
mod file_content;
mod hints;
mod kafka;
mod lines;
mod local;
mod outcomes;
mod processor;
mod record_contents;
mod stdin;
pub mod tables;
mod tally;
#[cfg(test)]
mod tests;
mod worker;

pub use decoders::Decoders;
pub use file::{FileFeed, place};
pub use kafka::Intake;
pub use local::LocalFeed;
pub use processor::{RecordRef, SourceProcessor};
pub use stdin::LineReader;
pub use worker::{Feed, Record, Worker};
