//! Merges the partials of all sources into one count per aggregation key and window, and finalizes windows.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::{AggregationKey, Counts, Partial};
use crate::domain::{Offset, SourceId, Timestamp, WindowWidth};

/// Rules of merging and finalizing.
#[derive(Clone, Copy, Debug)]
pub struct MergeConfig {
    pub width: WindowWidth,
    pub lateness: Duration,
    /// Windows no longer wait for a source that has not reported for this long: they are *missing*.
    pub source_timeout: Duration,
}

/// How far a source has counted. It is sent after the partials that it covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frontier {
    /// Windows that end at or before this are closed, and their partials have been sent.
    pub closed: Timestamp,
    /// Clock time at which the source had read everything available; `None` while it has not.
    pub caught_up_at: Option<Timestamp>,
}

/// The newest frontier of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceProgress {
    pub closed: Timestamp,
    pub caught_up_at: Option<Timestamp>,
    /// Clock time of the last report.
    pub reported_at: Timestamp,
}

/// A finalized window, or a revision of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FinalizedWindow {
    pub window: Timestamp,
    /// Counts by aggregation key. All other keys are zero, or unknown in a missing window, or unchanged in a revision.
    pub counts: Vec<(AggregationKey, Counts)>,
    /// Whether a source was silent past its time-out.
    pub missing: bool,
    /// Whether the window had been finalized before.
    pub revised: bool,
}

/// Counts of the newest partial of one source: the one with the largest `upto`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    pub counts: Counts,
    pub upto: Offset,
}

/// The state that a restart needs.
#[derive(Clone, Debug, Default)]
pub struct MergeState {
    pub sources: Vec<(SourceId, SourceProgress)>,
    pub parts: Vec<(Timestamp, AggregationKey, SourceId, Part)>,
    /// Start of the first window that is not final.
    pub next: Option<Timestamp>,
}

/// Parts of one aggregation key in one window, and the sum of those that can no longer change.
#[derive(Clone, Debug, Default, PartialEq)]
struct Entry {
    /// Finalized total less `parts`: the counts of sources that have closed the window.
    base: Counts,
    parts: BTreeMap<SourceId, Part>,
}

impl Entry {
    fn total(&self) -> Counts {
        self.parts.values().fold(self.base, |sum, part| sum.plus(part.counts))
    }
}

/// Merges the partials of all sources. Merging is associative, commutative and idempotent.
#[derive(Debug)]
pub struct Merge {
    config: MergeConfig,
    sources: BTreeMap<SourceId, SourceProgress>,
    open: BTreeMap<Timestamp, BTreeMap<AggregationKey, Entry>>,
    next: Option<Timestamp>,
    changed_after: BTreeSet<(Timestamp, AggregationKey)>,
}

impl Merge {
    /// Restores a merge. `finalized` returns the total of a key in a finalized window.
    pub fn restore(
        config: MergeConfig,
        state: MergeState,
        finalized: &dyn Fn(&AggregationKey, Timestamp) -> Counts,
    ) -> Self {
        let mut open: BTreeMap<Timestamp, BTreeMap<AggregationKey, Entry>> = BTreeMap::new();
        for (window, key, source, part) in state.parts {
            open.entry(window).or_default().entry(key).or_default().parts.insert(source, part);
        }
        if let Some(next) = state.next {
            for (window, entries) in open.range_mut(..next) {
                for (key, entry) in entries {
                    let parts = entry.total();
                    entry.base = finalized(key, *window).minus(parts);
                }
            }
        }
        Self {
            config,
            sources: state.sources.into_iter().collect(),
            open,
            next: state.next,
            changed_after: BTreeSet::new(),
        }
    }

    /// Makes windows wait for a source. A known source keeps its progress.
    pub fn expect(&mut self, source: SourceId, now: Timestamp) {
        self.sources.entry(source).or_insert(SourceProgress {
            closed: Timestamp::from_millis(i64::MIN / 4),
            caught_up_at: None,
            reported_at: now,
        });
    }

    /// Removes a source that will never report again, such as a file that was read to its end, or a topic that was deleted.
    /// Its counts stay.
    pub fn release(&mut self, source: &SourceId) {
        self.sources.remove(source);
    }

    /// Takes a source's changed partials. Returns those that were new; the others were replays.
    ///
    /// `finalized` returns the total of a key in a finalized window that is no longer held here.
    pub fn apply(
        &mut self,
        source: &SourceId,
        partials: Vec<Partial>,
        finalized: &dyn Fn(&AggregationKey, Timestamp) -> Counts,
    ) -> Vec<Partial> {
        let closed = self.sources.get(source).map(|s| s.closed);
        let mut fresh = Vec::new();
        for partial in partials {
            // The source has closed this window, so this partial can only be a replay.
            if closed.is_some_and(|closed| self.config.width.end(partial.window) <= closed) {
                continue;
            }
            if self.join(source, &partial, finalized) {
                fresh.push(partial);
            }
        }
        fresh
    }

    fn join(
        &mut self,
        source: &SourceId,
        partial: &Partial,
        finalized: &dyn Fn(&AggregationKey, Timestamp) -> Counts,
    ) -> bool {
        let is_final = self.next.is_some_and(|next| partial.window < next);
        let entry =
            self.open.entry(partial.window).or_default().entry(partial.key.clone()).or_insert_with(
                || Entry {
                    base: if is_final {
                        finalized(&partial.key, partial.window)
                    } else {
                        Counts::default()
                    },
                    parts: BTreeMap::new(),
                },
            );
        let before = entry.parts.get(source).copied();
        if before.is_some_and(|old| old.upto >= partial.upto) {
            return false;
        }
        entry.parts.insert(source.clone(), Part { counts: partial.counts, upto: partial.upto });
        let changed = before.map(|old| old.counts).unwrap_or_default() != partial.counts;
        if is_final && changed {
            self.changed_after.insert((partial.window, partial.key.clone()));
        }
        true
    }

    /// Takes a source's frontier. Call it after [`Self::apply`] with the partials that it covers.
    pub fn note(&mut self, source: &SourceId, frontier: Frontier, now: Timestamp) {
        let known = self.sources.entry(source.clone()).or_insert(SourceProgress {
            closed: frontier.closed,
            caught_up_at: frontier.caught_up_at,
            reported_at: now,
        });
        known.closed = known.closed.max(frontier.closed);
        known.caught_up_at = frontier.caught_up_at;
        known.reported_at = known.reported_at.max(now);
    }

    /// Finalizes the next window, if every source allows it. Call until `None`.
    pub fn finalize(&mut self, now: Timestamp) -> Option<FinalizedWindow> {
        if self.sources.is_empty() {
            return None;
        }
        let window = self.next.or_else(|| self.open.keys().next().copied())?;
        let end = self.config.width.end(window);
        // Without this check, windows in the future would be finalized.
        if end > now {
            return None;
        }
        let mut missing = false;
        for progress in self.sources.values() {
            let read_all = progress.caught_up_at.is_some_and(|at| at >= end + self.config.lateness);
            if progress.closed >= end || read_all {
                continue;
            }
            if now.since(progress.reported_at) <= self.config.source_timeout {
                return None;
            }
            missing = true;
        }
        self.next = Some(end);
        Some(FinalizedWindow { window, counts: self.totals(window), missing, revised: false })
    }

    /// Finalized windows whose counts changed since the last call.
    pub fn revisions(&mut self) -> Vec<FinalizedWindow> {
        let mut by_window: BTreeMap<Timestamp, Vec<(AggregationKey, Counts)>> = BTreeMap::new();
        for (window, key) in std::mem::take(&mut self.changed_after) {
            let Some(entry) = self.open.get(&window).and_then(|entries| entries.get(&key)) else {
                continue;
            };
            let total = entry.total();
            by_window.entry(window).or_default().push((key, total));
        }
        by_window
            .into_iter()
            .map(|(window, counts)| FinalizedWindow {
                window,
                counts,
                missing: false,
                revised: true,
            })
            .collect()
    }

    /// Drops parts of finalized windows that can no longer change. Returns them, so that the store drops them too.
    pub fn collapse(&mut self) -> Vec<(Timestamp, AggregationKey, SourceId)> {
        let Some(next) = self.next else { return Vec::new() };
        let (sources, width) = (&self.sources, self.config.width);
        let mut removed = Vec::new();
        for (window, entries) in self.open.range_mut(..next) {
            let end = width.end(*window);
            for (key, entry) in entries.iter_mut() {
                let mut base = entry.base;
                entry.parts.retain(|source, part| {
                    // A released source never reports again.
                    let is_final = sources.get(source).is_none_or(|s| s.closed >= end);
                    if is_final {
                        base = base.plus(part.counts);
                        removed.push((*window, key.clone(), source.clone()));
                    }
                    !is_final
                });
                entry.base = base;
            }
            entries.retain(|_, entry| !entry.parts.is_empty());
        }
        self.open.retain(|window, entries| *window >= next || !entries.is_empty());
        removed
    }

    /// Up to when the counts of open windows are complete: the earliest `caught_up_at` of the sources that have counted
    /// in them. `None` if one of these has not caught up.
    pub fn known_upto(&self) -> Option<Timestamp> {
        let from = self.next?;
        let entries = self.open.range(from..).flat_map(|(_, entries)| entries.values());
        let counting: BTreeSet<&SourceId> = entries.flat_map(|entry| entry.parts.keys()).collect();
        // A released source has said all.
        let counting = counting.into_iter().filter(|source| self.sources.contains_key(source));
        let upto = |source| self.sources.get(source).and_then(|s: &SourceProgress| s.caught_up_at);
        counting.map(upto).min().flatten()
    }

    /// Totals of a window so far.
    pub fn totals(&self, window: Timestamp) -> Vec<(AggregationKey, Counts)> {
        self.open.get(&window).map_or_else(Vec::new, |entries| {
            entries.iter().map(|(key, entry)| (key.clone(), entry.total())).collect()
        })
    }

    /// Start of the first window that is not final.
    pub fn next(&self) -> Option<Timestamp> {
        self.next
    }

    /// Known sources and their progress.
    pub fn sources(&self) -> &BTreeMap<SourceId, SourceProgress> {
        &self.sources
    }

    /// The state that a restart needs.
    pub fn state(&self) -> MergeState {
        let mut parts = Vec::new();
        for (window, entries) in &self.open {
            for (key, entry) in entries {
                for (source, part) in &entry.parts {
                    parts.push((*window, key.clone(), source.clone(), *part));
                }
            }
        }
        let sources = self.sources.iter().map(|(source, at)| (source.clone(), *at)).collect();
        MergeState { sources, parts, next: self.next }
    }

    /// Starts of the windows held in memory, oldest first.
    pub fn windows(&self) -> impl Iterator<Item = Timestamp> + '_ {
        self.open.keys().copied()
    }

    /// Windows held in memory.
    pub fn open_windows(&self) -> usize {
        self.open.len()
    }
}
