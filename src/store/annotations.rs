//! Annotations in Grafana: what was written, and the id of each.

use rusqlite::{Row, params};
use serde::{Deserialize, Serialize};

use super::codes::Code;
use super::{Reader, StoreError, Tx, columns};
use crate::domain::{Scope, Timestamp};

/// What an annotation shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum AnnotationKind {
    /// Windows far outside their forecast.
    Anomaly,
    /// A surge of tickets.
    Surge,
    /// Critical alarms.
    Outage,
    /// Planned work, or a planner's adjustment.
    Planned,
    /// An alert for which a page was sent.
    Page,
}

impl AnnotationKind {
    /// Every kind.
    pub const EVERY: [Self; 5] =
        [Self::Anomaly, Self::Surge, Self::Outage, Self::Planned, Self::Page];

    /// Its name, in tags.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Anomaly => "anomaly",
            Self::Surge => "surge",
            Self::Outage => "outage",
            Self::Planned => "planned",
            Self::Page => "page",
        }
    }
}

/// The state of an annotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AnnotationState {
    /// Grafana has it under this id.
    Written(i64),
    /// Not written, because the limit for its hour was reached.
    LeftOut,
    /// A person deleted it, or Grafana refused it. It is not written again.
    Gone,
    /// It was deleted, because the planned work or the adjustment was cancelled.
    Deleted,
}

/// An annotation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Annotation {
    /// Stable: derived from what it shows.
    pub key: String,
    pub kind: AnnotationKind,
    /// `_all` if it concerns all.
    pub scope: Scope,
    pub starts_at: Timestamp,
    /// `None` while the episode lasts.
    pub ends_at: Option<Timestamp>,
    /// A hash of the text in Grafana.
    pub text: i64,
    pub state: AnnotationState,
}

impl AnnotationState {
    const WRITTEN: u8 = 0;
    const LEFT_OUT: u8 = 1;
    const GONE: u8 = 2;
    const DELETED: u8 = 3;

    fn columns(self) -> (u8, Option<i64>) {
        match self {
            Self::Written(id) => (Self::WRITTEN, Some(id)),
            Self::LeftOut => (Self::LEFT_OUT, None),
            Self::Gone => (Self::GONE, None),
            Self::Deleted => (Self::DELETED, None),
        }
    }

    fn of(code: u8, id: Option<i64>) -> Result<Self, StoreError> {
        match (code, id) {
            (Self::WRITTEN, Some(id)) => Ok(Self::Written(id)),
            (Self::LEFT_OUT, _) => Ok(Self::LeftOut),
            (Self::GONE, _) => Ok(Self::Gone),
            (Self::DELETED, _) => Ok(Self::Deleted),
            _ => Err(StoreError::corrupt(format!("annotation of state {code}"))),
        }
    }
}

/// Annotations
impl Tx<'_> {
    /// Stores an annotation. Replaces the one of the same key.
    pub fn put_annotation(&mut self, annotation: &Annotation) -> Result<(), StoreError> {
        let Annotation { key, kind, scope, starts_at, ends_at, text, state } = annotation;
        let (state, id) = state.columns();
        self.run(
            "INSERT OR REPLACE INTO annotations
                 (key, kind, region, service, starts_at, ends_at, text, state, grafana_id)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            params![
                key,
                kind.code(),
                scope.region.as_str(),
                scope.service.as_str(),
                starts_at.millis(),
                ends_at.map(Timestamp::millis),
                text,
                state,
                id
            ],
        )
        .map(drop)
    }

    /// Deletes annotations from the store, not from Grafana: those that ended before `ended`, and those that began before
    /// `begun`.
    pub(super) fn prune_annotations(
        &self,
        ended: Timestamp,
        begun: Timestamp,
    ) -> Result<(), StoreError> {
        self.run(
            "DELETE FROM annotations WHERE ends_at < ?1 OR starts_at < ?2",
            [ended.millis(), begun.millis()],
        )
        .map(drop)
    }
}

const COLUMNS: &str = "key, kind, region, service, starts_at, ends_at, text, state, grafana_id";

/// Annotations
impl Reader {
    /// An annotation by key.
    pub fn annotation(&self, key: &str) -> Result<Option<Annotation>, StoreError> {
        let found = self.annotations("WHERE key = ?1", params![key])?;
        Ok(found.into_iter().next())
    }

    /// Annotations of a kind and scope that overlap a span, oldest first.
    pub fn annotations_around(
        &self,
        kind: AnnotationKind,
        scope: &Scope,
        (from, to): (Timestamp, Timestamp),
    ) -> Result<Vec<Annotation>, StoreError> {
        self.annotations(
            "WHERE kind = ?1 AND region = ?2 AND service = ?3 AND starts_at <= ?5
                 AND (ends_at IS NULL OR ends_at >= ?4)
             ORDER BY starts_at, key",
            params![
                kind.code(),
                scope.region.as_str(),
                scope.service.as_str(),
                from.millis(),
                to.millis()
            ],
        )
    }

    /// Annotations of a kind that have not ended, oldest first.
    pub fn open_annotations(&self, kind: AnnotationKind) -> Result<Vec<Annotation>, StoreError> {
        let which = "WHERE kind = ?1 AND ends_at IS NULL ORDER BY starts_at, key";
        self.annotations(which, params![kind.code()])
    }

    /// Annotations of a kind that begin in a span and were not left out, in the order of their keys.
    pub fn annotations_begun(
        &self,
        kind: AnnotationKind,
        (from, to): (Timestamp, Timestamp),
    ) -> Result<Vec<Annotation>, StoreError> {
        self.annotations(
            "WHERE kind = ?1 AND starts_at >= ?2 AND starts_at < ?3 AND state <> ?4 ORDER BY key",
            params![kind.code(), from.millis(), to.millis(), AnnotationState::LEFT_OUT],
        )
    }

    fn annotations(
        &self,
        which: &str,
        values: &[&dyn rusqlite::ToSql],
    ) -> Result<Vec<Annotation>, StoreError> {
        self.read(|conn| {
            let sql = format!("SELECT {COLUMNS} FROM annotations {which}");
            let mut found = conn.prepare_cached(&sql)?;
            let mut rows = found.query(values)?;
            let mut annotations = Vec::new();
            while let Some(row) = rows.next()? {
                annotations.push(annotation(row)?);
            }
            Ok(annotations)
        })
    }
}

fn annotation(row: &Row<'_>) -> Result<Annotation, StoreError> {
    Ok(Annotation {
        key: row.get(0)?,
        kind: AnnotationKind::of_code(row.get(1)?)?,
        scope: columns::scope(row, 2)?,
        starts_at: columns::time(row, 4)?,
        ends_at: row.get::<_, Option<i64>>(5)?.map(Timestamp::from_millis),
        text: row.get(6)?,
        state: AnnotationState::of(row.get(7)?, row.get(8)?)?,
    })
}
