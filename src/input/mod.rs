//! Sources of events: the local event log behind `POST /events`, files, standard input and Kafka's partitions.
//!
//! A [`SourceProcessor`] decodes and counts the records of one source in order. Its results go to the forecaster as a
//! [`Report`](crate::engine::Report).

pub mod config;
mod content;
mod decoders;
mod file;
mod kafka;
mod lines;
mod local;
mod processor;
mod stdin;
pub mod tables;
mod worker;

pub use decoders::Decoders;
pub use file::FileFeed;
pub use kafka::Intake;
pub use local::LocalFeed;
pub use processor::{RecordRef, SourceProcessor};
pub use stdin::LineReader;
pub use worker::{Feed, Record, Worker};
