//! Schema of `state.db`, as steps from each version to the next.

use rusqlite::Connection;

use super::{StoreError, repack};

/// The database's file in the store's directory.
pub(super) const FILE: &str = "state.db";

/// A step from one version of a schema to the next.
pub(super) enum Step {
    /// SQL statements.
    Sql(&'static str),
    /// Code, for changes that are not possible in SQL. It may run again on a store of a later version.
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

/// Steps of `state.db`. A new version appends a step.
pub(super) const STEPS: &[Step] = &[
    Step::Sql(include_str!("state.sql")),
    Step::Sql(include_str!("changes.sql")),
    Step::Sql(include_str!("topics.sql")),
    Step::Sql(include_str!("lives.sql")),
    Step::Sql(include_str!("adjustments.sql")),
    Step::Sql(include_str!("nowcasts.sql")),
    Step::Sql(include_str!("accuracy.sql")),
    Step::Sql(include_str!("blocks.sql")),
    // When an alert was first acknowledged; NULL in older rows.
    Step::Sql("ALTER TABLE alerts ADD COLUMN acknowledged_at INTEGER;"),
    // The alert's state at its largest shortfall; NULL in older rows.
    Step::Sql("ALTER TABLE alerts ADD COLUMN worst BLOB;"),
    Step::Sql(include_str!("versions.sql")),
    Step::Run(repack::repack),
    Step::Sql(include_str!("folded.sql")),
    Step::Sql(include_str!("audit.sql")),
    Step::Sql(include_str!("team_shifts.sql")),
    Step::Sql(include_str!("annotations.sql")),
    Step::Sql(include_str!("recommendations.sql")),
    Step::Sql(include_str!("silences.sql")),
    Step::Sql(include_str!("tickets.sql")),
    Step::Sql(include_str!("service.sql")),
    Step::Sql(include_str!("alarm_types.sql")),
    Step::Sql(include_str!("assessments.sql")),
    Step::Sql(include_str!("sentiments.sql")),
];
