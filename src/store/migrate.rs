//! Bringing a database up to date: a copy first, then all steps or none.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::StoreError;
use super::schema::Step;

/// Brings the schema up to date. `steps[n]` leads from version n to n + 1. Of a database that has a schema already a copy is
/// kept beside it.
///
/// # Errors
/// [`StoreError::Version`] if it is newer than the steps, [`StoreError::Copy`] if no copy could be made, or what a step
/// says; the database is as it was then.
pub(super) fn migrate(conn: &Connection, path: &Path, steps: &[Step]) -> Result<(), StoreError> {
    let found = version(conn)?;
    let known = newest(steps);
    if found > known {
        return Err(StoreError::Version { path: path.into(), found, known });
    }
    if found == known {
        return Ok(());
    }
    if found > 0 {
        let copy = keep_copy(conn, path, known)?;
        tracing::info!(from = found, to = known, copy = %copy.display(), "store: kept a copy, now changing the schema");
    }
    // Rolled back when dropped.
    let transaction =
        rusqlite::Transaction::new_unchecked(conn, rusqlite::TransactionBehavior::Immediate)?;
    for step in steps.iter().skip(usize::try_from(found).unwrap_or(0)) {
        step.run(&transaction)?;
    }
    transaction.pragma_update(None, "user_version", known)?;
    transaction.commit()?;
    Ok(())
}

/// The schema's version of a database; 0 where there is none.
pub(super) fn version(conn: &Connection) -> Result<i64, StoreError> {
    Ok(conn.query_row("PRAGMA user_version", [], |row| row.get(0))?)
}

/// The version that all steps lead to.
pub(super) fn newest(steps: &[Step]) -> i64 {
    i64::try_from(steps.len()).unwrap_or(i64::MAX)
}

/// Copies of a database from before changes of its schema: at most one, but for a failure between two.
///
/// # Errors
/// [`StoreError::Io`] if the directory cannot be read.
pub(super) fn copies(path: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let (Some(dir), Some(name)) = (path.parent(), path.file_name()) else { return Ok(Vec::new()) };
    let start = format!("{}.before-v", name.to_string_lossy());
    let failed = |e| StoreError::io(dir, "list", e);
    let mut copies = Vec::new();
    for entry in fs::read_dir(dir).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_name().to_string_lossy().starts_with(&start) {
            copies.push(entry.path());
        }
    }
    Ok(copies)
}

/// Writes a consistent copy beside the database, whole or not at all, and takes older ones away.
fn keep_copy(conn: &Connection, path: &Path, version: i64) -> Result<PathBuf, StoreError> {
    let beside = |end: String| {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        PathBuf::from(name)
    };
    let copy = beside(format!(".before-v{version}"));
    let unfinished = beside(format!(".before-v{version}.unfinished"));
    let failed = |source| StoreError::Copy { path: path.into(), source };
    if unfinished.exists() {
        fs::remove_file(&unfinished)
            .map_err(|e| failed(Box::new(StoreError::io(&unfinished, "remove", e))))?;
    }
    if let Err(error) = write_copy(conn, &unfinished, &copy) {
        // What is left of it only takes the room that was missing.
        let _ = fs::remove_file(&unfinished);
        return Err(failed(Box::new(error)));
    }
    for old in copies(path)?.into_iter().filter(|old| *old != copy) {
        if let Err(error) = fs::remove_file(&old) {
            tracing::warn!(%error, copy = %old.display(), "store: an older copy stays, remove it by hand");
        }
    }
    Ok(copy)
}

fn write_copy(conn: &Connection, unfinished: &Path, copy: &Path) -> Result<(), StoreError> {
    conn.execute("VACUUM INTO ?1", [unfinished.to_string_lossy()])?;
    let file = File::open(unfinished).map_err(|e| StoreError::io(unfinished, "open", e))?;
    file.sync_all().map_err(|e| StoreError::io(unfinished, "sync", e))?;
    fs::rename(unfinished, copy).map_err(|e| StoreError::io(copy, "rename to", e))?;
    let dir = copy.parent().unwrap_or(Path::new("."));
    let dir_file = File::open(dir).map_err(|e| StoreError::io(dir, "open", e))?;
    dir_file.sync_all().map_err(|e| StoreError::io(dir, "sync", e))
}
