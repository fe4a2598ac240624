//! Rows that a finalized window and its revisions write into the store.

use std::collections::{BTreeMap, BTreeSet};

use super::histories::Histories;
use super::issuer::look::Counted;
use super::stored::Stored;
use crate::domain::{Scope, SeriesKey, Severity, Timestamp};
use crate::store::{StoreError, WindowRecord};
use crate::telemetry::Metrics;
use crate::window::{
    AggregationKey, AlarmBook, FinalizedWindow, Merge, Names, Restored, TicketBook,
};

/// Records by aggregation key and start of the window.
pub type Rows = Vec<(AggregationKey, Timestamp, WindowRecord)>;
/// Tickets of a window by leaf, `None` where the count is missing.
pub type Leaves = Vec<(SeriesKey, Option<u32>)>;

/// Publishes the numbers of alarms up to the end of a window as metrics, and logs refused alarms.
pub fn count_alarms(alarms: &mut AlarmBook, metrics: &Metrics, end: Timestamp) {
    let tally = alarms.take_tally();
    metrics.alarms(&tally.counts(), alarms.active_count());
    if tally.refused > 0 {
        let refused = tally.refused;
        tracing::error!(refused, %end, "alarms: limits.standing_alarms reached, further alarms are counted, but not kept as active");
    }
    if tally.resynced > 0 {
        let alarms = tally.resynced;
        tracing::warn!(alarms, %end, "alarms: ended, because they were not raised again after their list was rebuilt");
    }
    if tally.unpaired > 0 && alarms.is_hint_due(end) {
        let clears = tally.unpaired;
        tracing::info!(
            clears, %end,
            "alarms: clears without a raise: either the raise came before the first event that surgecast \
             has read, or the clear has another system or id than its raise"
        );
    }
    if tally.lists_refused > 0 {
        let lists = tally.lists_refused;
        tracing::error!(lists, %end, "alarms: too many rebuilt lists at once, their alarms stay active until they are cleared");
    }
}

/// Publishes the steps of tickets up to the end of a window as metrics. Once a day it logs what needs attention.
pub fn count_tickets(tickets: &mut TicketBook, metrics: &Metrics, end: Timestamp) {
    let tally = tickets.take_tally();
    metrics.tickets(&tally.counts(), tickets.open_count());
    let is_unusual = tally.given_up + tally.unpaired + tally.old + tally.stale > 0;
    if !is_unusual || !tickets.is_hint_due(end) {
        return;
    }
    let (given_up, unpaired, old, stale) = (tally.given_up, tally.unpaired, tally.old, tally.stale);
    tracing::warn!(
        given_up, unpaired, old, stale, %end,
        "tickets: some steps were not counted. given_up: too many open tickets, raise limits.open_tickets. unpaired: resolved \
         without a creation with this ticket_id (send a snapshot if the tickets are older than what surgecast has read). old: \
         came after the ticket was forgotten or its window was finalized. stale: open without news for 90 days"
    );
}

/// Regions and services in which a critical alarm is active.
pub fn critical_places(alarms: &AlarmBook, names: &Names) -> BTreeSet<Scope> {
    let critical = alarms.active_alarms().filter(|alarm| alarm.severity == Severity::Critical);
    let place = |scope: &Scope| names.scope(scope).unwrap_or_else(|| scope.clone());
    critical.map(|alarm| place(&alarm.scope)).collect()
}

/// Tickets in open windows. The first one starts at `next`.
pub fn counted(merge: &Merge, next: Timestamp) -> Counted {
    let open = merge.windows().filter(|start| *start >= next);
    let of = |start| {
        let totals = merge.totals(start).into_iter();
        let tickets = totals.filter_map(|(key, counts)| match key {
            AggregationKey::Tickets(series) => Some((series, counts.tickets)),
            AggregationKey::Alarms(_)
            | AggregationKey::Maintenance
            | AggregationKey::Phrase(..) => None,
        });
        (start, tickets.collect())
    };
    open.map(of).collect()
}

/// Adds the window's new series to `leaves`. The merge holds the limit.
pub fn admit(leaves: &mut BTreeSet<SeriesKey>, window: &FinalizedWindow) {
    for (key, _) in &window.counts {
        if let AggregationKey::Tickets(series) = key
            && !leaves.contains(series)
        {
            leaves.insert(series.clone());
        }
    }
}

/// Adds series that first appear in a revision. They have a stored window from now on, so a restart finds them.
pub fn admit_revised(leaves: &mut BTreeSet<SeriesKey>, window: &FinalizedWindow, names: &Names) {
    let tickets = window.counts.iter().filter_map(|(key, _)| match key {
        AggregationKey::Tickets(series) => Some(series),
        _ => None,
    });
    leaves.extend(tickets.filter(|series| names.has(series)).cloned());
}

/// Adds series with restored tickets in the window.
pub fn admit_restored(
    leaves: &mut BTreeSet<SeriesKey>,
    restored: &BTreeMap<SeriesKey, u32>,
    names: &Names,
) {
    leaves.extend(restored.keys().filter(|series| names.has(series)).cloned());
}

/// Rows and counts of a finalized window. Every known series has a row: zero, or missing, if nothing was counted.
pub fn final_rows(
    leaves: &BTreeSet<SeriesKey>,
    window: &FinalizedWindow,
    alarms: &AlarmBook,
    names: &Names,
) -> (Rows, Leaves) {
    let mut rows: BTreeMap<AggregationKey, WindowRecord> = BTreeMap::new();
    for series in leaves {
        let record =
            WindowRecord { settled: true, missing: window.missing, ..WindowRecord::default() };
        rows.insert(AggregationKey::Tickets(series.clone()), record);
    }
    for (scope, active) in alarms.active() {
        let scope = names.scope(&scope).unwrap_or(scope);
        let row = rows.entry(AggregationKey::Alarms(scope)).or_default();
        row.settled = true;
        row.active += active;
    }
    for (key, counts) in &window.counts {
        let row = rows
            .entry(key.clone())
            .or_insert(WindowRecord { settled: true, ..WindowRecord::default() });
        row.counts = *counts;
        row.missing = false;
    }
    let counted = leaves
        .iter()
        .map(|series| {
            let row =
                rows.get(&AggregationKey::Tickets(series.clone())).copied().unwrap_or_default();
            (series.clone(), (!row.missing).then_some(row.counts.tickets))
        })
        .collect();
    (rows.into_iter().map(|(key, row)| (key, window.window, row)).collect(), counted)
}

/// Rows of a revision. Also revises the histories.
///
/// # Errors
/// [`StoreError`] if the previous rows cannot be read.
pub fn revised_rows(
    stored: &dyn Stored,
    (histories, leaves): (&mut Histories, &BTreeSet<SeriesKey>),
    window: &FinalizedWindow,
) -> Result<Rows, StoreError> {
    let mut rows = Vec::new();
    for (key, counts) in &window.counts {
        // A revision does not change the number of active alarms, nor what was restored.
        let before = stored.window(key, window.window)?.unwrap_or_default();
        let restored = before.restored.map(|both| both.count(Some(counts.tickets)));
        let active = before.active;
        let record = WindowRecord {
            counts: *counts,
            active,
            settled: true,
            revised: true,
            ..WindowRecord::default()
        };
        rows.push((key.clone(), window.window, record));
        if let AggregationKey::Tickets(series) = key
            && leaves.contains(series)
        {
            let tickets = restored.map_or(counts.tickets, Restored::larger);
            histories.revise(series, window.window, tickets);
        }
    }
    Ok(rows)
}
