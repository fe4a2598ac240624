//! Restores the admitted names, the histories and the complaints.

use std::collections::BTreeMap;

use super::State;
use crate::anomaly::Complaints;
use crate::domain::{SeriesKey, Timestamp};
use crate::engine::histories::Histories;
use crate::store::{Reader, StoreError, WindowRecord};
use crate::window::{AggregationKey, CountedUnder, Names};

/// Sums of series that have several stored parts, by window: tickets, and whether they are missing.
type Sums = BTreeMap<SeriesKey, BTreeMap<Timestamp, (u32, bool)>>;

impl State {
    /// The names with stored windows, up to the limit. If there are more, those with the newest windows and the most tickets
    /// are kept, because names that were sent by mistake have few tickets.
    pub(super) fn restore_names(
        &self,
        reader: &Reader,
        next: Option<Timestamp>,
    ) -> Result<Names, StoreError> {
        let max = self.config.series_max;
        let mut names = Names::new(max);
        let Some(next) = next else { return Ok(names) };
        let known = reader.keys_since(next - Histories::REACH)?;
        let (others, own): (Vec<_>, Vec<_>) = known.into_iter().partition(AggregationKey::is_other);
        others.iter().for_each(|key| names.restore(key));
        let (series, scopes): (Vec<_>, Vec<_>) =
            own.into_iter().partition(|key| matches!(key, AggregationKey::Tickets(_)));
        scopes.iter().for_each(|key| _ = names.place(key));
        if series.len() <= max {
            series.iter().for_each(|key| names.restore(key));
            return Ok(names);
        }
        let held = series.len();
        tracing::warn!(
            held,
            max,
            "series: the store has more series than limits.series allows, those with the most tickets keep their names, the \
             others are counted under `_other`: raise limits.series to keep all"
        );
        let mut ranked = Vec::with_capacity(held);
        reader.each_key(next - Histories::REACH, |key, windows| {
            if let (AggregationKey::Tickets(_), Some((last, _))) = (key, windows.last())
                && !key.is_other()
            {
                let tickets: u64 =
                    windows.iter().map(|(_, row)| u64::from(row.counts.tickets)).sum();
                ranked.push((*last, tickets, key.clone()));
            }
        })?;
        // The sort is stable, and keys come in the order in which they were first seen.
        ranked.sort_by_key(|(last, tickets, _)| std::cmp::Reverse((*last, *tickets)));
        ranked.iter().take(max).for_each(|(.., key)| names.restore(key));
        Ok(names)
    }

    /// Restores histories and complaints. Windows of series beyond the limit are added to those of the series under which
    /// they are counted now.
    pub(super) fn restore_histories(
        &mut self,
        reader: &Reader,
        next: Option<Timestamp>,
        mut names: Names,
    ) -> Result<Names, StoreError> {
        self.observed.histories = Histories::new(self.config.width);
        self.observed.complaints = Complaints::new(self.config.width);
        self.leaves.clear();
        let Some(next) = next else { return Ok(names) };
        let complaints = &mut self.observed.complaints;
        let topics_from = next - Complaints::REACH;
        let mut restoring = self.observed.histories.restoring(next);
        let leaves = &mut self.leaves;
        let has_topics = !self.restored.holds_all();
        let mut sums = Sums::new();
        reader.each_key(next - Histories::REACH, |key, windows| {
            let AggregationKey::Tickets(stored) = key else { return };
            // Windows from `next` on were restored and are not finalized yet.
            let windows = &windows[..windows.partition_point(|(start, _)| *start < next)];
            if windows.is_empty() {
                return;
            }
            let place = names.place(key);
            let series = match &place {
                CountedUnder::Other(AggregationKey::Tickets(other)) => other,
                _ => stored,
            };
            let recent = windows.partition_point(|(start, _)| *start < topics_from);
            // Of windows that were only restored, no topics are known.
            let topics = windows[recent..].iter();
            let topics = topics.filter(|(_, record)| has_topics && record.was_finalized());
            let topics =
                topics.map(|(start, record)| (*start, record.counts.topics, record.missing));
            if recent < windows.len() {
                complaints.restore(&series.scope(), topics);
            }
            leaves.insert(series.clone());
            if series == stored && !key.is_other() {
                restoring.leaf(series, windows.iter().map(tickets));
            } else {
                add(sums.entry(series.clone()).or_default(), windows);
            }
        })?;
        for (series, windows) in sums {
            let windows = windows.into_iter();
            let windows = windows.map(|(start, (n, missing))| (start, (!missing).then_some(n)));
            restoring.leaf(&series, windows);
        }
        restoring.finish();
        reader.each_phrase(next - Complaints::PHRASE_REACH, |scope, phrase, window, n| {
            if names.counts_phrases_of(scope) {
                complaints.restore_phrase(scope, window, phrase, n);
            }
        })?;
        Ok(names)
    }
}

fn tickets((start, record): &(Timestamp, WindowRecord)) -> (Timestamp, Option<u32>) {
    (*start, (!record.missing).then_some(record.counts.tickets))
}

fn add(sums: &mut BTreeMap<Timestamp, (u32, bool)>, windows: &[(Timestamp, WindowRecord)]) {
    for (start, record) in windows {
        let sum = sums.entry(*start).or_default();
        *sum = (sum.0.saturating_add(record.counts.tickets), sum.1 || record.missing);
    }
}
