//! Recommendations of staffing.

use rusqlite::params;

use super::body::{self, Body};
use super::codes::Code;
use super::columns::count;
use super::{Change, Reader, StoreError, Tx};
use crate::domain::Timestamp;
use crate::staffing::{Recommendation, RecommendationState, Uncovered};

/// Name of the saved [`Uncovered`].
const UNCOVERED: &str = "uncovered";

/// Recommendations
impl Tx<'_> {
    /// Stores the present state of a recommendation. Replaces the previous one.
    pub fn put_recommendation(&mut self, own: &Recommendation) -> Result<(), StoreError> {
        self.changed(Change::Recommendation(own.issued_at, own.id.clone()));
        self.run(
            "INSERT OR REPLACE INTO recommendations
                 (id, state, team, source, starts_at, ends_at, issued_at, body, version)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            params![
                own.id,
                own.state.code(),
                own.team,
                own.source,
                own.from.millis(),
                own.to.millis(),
                own.issued_at.millis(),
                body::encode(own)?,
                Recommendation::VERSION
            ],
        )
        .map(drop)
    }

    /// Stores the missing agents for whom there is no recommendation. Replaces the previous list.
    pub fn put_uncovered(&mut self, uncovered: &Vec<Uncovered>) -> Result<(), StoreError> {
        self.put_state(UNCOVERED, uncovered)
    }
}

/// Recommendations
impl Reader {
    /// Recommendations, newest first, after the one with id `after`; of one team, of one state, or those that are open at a time.
    pub fn recommendations(
        &self,
        team: Option<&str>,
        (state, open_at): (Option<RecommendationState>, Option<Timestamp>),
        limit: usize,
        after: Option<&str>,
    ) -> Result<Vec<Recommendation>, StoreError> {
        let [proposed, accepted, done] = [
            RecommendationState::Proposed,
            RecommendationState::Accepted,
            RecommendationState::Done,
        ]
        .map(RecommendationState::code);
        self.read(|conn| {
            let mut found = conn.prepare_cached(
                "SELECT body, version FROM recommendations
                 WHERE (?1 IS NULL OR team = ?1 OR source = ?1) AND (?2 IS NULL OR state = ?2)
                     AND (?3 IS NULL OR (ends_at > ?3 AND state IN (?6, ?7, ?8)))
                     AND (?4 IS NULL OR (issued_at, id)
                         < (SELECT issued_at, id FROM recommendations WHERE id = ?4))
                 ORDER BY issued_at DESC, id DESC LIMIT ?5",
            )?;
            let mut rows = found.query(params![
                team,
                state.map(RecommendationState::code),
                open_at.map(Timestamp::millis),
                after,
                count(limit),
                proposed,
                accepted,
                done
            ])?;
            let mut recommendations = Vec::new();
            while let Some(row) = rows.next()? {
                recommendations.push(body::column(row, 0)?);
            }
            Ok(recommendations)
        })
    }

    /// Recommendations that end after `from`, oldest first.
    pub fn recommendations_since(
        &self,
        from: Timestamp,
    ) -> Result<Vec<Recommendation>, StoreError> {
        self.read(|conn| {
            let mut found = conn.prepare_cached(
                "SELECT body, version FROM recommendations WHERE ends_at > ?1
                 ORDER BY issued_at, id",
            )?;
            let mut rows = found.query([from.millis()])?;
            let mut recommendations = Vec::new();
            while let Some(row) = rows.next()? {
                recommendations.push(body::column(row, 0)?);
            }
            Ok(recommendations)
        })
    }

    /// Calls a function for each recommendation that begins in a span, of one team or of all.
    pub fn each_recommendation(
        &self,
        team: Option<&str>,
        (from, to): (Timestamp, Timestamp),
        mut each: impl FnMut(Recommendation),
    ) -> Result<(), StoreError> {
        self.read(|conn| {
            // What begins in the span ends after its start: this has an index.
            let mut found = conn.prepare_cached(
                "SELECT body, version FROM recommendations
                 WHERE ends_at > ?1 AND starts_at >= ?1 AND starts_at < ?2
                     AND (?3 IS NULL OR team = ?3)",
            )?;
            let mut rows = found.query(params![from.millis(), to.millis(), team])?;
            while let Some(row) = rows.next()? {
                each(body::column(row, 0)?);
            }
            Ok(())
        })
    }

    /// A recommendation by id.
    pub fn recommendation(&self, id: &str) -> Result<Option<Recommendation>, StoreError> {
        self.read(|conn| {
            let mut found =
                conn.prepare_cached("SELECT body, version FROM recommendations WHERE id = ?1")?;
            let mut rows = found.query([id])?;
            rows.next()?.map(|row| body::column(row, 0)).transpose()
        })
    }

    /// Missing agents for whom there is no recommendation, as of the newest plans.
    pub fn uncovered(&self) -> Result<Vec<Uncovered>, StoreError> {
        Ok(self.state(UNCOVERED)?.unwrap_or_default())
    }
}
