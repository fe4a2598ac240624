//! Reading beside the writer. What concerns one kind of record is read where it is written: windows in
//! `windows.rs`, vintages in `ledger.rs`, and so on.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, params};

use super::columns::{self, count};
use super::pool::Pool;
use super::windows::{all_cells, cell_windows};
use super::{FILE, STEPS, StoreError, WindowRecord, stored_width};
use crate::domain::{DeadLetter, Position, Reason, Timestamp, UNKNOWN, WindowWidth};
use crate::window::Cell;

/// Sees what has been committed. Cheap to clone, shared by threads; blocks on disk, so not for async tasks directly.
///
/// Every method fails with a [`StoreError`] only.
#[derive(Clone)]
pub struct Reader {
    pool: Arc<Pool>,
    width: WindowWidth,
}

impl Reader {
    /// Reads a store that another process may have open, for commands that only look.
    ///
    /// # Errors
    /// [`StoreError::Io`] if there is no store in `dir`, [`StoreError::Version`].
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        let pool = Pool::new(&dir.join(FILE), STEPS.len());
        let width = pool.read(stored_width)?;
        Ok(Self { pool: Arc::new(pool), width })
    }

    /// The width of the store's windows.
    pub fn width(&self) -> WindowWidth {
        self.width
    }

    /// Named state.
    pub fn blob(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(|conn| {
            Ok(conn
                .prepare_cached("SELECT bytes FROM blobs WHERE key = ?1")?
                .query_row([key], |row| row.get(0))
                .optional()?)
        })
    }

    /// Dead letters, newest first, with the cursor to go on `after`.
    pub fn dead_letters(
        &self,
        reason: Option<Reason>,
        limit: usize,
        after: Option<i64>,
    ) -> Result<Vec<(i64, DeadLetter)>, StoreError> {
        self.read(|conn| {
            let mut found = conn.prepare_cached(&format!(
                "SELECT id, topic, part, position, received_at, reason, detail, bytes, nth
                 FROM dead_letters WHERE id < ?1 {} ORDER BY id DESC LIMIT ?2",
                // In two texts, so that each uses the index it needs.
                if reason.is_some() { "AND reason = ?3" } else { "AND ?3 IS NULL" }
            ))?;
            let mut rows = found.query(params![
                after.unwrap_or(i64::MAX),
                count(limit),
                reason.map(|reason| reason as u8)
            ])?;
            let mut letters = Vec::new();
            while let Some(row) = rows.next()? {
                let source = columns::source(row, 1)?;
                let letter = DeadLetter {
                    position: Position { source, offset: row.get(3)? },
                    nth: row.get(8)?,
                    received_at: columns::time(row, 4)?,
                    reason: reason_of(row.get(5)?)?,
                    detail: row.get(6)?,
                    bytes: columns::bytes(row, 7)?.into(),
                };
                letters.push((row.get(0)?, letter));
            }
            Ok(letters)
        })
    }

    /// Dead letters that are kept, by reason.
    pub fn dead_letter_counts(&self) -> Result<BTreeMap<Reason, u64>, StoreError> {
        self.read(|conn| {
            let mut found =
                conn.prepare_cached("SELECT reason, count(*) FROM dead_letters GROUP BY reason")?;
            let mut rows = found.query([])?;
            let mut counts = BTreeMap::new();
            while let Some(row) = rows.next()? {
                let n = u64::try_from(row.get::<_, i64>(1)?).unwrap_or(0);
                counts.insert(reason_of(row.get(0)?)?, n);
            }
            Ok(counts)
        })
    }

    /// Events counted since then under a name that is [`UNKNOWN`], by what they lacked.
    pub fn unmapped(&self, since: Timestamp) -> Result<BTreeMap<&'static str, u64>, StoreError> {
        self.read(|conn| {
            let mut found = BTreeMap::new();
            for (id, cell) in all_cells(conn)? {
                let lacks = lacking(&cell);
                if lacks.iter().all(|(_, lacks)| !lacks) {
                    continue;
                }
                let windows = cell_windows(conn, id, self.width, since, Timestamp::MAX)?;
                let n: u64 = windows.values().map(|(window, _)| events(window)).sum();
                for (name, _) in lacks.into_iter().filter(|(_, lacks)| *lacks && n > 0) {
                    *found.entry(name).or_default() += n;
                }
            }
            Ok(found)
        })
    }

    /// Bytes that the database has on disk, without its write-ahead log.
    pub fn size_bytes(&self) -> Result<u64, StoreError> {
        self.read(|conn| {
            let pages: i64 = conn.query_row("PRAGMA page_count", [], |row| row.get(0))?;
            let page: i64 = conn.query_row("PRAGMA page_size", [], |row| row.get(0))?;
            Ok(u64::try_from(pages.saturating_mul(page)).unwrap_or(0))
        })
    }

    /// Reads in one snapshot.
    pub(super) fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.pool.read(read)
    }
}

/// Which names of a cell are unknown.
fn lacking(cell: &Cell) -> [(&'static str, bool); 3] {
    let (region, service, channel) = match cell {
        Cell::Tickets(s) => (s.region.as_str(), s.service.as_str(), s.channel.as_str()),
        Cell::Alarms(scope) => (scope.region.as_str(), scope.service.as_str(), ""),
        _ => ("", "", ""),
    };
    [("region", region), ("service", service), ("channel", channel)]
        .map(|(what, name)| (what, name == UNKNOWN))
}

/// Arrivals and raised alarms of a window.
fn events(window: &WindowRecord) -> u64 {
    let counts = window.counts.raised.iter().chain([&window.counts.tickets]);
    counts.map(|n| u64::from(*n)).sum()
}

fn reason_of(index: u8) -> Result<Reason, StoreError> {
    let known = Reason::EVERY.get(usize::from(index)).copied();
    known.ok_or_else(|| StoreError::corrupt(format!("dead letter reason {index}")))
}
