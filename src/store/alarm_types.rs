//! Alarms of finalized windows by type.

use rusqlite::params;

use super::body::{self, Body};
use super::{Change, Reader, StoreError, Tx, columns};
use crate::domain::Timestamp;
use crate::window::AlarmTypes;

/// Alarms by type
impl Tx<'_> {
    /// Stores the alarms of the window that begins at `start`.
    pub fn put_alarm_types(
        &mut self,
        start: Timestamp,
        types: &AlarmTypes,
    ) -> Result<(), StoreError> {
        self.run(
            "INSERT OR REPLACE INTO alarm_types (start, body, version) VALUES (?1, ?2, ?3)",
            params![start.millis(), body::encode(types)?, AlarmTypes::VERSION],
        )?;
        self.changed(Change::Window(start));
        Ok(())
    }
}

/// Alarms by type
impl Reader {
    /// The alarms of the finalized windows that begin in `from..=to`, oldest first. Windows without alarms are left out.
    pub fn alarm_types(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<(Timestamp, AlarmTypes)>, StoreError> {
        self.read(|conn| {
            let mut found = conn.prepare_cached(
                "SELECT start, body, version FROM alarm_types WHERE start BETWEEN ?1 AND ?2
                 ORDER BY start",
            )?;
            let mut rows = found.query([from.millis(), to.millis()])?;
            let mut windows = Vec::new();
            while let Some(row) = rows.next()? {
                windows.push((columns::time(row, 0)?, body::column(row, 1)?));
            }
            Ok(windows)
        })
    }
}
