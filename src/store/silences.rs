//! Silences of alerts.

use rusqlite::params;

use super::body::{self, Body};
use super::{Reader, StoreError, Tx};
use crate::alert::Silence;
use crate::domain::Timestamp;

/// Silences
impl Tx<'_> {
    /// Stores a silence. Replaces the one with the same id.
    pub fn put_silence(&mut self, silence: &Silence) -> Result<(), StoreError> {
        self.run(
            "INSERT OR REPLACE INTO silences (id, starts_at, ends_at, body, version)
             VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                silence.id,
                silence.starts_at.millis(),
                silence.ends_at.millis(),
                body::encode(silence)?,
                Silence::VERSION
            ],
        )
        .map(drop)
    }
}

/// Silences
impl Reader {
    /// Silences that end after a time, by their start.
    pub fn silences(&self, after: Timestamp) -> Result<Vec<Silence>, StoreError> {
        self.read(|conn| {
            let mut found = conn.prepare_cached(
                "SELECT body, version FROM silences WHERE ends_at > ?1 ORDER BY starts_at, id",
            )?;
            let mut rows = found.query([after.millis()])?;
            let mut silences = Vec::new();
            while let Some(row) = rows.next()? {
                silences.push(body::column(row, 0)?);
            }
            Ok(silences)
        })
    }
}
