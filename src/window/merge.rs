//! Partials of all sources → one count per cell and window, finalized when nobody can add to it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::{AggregationKey, Counts, Partial};
use crate::domain::{Offset, SourceId, Timestamp, WindowWidth};

/// Rules of the leader.
#[derive(Clone, Copy, Debug)]
pub struct MergeConfig {
    pub width: WindowWidth,
    pub lateness: Duration,
    /// A source that has not reported for this long no longer holds windows back: they are *missing*.
    pub source_timeout: Duration,
}

/// What a source says of itself, after the partials it speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frontier {
    /// Windows that end at or before this are closed, and their partials have been sent.
    pub closed: Timestamp,
    /// Clock time at which it had read everything there was; `None` while it has not.
    pub caught_up_at: Option<Timestamp>,
}

/// What the leader remembers of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceProgress {
    pub closed: Timestamp,
    pub caught_up_at: Option<Timestamp>,
    /// Clock time of the last report.
    pub reported_at: Timestamp,
}

/// A window that finalized, or one that changed after it had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FinalizedWindow {
    pub window: Timestamp,
    /// KeyIndex with anything counted; every other known cell is zero.
    pub cells: Vec<(AggregationKey, Counts)>,
    /// A source was silent past its time-out: absent cells are unknown, not zero.
    pub missing: bool,
    pub revised: bool,
}

/// The newest partial of one source: the larger `upto` wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    pub counts: Counts,
    pub upto: Offset,
}

/// What a restart needs, as the store holds it.
#[derive(Clone, Debug, Default)]
pub struct MergeState {
    pub sources: Vec<(SourceId, SourceProgress)>,
    pub parts: Vec<(Timestamp, AggregationKey, SourceId, Part)>,
    /// Start of the first window that has not finalized.
    pub next: Option<Timestamp>,
}

/// Parts of one cell in one window, and the sum of those that can no longer change.
#[derive(Clone, Debug, Default, PartialEq)]
struct Entry {
    /// Settled total less the parts below: what closed sources gave.
    base: Counts,
    parts: BTreeMap<SourceId, Part>,
}

impl Entry {
    fn total(&self) -> Counts {
        self.parts.values().fold(self.base, |sum, part| sum.plus(part.counts))
    }
}

/// Merges the partials of all sources. Associative, commutative and idempotent in what it is given.
#[derive(Debug)]
pub struct Merge {
    config: MergeConfig,
    sources: BTreeMap<SourceId, SourceProgress>,
    open: BTreeMap<Timestamp, BTreeMap<AggregationKey, Entry>>,
    next: Option<Timestamp>,
    changed_after: BTreeSet<(Timestamp, AggregationKey)>,
}

impl Merge {
    /// `finalized` tells the finalized total of a cell and window, where it is known.
    pub fn restore(
        config: MergeConfig,
        state: MergeState,
        finalized: &dyn Fn(&AggregationKey, Timestamp) -> Counts,
    ) -> Self {
        let mut open: BTreeMap<Timestamp, BTreeMap<AggregationKey, Entry>> = BTreeMap::new();
        for (window, cell, source, part) in state.parts {
            open.entry(window).or_default().entry(cell).or_default().parts.insert(source, part);
        }
        if let Some(next) = state.next {
            for (window, cells) in open.range_mut(..next) {
                for (cell, entry) in cells {
                    let parts = entry.total();
                    entry.base = finalized(cell, *window).minus(parts);
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

    /// Makes a source known, so that windows wait for it. A known one keeps its progress.
    pub fn expect(&mut self, source: SourceId, now: Timestamp) {
        self.sources.entry(source).or_insert(SourceProgress {
            closed: Timestamp::from_millis(i64::MIN / 4),
            caught_up_at: None,
            reported_at: now,
        });
    }

    /// Lets a source go that will never report again (a file that was read to its end).
    pub fn release(&mut self, source: &SourceId) {
        self.sources.remove(source);
    }

    /// Takes a source's changed partials. Returns those that were news; the rest were replays.
    ///
    /// `finalized` tells the finalized total of a cell and window that is no longer held here.
    pub fn apply(
        &mut self,
        source: &SourceId,
        partials: Vec<Partial>,
        finalized: &dyn Fn(&AggregationKey, Timestamp) -> Counts,
    ) -> Vec<Partial> {
        let closed = self.sources.get(source).map(|s| s.closed);
        let mut news = Vec::new();
        for partial in partials {
            // What the source has closed is final here: a later sending can only be a replay.
            if closed.is_some_and(|closed| self.config.width.end(partial.window) <= closed) {
                continue;
            }
            if self.join(source, &partial, finalized) {
                news.push(partial);
            }
        }
        news
    }

    fn join(
        &mut self,
        source: &SourceId,
        partial: &Partial,
        finalized: &dyn Fn(&AggregationKey, Timestamp) -> Counts,
    ) -> bool {
        let is_settled = self.next.is_some_and(|next| partial.window < next);
        let entry = self
            .open
            .entry(partial.window)
            .or_default()
            .entry(partial.cell.clone())
            .or_insert_with(|| Entry {
                base: if is_settled {
                    finalized(&partial.cell, partial.window)
                } else {
                    Counts::default()
                },
                parts: BTreeMap::new(),
            });
        let before = entry.parts.get(source).copied();
        if before.is_some_and(|old| old.upto >= partial.upto) {
            return false;
        }
        entry.parts.insert(source.clone(), Part { counts: partial.counts, upto: partial.upto });
        let changed = before.map(|old| old.counts).unwrap_or_default() != partial.counts;
        if is_settled && changed {
            self.changed_after.insert((partial.window, partial.cell.clone()));
        }
        true
    }

    /// Takes what a source says of itself, after its partials.
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

    /// The next window, if every source allows it to settle; call until `None`.
    pub fn finalize(&mut self, now: Timestamp) -> Option<FinalizedWindow> {
        if self.sources.is_empty() {
            return None;
        }
        let window = self.next.or_else(|| self.open.keys().next().copied())?;
        let end = self.config.width.end(window);
        // Without this, a quiet system would settle windows that have not been.
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
        Some(FinalizedWindow { window, cells: self.totals(window), missing, revised: false })
    }

    /// Windows whose finalized count changed since the last call.
    pub fn revisions(&mut self) -> Vec<FinalizedWindow> {
        let mut by_window: BTreeMap<Timestamp, Vec<(AggregationKey, Counts)>> = BTreeMap::new();
        for (window, cell) in std::mem::take(&mut self.changed_after) {
            let Some(entry) = self.open.get(&window).and_then(|cells| cells.get(&cell)) else {
                continue;
            };
            let total = entry.total();
            by_window.entry(window).or_default().push((cell, total));
        }
        by_window
            .into_iter()
            .map(|(window, cells)| FinalizedWindow { window, cells, missing: false, revised: true })
            .collect()
    }

    /// Folds parts that can no longer change into their finalized windows. Returns what was let go,
    /// so that the store lets it go too.
    pub fn collapse(&mut self) -> Vec<(Timestamp, AggregationKey, SourceId)> {
        let Some(next) = self.next else { return Vec::new() };
        let (sources, width) = (&self.sources, self.config.width);
        let mut gone = Vec::new();
        for (window, cells) in self.open.range_mut(..next) {
            let end = width.end(*window);
            for (cell, entry) in cells.iter_mut() {
                let mut base = entry.base;
                entry.parts.retain(|source, part| {
                    // A source that was released has said all it had to say.
                    let is_final = sources.get(source).is_none_or(|s| s.closed >= end);
                    if is_final {
                        base = base.plus(part.counts);
                        gone.push((*window, cell.clone(), source.clone()));
                    }
                    !is_final
                });
                entry.base = base;
            }
            cells.retain(|_, entry| !entry.parts.is_empty());
        }
        self.open.retain(|window, cells| *window >= next || !cells.is_empty());
        gone
    }

    /// Up to when the windows that have not finalized are known, by the sources that have counted in them.
    pub fn known_upto(&self) -> Option<Timestamp> {
        let from = self.next?;
        let cells = self.open.range(from..).flat_map(|(_, cells)| cells.values());
        let counting: BTreeSet<&SourceId> = cells.flat_map(|entry| entry.parts.keys()).collect();
        let upto = |source| self.sources.get(source).and_then(|s: &SourceProgress| s.caught_up_at);
        counting.into_iter().map(upto).min().flatten()
    }

    /// Totals of a window as far as they are known now.
    pub fn totals(&self, window: Timestamp) -> Vec<(AggregationKey, Counts)> {
        self.open.get(&window).map_or_else(Vec::new, |cells| {
            cells.iter().map(|(cell, entry)| (cell.clone(), entry.total())).collect()
        })
    }

    /// Start of the first window that has not finalized.
    pub fn next(&self) -> Option<Timestamp> {
        self.next
    }

    /// Known sources and how far they are.
    pub fn sources(&self) -> &BTreeMap<SourceId, SourceProgress> {
        &self.sources
    }

    /// Everything a restart needs.
    pub fn state(&self) -> MergeState {
        let mut parts = Vec::new();
        for (window, cells) in &self.open {
            for (cell, entry) in cells {
                for (source, part) in &entry.parts {
                    parts.push((*window, cell.clone(), source.clone(), *part));
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
