//! The roster of teams.

use std::collections::BTreeMap;

use rusqlite::params;

use super::columns;
use super::{Reader, StoreError, Tx};
use crate::domain::{Name, Timestamp};
use crate::staffing::TeamShift;

impl Tx<'_> {
    /// Stores shifts of teams. Replaces shifts of the same team that overlap the span from the first start to the last end.
    pub fn put_team_shifts(&mut self, shifts: &[TeamShift]) -> Result<(), StoreError> {
        let mut spans: BTreeMap<&Name, (Timestamp, Timestamp)> = BTreeMap::new();
        for shift in shifts {
            let span = spans.entry(&shift.team).or_insert((shift.start, shift.end));
            *span = (span.0.min(shift.start), span.1.max(shift.end));
        }
        for (team, (start, end)) in spans {
            self.run(
                "DELETE FROM team_shifts WHERE team = ?1 AND ends_at > ?2 AND starts_at < ?3",
                params![team.as_str(), start.millis(), end.millis()],
            )?;
        }
        for shift in shifts {
            self.run(
                "INSERT INTO team_shifts (team, starts_at, ends_at, agents, absent)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
                params![
                    shift.team.as_str(),
                    shift.start.millis(),
                    shift.end.millis(),
                    shift.agents,
                    shift.absent
                ],
            )?;
        }
        Ok(())
    }
}

impl Reader {
    /// Shifts of teams that overlap `from..to`, in order of team and start.
    pub fn team_shifts(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<TeamShift>, StoreError> {
        self.read(|conn| {
            let mut found = conn.prepare_cached(
                "SELECT team, starts_at, ends_at, agents, absent FROM team_shifts
                 WHERE ends_at > ?1 AND starts_at < ?2 ORDER BY team, starts_at",
            )?;
            let mut rows = found.query([from.millis(), to.millis()])?;
            let mut shifts = Vec::new();
            while let Some(row) = rows.next()? {
                shifts.push(TeamShift {
                    team: columns::name(row, 0)?,
                    start: columns::time(row, 1)?,
                    end: columns::time(row, 2)?,
                    agents: row.get(3)?,
                    absent: row.get(4)?,
                });
            }
            Ok(shifts)
        })
    }
}
