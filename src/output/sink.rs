//! What a sink is: InfluxDB, or topics of Kafka.

use crate::store::{Change, Reader, StoreError};

/// Where changes go.
pub trait Sink: Send {
    /// Its name in the store, in health and in metrics.
    const NAME: &'static str;

    /// Asks whether a write would be accepted, and writes nothing.
    ///
    /// # Errors
    /// What a write would run into now.
    fn probe(&mut self) -> Result<(), Trouble>;

    /// Writes what changes by time alone, if it is due. Called before every other write and probe. Returns how many points
    /// or records that were.
    ///
    /// # Errors
    /// What the store says.
    fn pulse(&mut self, _reader: &Reader) -> Result<(usize, Written), StoreError> {
        Ok((0, Ok(Vec::new())))
    }

    /// Writes what changed, oldest first, as it is now. Returns how many points or records that were.
    ///
    /// # Errors
    /// What the store says.
    fn write(
        &mut self,
        reader: &Reader,
        changes: &[Change],
    ) -> Result<(usize, Written), StoreError>;
}

/// What became of points or records: all that can ever be written is, and those that cannot are named.
pub type Written = Result<Vec<Refused>, Trouble>;

/// Points that the sink does not accept however often they are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// How many; 0 where the sink does not say.
    pub lines: usize,
    pub why: String,
}

/// Why a sink accepts nothing now. The text says what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It may be over soon: try again.
    Temporary(String),
    /// A person has to change something first.
    Misconfigured(String),
}
