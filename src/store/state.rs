//! Named values: clocks, offsets, learned parameters.

use rusqlite::params;

use super::body::{self, Body};
use super::{Reader, StoreError, Tx};

/// Named state
impl Tx<'_> {
    /// Stores a value by key. Replaces the previous one.
    pub fn put_state<T: Body>(&mut self, key: &str, value: &T) -> Result<(), StoreError> {
        self.run(
            "INSERT OR REPLACE INTO blobs (key, bytes, version) VALUES (?1, ?2, ?3)",
            params![key, body::encode(value)?, T::VERSION],
        )
        .map(drop)
    }
}

/// Named state
impl Reader {
    /// A value by key.
    pub fn state<T: Body>(&self, key: &str) -> Result<Option<T>, StoreError> {
        self.read(|conn| {
            let mut found =
                conn.prepare_cached("SELECT bytes, version FROM blobs WHERE key = ?1")?;
            let mut rows = found.query([key])?;
            rows.next()?.map(|row| body::column(row, 0)).transpose()
        })
    }
}
