//! Schemas of `state.db` and how to get from one to the next.

use rusqlite::Connection;

use super::{StoreError, repack};

/// The database's file in the store's directory.
pub(super) const FILE: &str = "state.db";

/// What leads from one version of a schema to the next.
pub(super) enum Step {
    /// Statements.
    Sql(&'static str),
    /// What statements cannot do. May be run again on a store of a later version.
    Run(fn(&Connection) -> Result<(), StoreError>),
}

impl Step {
    pub(super) fn run(&self, conn: &Connection) -> Result<(), StoreError> {
        match self {
            Self::Sql(statements) => Ok(conn.execute_batch(statements)?),
            Self::Run(step) => step(conn),
        }
    }
}

/// Schema of `state.db`; a new version appends a step.
pub(super) const STEPS: &[Step] = &[
    Step::Sql(include_str!("state.sql")),
    Step::Sql(include_str!("changes.sql")),
    Step::Sql(include_str!("topics.sql")),
    Step::Sql(include_str!("lives.sql")),
    Step::Sql(include_str!("adjustments.sql")),
    Step::Sql(include_str!("nowcasts.sql")),
    Step::Sql(include_str!("accuracy.sql")),
    Step::Sql(include_str!("blocks.sql")),
    // When someone first took an alert on; unknown of older ones.
    Step::Sql("ALTER TABLE alerts ADD COLUMN acknowledged_at INTEGER;"),
    // An alert when most people were missing; unknown of older ones.
    Step::Sql("ALTER TABLE alerts ADD COLUMN worst BLOB;"),
    Step::Sql(include_str!("versions.sql")),
    Step::Run(repack::repack),
];
