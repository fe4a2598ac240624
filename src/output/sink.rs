//! The trait of sinks: InfluxDB, Grafana and Kafka topics.

use crate::store::{Change, Reader, StoreError};

/// A sink: it receives changes.
pub trait Sink: Send {
    /// Its name in the store, in health and in metrics.
    const NAME: &'static str;

    /// Probes whether a write would be accepted. Writes nothing.
    ///
    /// # Errors
    /// The error that a write would get now.
    fn probe(&mut self) -> Result<(), SinkError>;

    /// Writes values that change with time alone, if they are due. It is called before every other write and probe. Returns the
    /// number of points or records written.
    ///
    /// # Errors
    /// An error of the store.
    fn pulse(&mut self, _reader: &Reader) -> Result<(usize, Written), StoreError> {
        Ok((0, Ok(Vec::new())))
    }

    /// Writes changed objects in their present state, oldest change first. Returns the number of points or records.
    ///
    /// # Errors
    /// An error of the store.
    fn write(
        &mut self,
        reader: &Reader,
        changes: &[Change],
    ) -> Result<(usize, Written), StoreError>;
}

/// The outcome of a write: points or records that can never be written are listed.
pub type Written = Result<Vec<Refused>, SinkError>;

/// Points that the sink refuses permanently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Their number; 0 if the sink does not give it.
    pub lines: usize,
    pub why: String,
    /// The point as it was sent, to be kept.
    pub point: Option<Vec<u8>>,
}

/// Why a sink accepts nothing now, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SinkError {
    /// Temporary: retry.
    Temporary(String),
    /// Permanent until a person changes something.
    Misconfigured(String),
}
