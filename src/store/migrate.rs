//! Migration of a database: first a copy, then all steps or none.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::schema::Step;
use super::{StoreError, open};

/// Migrates the schema to the newest version. `steps[n]` leads from version n to n + 1. If the database has a schema
/// already, a copy is kept beside it.
///
/// # Errors
/// [`StoreError::Version`] if it is newer than the steps, [`StoreError::Copy`] if no copy could be made, or the error of a
/// step. Then the database is unchanged.
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
        tracing::info!(from = found, to = known, copy = %copy.display(), "store: copy made, migrating the schema");
    }
    // Rolled back if dropped.
    let transaction =
        rusqlite::Transaction::new_unchecked(conn, rusqlite::TransactionBehavior::Immediate)?;
    for step in steps.iter().skip(usize::try_from(found).unwrap_or(0)) {
        step.run(&transaction)?;
    }
    transaction.pragma_update(None, "user_version", known)?;
    transaction.commit()?;
    Ok(())
}

/// Schema version of a database; 0 for an empty one.
pub(super) fn version(conn: &Connection) -> Result<i64, StoreError> {
    Ok(conn.query_row("PRAGMA user_version", [], |row| row.get(0))?)
}

/// The schema version after all steps.
pub(super) fn newest(steps: &[Step]) -> i64 {
    i64::try_from(steps.len()).unwrap_or(i64::MAX)
}

/// Copies of a database from before migrations. There is at most one, except after a failed migration.
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

/// Writes a consistent, complete copy beside the database, and removes older copies.
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
        // Remove the incomplete copy: it takes disk space.
        let _ = fs::remove_file(&unfinished);
        return Err(failed(Box::new(error)));
    }
    for old in copies(path)?.into_iter().filter(|old| *old != copy) {
        if let Err(error) = fs::remove_file(&old) {
            tracing::warn!(%error, copy = %old.display(), "store: cannot remove an older copy, remove it by hand");
        }
    }
    Ok(copy)
}

fn write_copy(conn: &Connection, unfinished: &Path, copy: &Path) -> Result<(), StoreError> {
    conn.execute("VACUUM INTO ?1", [unfinished.to_string_lossy()])?;
    open::private(unfinished)?;
    let file = File::open(unfinished).map_err(|e| StoreError::io(unfinished, "open", e))?;
    file.sync_all().map_err(|e| StoreError::io(unfinished, "sync", e))?;
    fs::rename(unfinished, copy).map_err(|e| StoreError::io(copy, "rename to", e))?;
    let dir = copy.parent().unwrap_or(Path::new("."));
    let dir_file = File::open(dir).map_err(|e| StoreError::io(dir, "open", e))?;
    dir_file.sync_all().map_err(|e| StoreError::io(dir, "sync", e))
}
