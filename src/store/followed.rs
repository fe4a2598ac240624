//! Followed files: the content to which an offset belongs, and when each span was first read. They are stored in `files.db`.
//!
//! This is a database of its own, because a span is stored before its lines are used, and must not wait for the forecaster's
//! transaction.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::schema::Step;
use super::{StoreError, columns, open};
use crate::domain::{Offset, Timestamp};

pub(super) const FILE: &str = "files.db";
const CACHE_KIB: u32 = 512;
const STEPS: &[Step] = &[
    Step::Sql(
        "CREATE TABLE contents (
    source TEXT NOT NULL, base INTEGER NOT NULL, device INTEGER NOT NULL, inode INTEGER NOT NULL,
    head_bytes INTEGER NOT NULL, head INTEGER NOT NULL, ended INTEGER, PRIMARY KEY (source, base)
) WITHOUT ROWID;
CREATE TABLE spans (
    source TEXT NOT NULL, ended INTEGER NOT NULL, read_at INTEGER NOT NULL, PRIMARY KEY (source, ended)
) WITHOUT ROWID;",
    ),
    // The newest loss of each source, and until when `/ready` shows it.
    Step::Sql(
        "CREATE TABLE losses (
    source TEXT NOT NULL PRIMARY KEY, text TEXT NOT NULL, shown_until INTEGER NOT NULL
) WITHOUT ROWID;",
    ),
];

/// One content of a followed file. A rotation begins a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Content {
    /// Offset of its first byte. Offsets continue over all contents of a source.
    pub base: Offset,
    pub device: u64,
    pub inode: u64,
    /// Number of first bytes from which `head` is computed.
    pub head_bytes: u64,
    pub head: u64,
    /// Offset after its last byte; `None` while it may grow.
    pub ended: Option<Offset>,
}

/// A span of offsets that was first read at one time. It begins at the end of the previous span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub ended: Offset,
    pub read_at: Timestamp,
}

/// Contents and spans of one followed file.
pub struct FollowedFile {
    conn: Connection,
    source: String,
}

impl FollowedFile {
    /// All sources with records in `dir`. If the folder has no records, no database is created.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn sources(dir: &Path) -> Result<Vec<String>, StoreError> {
        if !dir.join(FILE).exists() {
            return Ok(Vec::new());
        }
        let records = Self::open(dir, "")?;
        let mut found = records.conn.prepare("SELECT DISTINCT source FROM contents ORDER BY 1")?;
        let names = found.query_map([], |row| row.get(0))?;
        Ok(names.collect::<Result<_, _>>()?)
    }

    /// Opens the records of a source in `dir`.
    ///
    /// # Errors
    /// As [`super::Store::open`].
    pub fn open(dir: &Path, source: &str) -> Result<Self, StoreError> {
        std::fs::create_dir_all(dir).map_err(|e| StoreError::io(dir, "create the directory", e))?;
        let conn = open::writer(&dir.join(FILE), STEPS, CACHE_KIB)?;
        Ok(Self { conn, source: source.to_owned() })
    }

    /// All contents, oldest first.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn contents(&self) -> Result<Vec<Content>, StoreError> {
        let mut found = self.conn.prepare_cached(
            "SELECT base, device, inode, head_bytes, head, ended FROM contents WHERE source = ?1 ORDER BY base",
        )?;
        let rows = found.query_map([&self.source], |row| {
            let number = |column| row.get::<_, i64>(column).map(i64::cast_unsigned);
            Ok(Content {
                base: row.get(0)?,
                device: number(1)?,
                inode: number(2)?,
                head_bytes: number(3)?,
                head: number(4)?,
                ended: row.get(5)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// All spans, oldest first.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn spans(&self) -> Result<Vec<Span>, StoreError> {
        let mut found = self
            .conn
            .prepare_cached("SELECT ended, read_at FROM spans WHERE source = ?1 ORDER BY ended")?;
        let rows = found.query_map([&self.source], |row| {
            Ok(Span { ended: row.get(0)?, read_at: columns::time(row, 1)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// What was lost last, and until when this is shown.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn loss(&self) -> Result<Option<(String, Timestamp)>, StoreError> {
        let found = "SELECT text, shown_until FROM losses WHERE source = ?1";
        let loss = self
            .conn
            .query_row(found, [&self.source], |row| Ok((row.get(0)?, columns::time(row, 1)?)));
        Ok(loss.optional()?)
    }

    /// Stores what was lost, so that it is still shown after a restart.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn put_loss(&self, text: &str, shown_until: Timestamp) -> Result<(), StoreError> {
        self.conn.execute(
            "INSERT OR REPLACE INTO losses (source, text, shown_until) VALUES (?1, ?2, ?3)",
            params![self.source, text, shown_until.millis()],
        )?;
        Ok(())
    }

    /// Stores contents and a span. They are synced to disk when it returns.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing was stored.
    pub fn put(&mut self, contents: &[Content], span: Option<Span>) -> Result<(), StoreError> {
        let transaction = self.conn.transaction()?;
        for content in contents {
            transaction.execute(
                "INSERT OR REPLACE INTO contents (source, base, device, inode, head_bytes, head, ended)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![
                    self.source,
                    content.base,
                    content.device.cast_signed(),
                    content.inode.cast_signed(),
                    content.head_bytes.cast_signed(),
                    content.head.cast_signed(),
                    content.ended
                ],
            )?;
        }
        if let Some(span) = span {
            transaction.execute(
                "INSERT OR REPLACE INTO spans (source, ended, read_at) VALUES (?1, ?2, ?3)",
                params![self.source, span.ended, span.read_at.millis()],
            )?;
        }
        Ok(transaction.commit()?)
    }

    /// Deletes contents and spans that end at or before an offset. The last span is kept, because it has the offset up to which
    /// the file was read.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn trim(&mut self, before: Offset) -> Result<(), StoreError> {
        let last: Option<Offset> = self
            .conn
            .query_row("SELECT max(ended) FROM spans WHERE source = ?1", [&self.source], |row| {
                row.get(0)
            })
            .optional()?
            .flatten();
        let upto = before.min(last.unwrap_or(before).saturating_sub(1));
        self.conn.execute(
            "DELETE FROM spans WHERE source = ?1 AND ended <= ?2",
            params![self.source, upto],
        )?;
        self.conn.execute(
            "DELETE FROM contents WHERE source = ?1 AND ended <= ?2",
            params![self.source, before],
        )?;
        Ok(())
    }
}
