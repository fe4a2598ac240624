//! Adds to needed and scheduled agents what contacts attained: attained service, abandonment and open tickets by window.

use std::collections::BTreeMap;

use serde::Serialize;

use super::gaps::{GapRow, GapTarget, Group};
use super::service::{ServiceReader, Sum};
use crate::domain::{DAY, SeriesKey, Timestamp};
use crate::staffing::Rules;
use crate::store::{Filter, Reader, StoreError};
use crate::window::Backlog;

/// Why a window has no figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// The window is not finalized, or its contacts may still be served in time.
    NotOver,
    /// No event of the row carries the id of a ticket.
    NoIds,
    /// The team was closed, and nobody called.
    Closed,
    /// There were no contacts.
    NoContacts,
    /// The stream does not contain the events that the figure needs (first responses, resolutions, snapshots), or there is no
    /// target.
    NotTold,
}

/// Adds attained service to the rows of the windows that start in `from..to`.
///
/// # Errors
/// [`StoreError`] if the store cannot be read.
pub fn add_service(
    reader: &Reader,
    rules: &Rules,
    filter: &Filter,
    span: (Timestamp, Timestamp),
    rows: &mut [GapRow],
) -> Result<(), StoreError> {
    let service = ServiceReader::new(reader)?;
    let mut members: BTreeMap<Group, Vec<(SeriesKey, Backlog)>> = BTreeMap::new();
    for (series, own) in reader.backlogs(filter)? {
        members.entry(Group::of(rules, &series)).or_default().push((series, own));
    }
    for row in rows {
        let own = members.get(&row.group).map_or(&[][..], Vec::as_slice);
        let mut sums: BTreeMap<Timestamp, Sum> = BTreeMap::new();
        for (series, _) in own {
            for (start, sum) in service.windows(series, span, false)? {
                sums.entry(start).or_default().plus(&sum);
            }
        }
        let open = OpenTickets::read(reader, own, span, service.finalized_upto())?;
        for target in &mut row.targets {
            let is_final = reader.width().end(target.at) <= service.finalized_upto();
            let missing = match (is_final, own) {
                (false, _) => Some(Missing::NotOver),
                (true, []) => Some(Missing::NoIds),
                (true, _) => None,
            };
            attain(target, sums.get(&target.at), missing);
            target.backlog = if missing.is_some() { None } else { open.at_end_of(target.at) };
            let unknown = target.backlog.is_none().then_some(Missing::NotTold);
            target.backlog_missing = missing.or(unknown);
        }
    }
    Ok(())
}

/// Adds attained service to a window, unless `missing` gives another reason why there is none.
fn attain(target: &mut GapTarget, sum: Option<&Sum>, missing: Option<Missing>) {
    target.attained_missing = missing;
    if missing.is_some() {
        return;
    }
    let Some(sum) = sum.filter(|sum| sum.attained.offered > 0) else {
        let why = if target.closed { Missing::Closed } else { Missing::NoContacts };
        target.attained_missing = Some(why);
        return;
    };
    let figures = sum.figures();
    target.abandonment = figures.abandonment;
    if sum.is_open {
        target.attained_missing = Some(Missing::NotOver);
    } else if figures.service_level.is_none() {
        target.attained_missing = Some(Missing::NotTold);
    } else {
        (target.attained_service_level, target.judged) = (figures.service_level, figures.judged);
    }
}

/// Open tickets of some series at the end of windows.
struct OpenTickets(Vec<BTreeMap<Timestamp, u32>>);

impl OpenTickets {
    /// Reads the open tickets. Windows without changes have no row, so the last row of the day before is read too. A series
    /// without any change since then has as many open tickets as now.
    fn read(
        reader: &Reader,
        members: &[(SeriesKey, Backlog)],
        (from, to): (Timestamp, Timestamp),
        finalized_upto: Timestamp,
    ) -> Result<Self, StoreError> {
        let mut all = Vec::new();
        let (from, to) = (from - DAY, to.min(finalized_upto));
        for (series, own) in members.iter().filter(|(_, own)| own.has_ends()) {
            let rows = reader.backlog_windows(series, from, to)?.into_iter();
            let mut windows: BTreeMap<_, _> = rows.map(|(at, row)| (at, row.open)).collect();
            if windows.is_empty() && to == finalized_upto {
                windows.insert(own.since.max(from), own.open);
            }
            all.push(windows);
        }
        Ok(Self(all))
    }

    /// The number of open tickets at the end of the window that begins at `start`; `None` if it is not known for one of the
    /// series.
    fn at_end_of(&self, start: Timestamp) -> Option<u32> {
        let last = |windows: &BTreeMap<Timestamp, u32>| {
            windows.range(..=start).next_back().map(|(_, open)| *open)
        };
        let known: Option<Vec<u32>> = self.0.iter().map(last).collect();
        known.filter(|known| !known.is_empty()).map(|known| known.iter().sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(offered: u32, targeted: u32, in_time: u32, is_open: bool) -> Sum {
        let mut sum = Sum::default();
        sum.is_open = is_open;
        (sum.attained.offered, sum.attained.abandoned) = (offered, offered / 4);
        (sum.attained.targeted, sum.attained.in_time) = (targeted, in_time);
        sum
    }

    #[test]
    fn a_window_has_a_level_or_a_reason() {
        use Missing::{Closed, NoContacts, NoIds, NotOver, NotTold};
        let cases = [
            (false, None, Some(NoIds), (None, Some(NoIds))),
            (true, None, Some(NotOver), (None, Some(NotOver))),
            (false, None, None, (None, Some(NoContacts))),
            (true, None, None, (None, Some(Closed))),
            (true, Some(sum(0, 0, 0, false)), None, (None, Some(Closed))),
            // Somebody called although the team was closed.
            (true, Some(sum(4, 4, 1, false)), None, (Some(0.25), None)),
            (false, Some(sum(4, 4, 1, true)), None, (None, Some(NotOver))),
            (false, Some(sum(4, 0, 0, false)), None, (None, Some(NotTold))),
            (false, Some(sum(3, 3, 2, false)), None, (Some(0.6667), None)),
        ];
        for (closed, sum, missing, (level, why)) in cases {
            let mut own = GapTarget { closed, ..GapTarget::default() };
            attain(&mut own, sum.as_ref(), missing);
            let found = (own.attained_service_level, own.attained_missing);
            assert_eq!(found, (level, why), "{closed} {sum:?} {missing:?}");
            assert_eq!(own.judged > 0, level.is_some());
            let offered = sum.filter(|_| missing.is_none()).map_or(0, |sum| sum.attained.offered);
            assert_eq!(own.abandonment.is_some(), offered > 0);
        }
    }

    #[test]
    fn open_tickets_are_those_of_the_last_row() {
        let at = Timestamp::from_secs;
        let rows = |rows: &[(i64, u32)]| rows.iter().map(|(s, n)| (at(*s), *n)).collect();
        let both = OpenTickets(vec![rows(&[(0, 5), (1800, 7)]), rows(&[(900, 1)])]);
        let found: Vec<_> = [0, 900, 1800, 2700].map(|s| both.at_end_of(at(s))).to_vec();
        assert_eq!(found, [None, Some(6), Some(8), Some(8)]);
        assert_eq!(OpenTickets(Vec::new()).at_end_of(at(0)), None);
    }
}
