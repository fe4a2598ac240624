//! What a window's settling, its revision and a report's events put into the store, and what is looked up there.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{
    MaintenanceAction, MaintenanceEvent, SeriesKey, SourceId, Timestamp, WindowWidth,
};
use crate::engine::histories::Histories;
use crate::engine::nowcast::Counted;
use crate::engine::report::Report;
use crate::engine::spells::REACH;
use crate::forecast::PlannedWork;
use crate::store::{PartialRecord, Reader, StoreError, Tx, WindowRecord};
use crate::telemetry::Metrics;
use crate::window::{AlarmBook, Cell, Counts, Merge, Partial, Settled};

/// Counts what alarms did up to the end of a window, and says what may be missed.
pub(super) fn tell_alarms(alarms: &mut AlarmBook, metrics: &Metrics, end: Timestamp) {
    let tally = alarms.take_tally();
    metrics.alarms(&tally.counts(), alarms.standing_count());
    if tally.refused > 0 {
        let refused = tally.refused;
        tracing::error!(refused, %end, "limits.standing_alarms reached: counted, but not kept as standing");
    }
    if tally.resynced > 0 {
        let alarms = tally.resynced;
        tracing::warn!(alarms, %end, "alarms are over that were not raised again after their list was rebuilt");
    }
    if tally.lists_refused > 0 {
        let lists = tally.lists_refused;
        tracing::error!(lists, %end, "too many rebuilt lists at once: their alarms stand until they are cleared");
    }
}

/// Tickets in windows that have not settled, the first of which starts at `next`.
pub(super) fn counted(merge: &Merge, next: Timestamp) -> Counted {
    let open = merge.windows().filter(|start| *start >= next);
    let of = |start| {
        let totals = merge.totals(start).into_iter();
        let tickets = totals.filter_map(|(cell, counts)| match cell {
            Cell::Tickets(series) => Some((series, counts.tickets)),
            Cell::Alarms(_) | Cell::Maintenance | Cell::Phrase(..) => None,
        });
        (start, tickets.collect())
    };
    open.map(of).collect()
}

/// Work that is planned now, or was in the weeks that are learned from; what the reports bring is not stored yet.
pub(super) fn planned_work(
    reader: &Reader,
    next: Option<Timestamp>,
    reports: &[Report],
) -> Result<Vec<PlannedWork>, StoreError> {
    let Some(next) = next else { return Ok(Vec::new()) };
    let mut known: BTreeMap<Box<str>, MaintenanceEvent> = BTreeMap::new();
    let stored = reader.maintenance(next - REACH, Timestamp::MAX)?;
    let brought = reports.iter().flat_map(|report| &report.maintenance);
    for event in stored.into_iter().chain(brought.map(|(_, event)| event.clone())) {
        let newer = known.get(&event.event_id).is_none_or(|other| other.ts <= event.ts);
        if newer {
            known.insert(event.event_id.clone(), event);
        }
    }
    let planned = known.into_values().filter(|e| e.action == MaintenanceAction::Plan);
    let mut work: Vec<PlannedWork> = planned.map(|event| PlannedWork::from(&event)).collect();
    work.sort_by_key(|work| (work.starts_at, work.ends_at, work.announced_at));
    Ok(work)
}

/// What is known, read the first time.
pub(super) fn once<T>(
    known: &mut Option<T>,
    read: impl FnOnce() -> Result<T, StoreError>,
) -> Result<&T, StoreError> {
    let value = match known.take() {
        Some(value) => value,
        None => read()?,
    };
    Ok(known.insert(value))
}

pub(super) fn record(source: &SourceId, partial: Partial) -> PartialRecord {
    let Partial { window, cell, counts, upto } = partial;
    PartialRecord { window, cell, source: source.clone(), counts, upto }
}

/// Looks up settled totals in the store.
pub(super) fn settled_in(
    reader: &Reader,
    width: WindowWidth,
) -> impl Fn(&Cell, Timestamp) -> Counts + '_ {
    move |cell, window| {
        reader
            .windows(cell, window, width.end(window))
            .ok()
            .and_then(|rows| rows.into_iter().find(|(_, r)| r.settled))
            .map(|(_, record)| record.counts)
            .unwrap_or_default()
    }
}

pub(super) fn store_events(tx: &mut Tx<'_>, report: &Report) -> Result<(), StoreError> {
    for (position, alarm) in &report.alarms {
        tx.put_alarm(position, alarm)?;
    }
    for (position, list) in &report.rebuilt {
        tx.put_rebuilt(position, list)?;
    }
    for (position, work) in &report.maintenance {
        tx.put_maintenance(position, work)?;
    }
    for (letter, place) in &report.dead {
        let place = place.as_ref().map(|(cell, start)| (cell, *start));
        tx.put_dead_letter(letter, place)?;
    }
    Ok(())
}

/// Makes the window's new series known, up to the limit.
pub(super) fn admit(leaves: &mut BTreeSet<SeriesKey>, window: &Settled, series_max: usize) {
    for (cell, _) in &window.cells {
        let Cell::Tickets(series) = cell else { continue };
        if leaves.contains(series) {
            continue;
        }
        if leaves.len() >= series_max {
            tracing::error!(%series, series_max, "series limit reached: counted, but not forecast");
            continue;
        }
        leaves.insert(series.clone());
    }
}

/// Stores a settled window: every known series has a count then, zero or missing where nothing came.
pub(super) fn settle(
    tx: &mut Tx<'_>,
    leaves: &BTreeSet<SeriesKey>,
    window: &Settled,
    alarms: &AlarmBook,
) -> Result<Vec<(SeriesKey, Option<u32>)>, StoreError> {
    let mut rows: BTreeMap<Cell, WindowRecord> = BTreeMap::new();
    for series in leaves {
        let record =
            WindowRecord { settled: true, missing: window.missing, ..WindowRecord::default() };
        rows.insert(Cell::Tickets(series.clone()), record);
    }
    for (scope, active) in alarms.active() {
        let record = WindowRecord { settled: true, active, ..WindowRecord::default() };
        rows.insert(Cell::Alarms(scope), record);
    }
    for (cell, counts) in &window.cells {
        let row = rows
            .entry(cell.clone())
            .or_insert(WindowRecord { settled: true, ..WindowRecord::default() });
        row.counts = *counts;
        row.missing = false;
    }
    let counted = leaves
        .iter()
        .map(|series| {
            let row = rows.get(&Cell::Tickets(series.clone())).copied().unwrap_or_default();
            (series.clone(), (!row.missing).then_some(row.counts.tickets))
        })
        .collect();
    let rows: Vec<_> = rows.into_iter().map(|(cell, row)| (cell, window.window, row)).collect();
    tx.put_windows(&rows)?;
    Ok(counted)
}

/// Stores counts that changed after their window had settled.
pub(super) fn revise(
    tx: &mut Tx<'_>,
    reader: &Reader,
    histories: &mut Histories,
    window: &Settled,
    end: Timestamp,
) -> Result<(), StoreError> {
    let mut rows = Vec::new();
    for (cell, counts) in &window.cells {
        let stored = reader.windows(cell, window.window, end)?;
        // What stood then is as it was known then.
        let active = stored.first().map_or(0, |(_, record)| record.active);
        let record = WindowRecord {
            counts: *counts,
            active,
            settled: true,
            revised: true,
            ..WindowRecord::default()
        };
        rows.push((cell.clone(), window.window, record));
        if let Cell::Tickets(series) = cell {
            histories.revise(series, window.window, counts.tickets);
        }
    }
    tx.put_windows(&rows)
}
