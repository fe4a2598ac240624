//! The changes that a roster would make: shifts that it replaces, and agent hours before and after.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::Roster;
use super::roster::{RosterOwner, ShiftOwner};
use crate::domain::{Timestamp, Zone};
use crate::store::{Filter, Reader, StoreError};

/// The change for one series or team, from the first start to the last end that its rows have.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct RosterChange {
    #[serde(flatten)]
    pub owner: RosterOwner,
    pub from: String,
    pub to: String,
    /// The zone of the team or region.
    pub time_zone: String,
    /// New shifts.
    pub shifts: usize,
    /// Stored shifts that overlap the span: they are removed.
    pub replaced: usize,
    /// Agent hours of the stored shifts that are removed, and of the new ones.
    pub hours_before: f64,
    pub hours_after: f64,
}

/// A shift: from, to, people.
type Span = (Timestamp, Timestamp, u32);

fn hours(shifts: &[Span]) -> f64 {
    let hours =
        |(start, end, agents): &Span| f64::from(*agents) * end.since(*start).as_secs_f64() / 3600.0;
    shifts.iter().map(hours).fold(0.0, |sum, own| sum + own * 100.0).round() / 100.0
}

/// The changes that storing a roster would make, by series and team.
///
/// # Errors
/// [`StoreError`] if the store cannot be read.
pub fn roster_changes(reader: &Reader, roster: &Roster) -> Result<Vec<RosterChange>, StoreError> {
    let mut new: BTreeMap<ShiftOwner, Vec<Span>> = BTreeMap::new();
    for shift in &roster.shifts {
        let own = new.entry(ShiftOwner::Series(shift.series.clone())).or_default();
        own.push((shift.start, shift.end, shift.agents));
    }
    for shift in &roster.team_shifts {
        let own = new.entry(ShiftOwner::Team(shift.team.clone())).or_default();
        own.push((shift.start, shift.end, shift.agents));
    }
    let ends = |shifts: &[Span]| {
        let from = shifts.iter().map(|shift| shift.0).min().unwrap_or_default();
        (from, shifts.iter().map(|shift| shift.1).max().unwrap_or_default())
    };
    let all: Vec<Span> = new.values().flatten().copied().collect();
    let (from, to) = ends(&all);
    let mut stored: BTreeMap<ShiftOwner, Vec<Span>> = BTreeMap::new();
    for shift in reader.shifts(&Filter::default(), from, to)? {
        let own = stored.entry(ShiftOwner::Series(shift.series)).or_default();
        own.push((shift.start, shift.end, shift.agents));
    }
    for shift in reader.team_shifts(from, to)? {
        let own = stored.entry(ShiftOwner::Team(shift.team)).or_default();
        own.push((shift.start, shift.end, shift.agents));
    }
    let zones: BTreeMap<&ShiftOwner, Zone> =
        roster.rows.iter().map(|row| (&row.owner, row.zone)).collect();
    let changes = new.iter().map(|(owner, shifts)| {
        let zone = zones.get(owner).copied().unwrap_or(Zone::UTC);
        let (from, to) = ends(shifts);
        let before = stored.get(owner).into_iter().flatten();
        let before: Vec<Span> =
            before.filter(|shift| shift.1 > from && shift.0 < to).copied().collect();
        change((owner, zone), (from, to), &before, shifts)
    });
    Ok(changes.collect())
}

fn change(
    (owner, zone): (&ShiftOwner, Zone),
    (from, to): (Timestamp, Timestamp),
    before: &[Span],
    after: &[Span],
) -> RosterChange {
    RosterChange {
        owner: owner.into(),
        from: from.to_string(),
        to: to.to_string(),
        time_zone: zone.to_string(),
        shifts: after.len(),
        replaced: before.len(),
        hours_before: hours(before),
        hours_after: hours(after),
    }
}
