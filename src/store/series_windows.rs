//! Windows of series: leaves and roll-ups, summed over the aggregation keys that they cover.

use std::collections::{BTreeMap, BTreeSet};

use super::codes::key_kind::TICKETS;
use super::names::{covered, main_keys};
use super::window_rows::{each_chunk, key_windows, late, span};
use super::{Reader, SeriesInfo, SeriesWindow, StoreError, WindowRecord, columns};
use crate::domain::{Offset, SeriesKey, Timestamp};
use crate::window::AggregationKey;

/// Windows of series
impl Reader {
    /// Ticket series: leaves and their roll-ups, in order.
    pub fn series(&self) -> Result<Vec<SeriesInfo>, StoreError> {
        let width = self.width();
        let spans = self.read(|conn| {
            let mut spans: BTreeMap<SeriesKey, (Timestamp, Timestamp)> = BTreeMap::new();
            for (id, key) in main_keys(conn)? {
                let AggregationKey::Tickets(leaf) = key else { continue };
                let Some((first, last)) = span(conn, id, width)? else { continue };
                for key in leaf.roll_ups().chain([leaf.clone()]) {
                    let whole = spans.entry(key).or_insert((first, last));
                    *whole = (whole.0.min(first), whole.1.max(last));
                }
            }
            Ok(spans)
        })?;
        Ok(spans
            .into_iter()
            .map(|(series, (first, last))| SeriesInfo { series, first, last })
            .collect())
    }

    /// Ticket series that have windows: leaves and their roll-ups, in order.
    pub fn series_keys(&self) -> Result<BTreeSet<SeriesKey>, StoreError> {
        self.read(|conn| {
            let mut found = conn.prepare_cached(&format!(
                "SELECT region, service, channel FROM cells WHERE kind = {TICKETS}
                     AND (EXISTS (SELECT 1 FROM chunks c WHERE c.key BETWEEN cells.id << 24
                             AND (cells.id << 24) + 16777215)
                         OR EXISTS (SELECT 1 FROM partials p WHERE p.cell = cells.id))"
            ))?;
            let mut rows = found.query([])?;
            let mut keys = BTreeSet::new();
            while let Some(row) = rows.next()? {
                let leaf = columns::series(row, 0)?;
                keys.extend(leaf.roll_ups());
                keys.insert(leaf);
            }
            Ok(keys)
        })
    }

    /// Windows of a series that start in `from..to`, summed over its leaves and alarm scopes. Windows without any record
    /// are left out.
    pub fn series_windows(
        &self,
        series: &SeriesKey,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<SeriesWindow>, StoreError> {
        let width = self.width();
        self.read(|conn| {
            let parts = covered(conn, series)?;
            if !parts.iter().any(|(_, key)| matches!(key, AggregationKey::Tickets(_))) {
                return Ok(Vec::new());
            }
            let mut sums: BTreeMap<Timestamp, SeriesWindow> = BTreeMap::new();
            for (id, key) in &parts {
                for (start, (record, upto)) in key_windows(conn, *id, width, from, to)? {
                    let sum = sums.entry(start).or_insert_with(|| SeriesWindow {
                        start,
                        settled: true,
                        ..SeriesWindow::default()
                    });
                    add(sum, key, &record, upto);
                }
                for (start, late) in late(conn, *id, from, to)? {
                    if let Some(sum) = sums.get_mut(&start) {
                        sum.late = sum.late.saturating_add(late);
                    }
                }
            }
            Ok(sums.into_values().collect())
        })
    }

    /// Tickets of series in the last `windows` finalized windows before `upto`, oldest first, summed over their leaves in
    /// one pass. `None` if a leaf's count is missing or no leaf has a count.
    pub fn past(
        &self,
        wanted: &BTreeSet<SeriesKey>,
        upto: Timestamp,
        windows: u32,
    ) -> Result<BTreeMap<SeriesKey, Vec<Option<u32>>>, StoreError> {
        let width = self.width();
        let (first, last) = (width.index(upto) - i64::from(windows), width.index(upto) - 1);
        let (from, to) = (width.start(first), width.start(last));
        self.read(|conn| {
            let mut sums: BTreeMap<SeriesKey, Vec<Option<(u32, bool)>>> = BTreeMap::new();
            for (id, key) in main_keys(conn)? {
                let AggregationKey::Tickets(leaf) = key else { continue };
                let covers: Vec<SeriesKey> = leaf
                    .roll_ups()
                    .chain([leaf.clone()])
                    .filter(|key| wanted.contains(key))
                    .collect();
                if covers.is_empty() {
                    continue;
                }
                let mut own = Vec::new();
                each_chunk(conn, id, from, to, |day, chunk| {
                    let rows = chunk.rows(day, width);
                    let rows = rows.filter(|(start, _)| (from..=to).contains(start));
                    own.extend(
                        rows.map(|(start, row)| ((width.index(start) - first) as usize, row)),
                    );
                })?;
                for series in covers {
                    let sums = sums.entry(series).or_insert_with(|| vec![None; windows as usize]);
                    for (nth, row) in &own {
                        let (tickets, missing) = sums[*nth].get_or_insert((0, false));
                        *tickets = tickets.saturating_add(row.counts.tickets);
                        *missing |= row.missing;
                    }
                }
            }
            let shown = |sum: Option<(u32, bool)>| {
                sum.and_then(|(tickets, missing)| (!missing).then_some(tickets))
            };
            let all = sums.into_iter();
            Ok(all.map(|(series, sums)| (series, sums.into_iter().map(shown).collect())).collect())
        })
    }
}

fn add(sum: &mut SeriesWindow, key: &AggregationKey, record: &WindowRecord, upto: Offset) {
    sum.tickets = sum.tickets.saturating_add(record.counts.tickets);
    for (sum, n) in sum.raised.iter_mut().zip(record.counts.raised) {
        *sum = sum.saturating_add(n);
    }
    sum.cleared = sum.cleared.saturating_add(record.counts.cleared);
    sum.active = sum.active.saturating_add(record.active);
    sum.upto = sum.upto.max(upto);
    sum.settled &= record.settled;
    sum.revised |= record.revised;
    // Missing alarms do not make the tickets missing.
    sum.missing |= record.missing && matches!(key, AggregationKey::Tickets(_));
}
