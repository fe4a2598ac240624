//! Where events come from: the local event log behind `POST /events`, files, standard input and Kafka's partitions.
//!
//! Each source is read in order, decoded and counted by a [`SourceProcessor`]; what it found goes to the forecaster as a
//! [`Report`](crate::engine::Report).

pub mod config;
mod decoders;
mod file;
mod kafka;
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
pub use stdin::read_standard_input;
pub use worker::{Feed, Record, Worker};
