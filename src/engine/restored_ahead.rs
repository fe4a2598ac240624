//! Restored windows that are not finalized here yet.
//!
//! The histories hold only windows before the frontier, so that no forecast uses later ones. A source may be read again from its
//! beginning, and then the frontier passes through the restored windows.

use std::collections::BTreeMap;

use super::stored::Stored;
use crate::domain::{SeriesKey, Timestamp};
use crate::store::{RestoredTickets, StoreError, WarmStart};

/// The windows ahead. They stay in the store; those of one day are in memory.
#[derive(Debug, Default)]
pub struct RestoredAhead {
    /// End of the last restored window; `None` if none was restored.
    upto: Option<Timestamp>,
    /// Whether the histories hold all restored windows, because no window was finalized yet.
    holds_all: bool,
    /// The day that was read last, and its windows.
    day: Option<(Timestamp, RestoredTickets)>,
}

impl RestoredAhead {
    /// As stored. `next` is the start of the first window that is not final.
    pub fn new(stored: Option<&WarmStart>, next: Option<Timestamp>) -> Self {
        let restored = stored.and_then(|stored| stored.restored);
        let upto = restored.and_then(|restored| restored.span).map(|(_, upto)| upto);
        Self { upto, holds_all: upto.is_some() && next.is_none(), day: None }
    }

    /// End of the last restored window; `None` if none was restored.
    pub fn upto(&self) -> Option<Timestamp> {
        self.upto
    }

    /// Whether the histories hold all restored windows.
    pub fn holds_all(&self) -> bool {
        self.holds_all
    }

    /// Whether the first window is being finalized, so that the histories must drop the windows from it on. Returns it once.
    pub fn begins(&mut self) -> bool {
        std::mem::take(&mut self.holds_all)
    }

    /// Restored tickets of a window.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    pub fn at(
        &mut self,
        stored: &dyn Stored,
        window: Timestamp,
    ) -> Result<BTreeMap<SeriesKey, u32>, StoreError> {
        if self.upto.is_none_or(|upto| window >= upto) {
            self.day = None;
            return Ok(BTreeMap::new());
        }
        let day = window.utc_midnight();
        if self.day.as_ref().is_none_or(|(known, _)| *known != day) {
            self.day = Some((day, stored.restored_on(day)?));
        }
        let series = self.day.iter().flat_map(|(_, tickets)| tickets);
        Ok(series
            .filter_map(|(series, windows)| Some((series.clone(), *windows.get(&window)?)))
            .collect())
    }
}
