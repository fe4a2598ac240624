//! The audit trail.

use rusqlite::params;

use super::columns::{self, count};
use super::{Reader, StoreError, Tx};
use crate::domain::{Act, AuditEntry};

/// The audit trail
impl Tx<'_> {
    /// Stores an entry. A second one of the same time, person, act and subject is ignored.
    pub fn put_audit(&mut self, entry: &AuditEntry) -> Result<(), StoreError> {
        let AuditEntry { at, who, is_signed_in, act, subject, detail } = entry;
        let who = who.as_deref().unwrap_or_default();
        self.run(
            "INSERT OR IGNORE INTO audit (at, who, signed_in, act, subject, detail)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![at.millis(), who, is_signed_in, act.as_str(), subject, detail],
        )
        .map(drop)
    }
}

/// The audit trail
impl Reader {
    /// Entries with their numbers, newest first: those before the number `before`.
    pub fn audit(
        &self,
        limit: usize,
        before: Option<i64>,
    ) -> Result<Vec<(i64, AuditEntry)>, StoreError> {
        self.read(|conn| {
            let mut found = conn.prepare_cached(
                "SELECT id, at, who, signed_in, act, subject, detail FROM audit
                 WHERE id < ?1 ORDER BY id DESC LIMIT ?2",
            )?;
            let mut rows = found.query(params![before.unwrap_or(i64::MAX), count(limit)])?;
            let mut entries = Vec::new();
            while let Some(row) = rows.next()? {
                let word: String = row.get(4)?;
                let act = Act::EVERY.into_iter().find(|act| act.as_str() == word);
                let act = act.ok_or_else(|| StoreError::corrupt(format!("an act `{word}`")))?;
                let who: String = row.get(2)?;
                let entry = AuditEntry {
                    at: columns::time(row, 1)?,
                    who: (!who.is_empty()).then_some(who),
                    is_signed_in: row.get(3)?,
                    act,
                    subject: row.get(5)?,
                    detail: row.get(6)?,
                };
                entries.push((row.get(0)?, entry));
            }
            Ok(entries)
        })
    }
}
